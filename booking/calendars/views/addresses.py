"""Calendars at their addresses: answered with 304 wherever nothing has changed."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import get_locale
from webargs.flaskparser import FlaskParser

from booking.accounts.auth import caller
from booking.calendars import queries, rules, service
from booking.calendars.rules import Subject
from booking.calendars.schemas import FreeBusyQuery
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.kernel.ical import MEDIA_TYPE
from booking.kernel.language import CHINESE, ENGLISH
from booking.kernel.login import login_required
from booking.kernel.passwords import digest

bp = Blueprint("calendar_addresses", __name__, url_prefix="/calendars")

_LANGUAGES = {"zh": CHINESE, "en": ENGLISH}
_PUBLIC, _PRIVATE = "public, max-age=300", "private, max-age=300"
_parser = FlaskParser()


@bp.get("/instruments/<id:instrument_id>.ics")
def instrument(instrument_id: int) -> Response:
    """Show when a published instrument is busy or stands still; to everybody."""
    with transaction():
        return _calendar(queries.instrument_subject(instrument_id), cache=_PUBLIC)


@bp.get("/feeds/<string(length=43):secret>.ics")
def feed(secret: str) -> Response:
    """Show the calendar of whoever made this address; the address is the key."""
    with transaction():
        return _calendar(queries.feed_subject(digest(secret)), cache=_PRIVATE)


@bp.get("/reservations/<id:reservation_id>.ics")
@login_required
def reservation(reservation_id: int) -> Response:
    """Give one reservation as a file for one's own calendar; later changes come by feeds only."""
    locale = _LANGUAGES.get(request.args.get("lang", "")) or str(get_locale() or CHINESE)
    found = service.one_reservation(reservation_id, caller=caller(), locale=locale)
    response = _answer(found.body, cache="private, no-store")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.number}.ics"'
    return response


@bp.get("/instruments/<id:instrument_id>/freebusy.ics")
@_parser.use_args(FreeBusyQuery, location="query")
def free_busy(query: dict[str, Any], instrument_id: int) -> Response:
    """Show when a published instrument is taken or closed, within 92 days; to everybody."""
    window = rules.free_busy_window(**query, day=clock.today())
    found = service.free_busy(instrument_id, window)
    response = _answer(found.body, cache=_PUBLIC)
    response.set_etag(found.etag, weak=True)
    response.make_conditional(request)
    return response


def _calendar(subject: Subject, *, cache: str) -> Response:
    asked = _LANGUAGES.get(request.args.get("lang", ""))
    seen = service.glance(subject, locale=asked or subject.locale or CHINESE)
    if _has_seen(seen.etag, seen.modified_at):
        response = _answer(b"", cache=cache, status=304)
    else:
        response = _answer(service.body(seen), cache=cache)
    response.set_etag(seen.etag)
    response.last_modified = seen.modified_at
    return response


def _has_seen(etag: str, modified_at: datetime) -> bool:
    """Tell whether the client's copy is this one; dates count only without tags (RFC 9110)."""
    if "If-None-Match" in request.headers:
        return request.if_none_match.contains_weak(etag)
    since = request.if_modified_since
    return since is not None and modified_at.replace(microsecond=0) <= since


def _answer(body: bytes, *, cache: str, status: int = 200) -> Response:
    response = Response(body, status=status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = cache
    # Else a browser would keep the file under the secret's name.
    response.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response.headers["X-Robots-Tag"] = "noindex"
    return response
