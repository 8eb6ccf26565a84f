"""An institution's instruments: how each stands, what it costs, when it is free next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, load_only

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, CustomerClass
from booking.availability import queries as availability
from booking.availability.models import OpeningHours, SpecialDay
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry import queries as registry
from booking.registry.models import Instrument, Publication, RunningState, SharingMode
from booking.registry.rules import NRII_WORTH, needs_national_entry, squash
from booking.reservations.models import HOLDING, Reservation
from booking.tariffs import queries as tariffs
from booking.tariffs.models import Price

MOST_AT_ONCE = 500
_SHOWN = (
    load_only(
        Instrument.inner_id,
        Instrument.name,
        Instrument.model,
        Instrument.worth_wan,
        Instrument.customs_supervised,
        Instrument.running_state,
        Instrument.sharing_mode,
        Instrument.publication,
        Instrument.units,
        Instrument.time_zone,
        Instrument.version,
        Instrument.institution_id,
    ),
    joinedload(Instrument.institution, innerjoin=True).load_only(Organisation.name),
)


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; empty fields narrow nothing."""

    q: str = ""
    publication: Publication | None = None
    state: RunningState | None = None
    sharing: SharingMode | None = None
    lacking: str = ""  # "hours" or "price"
    mark: str = ""  # "customs" or "national"

    @property
    def is_narrow(self) -> bool:
        """Tell whether anything was asked for."""
        return self != Wanted()


@dataclass(frozen=True)
class Listed:
    """An instrument as its owner's list shows it."""

    instrument: Instrument
    has_hours: bool
    price: Price | None
    next_free: datetime | None

    @property
    def is_national(self) -> bool:
        """Tell whether the national network expects it (50 万元 and more)."""
        return needs_national_entry(self.instrument.worth_wan)


def list_instruments(
    institution_id: int, wanted: Wanted, *, caller: Caller, limit: int, skip: int = 0
) -> tuple[Sequence[Listed], int]:
    """Return a page of an institution's instruments in every state, by name, and how many match.

    The next free time is looked for within seven days. Seven statements for any page.
    """
    found = _matching(institution_id, wanted, caller)
    total = db.session.scalar(select(func.count()).select_from(found.subquery())) or 0
    page = found.options(*_SHOWN).order_by(Instrument.name_pinyin, Instrument.id)
    rows = db.session.scalars(page.limit(limit).offset(skip)).all()
    ids = [row.id for row in rows]
    hours, prices = availability.with_hours(ids), _prices(ids)
    free = _next_free(ids)
    return [
        Listed(row, row.id in hours, prices.get(row.id), free.get(row.id)) for row in rows
    ], total


def matching_ids(institution_id: int, wanted: Wanted, *, caller: Caller) -> Sequence[int]:
    """Return the instruments that match, as many as may be changed at once."""
    ids = _matching(institution_id, wanted, caller).with_only_columns(Instrument.id)
    ordered = ids.order_by(Instrument.name_pinyin, Instrument.id).limit(MOST_AT_ONCE)
    return db.session.scalars(ordered).all()


def named(institution_id: int, ids: Sequence[int], *, caller: Caller) -> Sequence[Instrument]:
    """Return those of the instruments that are the institution's own, by name."""
    query = registry.visible_to(caller).where(
        Instrument.institution_id == institution_id, Instrument.id.in_(ids)
    )
    ordered = query.options(*_SHOWN).order_by(Instrument.name_pinyin, Instrument.id)
    return db.session.scalars(ordered.limit(MOST_AT_ONCE)).all()


def coming_visits(ids: Sequence[int]) -> int:
    """Return how many reservations on the instruments are still to come."""
    query = select(func.count(Reservation.id)).where(
        Reservation.instrument_id.in_(ids),
        Reservation.status.in_(HOLDING),
        Reservation.ends_at > clock.now(),
    )
    return db.session.scalar(query) or 0


def _matching(institution_id: int, wanted: Wanted, caller: Caller) -> Select[Instrument]:
    query = registry.visible_to(caller).where(Instrument.institution_id == institution_id)
    return query.where(*_conditions(wanted))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    given: list[ColumnElement[bool]] = []
    if wanted.q:
        # People of the house know a machine by its number, which the public index has not.
        number = func.lower(Instrument.inner_id).contains(wanted.q.casefold(), autoescape=True)
        given.append(or_(registry.found_by(wanted.q), number) if squash(wanted.q) else number)
    if wanted.publication is not None:
        given.append(Instrument.publication == wanted.publication)
    if wanted.state is not None:
        given.append(Instrument.running_state == wanted.state)
    if wanted.sharing is not None:
        given.append(Instrument.sharing_mode == wanted.sharing)
    if (lacks := _LACKING.get(wanted.lacking)) is not None:
        given.append(lacks)
    if (mark := _MARKS.get(wanted.mark)) is not None:
        given.append(mark)
    return given


_LACKING: Mapping[str, ColumnElement[bool]] = {
    "hours": and_(
        ~exists().where(OpeningHours.instrument_id == Instrument.id),
        ~exists().where(
            SpecialDay.instrument_id == Instrument.id, SpecialDay.opens_minute.is_not(None)
        ),
    ),
    "price": ~exists().where(
        Price.instrument_id == Instrument.id,
        Price.superseded_at.is_(None),
        Price.customer_class != CustomerClass.INTERNAL,
    ),
}
_MARKS: Mapping[str, ColumnElement[bool]] = {
    "customs": Instrument.customs_supervised.is_(True),
    "national": Instrument.worth_wan >= NRII_WORTH,
}


def _prices(ids: Sequence[int]) -> dict[int, Price]:
    """Return what small firms pay, or where nothing is published for them the lowest outside."""
    query = (
        select(Price)
        .where(
            Price.instrument_id.in_(ids),
            tariffs.in_force(clock.now()),
            Price.customer_class != CustomerClass.INTERNAL,
        )
        .order_by(Price.customer_class != CustomerClass.SME, Price.per_hour_minor)
    )
    found: dict[int, Price] = {}
    for price in db.session.scalars(query):
        found.setdefault(price.instrument_id, price)
    return found


def _next_free(ids: Sequence[int]) -> dict[int, datetime]:
    weeks = availability.weeks(ids, clock.today(), now=clock.now())
    return {id_: week.soonest[0].slot.starts_at for id_, week in weeks.items() if week.soonest}
