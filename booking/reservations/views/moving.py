"""Moving a reservation: only starts that fit are offered, and the new price is said before."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.availability import queries as availability
from booking.availability.errors import SlotTaken
from booking.availability.queries import DAYS
from booking.kernel import clock, formats, forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.login import login_required
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable, SomeNotBookable, SomeTaken
from booking.reservations.models import HOLDING, Reservation, ReservationStatus
from booking.reservations.views.frame import bp, go
from booking.reservations.views.shown import coming_together, reach
from booking.tariffs.rules import Customer

LONGEST_REASON = 200
_MODES = {"1": True, "0": False}


@bp.get("/reservations/<id:reservation_id>/move")
@login_required
def move_page(reservation_id: int) -> str:
    """Offer the starts of seven days at which the reservation would fit as long as it is."""
    return _page(reservation_id)


@bp.post("/reservations/<id:reservation_id>/move")
@login_required
def move(reservation_id: int) -> Response:
    """Move it to the chosen start; refused, the old time stays and what fits is shown again."""
    found = queries.get_reservation(reservation_id, caller=caller())
    typed = request.form.get("other_start", "") or request.form.get("start", "")
    start = _start(typed, ZoneInfo(found.instrument.time_zone))
    is_assisted = _MODES.get(request.form.get("assisted", ""))
    changes_mode = is_assisted is not None and is_assisted is not found.is_assisted
    if start is None and (typed or not changes_mode):
        return _again(reservation_id, gettext("请先选择开始时间。"), 422)
    slot = TimeSlot(start, start + found.slot.duration) if start else found.slot
    reason = request.form.get("override_reason", "").strip()
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        return _again(reservation_id, gettext("理由最多 200 字，写在一行。"), 422)
    version = request.form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    try:
        forms.check_token()
        with transaction():
            service.change(
                reservation_id,
                caller=caller(),
                slot=slot if start else None,
                is_assisted=is_assisted if changes_mode else None,
                version=seen,
                override_reason=reason or None,
                scope=reach(),
            )
    except NotFound:
        raise
    except DomainError as refused:
        return _again(reservation_id, _said(refused), http.status_of(type(refused)))
    said = (
        gettext("已改期，原时段已释放。") if start else gettext("使用方式已更改，价格已重新计算。")
    )
    flash(said, "ok")
    return go("show", reservation_id=reservation_id)


def _said(refused: DomainError) -> str:
    """Return the refusal in words; of several broken rules all of them."""
    if isinstance(refused, NotBookable):
        return " ".join(str(http.translate(broken.detail)) for broken in refused.violations)
    if isinstance(refused, SomeNotBookable | SomeTaken):
        return " ".join(_each(refused))
    if isinstance(refused, SlotTaken):
        return str(gettext("这个时段刚被约走，请另选。原预约仍然有效。"))
    return str(http.translate(refused.message))


def _each(refused: SomeNotBookable | SomeTaken) -> Iterator[str]:
    """Yield what is in the way of several, each with its day."""
    yield str(http.translate(refused.message))
    for item in refused.details["items"]:
        reasons = [str(http.translate(each["detail"])) for each in item["violations"]]
        reasons += [gettext("这个时段已被约走。")] if item["taken"] else []
        yield f"{formats.moment(item['starts_at'])}：{' '.join(reasons)}"


def _again(reservation_id: int, trouble: str, status: int) -> Response:
    page = _page(reservation_id, trouble=trouble)
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _page(reservation_id: int, *, trouble: str = "") -> str:
    found = queries.get_reservation(reservation_id, caller=caller())
    first = _day(request.values.get("from", ""))
    week = availability.weeks(
        [found.instrument_id],
        first,
        now=clock.now(),
        minutes=found.slot.minutes,
        customer=Customer((found.customer_class,)),
    ).get(found.instrument_id)
    return render_template(
        "reservations/move.html",
        reservation=found,
        instrument=found.instrument,
        days=[day for day in week.days if day.starts] if week else [],
        fits=week is not None and week.minutes == found.slot.minutes,
        first=first,
        earlier_url=_at(reservation_id, first, -DAYS) if first > clock.today() else "",
        later_url=_at(reservation_id, first, DAYS),
        chosen=request.form.get("start", ""),
        typed=request.form,
        operation=availability.operation_of(found.instrument_id),
        costs=service.price_by_mode(found) if found.status in HOLDING else {},
        manages=caller().may(Permission.MANAGE_INSTRUMENTS, found.instrument.institution_id),
        holds=found.status in HOLDING,
        free_until=queries.free_to_change_until(found),
        asks_again=_asks_again(found),
        trouble=trouble,
        together=coming_together(found),
        scope=reach(),
    )


def _asks_again(found: Reservation) -> bool:
    """Tell whether a slot of this length and price would need approval for whoever moves it."""
    runs_it = caller().may(Permission.RUN_INSTRUMENTS, found.instrument.institution_id)
    return service.needs_approval(found) and not (
        runs_it and found.status is ReservationStatus.CONFIRMED
    )


def _at(reservation_id: int, first: date, days: int) -> str:
    day: dict[str, Any] = {"from": max(first + timedelta(days=days), clock.today()).isoformat()}
    return url_for("reservations_pages.move_page", reservation_id=reservation_id, **day)


def _day(text: str) -> date:
    today = clock.today()
    try:
        return min(max(date.fromisoformat(text), today), today + timedelta(days=366))
    except ValueError:
        return today


def _start(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the start on the lab's wall clock; None if it is none within reason."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = start.replace(tzinfo=zone) if start.tzinfo is None else start
    return aware if 2000 < aware.year < 2099 else None
