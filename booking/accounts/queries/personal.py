"""Everything accounts know of one person, for who asks for it (个人信息保护法 art. 45)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from booking.accounts.models import (
    ApiToken,
    EnterpriseDeclaration,
    LoginSession,
    Membership,
    Organisation,
    User,
)
from booking.accounts.queries.factors import show_factor
from booking.kernel.db import db


def personal_data(user: User) -> dict[str, Any]:
    """Return what is kept of the person, in plain values; no secret and no digest among it."""
    factor = show_factor(user.id)
    return {
        "person": {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "mobile": user.mobile,
            "locale": user.locale,
            "registered_at": user.created_at,
            "password_changed_at": user.password_changed_at,
            "purpose_notice_accepted": user.purpose_notice,
            "second_factor_since": factor.since,
            "is_active": user.is_active,
        },
        "memberships": _rows(_memberships(user.id)),
        "declarations": _rows(
            select(
                EnterpriseDeclaration.declared_on,
                Organisation.name.label("organisation"),
                EnterpriseDeclaration.industry_code,
                EnterpriseDeclaration.size_class,
            )
            .join(Organisation, Organisation.id == EnterpriseDeclaration.organisation_id)
            .where(EnterpriseDeclaration.declared_by == user.id)
            .order_by(EnterpriseDeclaration.id)
        ),
        "sessions": _rows(
            select(
                LoginSession.created_at,
                LoginSession.expires_at,
                LoginSession.ended_at,
                LoginSession.client,
            )
            .where(LoginSession.user_id == user.id)
            .order_by(LoginSession.id)
        ),
        "tokens": _rows(
            select(
                ApiToken.name,
                ApiToken.scopes,
                ApiToken.created_at,
                ApiToken.expires_at,
                ApiToken.revoked_at,
            )
            .where(ApiToken.user_id == user.id)
            .order_by(ApiToken.id)
        ),
    }


def count_memberships(user_id: int) -> int:
    """Return how many seats the person has or had."""
    return _count(select(func.count()).where(Membership.user_id == user_id))


def count_declarations(user_id: int) -> int:
    """Return how many declarations the person made for organisations."""
    return _count(select(func.count()).where(EnterpriseDeclaration.declared_by == user_id))


def _count(query: Select[int]) -> int:
    return db.session.scalar(query) or 0


def _memberships(user_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Organisation.name.label("organisation"),
            Organisation.uscc,
            Membership.role,
            Membership.created_at.label("since"),
            Membership.ended_at,
        )
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    )


def _rows(query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    rows: Sequence[Row[Any]] = db.session.execute(query).all()
    return [dict(row._mapping) for row in rows]
