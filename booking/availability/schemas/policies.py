"""What comes in and goes out over the API for booking policies."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load, pre_dump, validate

from booking.accounts.rules import CustomerClass
from booking.availability.queries import PolicySheet
from booking.availability.rules import (
    QUOTAS,
    TERMS,
    Pairing,
    in_words,
    of_document,
)
from booking.availability.schemas import WallTime
from booking.kernel.schema import Count, Id, Instant, Schema, Sentence, unusable
from booking.kernel.text import N_

MOST_PAIRS = 20


def _classes(**kwargs: Any) -> fields.List[Any]:
    return fields.List(
        fields.Enum(CustomerClass, by_value=True),
        allow_none=True,
        validate=validate.Length(max=len(CustomerClass)),
        **kwargs,
    )


class UnattendedSchema(Schema):
    """What is asked of bookings at such times; `classes` none: nobody may, null: everybody."""

    classes = _classes(load_default=None)
    lead_minutes = Count(most=43200, load_default=None, allow_none=True)
    longest_minutes = Count(least=5, most=20160, load_default=None, allow_none=True)

    @post_load
    def to_document(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the classes by their names."""
        classes = data["classes"]
        return data | {"classes": None if classes is None else [each.value for each in classes]}


class NightSchema(UnattendedSchema):
    """The same with when the night begins and, the next morning, ends."""

    begins_minute = WallTime(data_key="begins", load_default=1080)
    ends_minute = WallTime(data_key="ends", load_default=480)


QuotasSchema = Schema.from_dict(
    {name: Count(least=1, most=quota.most) for name, quota in QUOTAS.items()}, name="QuotasSchema"
)


class PartsSchema(Schema):
    """The parts of a policy; a part that is left out is inherited."""

    grid_minutes = Count(most=60)
    shortest_minutes = Count(most=20160)
    longest_minutes = Count(most=20160)
    lead_minutes = Count(most=43200)
    horizon_days = Count(most=366)
    change_until_minutes = Count(most=43200)
    buffer_before_minutes = Count(most=1440)
    buffer_after_minutes = Count(most=1440)
    release_after_minutes = Count(most=1440)
    observes_holidays = fields.Boolean(truthy={True}, falsy={False})
    classes = _classes()
    gap_minutes = Count(most=10080)
    quotas = fields.Nested(QuotasSchema)
    night = fields.Nested(NightSchema, allow_none=True)
    days_off = fields.Nested(UnattendedSchema, allow_none=True)


PARTS = tuple(PartsSchema().fields)


def parts_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts as a policy keeps them."""
    own = {name: data[name] for name in PARTS if name in data}
    if own.get("classes") is not None:
        own["classes"] = [each.value for each in own["classes"]]
    return own


class ApartSchema(Schema):
    """An instrument not to be booked at the same time: by the same firm, or by anybody."""

    instrument_id = Id(required=True)
    anybody = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class PolicyIn(PartsSchema):
    """What the instrument decides itself, and its pairs; without those, the pairs stay."""

    needs = fields.List(Id(), validate=validate.Length(max=MOST_PAIRS))
    apart = fields.List(fields.Nested(ApartSchema), validate=validate.Length(max=MOST_PAIRS))
    version = Count(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the arguments of `set_policy`."""
        given = [(each, Pairing.NEEDS) for each in data.get("needs", ())]
        given += [
            (each["instrument_id"], Pairing.APART_ALL if each["anybody"] else Pairing.APART)
            for each in data.get("apart", ())
        ]
        pairs = dict(given)
        if len(pairs) < len(given):
            raise unusable(N_("同一台仪器只能出现一次。"), "apart")
        is_given = "needs" in data or "apart" in data
        return {
            "own": parts_of(data),
            "pairs": pairs if is_given else None,
            "version": data["version"],
        }


class PairOut(Schema):
    """Another instrument whose bookings matter."""

    instrument_id = fields.Integer()
    name = fields.String()
    pairing = fields.Enum(Pairing, by_value=True)


class PolicyOut(PartsSchema):
    """An instrument's whole policy, which parts it inherits, and all of it in words."""

    instrument_id = fields.Integer()
    pairs = fields.List(fields.Nested(PairOut))
    inherits = fields.List(fields.String())
    summary = fields.List(Sentence())
    version = fields.Integer()
    updated_at = Instant()

    @pre_dump
    def flat(self, sheet: PolicySheet, **_: Any) -> dict[str, Any]:
        """Put the parts beside what they come to."""
        return shown_parts(sheet.document) | {
            "instrument_id": sheet.instrument.id,
            "pairs": sheet.pairs,
            "inherits": sheet.schedule.inherits,
            "summary": [each.words for each in in_words(sheet.policy, sheet.pairs)],
            "version": sheet.schedule.version,
            "updated_at": sheet.schedule.updated_at,
        }


class DefaultsIn(PartsSchema):
    """What an institution decides for all its instruments; what is left out is as usual."""

    version = Count(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the arguments of `set_defaults`."""
        return {"given": parts_of(data), "version": data["version"]}


class DefaultsOut(PartsSchema):
    """The same as it stands, every part, with those that were decided; version 0: none yet."""

    institution_id = fields.Integer()
    decides = fields.List(fields.String())
    version = fields.Integer()


def shown_parts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a document as they go out."""
    asked = of_document(document)
    return {
        **{name: document[name] for name in TERMS},
        "classes": None if asked.classes is None else list(asked.classes),
        "gap_minutes": asked.gap_minutes,
        "quotas": asked.quotas,
        "night": asked.night,
        "days_off": asked.days_off,
    }
