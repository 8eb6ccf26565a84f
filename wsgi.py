"""The WSGI entry: any WSGI server can run this."""

from booking.app import create_app
from booking.kernel import memory

app = create_app("production")
memory.settle()
