"""Forgetting a person: what identifies them goes, what others' records stand on stays."""

from sqlalchemy import delete, select

from booking.accounts import queries, rules
from booking.accounts.errors import AlreadyErased, LastManager
from booking.accounts.models import (
    ApiToken,
    LoginSession,
    Membership,
    Organisation,
    RecoveryCode,
    SecondFactor,
    User,
)
from booking.accounts.service.logins import forget_guesses
from booking.accounts.service.people import record_membership, record_user
from booking.kernel import clock
from booking.kernel.db import db


def erase_person(user: User) -> dict[str, int]:
    """Take name, addresses, sessions, tokens and second factor from the account, for ever.

    The row stays under a pseudonym: reservations, memberships and the journal refer to it.
    Returns how much of what went. Raises AlreadyErased, or LastManager while nobody else could
    let people into an organisation.
    """
    db.session.refresh(user, with_for_update=True)
    if user.erased_at is not None:
        raise AlreadyErased
    ended = _leave_everything(user.id)
    forget_guesses(user)
    gone = {
        "memberships_ended": ended,
        "sessions": _delete(LoginSession, user.id),
        "tokens": _delete(ApiToken, user.id),
        "recovery_codes": _delete(RecoveryCode, user.id),
        "second_factors": _delete(SecondFactor, user.id),
    }
    user.name = rules.pseudonym(user.id)
    # The address belongs to nobody: .invalid is reserved (RFC 2606).
    user.email, user.mobile = f"erased-{user.id}@erased.invalid", None
    user.password_hash = user.password_changed_at = None
    user.invitation_digest = user.invited_until = None
    user.locale, user.is_active, user.erased_at = "zh_Hans_CN", False, clock.now()
    user.touch()
    db.session.flush()
    return gone


def record_erasure(user: User, reason: str, *, kept: dict[str, int], gone: dict[str, int]) -> None:
    """Note in the journal that the person was forgotten, on whose wish, and what was kept."""
    record_user("user.erased", user, None, reason=reason, kept=kept, gone=gone)


def record_export(user: User) -> None:
    """Note in the journal that the person's data were handed out."""
    record_user("user.data_exported", user, None)


def _leave_everything(user_id: int) -> int:
    """End all memberships; the organisations are locked in the order of their ids."""
    held = select(Membership.organisation_id).where(
        Membership.user_id == user_id, Membership.ended_at.is_(None)
    )
    organisations = db.session.scalars(
        select(Organisation)
        .where(Organisation.id.in_(held))
        .order_by(Organisation.id)
        .with_for_update()
    ).all()
    ended = 0
    for organisation in organisations:
        keeper = rules.keeper_role(organisation.kind)
        roles = set()
        for membership in queries.current_memberships(organisation.id, user_id):
            membership.ended_at = clock.now()
            record_membership("membership.ended", membership, None)
            roles.add(membership.role)
            ended += 1
        db.session.flush()
        if keeper in roles and not queries.has_keeper(organisation):
            raise LastManager
    return ended


def _delete(model: type, user_id: int) -> int:
    gone = db.session.execute(delete(model).where(model.user_id == user_id))  # type: ignore[attr-defined]
    return int(gone.rowcount)  # type: ignore[attr-defined]
