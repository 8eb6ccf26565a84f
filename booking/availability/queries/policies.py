"""An instrument's policy: its own, what it has from its institution, and its pairs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from booking.availability.models import InstrumentPair, PolicyDefaults, Schedule
from booking.availability.queries.bookable import STANDS_STILL
from booking.availability.queries.patterns import patterns_of
from booking.availability.queries.schedules import get_schedule
from booking.availability.rules import (
    BookingPolicy,
    Document,
    Interval,
    Pair,
    Pairing,
    Terms,
    WeekPlan,
    of_document,
    terms_of,
    unbookable,
    usual,
)
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.text import Text
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument, Publication, SharingMode

LOOKED_AT = timedelta(days=28)  # in which a policy has to leave a slot


@dataclass(frozen=True)
class PolicySheet:
    """Every part of a policy as it is worked out, and which parts the institution decides."""

    instrument: Instrument
    schedule: Schedule
    defaults: Document
    pairs: Sequence[Pair]

    @property
    def document(self) -> Document:
        """Return the value of each part."""
        return document_of(self.schedule)

    @property
    def own(self) -> Document:
        """Return the parts that the instrument decides itself."""
        inherits = frozenset(self.schedule.inherits)
        return {name: value for name, value in self.document.items() if name not in inherits}

    @property
    def policy(self) -> BookingPolicy:
        """Return it as the rules read it; fitness is not asked."""
        return policy_as(self.document, self.instrument)


def policy_as(document: Mapping[str, object], instrument: Instrument | None) -> BookingPolicy:
    """Return a document as the rules read it, on the clock of an instrument if it is one's."""
    terms = asdict(terms_of(document))
    del terms["observes_holidays"]
    zone = instrument.zone if instrument else clock.CHINA
    return BookingPolicy(zone, **terms, conditions=of_document(document))


def document_of(schedule: Schedule) -> Document:
    """Return the value of each part that a schedule keeps."""
    terms = asdict(Terms(**{name: getattr(schedule, name) for name in asdict(Terms())}))
    return usual() | terms | (schedule.conditions or {}) | {"classes": schedule.classes}


def find_defaults(institution_id: int) -> PolicyDefaults | None:
    """Return what the institution decided for all, or None if it decided nothing."""
    return db.session.get(PolicyDefaults, institution_id, populate_existing=True)


def defaults_of(institution_id: int) -> Document:
    """Return every part as the institution decided it, else as is usual."""
    found = find_defaults(institution_id)
    return usual() | (found.given if found else {})


def get_policy(instrument: Instrument) -> PolicySheet:
    """Return the instrument's policy, or raise NotFound if it takes no bookings online."""
    schedule = get_schedule(instrument).schedule
    return PolicySheet(
        instrument, schedule, defaults_of(instrument.institution_id), pairs_of(instrument.id)
    )


def pairs_of(instrument_id: int) -> list[Pair]:
    """Return the instruments whose bookings depend on this one's, or the other way round."""
    rows = db.session.execute(
        select(InstrumentPair.other_id, Instrument.name, InstrumentPair.pairing)
        .join(Instrument, Instrument.id == InstrumentPair.other_id)
        .where(InstrumentPair.instrument_id == instrument_id)
        .order_by(InstrumentPair.pairing, InstrumentPair.other_id)
    )
    return [Pair(other, name, pairing) for other, name, pairing in rows]


def needs_within(institution_id: int) -> dict[int, set[int]]:
    """Return which instruments of the institution need which."""
    found: dict[int, set[int]] = {}
    for instrument_id, other_id in db.session.execute(
        select(InstrumentPair.instrument_id, InstrumentPair.other_id)
        .join(Instrument, Instrument.id == InstrumentPair.instrument_id)
        .where(Instrument.institution_id == institution_id, InstrumentPair.pairing == Pairing.NEEDS)
    ):
        found.setdefault(instrument_id, set()).add(other_id)
    return found


def plans_of(ids: Collection[int], now: datetime) -> dict[int, WeekPlan]:
    """Return when each instrument is open in the coming weeks; those without schedule lack."""
    window = TimeSlot(now, now + LOOKED_AT)
    found = patterns_of(list(ids), window)
    return {each: pattern.plan for pattern in found for each in pattern.ids}


def why_unbookable(
    instrument: Instrument,
    now: datetime,
    *,
    terms: Terms | None = None,
    week: Mapping[int, Sequence[Interval]] | None = None,
    special: Mapping[date, Sequence[Interval]] | None = None,
) -> list[Text]:
    """Return why the policy leaves nobody any slot, by the hours that stand or by those given.

    Nothing where it has no schedule, or never opens: that is told elsewhere.
    """
    plan = plans_of([instrument.id], now).get(instrument.id)
    if plan is None:
        return []
    document = get_policy(instrument).document | (asdict(terms) if terms else {})
    plan = replace(
        plan,
        week=plan.week if week is None else week,
        special=plan.special if special is None else special,
    )
    found = unbookable(document, plan, TimeSlot(now, now + LOOKED_AT))
    return [reason for _, reason in found]


def pairable(institution_id: int, ids: Collection[int]) -> dict[int, tuple[str, bool]]:
    """Return the name of each that is the institution's, and whether it can be booked at all."""
    rows = db.session.execute(
        select(Instrument, Schedule.instrument_id)
        .outerjoin(Schedule, Schedule.instrument_id == Instrument.id)
        .where(Instrument.id.in_(ids), Instrument.institution_id == institution_id)
    )
    return {each.id: (each.name, _is_bookable(each) and bool(held)) for each, held in rows}


def _is_bookable(instrument: Instrument) -> bool:
    return (
        instrument.publication is Publication.PUBLISHED
        and instrument.sharing_mode is not SharingMode.NONE
        and instrument.running_state not in STANDS_STILL
    )


def schedules_of(institution_id: int) -> list[tuple[Schedule, Instrument]]:
    """Return the institution's schedules, locked, with their instruments."""
    rows = db.session.execute(
        select(Schedule, Instrument)
        .join(Instrument, Instrument.id == Schedule.instrument_id)
        .where(Instrument.institution_id == institution_id)
        .order_by(Schedule.instrument_id)
        .with_for_update(of=Schedule)
    )
    return [(schedule, instrument) for schedule, instrument in rows]


def inheriting(institution_id: int) -> tuple[int, int]:
    """Return how many of the institution's instruments leave something to it, and of how many."""
    found = db.session.execute(
        select(
            func.count().filter(func.cardinality(Schedule.inherits) > 0),
            func.count(),
        )
        .select_from(Schedule)
        .join(Instrument, Instrument.id == Schedule.instrument_id)
        .where(Instrument.institution_id == institution_id)
    ).one()
    return found[0], found[1]
