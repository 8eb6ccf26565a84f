"""What comes in and goes out over the API for organisations, people, sessions and tokens."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

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
from booking.accounts.service import NewOrganisation, NewPerson
from booking.kernel.errors import InvalidField
from booking.kernel.forms import FormSchema
from booking.kernel.names import clean_email, clean_mobile, clean_uscc, masked
from booking.kernel.passwords import LONGEST, check_password
from booking.kernel.schema import Count, Instant, Line, PageQuery, QueryCount, Schema, unusable
from booking.kernel.text import N_, Text

ORGANISATION = ("kind", "name", "uscc", "region_code", "address", "nrii_code")
DECLARED = ("industry_code", "size_class")


def _as(rule: Callable[[str], Any]) -> Callable[[str], None]:
    """Return the rule as a validator, so that all unusable fields are named at once."""

    def check(value: str) -> None:
        try:
            rule(value)
        except InvalidField as refused:
            [reasons] = refused.details["errors"].values()
            raise ValidationError(reasons) from refused

    return check


def _strong(password: str) -> None:
    check_password(password, logins=())


class DeclarationIn(Schema):
    """Industry (GB/T 4754) and size class, as the enterprise declares them today."""

    industry_code = Line(required=True, max_length=5, validate=_as(clean_industry))
    size_class = fields.Enum(SizeClass, by_value=True, required=True)
    version = Count(least=1, most=2**31, load_default=None)


class SignUpIn(Schema):
    """An organisation and its first manager."""

    kind = Line(required=True, max_length=20)
    uscc = Line(required=True, max_length=40, validate=_as(clean_uscc))
    name = Line(required=True, min_length=2)
    region_code = Line(load_default=None, max_length=6, allow_none=True)
    address = Line(load_default="")
    nrii_code = Line(load_default=None, max_length=40, allow_none=True)
    industry_code = Line(
        load_default=None, max_length=5, allow_none=True, validate=_as(clean_industry)
    )
    size_class = fields.Enum(SizeClass, by_value=True, load_default=None, allow_none=True)
    manager_name = Line(required=True, min_length=1, max_length=60)
    email = Line(load_default=None, max_length=254, allow_none=True, validate=_as(clean_email))
    mobile = Line(load_default=None, max_length=20, allow_none=True, validate=_as(clean_mobile))
    password = Line(required=True, max_length=LONGEST, validate=_as(_strong))
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


class OrganisationListed(Schema):
    """The public facts of an organisation."""

    id = fields.Integer()
    name = fields.String()
    uscc = fields.String(allow_none=True)
    kind = fields.Enum(OrganisationKind, by_value=True)
    region_code = fields.String(allow_none=True)
    address = fields.String()
    verified_at = Instant(allow_none=True)


class DeclarationOut(Schema):
    """What an enterprise declared on a day."""

    industry_code = fields.String()
    size_class = fields.Enum(SizeClass, by_value=True)
    declared_on = fields.Date()


class OrganisationOut(OrganisationListed):
    """An organisation; what follows the public facts is for its own people only."""

    nrii_code = fields.String(allow_none=True)
    declarations = fields.List(fields.Nested(DeclarationOut))
    version = fields.Integer()
    created_at = Instant()


class OrganisationPage(Schema):
    """A page of organisations."""

    items = fields.List(fields.Nested(OrganisationListed))
    next_cursor = fields.String(allow_none=True)


class OrganisationQuery(PageQuery):
    """Filters of the list."""

    kind = fields.Enum(OrganisationKind, by_value=True, load_default=None)
    verified = fields.Boolean(load_default=None)


class OrganisationPatch(Schema):
    """What an organisation may change of itself; what is left out stays."""

    name = Line(min_length=2)
    address = Line()
    region_code = Line(max_length=6, allow_none=True)
    nrii_code = Line(max_length=40, allow_none=True)
    version = Count(least=1, most=2**31, load_default=None)

    @validates_schema
    def changes_something(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not set(data) - {"version"}:
            raise unusable(N_("请给出要更改的内容。"))


class PersonOut(Schema):
    """A person, to themselves."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String(allow_none=True)
    mobile = fields.String(allow_none=True)


class SignedUpOut(Schema):
    """The new organisation and its first manager."""

    organisation = fields.Nested(OrganisationOut)
    user = fields.Nested(PersonOut)


class MemberIn(Schema):
    """A person to be added, with their roles."""

    name = Line(required=True, min_length=1, max_length=60)
    email = Line(load_default=None, max_length=254, allow_none=True, validate=_as(clean_email))
    mobile = Line(load_default=None, max_length=20, allow_none=True, validate=_as(clean_mobile))
    roles = fields.List(
        fields.Enum(Role, by_value=True), required=True, validate=validate.Length(1, len(Role))
    )

    @post_load
    def to_person(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the person in place of its fields."""
        roles = data.pop("roles")
        return {"person": NewPerson(**data), "roles": roles}


class RolesIn(Schema):
    """The roles a member shall have, all of them."""

    roles = fields.List(
        fields.Enum(Role, by_value=True), required=True, validate=validate.Length(1, len(Role))
    )
    version = Count(least=1, most=2**31, load_default=None)


class MemberOut(Schema):
    """A member; the mobile number only in part (domain §8)."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String(allow_none=True)
    mobile = fields.Function(
        lambda member: masked(member.mobile), metadata={"type": ["string", "null"]}
    )
    roles = fields.List(fields.Enum(Role, by_value=True))
    is_active = fields.Boolean()
    is_invited = fields.Boolean()
    since = Instant()
    version = fields.Integer()


class InvitedOut(Schema):
    """The new member, and the secret that lets them set a password: shown this once."""

    member = fields.Nested(MemberOut)
    invitation = fields.String(allow_none=True)
    invited_until = Instant(allow_none=True)


class MemberPage(Schema):
    """A page of members."""

    items = fields.List(fields.Nested(MemberOut))
    next_cursor = fields.String(allow_none=True)


class InvitationIn(Schema):
    """An invitation's secret and the password its holder chooses."""

    invitation = Line(required=True, max_length=100)
    password = Line(required=True, max_length=LONGEST, validate=_as(_strong))
    purpose_notice_accepted = Line(load_default=None, max_length=20, allow_none=True)


class LogInIn(Schema):
    """E-mail address or mobile number, and password."""

    login = Line(required=True, min_length=1, max_length=254)
    password = Line(required=True, max_length=LONGEST)


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
    signed_in_by = fields.String(validate=validate.OneOf(["session", "token"]))
    organisations = fields.List(fields.Nested(BelongingOut))


class SignedInOut(Schema):
    """The new session and who is signed in."""

    session = fields.Nested(SessionOut)
    user = fields.Nested(MeOut)


class PasswordIn(Schema):
    """The password in use and the one to come."""

    current_password = Line(required=True, max_length=LONGEST)
    new_password = Line(required=True, max_length=LONGEST, validate=_as(_strong))


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


class LogInForm(FormSchema, LogInIn):
    """The log-in page."""

    required: ClassVar[Mapping[str, Text]] = {
        "login": N_("请填写邮箱或手机号。"),
        "password": N_("请填写密码。"),
    }


class SignUpForm(FormSchema, SignUpIn):
    """The sign-up page; what is left out is named all at once."""

    required: ClassVar[Mapping[str, Text]] = {
        "uscc": N_("请填写统一社会信用代码。"),
        "name": N_("请填写单位名称，与营业执照或法人证书一致。"),
        "manager_name": N_("请填写您的姓名。"),
        "password": N_("请设置密码。"),
    }

    @validates_schema(skip_on_field_errors=False)
    def names_what_is_missing(self, data: dict[str, Any], **_: Any) -> None:
        """Ask for what the kind of organisation and the law need."""
        missing = {}
        if data.get("kind") == OrganisationKind.ENTERPRISE:
            if data.get("industry_code") is None:
                missing["industry_code"] = [N_("请选择所属行业。")]
            if data.get("size_class") is None:
                missing["size_class"] = [N_("请选择企业规模。")]
        if data.get("email") is None and data.get("mobile") is None:
            missing["email"] = [N_("请填写邮箱或手机号，登录时使用。")]
        if data.get("purpose_notice_accepted") is None:
            missing["purpose_notice_accepted"] = [N_("请阅读并同意个人信息使用说明。")]
        if missing:
            raise ValidationError(missing)


class InvitationForm(FormSchema, InvitationIn):
    """The page on which an invited person sets a password."""

    required: ClassVar[Mapping[str, Text]] = {
        "invitation": N_("请填写邀请码。"),
        "password": N_("请设置密码。"),
        "purpose_notice_accepted": N_("请阅读并同意个人信息使用说明。"),
    }


class PasswordForm(FormSchema, PasswordIn):
    """The page on which a password is changed."""

    required: ClassVar[Mapping[str, Text]] = {
        "current_password": N_("请填写当前密码。"),
        "new_password": N_("请填写新密码。"),
    }


class TokenForm(FormSchema):
    """The form for a new token: what TokenIn takes, as text."""

    lists = frozenset({"scopes"})
    required: ClassVar[Mapping[str, Text]] = {
        "name": N_("请填写名称，便于日后辨认。"),
        "scopes": N_("请至少选择一个范围。"),
    }
    name = Line(required=True, min_length=1, max_length=60)
    scopes = fields.List(
        fields.Enum(Scope, by_value=True), required=True, validate=validate.Length(1, len(Scope))
    )
    days = QueryCount(least=1, most=LONGEST_TOKEN_DAYS, load_default=DEFAULT_TOKEN_DAYS)
