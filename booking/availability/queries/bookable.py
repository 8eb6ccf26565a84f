"""Whether a customer can book an instrument at all: in a statement, and in words."""

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from booking.accounts.rules import CustomerClass
from booking.availability.models import Schedule
from booking.availability.rules import Classes, Conditions, only_for
from booking.kernel import clock
from booking.kernel.text import N_, Text
from booking.registry.models import Instrument, Publication, RunningState, SharingMode
from booking.tariffs import queries as tariffs
from booking.tariffs.models import Price
from booking.tariffs.rules import Customer

STANDS_STILL = (RunningState.REPAIR, RunningState.SCRAP)


@dataclass(frozen=True)
class Obstacle:
    """Why an instrument cannot be booked at all, whatever the slot."""

    rule: str
    detail: Text


class Shared(Protocol):
    """What decides about booking at all: an instrument, or a sheet that says the same of it."""

    @property
    def institution_id(self) -> int:
        """Return the owner."""

    @property
    def publication(self) -> Publication:
        """Return whether others can find it."""

    @property
    def sharing_mode(self) -> SharingMode:
        """Return with whom it is shared."""

    @property
    def running_state(self) -> RunningState:
        """Return whether it runs."""


def obstacles(
    instrument: Shared,
    *,
    is_own: bool,
    has_hours: bool,
    has_price: bool,
    only: Classes | None = None,
) -> list[Obstacle]:
    """Return what keeps a customer from booking the instrument: `bookable_by` in words.

    `only` are the classes it is for if the customer's is not among them.
    """
    found = []
    if instrument.sharing_mode is SharingMode.NONE or (
        instrument.sharing_mode is SharingMode.INTERNAL and not is_own
    ):
        found.append(Obstacle("sharing_mode", N_("这台仪器仅供机构内部使用。")))
    if not has_hours or instrument.publication is not Publication.PUBLISHED:
        found.append(Obstacle("not_open", N_("这台仪器尚未开放在线预约。")))
    if instrument.running_state in STANDS_STILL:
        found.append(Obstacle("running_state", N_("这台仪器目前停用，暂不能预约。")))
    if not has_price and not is_own:
        found.append(Obstacle("no_price", N_("机构尚未公布适用于您单位的价格。")))
    if only is not None:
        found.append(Obstacle("classes", only_for(only)))
    return found


def classes_at(customer: Customer, institution_id: int) -> Classes:
    """Return as which classes the customer may come to an institution."""
    is_own = institution_id in customer.own_institutions
    return (*customer.classes, CustomerClass.INTERNAL) if is_own else customer.classes


def closed_to(asked: Conditions, customer: Customer, institution_id: int) -> Classes | None:
    """Return the classes an instrument is for if it is not for the customer."""
    return None if asked.admits(classes_at(customer, institution_id)) else asked.classes


def bookable_by(customer: Customer) -> list[ColumnElement[bool]]:
    """Return the conditions under which the customer can book an instrument at all.

    Published, shared with them, not standing still, open to their class, and with a price; one's
    own institution's instruments need none.
    """
    own = customer.own_institutions
    return _bookable(
        and_(tariffs.in_force(clock.now()), Price.customer_class.in_(customer.classes)),
        literal([str(each) for each in customer.classes], ARRAY(String)),
        Instrument.institution_id.in_(own) if own else None,
    )


def bookable_by_whom() -> list[ColumnElement[bool]]:
    """Return the conditions of `bookable_by` for a statement that is kept; its values: `whom`."""
    class_fits = Price.customer_class == func.any(bindparam("classes", type_=ARRAY(String)))
    return _bookable(
        and_(tariffs.in_force(tariffs.NOW), class_fits),
        bindparam("classes", type_=ARRAY(String)),
        Instrument.institution_id == func.any(bindparam("own", type_=ARRAY(BigInteger))),
    )


def whom(customer: Customer) -> dict[str, Any]:
    """Return the values for `bookable_by_whom`."""
    return {
        "classes": [str(each) for each in customer.classes],
        "own": list(customer.own_institutions),
        "now": clock.now(),
    }


def _bookable(
    price_fits: ColumnElement[bool],
    classes: ColumnElement[Any],
    is_own: ColumnElement[bool] | None,
) -> list[ColumnElement[bool]]:
    priced = exists().where(Price.instrument_id == Instrument.id, price_fits)
    is_shared = Instrument.sharing_mode == SharingMode.EXTERNAL
    for_them = and_(is_shared, priced, _open_to(classes))
    if is_own is not None:
        internally = _open_to(literal([CustomerClass.INTERNAL.value], ARRAY(String)))
        is_theirs = and_(is_own, Instrument.sharing_mode != SharingMode.NONE, internally)
        for_them = or_(for_them, is_theirs)
    return [
        Instrument.publication == Publication.PUBLISHED,
        Instrument.running_state.not_in(STANDS_STILL),
        for_them,
    ]


def _open_to(classes: ColumnElement[Any]) -> ColumnElement[bool]:
    restricted = aliased(Schedule)  # the statement around it may have one of its own
    return not_(
        exists().where(
            restricted.instrument_id == Instrument.id,
            restricted.classes.is_not(None),
            not_(restricted.classes.overlap(classes)),
        )
    )
