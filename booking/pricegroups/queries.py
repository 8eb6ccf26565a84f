"""Reads of finer customer classes: a customer's own, and what an institution defined."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import joinedload

from booking.accounts.models import EnterpriseDeclaration, Organisation
from booking.accounts.rules import Caller, CustomerClass, Permission, customer_class
from booking.kernel import clock, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.pricegroups.models import PriceGroup, PriceGroupMember, PriceGroupTerms
from booking.pricegroups.rules import Concession, Group

# A column of the groups an organisation belongs to at `now`; read with what else is asked of it.
GROUPS_OF = """(
    SELECT json_agg(json_build_array(g.id, t.id, g.institution_id, g.base_class, t.name,
                                     t.percent::text, t.reason, t.instruments) ORDER BY g.id)
      FROM price_group_members m
      JOIN price_groups g ON g.id = m.group_id
      JOIN price_group_terms t ON t.group_id = g.id
     WHERE m.organisation_id = {organisation}
       AND m.since <= %(now)s AND (m.until IS NULL OR m.until > %(now)s)
       AND t.effective_from <= %(now)s
       AND coalesce(least(t.ends_at, t.superseded_at) > %(now)s, true))"""


def groups_from(rows: Iterable[Sequence[Any]] | None) -> tuple[Group, ...]:
    """Return what `GROUPS_OF` found."""
    return tuple(
        Group(
            group_id,
            terms_id,
            institution_id,
            CustomerClass(base),
            name,
            Decimal(percent),
            reason,
            tuple(sorted((int(each), Decimal(own)) for each, own in instruments.items())),
        )
        for group_id, terms_id, institution_id, base, name, percent, reason, instruments in (
            rows or ()
        )
    )


@dataclass(frozen=True)
class Described:
    """A group with the version that holds (or held last), the one announced, and its size."""

    group: PriceGroup
    terms: PriceGroupTerms
    announced: PriceGroupTerms | None
    members: int
    is_in_force: bool


def get_group(group_id: int, *, caller: Caller, for_update: bool = False) -> PriceGroup:
    """Return a group of an institution whose side the caller sees, or NotFound."""
    query = select(PriceGroup).where(PriceGroup.id == group_id, _visible_to(caller))
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def _visible_to(caller: Caller) -> Any:
    return PriceGroup.institution_id.in_(caller.organisations_with(Permission.SEE_OWNER_SIDE))


def list_groups(
    *, caller: Caller, limit: int, cursor: str | None, institution_id: int | None = None
) -> paging.Page[Described]:
    """Return a page of the groups of the institutions whose side the caller sees, latest first."""
    query = select(PriceGroup).where(_visible_to(caller))
    if institution_id is not None:
        query = query.where(PriceGroup.institution_id == institution_id)
    if cursor is not None:
        query = query.where(PriceGroup.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(PriceGroup.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=describe(rows[:limit]),
        next_cursor=paging.encode(rows[limit - 1].id) if more else None,
    )


def describe(groups: Sequence[PriceGroup]) -> list[Described]:
    """Return them with their versions of today; two statements for any number of them."""
    ids, now = [each.id for each in groups], clock.now()
    versions: dict[int, list[PriceGroupTerms]] = {each: [] for each in ids}
    for terms in db.session.scalars(_versions(ids)):
        versions[terms.group_id].append(terms)
    sizes = _sizes(ids, now)
    return [_described(each, versions[each.id], sizes.get(each.id, 0), now) for each in groups]


def _described(
    group: PriceGroup, versions: Sequence[PriceGroupTerms], members: int, now: datetime
) -> Described:
    standing = [each for each in versions if not each.was_withdrawn] or list(versions)
    begun = [each for each in standing if each.effective_from <= now]
    announced = next((each for each in standing if each.effective_from > now), None)
    terms = begun[0] if begun else standing[-1]
    holds = terms.holds_at(now)
    return Described(group, terms, announced if terms is not announced else None, members, holds)


def _versions(ids: Sequence[int]) -> Any:
    return (
        select(PriceGroupTerms)
        .where(PriceGroupTerms.group_id.in_(ids))
        .order_by(PriceGroupTerms.effective_from.desc(), PriceGroupTerms.id.desc())
    )


def _sizes(ids: Sequence[int], now: datetime) -> dict[int, int]:
    rows = db.session.execute(
        select(PriceGroupMember.group_id, func.count().label("members"))
        .where(
            PriceGroupMember.group_id.in_(ids),
            PriceGroupMember.since <= now,
            or_(PriceGroupMember.until.is_(None), PriceGroupMember.until > now),
        )
        .group_by(PriceGroupMember.group_id)
    )
    return {row.group_id: row.members for row in rows}


def versions_of(group_id: int) -> Sequence[PriceGroupTerms]:
    """Return all versions of a group, latest first, also those that were taken back."""
    return list(db.session.scalars(_versions([group_id])))


def list_members(group_id: int, *, limit: int, cursor: str | None) -> paging.Page[PriceGroupMember]:
    """Return a page of the members of a group, also former ones, latest added first."""
    query = (
        select(PriceGroupMember)
        .where(PriceGroupMember.group_id == group_id)
        .options(joinedload(PriceGroupMember.organisation))
    )
    if cursor is not None:
        query = query.where(PriceGroupMember.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(PriceGroupMember.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def get_member(group_id: int, member_id: int) -> PriceGroupMember:
    """Return a membership of the group, or NotFound."""
    found = db.session.scalar(
        select(PriceGroupMember)
        .where(PriceGroupMember.group_id == group_id, PriceGroupMember.id == member_id)
        .options(joinedload(PriceGroupMember.organisation))
    )
    if found is None:
        raise NotFound
    return found


def is_named_by(institution_id: int, organisation_id: int) -> bool:
    """Tell whether the institution ever put the organisation into one of its groups."""
    found = exists().where(
        PriceGroupMember.organisation_id == organisation_id,
        PriceGroupMember.group_id == PriceGroup.id,
        PriceGroup.institution_id == institution_id,
    )
    return bool(db.session.scalar(select(found)))


def class_of(organisation: Organisation, *, institution_id: int) -> CustomerClass:
    """Return whose list prices the organisation has at the institution."""
    size = db.session.scalar(
        select(EnterpriseDeclaration.size_class)
        .where(EnterpriseDeclaration.organisation_id == organisation.id)
        .order_by(EnterpriseDeclaration.id.desc())
        .limit(1)
    )
    is_owner = organisation.id == institution_id
    return customer_class(kind=organisation.kind, size_class=size, is_owner=is_owner)


def concession_of(terms_id: int | None, instrument_id: int) -> Concession | None:
    """Return what a version gave at an instrument, or None where nothing was agreed by one."""
    if terms_id is None:
        return None
    return db.session.get_one(PriceGroupTerms, terms_id).at(instrument_id)
