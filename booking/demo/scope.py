"""What saves nothing: a related pair, tests that the law demands, fees for what was not used."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller
from booking.demo import tables
from booking.kernel import clock
from booking.kernel.db import db
from booking.relations import service as relations
from booking.relations.rules import Party
from booking.reservations import service as reservations
from booking.reservations.models import FeeEnd, Reservation
from booking.reservations.queries import visible_to

STATUTORY = "省级监督抽查样品检验"
_EVERY, _FIRST = 60, 17  # one of so many is demanded by the law
_SETTLED_AFTER = timedelta(days=10)  # newer fees wait for the institution's finance
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


def settle_fees(everybody: Mapping[str, Caller]) -> None:
    """Settle older fees, each institution its own; the first of each is waived."""
    before = clock.now() - _SETTLED_AFTER
    for institution in tables.institutions():
        keeper = everybody[institution.login]
        query = visible_to(keeper).where(Reservation.fee_minor > 0, Reservation.ends_at < before)
        ids = db.session.scalars(
            query.with_only_columns(Reservation.id).order_by(Reservation.id)
        ).all()
        for number, reservation_id in enumerate(ids):
            _settle(reservation_id, keeper, waived=number == 0 and len(ids) > 1)


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
