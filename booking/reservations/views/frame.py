"""The blueprint of the pages around a reservation."""

from flask import Response, redirect, url_for

from booking.kernel import pages

bp = pages.Blueprint("reservations_pages", __name__)


def go(endpoint: str, **values: object) -> Response:
    """Answer a form with the way to a page, so that a reload posts nothing again."""
    response = redirect(url_for(f"reservations_pages.{endpoint}", **values), code=303)  # type: ignore[arg-type]
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response
