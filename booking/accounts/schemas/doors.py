"""What comes in and goes out for sign-up, log-in, sessions and tokens."""

from typing import Any

from marshmallow import fields, post_load, validate

from booking.accounts.rules import (
    DEFAULT_TOKEN_DAYS,
    LONGEST_TOKEN_DAYS,
    OrganisationKind,
    Permission,
    Role,
    Scope,
    SizeClass,
    clean_industry,
)
from booking.accounts.schemas.fields import passes, strong
from booking.accounts.schemas.organisations import OrganisationOut
from booking.accounts.schemas.people import PersonOut
from booking.accounts.service import NewOrganisation, NewPerson
from booking.kernel.names import clean_email, clean_mobile, clean_uscc
from booking.kernel.passwords import LONGEST
from booking.kernel.schema import Count, Instant, Line, Schema

ORGANISATION = ("kind", "name", "uscc", "region_code", "address", "nrii_code")
DECLARED = ("industry_code", "size_class")


class SignUpIn(Schema):
    """An organisation and its first manager."""

    kind = Line(required=True, max_length=20)
    uscc = Line(required=True, max_length=40, validate=passes(clean_uscc))
    name = Line(required=True, min_length=2)
    region_code = Line(load_default=None, max_length=6, allow_none=True)
    address = Line(load_default="")
    nrii_code = Line(load_default=None, max_length=40, allow_none=True)
    industry_code = Line(
        load_default=None, max_length=5, allow_none=True, validate=passes(clean_industry)
    )
    size_class = fields.Enum(SizeClass, by_value=True, load_default=None, allow_none=True)
    manager_name = Line(required=True, min_length=1, max_length=60)
    email = Line(load_default=None, max_length=254, allow_none=True, validate=passes(clean_email))
    mobile = Line(load_default=None, max_length=20, allow_none=True, validate=passes(clean_mobile))
    password = Line(required=True, max_length=LONGEST, validate=passes(strong))
    purpose_notice_accepted = Line(load_default=None, max_length=20, allow_none=True)

    @post_load
    def to_parts(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the two values in place of their fields."""
        return {
            "organisation": NewOrganisation(**{k: data[k] for k in (*ORGANISATION, *DECLARED)}),
            "person": NewPerson(
                name=data["manager_name"], **{k: data[k] for k in ("email", "mobile", "password")}
            ),
            "purpose_notice_accepted": data["purpose_notice_accepted"],
        }


class PurposeNoticeOut(Schema):
    """What personal information is used for; consent names the version."""

    version = fields.String()
    zh = fields.String()
    en = fields.String()


class SignedUpOut(Schema):
    """The new organisation and its first manager."""

    organisation = fields.Nested(OrganisationOut)
    user = fields.Nested(PersonOut)


class InvitationIn(Schema):
    """An invitation's secret and the password its holder chooses."""

    invitation = Line(required=True, max_length=100)
    password = Line(required=True, max_length=LONGEST, validate=passes(strong))
    purpose_notice_accepted = Line(load_default=None, max_length=20, allow_none=True)


class LogInIn(Schema):
    """E-mail address or mobile number, password, and a code where a second factor is set."""

    login = Line(required=True, min_length=1, max_length=254)
    password = Line(required=True, max_length=LONGEST)
    code = Line(load_default=None, max_length=40, allow_none=True)


class SessionOut(Schema):
    """A signed-in browser."""

    id = fields.Integer()
    client = fields.String()
    created_at = Instant()
    expires_at = Instant()
    is_current = fields.Boolean()


class SessionPage(Schema):
    """A page of sessions."""

    items = fields.List(fields.Nested(SessionOut))
    next_cursor = fields.String(allow_none=True)


class BelongingOut(Schema):
    """An organisation the caller acts for, the roles held and what they allow."""

    id = fields.Integer(attribute="organisation.id")
    name = fields.String(attribute="organisation.name")
    uscc = fields.String(attribute="organisation.uscc", allow_none=True)
    kind = fields.Enum(OrganisationKind, by_value=True, attribute="organisation.kind")
    verified_at = Instant(attribute="organisation.verified_at", allow_none=True)
    roles = fields.List(fields.Enum(Role, by_value=True))
    permissions = fields.List(fields.Enum(Permission, by_value=True))


class MeOut(PersonOut):
    """The caller."""

    locale = fields.String()
    scopes = fields.List(fields.Enum(Scope, by_value=True))
    second_factor = fields.Boolean()
    signed_in_by = fields.String(validate=validate.OneOf(["session", "token"]))
    organisations = fields.List(fields.Nested(BelongingOut))


class SignedInOut(Schema):
    """The new session and who is signed in."""

    session = fields.Nested(SessionOut)
    user = fields.Nested(MeOut)


class PasswordIn(Schema):
    """The password in use and the one to come."""

    current_password = Line(required=True, max_length=LONGEST)
    new_password = Line(required=True, max_length=LONGEST, validate=passes(strong))


class TokenIn(Schema):
    """What a token shall be called, allow and how long it shall live."""

    name = Line(required=True, min_length=1, max_length=60)
    scopes = fields.List(
        fields.Enum(Scope, by_value=True), required=True, validate=validate.Length(1, len(Scope))
    )
    days = Count(least=1, most=LONGEST_TOKEN_DAYS, load_default=DEFAULT_TOKEN_DAYS)


class TokenOut(Schema):
    """A token, without its secret."""

    id = fields.Integer()
    name = fields.String()
    scopes = fields.List(fields.String())
    created_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(allow_none=True)


class TokenMade(TokenOut):
    """A new token with its secret: shown this once."""

    token = fields.String(allow_none=True)


class TokenPage(Schema):
    """A page of tokens."""

    items = fields.List(fields.Nested(TokenOut))
    next_cursor = fields.String(allow_none=True)
