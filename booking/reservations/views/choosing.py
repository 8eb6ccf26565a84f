"""The page of an instrument: its week, the starts that fit, what a slot costs, and taking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import caller_or_none
from booking.accounts.rules import Caller, Permission
from booking.availability import queries as availability
from booking.availability.errors import SlotTaken
from booking.availability.queries import DAYS, Week, day_shown
from booking.kernel import clock, formats, forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import HOLDING, Reservation
from booking.reservations.service import Offer
from booking.reservations.views.calendar import longest, week_drawn
from booking.reservations.views.frame import bp, go
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs

LENGTHS = (60, 120, 240, 480)
NOON, EVENING = 12, 18
VIEWS = ("list", "week")


@dataclass(frozen=True)
class Choice:
    """What was chosen so far on an instrument's page."""

    instrument: Instrument
    week: Week | None
    first: date
    day: date | None
    slot: TimeSlot | None
    purpose: str
    view: str = ""  # "list" instead of the calendar, "week" for it on a phone too

    @property
    def zone(self) -> ZoneInfo:
        """Return the instrument's time zone."""
        return self.instrument.zone

    @property
    def minutes(self) -> int:
        """Return the length that was chosen."""
        return self.slot.minutes if self.slot else self.week.minutes if self.week else LENGTHS[1]

    def address(self, **changes: Any) -> str:
        """Return the address of this page with something chosen otherwise."""
        kept = {
            "minutes": self.minutes,
            "start": self.written(self.slot.starts_at) if self.slot else None,
            "from": self.first.isoformat() if self.first != clock.today() else None,
            "purpose": self.purpose or None,
            "view": self.view or None,
        }
        return url_for(
            "reservations_pages.instrument", instrument_id=self.instrument.id, **(kept | changes)
        )

    def written(self, instant: datetime) -> str:
        """Return an instant as the address and the form write it: the clock on the lab's wall."""
        return f"{instant.astimezone(self.zone):%Y-%m-%dT%H:%M}"


@dataclass(frozen=True)
class Costs:
    """What the chosen slot costs whom, and what refuses it."""

    quote: tariffs.Quote | None
    broken: Sequence[tuple[str, str, str]] = ()  # sentence, words of the way out, its address


@bp.get("/instruments/<id:instrument_id>")
def instrument(instrument_id: int) -> Response:
    """Show an instrument, its next seven days, and the slot that is chosen or comes first."""
    return _show(_choice(instrument_id, request.args))


@bp.post("/instruments/<id:instrument_id>/reserve")
def reserve(instrument_id: int) -> Response:
    """Take the chosen slot; taken or refused, everything typed stays and a way on is shown."""
    choice = _choice(instrument_id, request.form)
    caller = caller_or_none()
    if caller is None:
        back = url_for("accounts_pages.log_in_page", next=choice.address())
        response = redirect(back, code=303)
        assert isinstance(response, Response)  # noqa: S101 - flask's own class
        return response
    try:
        forms.check_token()
    except DomainError as error:
        return _show(choice, trouble=http.translate(error.message), status=403)
    if choice.slot is None:
        return _show(choice, trouble=gettext("请先选择开始时间。"), status=422)
    if forms.came_before() and (made := _mine(choice, caller)):
        return go("made", reservation_id=made.id)
    return _take(instrument_id, choice, caller)


def _take(instrument_id: int, choice: Choice, caller: Caller) -> Response:
    assert choice.slot is not None  # noqa: S101 - asked only with one
    try:
        with transaction():
            made = service.reserve(
                instrument_id,
                choice.slot,
                caller=caller,
                organisation_id=_acting_for(caller),
                purpose=choice.purpose,
            )
    except DomainError as refused:
        # Rolled back: what was read before is to be read again.
        return _refused(_choice(instrument_id, request.form), refused, caller)
    return go("made", reservation_id=made.id)


def _refused(choice: Choice, refused: DomainError, caller: Caller) -> Response:
    status = http.status_of(type(refused))
    if isinstance(refused, SlotTaken):
        if mine := _mine(choice, caller):  # pressed twice: the first one has it
            return go("made", reservation_id=mine.id)
        return _show(choice, taken=refused, status=status)
    if isinstance(refused, NotBookable):
        return _show(choice, nearest=refused.details["alternatives"], status=status)
    return _show(choice, trouble=http.translate(refused.message), status=status)


def _mine(choice: Choice, caller: Caller) -> Reservation | None:
    """Return the caller's own reservation of exactly this slot, if there is one."""
    assert choice.slot is not None  # noqa: S101 - asked only with one
    window = (choice.slot.starts_at, choice.slot.ends_at)
    found = queries.list_reservations(
        caller=caller, limit=20, cursor=None, instrument_id=choice.instrument.id, window=window
    )
    return next(
        (
            each
            for each in found.items
            if each.user_id == caller.user_id
            and each.slot == choice.slot
            and each.status in HOLDING
        ),
        None,
    )


def _acting_for(caller: Caller) -> int | None:
    """Return the organisation named in the form or address, if the caller may act for it."""
    may = caller.organisations_with(Permission.RESERVE)
    named = request.values.get("organisation", "")
    if named.isascii() and named.isdigit() and int(named) in may:
        return int(named)
    return min(may) if may else None


def _choice(instrument_id: int, given: Mapping[str, str]) -> Choice:
    """Return what the address or form chooses; what cannot be meant counts as not chosen."""
    found = registry.get_instrument(instrument_id, caller=caller_or_none())
    zone, today = found.zone, clock.today()
    start = _wall(given.get("start", ""), zone)
    day = start.date() if start else _day(given.get("day", ""))
    first = _day(given.get("from", "")) or today
    if day is not None and not first <= day < first + timedelta(days=DAYS):
        first = day
    minutes = given.get("minutes", "")
    wanted = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 6 else 120
    week = availability.weeks([found.id], max(first, today), now=clock.now(), minutes=wanted).get(
        found.id
    )
    slot = _slot(start, week.minutes if week and not start else wanted) or _soonest(week, day)
    return Choice(
        found,
        week,
        first=max(first, today),
        day=day or (slot.starts_at.astimezone(zone).date() if slot else None),
        slot=slot,
        purpose=given.get("purpose", "").strip()[:500],
        view=given["view"] if given.get("view") in VIEWS else "",
    )


def _wall(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _slot(start: datetime | None, minutes: int) -> TimeSlot | None:
    if start is None:
        return None
    try:
        return TimeSlot(start, start + timedelta(minutes=minutes))
    except (UnusableSlot, OverflowError):
        return None


def _soonest(week: Week | None, day: date | None) -> TimeSlot | None:
    """Return the first slot that fits, on the day if one is chosen."""
    if week is None:
        return None
    starts = [start for each in week.days if day is None or each.on == day for start in each.starts]
    return _slot(starts[0], week.minutes) if starts else None


def _show(
    choice: Choice,
    *,
    taken: SlotTaken | None = None,
    nearest: Sequence[Mapping[str, Any]] = (),
    trouble: str = "",
    status: int = 200,
) -> Response:
    caller, week = caller_or_none(), choice.week
    costs = _costs(choice, caller)
    [described] = registry.described([choice.instrument], caller=caller)
    axis = availability.axis_of([week] if week else [])
    page = render_template(
        "reservations/instrument.html",
        choice=choice,
        instrument=choice.instrument,
        described=described,
        days=[
            day_shown(
                day,
                axis,
                url=choice.address(day=day.on.isoformat(), start=None),
                chosen=choice.day,
            )
            for day in (week.days if week else ())
        ],
        parts=_parts(choice),
        chosen_start=choice.written(choice.slot.starts_at) if choice.slot else "",
        lengths=[(minutes, formats.length(minutes)) for minutes in _lengths(choice)],
        earlier_url=_week_url(choice, -DAYS),
        later_url=_week_url(choice, DAYS),
        costs=costs,
        obstacles=_obstacles(choice, caller),
        signed_in=caller is not None,
        buyers=_buyers(caller),
        acting_for=_acting_for(caller) if caller else None,
        taken=taken is not None,
        instead=_instead(choice, taken, nearest),
        trouble=trouble,
        axis=axis,
        drawn=_drawn(choice, axis, costs, caller),
        week_words=formats.days(choice.first, choice.first + timedelta(days=DAYS - 1)),
        longest=longest(week) if week else None,
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _drawn(choice: Choice, axis: tuple[int, int], costs: Costs, caller: Caller | None) -> str:
    if choice.week is None:
        return ""
    return week_drawn(
        choice.week,
        axis=axis,
        chosen=choice.slot,
        price=costs.quote.price if costs.quote else None,
        caller=caller,
        address=choice.address(start=None, minutes=None),
    )


def _lengths(choice: Choice) -> list[int]:
    return sorted({*LENGTHS, choice.minutes})


def _week_url(choice: Choice, days: int) -> str:
    first = choice.first + timedelta(days=days)
    if first <= clock.today() and choice.first == clock.today():
        return ""
    return choice.address(**{"from": max(first, clock.today()).isoformat(), "start": None})


def _parts(choice: Choice) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the starts of the chosen day: morning, afternoon, evening."""
    starts = [
        start
        for each in (choice.week.days if choice.week else ())
        if each.on == choice.day
        for start in each.starts
    ]
    halves: list[tuple[str, list[tuple[str, str]]]] = []
    for words, low, high in (
        (gettext("上午"), 0, NOON),
        (gettext("下午"), NOON, EVENING),
        (gettext("晚上"), EVENING, 24),
    ):
        within = [start for start in starts if low <= start.hour < high]
        halves.append((words, [(choice.written(each), f"{each:%H:%M}") for each in within]))
    return halves


def _costs(choice: Choice, caller: Caller | None) -> Costs:
    """Return the quote for who may reserve, else the published price for strangers."""
    if choice.slot is None:
        return Costs(None)
    organisation_id = _acting_for(caller) if caller else None
    if caller is None or organisation_id is None:
        customer = tariff_queries.customer_of(caller)
        price = tariff_queries.current_prices([choice.instrument.id], customer).get(
            choice.instrument.id
        )
        return Costs(_published(price, choice.slot.minutes) if price else None)
    offer: Offer = service.quote(
        choice.instrument.id, choice.slot, caller=caller, organisation_id=organisation_id
    )
    return Costs(
        offer.quote, [(http.translate(broken.detail), "", "") for broken in offer.violations]
    )


def _published(price: Any, minutes: int) -> tariffs.Quote | None:
    return tariffs.quote(
        price.facts, minutes=minutes, customer_class=price.customer_class, now=clock.now()
    )


def _obstacles(choice: Choice, caller: Caller | None) -> list[str]:
    """Return why it cannot be booked at all, for whoever looks."""
    own = caller.organisations_with(Permission.RESERVE) if caller else frozenset()
    is_own = choice.instrument.institution_id in own
    customer = tariff_queries.customer_of(caller)
    priced = tariff_queries.current_prices([choice.instrument.id], customer)
    found = availability.obstacles(
        choice.instrument,
        is_own=is_own,
        has_hours=choice.week is not None,
        has_price=bool(priced),
    )
    return [http.translate(each.detail) for each in found]


def _buyers(caller: Caller | None) -> list[tuple[int, str]]:
    """Return the organisations the caller may reserve for, if there is a choice."""
    may = sorted(caller.organisations_with(Permission.RESERVE)) if caller else []
    if len(may) < 2:
        return []
    names = accounts.names_of(may)
    return [(each, names[each]) for each in may]


def _instead(
    choice: Choice, taken: SlotTaken | None, nearest: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str]]:
    """Return what is free instead: when, where if elsewhere, and the address that chooses it."""
    here = taken.details["alternatives"] if taken else nearest
    elsewhere = taken.details["elsewhere"] if taken else ()
    found = [(each, "") for each in here]
    names = registry.instrument_names([each["instrument_id"] for each in elsewhere])
    found += [(each, names.get(each["instrument_id"], "")) for each in elsewhere]
    return [
        (
            f"{formats.near(each['starts_at'], choice.zone)} · {formats.money(each['price'])}",
            name,
            url_for(
                "reservations_pages.instrument",
                instrument_id=each["instrument_id"],
                start=choice.written(each["starts_at"]),
                minutes=choice.minutes,
                purpose=choice.purpose or None,
            ),
        )
        for each, name in found
    ]
