"""The WSGI entry: any WSGI server can run this."""

from booking.app import create_app

app = create_app("production")
