"""What is read where an instrument stood that its institution has withdrawn."""

from datetime import datetime, timedelta

from flask import Response, render_template, request, url_for

from booking.accounts.auth import caller_or_none
from booking.availability import queries as availability
from booking.kernel import clock, formats, http
from booking.kernel.errors import NotFound
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.reservations.views.frame import bp
from booking.tariffs import queries as tariffs

GONE = 410
PAGES = ("reservations_pages.instrument", "reservations_pages.reserve")


@bp.errorhandler(NotFound)
def nothing_there(error: NotFound) -> Response:
    """Say of a withdrawn instrument that it is gone and what is equal; else the usual."""
    found = _withdrawn()
    if found is None or http.wants_problem():
        return http.handle_domain_error(error)
    page = render_template(
        "reservations/withdrawn.html",
        instrument=found,
        was_reserving=request.method == "POST",
        instead=_instead(found),
    )
    return Response(page, status=GONE, content_type="text/html; charset=utf-8")


def _withdrawn() -> Instrument | None:
    asked = (request.view_args or {}).get("instrument_id")
    if request.endpoint not in PAGES or asked is None:
        return None
    return registry.find_withdrawn(asked)


def _instead(gone: Instrument) -> list[tuple[str, str, str]]:
    """Return when which equal instrument is free, from the time that was wanted, with addresses."""
    wanted = _wanted(gone)
    found = availability.alternatives(
        gone.id,
        wanted,
        customer=tariffs.customer_of(caller_or_none()),
        now=clock.now(),
        kin=availability.Kin(gone.region_code or "", gone.category_code),
    ).elsewhere
    names = registry.instrument_names([each.instrument_id for each in found])
    return [
        (
            formats.near(each.starts_at, gone.zone),
            names.get(each.instrument_id, ""),
            url_for(
                "reservations_pages.instrument",
                instrument_id=each.instrument_id,
                start=f"{each.starts_at.astimezone(gone.zone):%Y-%m-%dT%H:%M}",
                minutes=wanted.minutes,
                purpose=request.values.get("purpose", "").strip()[:500] or None,
            ),
        )
        for each in found
    ]


def _wanted(gone: Instrument) -> TimeSlot:
    """Return the slot that was chosen if it can be meant, else the next two hours."""
    now, minutes = clock.now(), request.values.get("minutes", "")
    length = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 4 else 0
    try:
        start = datetime.fromisoformat(request.values.get("start", "")).replace(tzinfo=gone.zone)
    except ValueError:
        start = now
    if not now <= start <= now + timedelta(days=366):
        start = now
    return TimeSlot(start, start + timedelta(minutes=length or 120))
