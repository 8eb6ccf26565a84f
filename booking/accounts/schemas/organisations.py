"""What comes in and goes out for organisations."""

from typing import Any

from marshmallow import fields, validates_schema

from booking.accounts.rules import OrganisationKind, SizeClass, clean_industry
from booking.accounts.schemas.fields import passes
from booking.kernel.schema import Count, Instant, Line, PageQuery, Schema, unusable
from booking.kernel.text import N_


class DeclarationIn(Schema):
    """Industry (GB/T 4754) and size class, as the enterprise declares them today."""

    industry_code = Line(required=True, max_length=5, validate=passes(clean_industry))
    size_class = fields.Enum(SizeClass, by_value=True, required=True)
    version = Count(least=1, most=2**31, load_default=None)


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
