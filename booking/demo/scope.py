"""What saves nothing: a related pair, tests that the law demands, fees for what was not used."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller
from booking.demo import tables
from booking.demo.bookings import Booking
from booking.demo.charges import TERMS
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry.models import Instrument
from booking.relations import service as relations
from booking.relations.rules import Party
from booking.reservations import service as reservations
from booking.reservations.models import FeeEnd, Reservation
from booking.reservations.queries import visible_to

STATUTORY = "省级监督抽查样品检验"
_EVERY, _FIRST = 60, 17  # one of so many is demanded by the law
_MISSED = 6  # of the latest at instruments where that costs something
_SOURCE = "国家企业信用信息公示系统，股东及出资信息"


def is_statutory(number: int) -> bool:
    """Tell whether the so many-th booking is a test that the law demands."""
    return number % _EVERY == _FIRST


def relate(everybody: Mapping[str, Caller], since: date) -> None:
    """Let the platform declare a firm and an institution that holds it as related."""
    firm, institution = tables.firms()[1], tables.institutions()[0]
    parties = []
    for row in (firm, institution):
        [held] = everybody[row.login].organisations
        parties.append(Party(_uscc(held), row.name))
    relations.declare(parties, caller=everybody["admin"], source=_SOURCE, since=since)


def missed(bookings: Sequence[Booking], *, before: datetime) -> frozenset[Booking]:
    """Return some bookings to which nobody came, where that costs something."""
    costly = [
        each
        for each in sorted(bookings, key=lambda each: each.slot.starts_at)
        if each.slot.starts_at < before
        and not (each.by_hand or each.cancelled_at)
        and (terms := TERMS.get(each.instrument)) is not None
        and terms.no_show is not None
    ]
    return frozenset(costly[-_MISSED:])


def settle_fees(everybody: Mapping[str, Caller]) -> None:
    """Let each institution settle its fees but the latest; of three it waives one."""
    for institution in tables.institutions():
        keeper = everybody[institution.login]
        owned = select(Instrument.id).where(Instrument.institution_id.in_(keeper.organisations))
        query = visible_to(keeper).where(
            Reservation.fee_minor > 0, Reservation.instrument_id.in_(owned)
        )
        ids = db.session.scalars(
            query.with_only_columns(Reservation.id).order_by(Reservation.ends_at, Reservation.id)
        ).all()
        for number, reservation_id in enumerate(ids[:-1]):
            _settle(reservation_id, keeper, waived=number % 3 == 1)


def _settle(reservation_id: int, keeper: Caller, *, waived: bool) -> None:
    day = clock.today()
    reservations.settle_fee(
        reservation_id,
        caller=keeper,
        settlement=FeeEnd.WAIVED if waived else FeeEnd.PAID,
        settled_on=day,
        reference="" if waived else f"回单 {day:%Y%m%d}-{reservation_id:04}",
        reason="企业首次爽约，已提醒" if waived else "",
    )


def _uscc(organisation_id: int) -> str:
    found = db.session.scalar(select(Organisation.uscc).where(Organisation.id == organisation_id))
    return found or ""
