"""What an audience may know of the things in its calendar, read only to write their texts."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, literal, select
from sqlalchemy.orm import InstrumentedAttribute, load_only

from booking.accounts.models import Organisation, User
from booking.availability.models import Closure
from booking.calendars.rules import Audience, EventFacts
from booking.kernel.db import Versioned, db
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations.models import Reservation

_LEAN = (
    load_only(
        Instrument.name,
        Instrument.model,
        Instrument.units,
        Instrument.place,
        Instrument.street,
        Instrument.contact,
        Instrument.phone,
        Instrument.updated_at,
        raiseload=True,
    ),
)
_NAMED = load_only(Organisation.name, Organisation.address, Organisation.updated_at, raiseload=True)
_PERSON = load_only(User.name, User.updated_at, raiseload=True)


def facts(audience: Audience, source: str, ids: Sequence[int]) -> Iterator[EventFacts]:
    """Yield what the audience may know of these reservations or closures."""
    if source == "closure":
        return _closures(audience, ids)
    return _RESERVATIONS[audience](ids)


def _for_public(ids: Sequence[int]) -> Iterator[EventFacts]:
    """Yield when, and nothing else: what is not read cannot be shown."""
    query = (
        select(Reservation, Instrument)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(_among(Reservation.id, ids))
        .options(*_LEAN)
    )
    for reservation, instrument in db.session.execute(query):
        yield EventFacts(**_reserved(reservation, instrument) | {"slot": reservation.held})


def _for_customer(ids: Sequence[int]) -> Iterator[EventFacts]:
    query = (
        select(Reservation, Instrument, Organisation, User)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .join(Organisation, Organisation.id == Instrument.institution_id)
        .join(User, User.id == Reservation.user_id)
        .where(_among(Reservation.id, ids))
        .options(*_LEAN, _NAMED, _PERSON)
    )
    for reservation, instrument, institution, user in db.session.execute(query):
        yield EventFacts(
            **_reserved(reservation, instrument, institution, user),
            **_shown(instrument, address=institution.address),
            **_agreed(reservation),
            institution=institution.name,
            contact=f"{instrument.contact} {instrument.phone}".strip(),
            person=user.name,
        )


def _for_owner(ids: Sequence[int]) -> Iterator[EventFacts]:
    query = (
        select(Reservation, Instrument, Organisation)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .join(Organisation, Organisation.id == Reservation.organisation_id)
        .where(_among(Reservation.id, ids))
        .options(*_LEAN, _NAMED)
    )
    for reservation, instrument, customer in db.session.execute(query):
        yield EventFacts(
            **_reserved(reservation, instrument, customer),
            **_shown(instrument),
            **_agreed(reservation),
            customer=customer.name,
        )


_RESERVATIONS = {
    Audience.PUBLIC: _for_public,
    Audience.CUSTOMER: _for_customer,
    Audience.OWNER: _for_owner,
}


def _closures(audience: Audience, ids: Sequence[int]) -> Iterator[EventFacts]:
    query = (
        select(Closure, Instrument)
        .join(Instrument, Instrument.id == Closure.instrument_id)
        .where(_among(Closure.id, ids))
        .options(*_LEAN)
    )
    for closure, instrument in db.session.execute(query):
        lifted = closure.lifted_at
        ends = closure.ends_at if lifted is None else min(closure.ends_at, lifted)
        began = ends > closure.starts_at
        given = _taken(closure, instrument) | {
            "source": "closure",
            "kind": closure.kind.value,
            "status": "confirmed" if began else "cancelled",
            "slot": TimeSlot(closure.starts_at, ends) if began else closure.slot,
        }
        if audience is Audience.OWNER:
            given |= _shown(instrument) | {"purpose": closure.reason}
        yield EventFacts(**given)


def _among(key: InstrumentedAttribute[int], ids: Sequence[int]) -> ColumnElement[bool]:
    # As one parameter: IN would take one for each id, and there may be more than 65,535.
    return key == any_(literal(list(ids), ARRAY(BigInteger)))


def _taken(
    thing: Reservation | Closure, instrument: Instrument, *also: Versioned
) -> dict[str, Any]:
    """Return which unit is taken; modified when the latest of what stands in the text was."""
    return {
        "source_id": thing.id,
        "unit": thing.unit,
        "units": instrument.units,
        "sequence": thing.sequence,
        "created_at": thing.created_at,
        "modified_at": max(part.updated_at for part in (thing, instrument, *also)),
    }


def _reserved(reservation: Reservation, instrument: Instrument, *also: Versioned) -> dict[str, Any]:
    return _taken(reservation, instrument, *also) | {
        "source": "reservation",
        "kind": "reservation",
        "status": reservation.status.value,
        "slot": reservation.slot,
    }


def _shown(instrument: Instrument, *, address: str = "") -> dict[str, Any]:
    return {
        "instrument": instrument.name,
        "model": instrument.model,
        "place": f"{instrument.place} {instrument.street}".strip() or address,
    }


def _agreed(reservation: Reservation) -> dict[str, Any]:
    return {
        "purpose": reservation.purpose,
        "price": reservation.price,
        "number": reservation.number,
    }
