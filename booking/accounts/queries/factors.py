"""Reads for the second step of a log-in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from booking.accounts.models import (
    LoginSession,
    Membership,
    Organisation,
    RecoveryCode,
    SecondFactor,
    User,
)
from booking.accounts.rules import Seat, needs_second_factor
from booking.kernel import clock
from booking.kernel.db import db


@dataclass(frozen=True)
class Factor:
    """A person's second factor as they see it; without `since` there is none."""

    since: datetime | None
    is_needed: bool
    codes_left: int


def pending_session(digest: str, *, for_update: bool = False) -> LoginSession | None:
    """Return the session whose password was right and which awaits a second step, or None."""
    query = (
        select(LoginSession)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.digest == digest,
            LoginSession.awaits.is_not(None),
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > clock.now(),
            User.is_active,
        )
    )
    if for_update:
        query = query.with_for_update(of=LoginSession).execution_options(populate_existing=True)
    return db.session.scalar(query)


def find_factor(user_id: int, *, for_update: bool = False) -> SecondFactor | None:
    """Return what the person has, confirmed or being set up, or None."""
    query = select(SecondFactor).where(SecondFactor.user_id == user_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def has_factor(user_id: int) -> bool:
    """Tell whether the person has a second factor that is in use."""
    found = find_factor(user_id)
    return found is not None and found.confirmed_at is not None


def needs_factor(user_id: int) -> bool:
    """Tell whether a role of the person asks for a second factor."""
    held = db.session.execute(
        select(Membership.organisation_id, Organisation.kind, Membership.role)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None), Organisation.is_active)
    )
    return needs_second_factor([Seat(*row) for row in held])


def show_factor(user_id: int) -> Factor:
    """Return the person's second factor as the account page shows it."""
    found = find_factor(user_id)
    left = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return Factor(
        since=found.confirmed_at if found else None,
        is_needed=needs_factor(user_id),
        codes_left=db.session.scalar(left) or 0,
    )
