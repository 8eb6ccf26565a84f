"""Authorisations and requests as far as a caller may see them."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, false, func, literal, or_, select
from sqlalchemy.orm import joinedload

from booking.accounts.rules import Caller, Permission
from booking.authorisations.models import Authorisation
from booking.authorisations.rules import REMIND_DAYS
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Instrument

MOST = 300
WHOLE = (
    joinedload(Authorisation.instrument),
    joinedload(Authorisation.institution),
    joinedload(Authorisation.organisation),
    joinedload(Authorisation.user),
    joinedload(Authorisation.session),
    joinedload(Authorisation.file),
)


def visible_to(caller: Caller) -> Select[Authorisation]:
    """Return the authorisations the caller may see.

    Their own, those of people of a firm they manage, and all of an institution they work the day
    for.
    """
    managed = caller.organisations_with(Permission.CHANGE_CUSTOMER_SIDE)
    run = caller.organisations_with(Permission.SEE_OWNER_SIDE)
    may_see: list[ColumnElement[bool]] = [
        Authorisation.user_id == caller.user_id,
        Authorisation.organisation_id.in_(managed),
        Authorisation.institution_id.in_(run),
    ]
    return select(Authorisation).where(or_(false(), *may_see))


def get_authorisation(
    authorisation_id: int, *, caller: Caller, for_update: bool = False
) -> Authorisation:
    """Return it with all names, or raise NotFound; `for_update` locks it."""
    query = visible_to(caller).where(Authorisation.id == authorisation_id).options(*WHOLE)
    if for_update:
        query = query.with_for_update(of=Authorisation).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def list_authorisations(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    institution_id: int | None = None,
    instrument_id: int | None = None,
) -> paging.Page[Authorisation]:
    """Return a page of what the caller may see, latest asked for first."""
    query = visible_to(caller).options(*WHOLE)
    if institution_id is not None:
        query = query.where(Authorisation.institution_id == institution_id)
    if instrument_id is not None:
        query = query.where(Authorisation.instrument_id == instrument_id)
    if cursor is not None:
        query = query.where(Authorisation.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Authorisation.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def own(caller: Caller) -> Sequence[Authorisation]:
    """Return the caller's own, latest first."""
    query = select(Authorisation).where(Authorisation.user_id == caller.user_id).options(*WHOLE)
    return db.session.scalars(query.order_by(Authorisation.id.desc()).limit(MOST)).all()


def of_institution(institution_id: int) -> Sequence[Authorisation]:
    """Return an institution's, those that wait longest first, then the latest."""
    waits = Authorisation.granted_at.is_(None) & Authorisation.refused_at.is_(None)
    query = (
        select(Authorisation)
        .where(Authorisation.institution_id == institution_id, Authorisation.withdrawn_at.is_(None))
        .options(*WHOLE)
        .order_by(waits.desc(), Authorisation.id.desc())
    )
    return db.session.scalars(query.limit(MOST)).all()


def count_waiting(caller: Caller) -> int:
    """Return how many requests wait for an institution the caller runs instruments at."""
    at = caller.organisations_with(Permission.RUN_INSTRUMENTS)
    if not at:
        return 0
    query = (
        select(func.count())
        .select_from(Authorisation)
        .where(Authorisation.institution_id.in_(at), *_UNANSWERED)
    )
    return db.session.scalar(query) or 0


_UNANSWERED = (
    Authorisation.granted_at.is_(None),
    Authorisation.refused_at.is_(None),
    Authorisation.withdrawn_at.is_(None),
    Authorisation.session_id.is_(None),
)


def current(instrument: Instrument, user_id: int, *, today: date) -> Authorisation | None:
    """Return what lets the person operate the instrument today, longest first, or None."""
    query = (
        select(Authorisation)
        .where(
            Authorisation.user_id == user_id,
            Authorisation.valid_from <= today,
            Authorisation.valid_until >= today,
            *_covers(instrument),
        )
        .order_by(Authorisation.valid_until.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def open_request(instrument_id: int, user_id: int) -> Authorisation | None:
    """Return the person's request for the instrument that has no answer yet, or None."""
    return db.session.scalar(
        select(Authorisation)
        .where(
            Authorisation.user_id == user_id,
            Authorisation.instrument_id == instrument_id,
            Authorisation.granted_at.is_(None),
            Authorisation.refused_at.is_(None),
            Authorisation.withdrawn_at.is_(None),
        )
        .options(joinedload(Authorisation.session))
    )


def open_requests(user_id: int, instrument_ids: Collection[int]) -> Sequence[Authorisation]:
    """Return the person's requests for these instruments that have no answer yet, locked."""
    query = (
        select(Authorisation)
        .where(
            Authorisation.user_id == user_id,
            Authorisation.instrument_id.in_(instrument_ids),
            Authorisation.granted_at.is_(None),
            Authorisation.refused_at.is_(None),
            Authorisation.withdrawn_at.is_(None),
        )
        .order_by(Authorisation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def _covers(instrument: Instrument) -> tuple[ColumnElement[bool], ...]:
    category = literal(instrument.category_code)
    return (
        Authorisation.granted_at.is_not(None),
        Authorisation.suspended_at.is_(None),
        Authorisation.institution_id == instrument.institution_id,
        or_(
            Authorisation.instrument_id == instrument.id,
            func.starts_with(category, Authorisation.category_code),
        ),
    )


def ending(today: date, *, user_id: int | None = None) -> Sequence[Authorisation]:
    """Return what ends within the longest reminder and has no successor; of one, if named."""
    newer = Authorisation.__table__.alias("newer")
    renewed = (
        select(newer.c.id)
        .where(
            newer.c.user_id == Authorisation.user_id,
            newer.c.institution_id == Authorisation.institution_id,
            newer.c.instrument_id.is_not_distinct_from(Authorisation.instrument_id),
            newer.c.category_code.is_not_distinct_from(Authorisation.category_code),
            newer.c.granted_at.is_not(None),
            newer.c.valid_until > Authorisation.valid_until,
        )
        .exists()
    )
    query = select(Authorisation).where(
        Authorisation.granted_at.is_not(None),
        Authorisation.suspended_at.is_(None),
        Authorisation.valid_until.between(today, today + timedelta(days=max(REMIND_DAYS))),
        ~renewed,
    )
    if user_id is not None:
        query = query.where(Authorisation.user_id == user_id)
    return db.session.scalars(query.options(*WHOLE).order_by(Authorisation.id)).all()
