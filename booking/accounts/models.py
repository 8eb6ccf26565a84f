"""Organisations keyed by their credit code, people, roles, sessions and tokens."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.rules import Awaits, OrganisationKind, Role, SizeClass
from booking.kernel import clock
from booking.kernel.db import Model, Versioned, Word


class Organisation(Versioned, Model):
    """A legal entity by its 统一社会信用代码 (GB 32100-2015)."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name="uscc"),
        CheckConstraint("uscc IS NOT NULL OR kind = 'platform'", name="has_uscc"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uscc: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[OrganisationKind] = mapped_column(Word(OrganisationKind))
    region_code: Mapped[str | None]
    address: Mapped[str] = mapped_column(default="")
    nrii_code: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    declined_at: Mapped[datetime | None]
    declined_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    declined_reason: Mapped[str] = mapped_column(default="", server_default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    declarations: Mapped[list["EnterpriseDeclaration"]] = relationship(
        lazy="raise", order_by="EnterpriseDeclaration.id"
    )


class EnterpriseDeclaration(Model):
    """What an enterprise says of itself on a day: industry and size. History is kept."""

    __tablename__ = "enterprise_declarations"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id), index=True)
    industry_code: Mapped[str]
    size_class: Mapped[SizeClass] = mapped_column(Word(SizeClass))
    declared_on: Mapped[date] = mapped_column(Date)
    declared_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class User(Versioned, Model):
    """A person who acts for organisations; reached by e-mail or mobile number.

    Somebody a manager added has no password until the invitation (a secret shown once to that
    manager, kept as a digest) was used to set one. Somebody who was forgotten keeps the row, under
    a pseudonym, for the records of others that stand on it.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR mobile IS NOT NULL", name="reachable"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    mobile: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    invitation_digest: Mapped[str | None] = mapped_column(unique=True)
    invited_until: Mapped[datetime | None]
    purpose_notice: Mapped[str | None]
    locale: Mapped[str] = mapped_column(default="zh_Hans_CN")
    is_active: Mapped[bool] = mapped_column(default=True)
    erased_at: Mapped[datetime | None]


class Membership(Model):
    """A role a person holds in an organisation; ended, never deleted."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index(
            "uq_memberships_current",
            "user_id",
            "organisation_id",
            "role",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id), index=True)
    role: Mapped[Role] = mapped_column(Word(Role))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]


class LoginSession(Model):
    """A signed-in browser; the cookie holds a secret of which we keep the digest.

    While it awaits something, only the password was right: it opens nothing but the second step.
    """

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    client: Mapped[str] = mapped_column(default="")
    awaits: Mapped[Awaits | None] = mapped_column(Word(Awaits))


class SecondFactor(Model):
    """What a person's authenticator program counts with; the key is derived from the nonce.

    Without `confirmed_at` it is being set up. `last_step` is the last time step whose code was
    taken: no code works twice.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    nonce: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Model):
    """A code for who has lost the authenticator; works once, kept as a digest."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime | None]


class ApiToken(Model):
    """A bearer token of a user, limited by scopes and time; shown once, kept as a digest."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str] = mapped_column(default="")
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
