"""One day of all instruments of an institution: open hours, visits, what stands still."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam, case, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from booking.accounts.models import Organisation, User
from booking.accounts.rules import Caller, Permission, require
from booking.availability.models import (
    CLOSURE_KINDS,
    LONGEST_OCCUPANCY,
    Closure,
    Occupancy,
    OccupancyKind,
)
from booking.availability.queries import patterns_of
from booking.availability.rules import Span, open_spans
from booking.console.rules import Axis, axis_over, lanes
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument, Publication, RunningState
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.rules import EARLIEST_START

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
# Statuses in which nobody comes.
_CALLED_OFF = ("cancelled", "declined", "expired")


@dataclass(frozen=True)
class Visit:
    """Somebody's reserved time on an instrument."""

    id: int
    slot: TimeSlot
    when: str  # on the board's clock, cut at its midnights
    unit: int
    status: ReservationStatus
    firm: str
    person: str
    purpose: str

    def may_begin(self, now: datetime) -> bool:
        """Tell whether its use can be begun now."""
        begins = self.slot.starts_at - EARLIEST_START
        return self.status is ReservationStatus.CONFIRMED and begins <= now < self.slot.ends_at

    def is_over(self, now: datetime) -> bool:
        """Tell whether its time has passed."""
        return self.slot.ends_at <= now


@dataclass(frozen=True)
class Stop:
    """Time the owner took back, on one unit or (unit None) on several."""

    id: int | None
    slot: TimeSlot
    when: str
    unit: int | None
    kind: OccupancyKind
    reason: str


class Bar(NamedTuple):
    """A visit or a stop where it stands in its row: percent across, lane below."""

    left: float
    width: float
    lane: int
    is_visit: bool
    thing: Visit | Stop


@dataclass(frozen=True)
class Row:
    """An instrument on its day."""

    id: int
    name: str
    model: str
    inner_id: str
    units: int
    running_state: RunningState
    opened: Sequence[str] = ()
    visits: Sequence[Visit] = ()
    stops: Sequence[Stop] = ()
    open_places: Sequence[tuple[float, float]] = ()
    bars: Sequence[Bar] = ()

    @property
    def lanes(self) -> int:
        """Return how many lanes its bars need."""
        return max((bar.lane for bar in self.bars), default=0) + 1

    @property
    def agenda(self) -> Sequence[Visit | Stop]:
        """Return visits and stops together, soonest first."""
        return sorted([*self.visits, *self.stops], key=lambda each: each.slot.starts_at)


@dataclass(frozen=True)
class Board:
    """All of it, on one clock."""

    day: date
    zone: ZoneInfo
    axis: Axis
    rows: Sequence[Row] = ()
    now_at: float | None = None  # in percent, on its own day only
    arrivals: Sequence[tuple[Row, Visit]] = field(default_factory=list)

    @property
    def visits(self) -> int:
        """Return how many visits there are."""
        return sum(len(row.visits) for row in self.rows)

    @property
    def stops(self) -> int:
        """Return how many instruments stand still for some time."""
        return sum(any(stop.kind in CLOSURE_KINDS for stop in row.stops) for row in self.rows)


def board(institution_id: int, day: date | None, *, caller: Caller) -> Board:
    """Return the day (today's unless told) of an institution the caller works the day for.

    Shown are published instruments and all that have something on. Five statements, whatever
    the number of instruments. Raises NotAllowed.
    """
    require(caller, Permission.SEE_OWNER_SIDE, institution_id)
    instruments = db.session.execute(
        _INSTRUMENTS.where(Instrument.institution_id == institution_id)
    )
    found = instruments.all()
    zone = ZoneInfo(_clock_of(found))
    now = clock.now()
    on = day or now.astimezone(zone).date()
    window = TimeSlot(_midnight(on, zone), _midnight(on + timedelta(days=1), zone))
    ids = [each.id for each in found]
    visits, stops = _visits(ids, window, zone), _stops(ids, window, zone)
    opened = _opened(ids, window)
    shown = [
        each
        for each in found
        if each.publication == Publication.PUBLISHED or each.id in visits or each.id in stops
    ]
    laid = _Laid(window, visits, stops, opened)
    axis = axis_over(laid.spans())
    rows = [laid.row(each, axis) for each in shown]
    return Board(
        day=on,
        zone=zone,
        axis=axis,
        rows=rows,
        now_at=_now_at(axis, now, window),
        arrivals=_arrivals(rows, now if now < window.ends_at else window.starts_at),
    )


_INSTRUMENTS = select(
    Instrument.id,
    Instrument.name,
    Instrument.model,
    Instrument.inner_id,
    Instrument.units,
    Instrument.running_state,
    Instrument.publication,
    Instrument.time_zone,
).order_by(Instrument.name_pinyin, Instrument.id)


def _clock_of(instruments: Sequence[Any]) -> str:
    """Return the zone most of the instruments stand in: a board has one clock."""
    zones = Counter(each.time_zone for each in instruments)
    return zones.most_common(1)[0][0] if zones else clock.CHINA.key


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _opened(ids: Sequence[int], window: TimeSlot) -> dict[int, Sequence[Span]]:
    found: dict[int, Sequence[Span]] = {}
    for pattern in patterns_of(ids, window):
        spans = open_spans(pattern.plan, window)
        found |= dict.fromkeys(pattern.ids, spans)
    return found


def _visits(ids: Sequence[int], window: TimeSlot, zone: ZoneInfo) -> dict[int, list[Visit]]:
    query = (
        select(
            Reservation.instrument_id,
            Reservation.id,
            Reservation.starts_at,
            Reservation.ends_at,
            Reservation.unit,
            Reservation.status,
            Organisation.name,
            User.name,
            Reservation.purpose,
        )
        .join(Organisation, Organisation.id == Reservation.organisation_id)
        .join(User, User.id == Reservation.user_id)
        .where(
            Reservation.instrument_id == func.any(_IDS),
            Reservation.ends_at > window.starts_at,
            # Says nothing new; it lets the index stop.
            Reservation.ends_at < window.ends_at + LONGEST_OCCUPANCY,
            Reservation.starts_at < window.ends_at,
            Reservation.status.not_in(_CALLED_OFF),
        )
        .order_by(Reservation.starts_at, Reservation.id)
    )
    found: dict[int, list[Visit]] = defaultdict(list)
    for instrument_id, id_, starts_at, ends_at, *rest in db.session.execute(query, {"ids": ids}):
        told: list[Any] = rest
        slot = TimeSlot(starts_at, ends_at)
        found[instrument_id].append(Visit(id_, slot, _when(slot, window, zone), *told))
    return found


def _stops(ids: Sequence[int], window: TimeSlot, zone: ZoneInfo) -> dict[int, list[Stop]]:
    query = (
        select(
            Occupancy.instrument_id,
            Occupancy.closure_id,
            Occupancy.starts_at,
            Occupancy.ends_at,
            func.coalesce(Closure.unit, case((Closure.id.is_(None), Occupancy.unit))),
            Occupancy.kind,
            Closure.reason,
        )
        .outerjoin(Closure, Closure.id == Occupancy.closure_id)
        .where(
            Occupancy.instrument_id == func.any(_IDS),
            Occupancy.ends_at > window.starts_at,
            Occupancy.ends_at < window.ends_at + LONGEST_OCCUPANCY,
            Occupancy.starts_at < window.ends_at,
            Occupancy.kind != OccupancyKind.RESERVATION,
            # A closure of several units holds each of them: told of once.
            or_(Closure.id.is_(None), Occupancy.unit == func.coalesce(Closure.unit, 1)),
        )
        .order_by(Occupancy.starts_at, Occupancy.id)
    )
    found: dict[int, list[Stop]] = defaultdict(list)
    for instrument_id, id_, starts_at, ends_at, unit, kind, reason in db.session.execute(
        query, {"ids": ids}
    ):
        slot = TimeSlot(starts_at, ends_at)
        when = _when(slot, window, zone)
        found[instrument_id].append(Stop(id_, slot, when, unit, kind, reason or ""))
    return found


@dataclass
class _Laid:
    """What was found, ready to be laid out once the axis is known."""

    window: TimeSlot
    visits: Mapping[int, Sequence[Visit]]
    stops: Mapping[int, Sequence[Stop]]
    opened: Mapping[int, Sequence[Span]]

    @cached_property
    def midnight(self) -> int:
        """Return the minute the day begins."""
        return int(self.window.starts_at.timestamp() // 60)

    def spans(self) -> Iterator[Span]:
        """Yield whatever must be in sight, in minutes of the day."""
        for spans in self.opened.values():
            yield from ((start - self.midnight, end - self.midnight) for start, end in spans)
        for things in chain[Sequence[Visit | Stop]](self.visits.values(), self.stops.values()):
            yield from (self._span(each.slot) for each in things if not self._is_long(each))

    def row(self, instrument: Any, axis: Axis) -> Row:
        """Return an instrument's row."""
        visits, stops = self.visits.get(instrument.id, ()), self.stops.get(instrument.id, ())
        opened = self.opened.get(instrument.id, ())
        of_day = [(start - self.midnight, end - self.midnight) for start, end in opened]
        return Row(
            id=instrument.id,
            name=instrument.name,
            model=instrument.model,
            inner_id=instrument.inner_id,
            units=instrument.units,
            running_state=instrument.running_state,
            opened=[_written(span) for span in of_day],
            visits=visits,
            stops=stops,
            open_places=[place for span in of_day if (place := axis.place(span))],
            bars=self._bars([*visits, *stops], axis),
        )

    def _bars(self, things: list[Visit | Stop], axis: Axis) -> list[Bar]:
        things.sort(key=lambda each: (each.slot.starts_at, each.slot.ends_at))
        below = lanes([self._span(each.slot) for each in things])
        return [
            Bar(*place, lane, isinstance(each, Visit), each)
            for each, lane in zip(things, below, strict=True)
            if (place := axis.place(self._span(each.slot)))
        ]

    def _is_long(self, thing: Visit | Stop) -> bool:
        """Tell what reaches over the whole day: it is in sight whatever the axis."""
        starts, ends = thing.slot.starts_at, thing.slot.ends_at
        return starts <= self.window.starts_at or ends >= self.window.ends_at

    def _span(self, slot: TimeSlot) -> Span:
        starts = int(slot.starts_at.timestamp() // 60) - self.midnight
        return starts, -int(-slot.ends_at.timestamp() // 60) - self.midnight


def _when(slot: TimeSlot, window: TimeSlot, zone: ZoneInfo) -> str:
    """Return `14:00–16:00` on the board's clock, `00:00` and `24:00` for what goes beyond."""
    starts, ends = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    begins = "00:00" if starts < window.starts_at else f"{starts:%H:%M}"
    return f"{begins}–{'24:00' if ends >= window.ends_at else f'{ends:%H:%M}'}"


def _written(span: Span) -> str:
    (from_hour, from_minute), (to_hour, to_minute) = (divmod(each, 60) for each in span)
    return f"{from_hour:02d}:{from_minute:02d}–{to_hour:02d}:{to_minute:02d}"


def _now_at(axis: Axis, now: datetime, window: TimeSlot) -> float | None:
    if not window.starts_at <= now < window.ends_at:
        return None
    minute = (now - window.starts_at).total_seconds() / 60
    place = 100 * (minute - axis.starts) / (axis.ends - axis.starts)
    return round(place, 2) if 0 <= place <= 100 else None


def _arrivals(rows: Sequence[Row], since: datetime) -> list[tuple[Row, Visit]]:
    """Return who is there or still to come, soonest first."""
    coming = [
        (row, visit)
        for row in rows
        for visit in row.visits
        # Who has not ended their use is still there, whatever was reserved.
        if not visit.is_over(since) or visit.status is ReservationStatus.IN_USE
    ]
    return sorted(coming, key=lambda each: (each[1].slot.starts_at, each[1].id))
