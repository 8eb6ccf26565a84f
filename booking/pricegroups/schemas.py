"""What comes in and goes out over the API for finer customer classes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields, post_load, pre_dump, validate

from booking.accounts.rules import CustomerClass
from booking.kernel.schema import (
    Count,
    Id,
    Instant,
    Line,
    PageQuery,
    Percent,
    QueryId,
    Schema,
    VersionIn,
    unusable,
)
from booking.kernel.text import N_
from booking.pricegroups.models import PriceGroupTerms
from booking.pricegroups.rules import BASES, MOST_INSTRUMENTS
from booking.pricegroups.service import Said

LONGEST_NAME = 30


class ConcessionOut(Schema):
    """What the customer's own finer class gives: percent off the list price, and on what ground."""

    id = fields.Integer(attribute="group_id")
    name = fields.String()
    percent = Percent()
    reason = fields.String()


class OwnPercent(Schema):
    """Another percentage for one instrument."""

    instrument_id = Id(required=True)
    percent = Percent(required=True)


class PriceGroupTermsIn(Schema):
    """A version of a group: percent off the list price, and the document that rests on.

    Holds from `effective_from` (now, unless told) until `ends_at` or the next version.
    """

    name = Line(min_length=1, max_length=LONGEST_NAME, required=True)
    percent = Percent(required=True)
    reason = Line(min_length=1, max_length=200, required=True)
    instruments = fields.List(
        fields.Nested(OwnPercent), load_default=list, validate=validate.Length(max=MOST_INSTRUMENTS)
    )
    effective_from = Instant(load_default=None, allow_none=True)
    ends_at = Instant(load_default=None, allow_none=True)

    @post_load
    def to_said(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put what the service takes in place of the fields."""
        data["instruments"] = _percents(data["instruments"])
        rest = {name: data.pop(name) for name in ("version", *_GROUP) if name in data}
        return {"said": Said(**data), **rest}


_GROUP = ("institution_id", "base_class")


def _percents(rows: list[Mapping[str, Any]]) -> dict[int, Decimal]:
    found = {each["instrument_id"]: each["percent"] for each in rows}
    if len(found) < len(rows):
        raise unusable(N_("同一台仪器只能填写一次。"), "instruments")
    return found


class PriceGroupIn(PriceGroupTermsIn):
    """A new finer class within one of the three outside classes of an institution's prices."""

    institution_id = Id(required=True)
    base_class = fields.Enum(
        CustomerClass, by_value=True, required=True, validate=validate.OneOf(BASES)
    )


class NewPriceGroupTermsIn(PriceGroupTermsIn):
    """The next version, and which version of the group was seen."""

    version = Count(least=1, most=2**31, load_default=None)


class PriceGroupMemberIn(VersionIn):
    """Who belongs to it, from when to when: from now on and for good unless told."""

    uscc = Line(min_length=1, max_length=40, required=True)
    since = Instant(load_default=None, allow_none=True)
    until = Instant(load_default=None, allow_none=True)


class PriceGroupMemberOut(Schema):
    """An organisation in a group; `until` is null while no end is known."""

    id = fields.Integer()
    organisation_id = fields.Integer()
    name = fields.String(attribute="organisation.name")
    uscc = fields.String(attribute="organisation.uscc", allow_none=True)
    since = Instant()
    until = Instant(allow_none=True)


class PriceGroupMemberPage(Schema):
    """A page of members, also former ones, latest added first."""

    items = fields.List(fields.Nested(PriceGroupMemberOut))
    next_cursor = fields.String(allow_none=True)


class PriceGroupTermsOut(Schema):
    """A version; `until` is when it ends or is replaced, null while that is not known."""

    id = fields.Integer()
    name = fields.String()
    percent = Percent()
    reason = fields.String()
    instruments = fields.List(fields.Nested(OwnPercent))
    published_at = Instant()
    effective_from = Instant()
    until = Instant(allow_none=True)

    @pre_dump
    def flat(self, terms: PriceGroupTerms, **_: Any) -> dict[str, Any]:
        """Write the percentages of single instruments as a list."""
        own = {name: getattr(terms, name) for name in self.fields if name != "instruments"}
        rows = [{"instrument_id": k, "percent": v} for k, v in sorted(terms.percents.items())]
        return own | {"instruments": rows}


class PriceGroupOut(Schema):
    """A finer class with the version that holds (or held last) and the one announced."""

    id = fields.Integer(attribute="group.id")
    institution_id = fields.Integer(attribute="group.institution_id")
    base_class = fields.Enum(CustomerClass, by_value=True, attribute="group.base_class")
    version = fields.Integer(attribute="group.version")
    is_in_force = fields.Boolean()
    terms = fields.Nested(PriceGroupTermsOut)
    announced = fields.Nested(PriceGroupTermsOut, allow_none=True)
    member_count = fields.Integer(attribute="members")


class PriceGroupPage(Schema):
    """A page of groups, latest first."""

    items = fields.List(fields.Nested(PriceGroupOut))
    next_cursor = fields.String(allow_none=True)


class PriceGroupVersions(Schema):
    """All versions of a group, latest first."""

    items = fields.List(fields.Nested(PriceGroupTermsOut))


class PriceGroupQuery(PageQuery):
    """Of one institution, if one is named."""

    institution_id = QueryId(load_default=None, data_key="institution")
