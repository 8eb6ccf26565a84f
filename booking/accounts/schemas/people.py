"""What comes in and goes out for the people of an organisation."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from booking.accounts.rules import Role
from booking.accounts.schemas.fields import passes
from booking.accounts.service import NewPerson
from booking.kernel.forms import FormSchema
from booking.kernel.names import clean_email, clean_mobile, masked
from booking.kernel.schema import Count, Id, Instant, Line, QueryCount, QueryId, Schema
from booking.kernel.text import N_, Text


class PersonOut(Schema):
    """A person, to themselves."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String(allow_none=True)
    mobile = fields.String(allow_none=True)


class MemberIn(Schema):
    """A person to be added, with their roles."""

    name = Line(required=True, min_length=1, max_length=60)
    email = Line(load_default=None, max_length=254, allow_none=True, validate=passes(clean_email))
    mobile = Line(load_default=None, max_length=20, allow_none=True, validate=passes(clean_mobile))
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


class MoveIn(RolesIn):
    """The organisation a member moves to, and the roles they shall have there."""

    organisation_id = Id(required=True)


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
    invited_until = Instant(allow_none=True)
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


class MemberForm(FormSchema, MemberIn):
    """The form that invites somebody."""

    lists = frozenset({"roles"})
    required: ClassVar[Mapping[str, Text]] = {
        "name": N_("请填写姓名。"),
        "roles": N_("请至少选择一个角色。"),
    }

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def can_be_reached(self, _: dict[str, Any], given: Mapping[str, str], **__: Any) -> None:
        """Ask for a way to log in, unless one was typed that cannot be used."""
        if not given.get("email", "").strip() and not given.get("mobile", "").strip():
            raise ValidationError({"email": [N_("请填写邮箱或手机号，登录时使用。")]})


class RolesForm(FormSchema):
    """The form that changes a member's roles."""

    lists = frozenset({"roles"})
    required: ClassVar[Mapping[str, Text]] = {"roles": N_("请至少选择一个角色。")}
    roles = fields.List(
        fields.Enum(Role, by_value=True), required=True, validate=validate.Length(1, len(Role))
    )
    version = QueryCount(least=1, most=2**31, load_default=None)


class MoveForm(RolesForm):
    """The form that moves a member to another organisation."""

    organisation_id = QueryId(required=True)
