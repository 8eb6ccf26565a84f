"""The forms of the doors and of the own account."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from booking.accounts.rules import (
    DEFAULT_TOKEN_DAYS,
    LONGEST_TOKEN_DAYS,
    OrganisationKind,
    Scope,
)
from booking.accounts.schemas.doors import InvitationIn, LogInIn, PasswordIn, SignUpIn
from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, QueryCount
from booking.kernel.text import N_, Text


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


class CodeForm(FormSchema):
    """A code of the authenticator, or a recovery code."""

    required: ClassVar[Mapping[str, Text]] = {"code": N_("请填写验证码。")}
    code = Line(required=True, min_length=1, max_length=40)


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
