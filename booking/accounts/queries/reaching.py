"""Who is meant by a notice: notices stand below accounts and know people by id only."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Bundle

from booking.accounts.models import Membership, Organisation, User
from booking.accounts.rules import PERMISSIONS, OrganisationKind, Permission, Role
from booking.kernel.db import db
from booking.notices.rules import Person, To

_PERSON: Bundle[Any] = Bundle("person", User.id, User.name, User.email, User.locale)


def reach(to: Collection[To]) -> Mapping[To, Sequence[Person]]:
    """Return the people meant: those who still belong there and can sign in.

    Somebody named without an organisation need not have a password yet: they are being invited.
    """
    people: dict[To, list[Person]] = {each: [] for each in to}
    _add_persons(people)
    _add_members(people)
    return people


def _add_persons(people: Mapping[To, list[Person]]) -> None:
    named = [to for to in people if to.user_id is not None and to.organisation_id is None]
    if not named:
        return
    found = db.session.scalars(
        select(_PERSON).where(User.id.in_([to.user_id for to in named]), User.is_active)
    )
    by_id = {row.id: Person(*row) for row in found}
    for to in named:
        if to.user_id in by_id:
            people[to].append(by_id[to.user_id])


def _add_members(people: Mapping[To, list[Person]]) -> None:
    asked: dict[int, list[To]] = defaultdict(list)
    for to in people:
        if to.organisation_id is not None:
            asked[to.organisation_id].append(to)
    if not asked:
        return
    seats = db.session.execute(
        select(Membership.organisation_id, Organisation.kind, Membership.role, _PERSON)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id.in_(asked),
            Membership.ended_at.is_(None),
            Organisation.is_active,
            User.is_active,
            User.password_hash.is_not(None),
        )
        .order_by(User.id)
    )
    for organisation_id, kind, role, row in seats:
        member = Person(*row)
        for to in asked[organisation_id]:
            if _is_meant(to, member, kind, role) and member not in people[to]:
                people[to].append(member)


def _is_meant(to: To, member: Person, kind: OrganisationKind, role: Role) -> bool:
    if to.user_id is not None:
        return to.user_id == member.id
    return to.permission is None or Permission(to.permission) in PERMISSIONS.get(
        (kind, role), frozenset()
    )


def members_among(organisation_id: int, users: Collection[int]) -> set[int]:
    """Return which of the users ever were members of the organisation."""
    found = select(Membership.user_id).where(
        Membership.organisation_id == organisation_id, Membership.user_id.in_(users)
    )
    return set(db.session.scalars(found))
