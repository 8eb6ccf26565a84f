"""The form of a booking policy, for one instrument and for a whole institution."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, post_load

from booking.accounts.rules import CustomerClass
from booking.availability.rules import PARTS, QUOTAS, TERMS, Document
from booking.availability.schemas import WallTime
from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, QueryCount, QueryId, WallClock
from booking.kernel.text import N_, Text

TIMES = ("night", "days_off")


def _classes() -> fields.List[Any]:
    return fields.List(fields.Enum(CustomerClass, by_value=True), load_default=list)


# Twelve fields of one kind, named as the quotas are.
_Quotas = FormSchema.from_dict(
    {
        name: QueryCount(least=1, most=quota.most, load_default=None)
        for name, quota in QUOTAS.items()
    },
    name="_Quotas",
)


class PolicyForm(_Quotas):  # type: ignore[misc, valid-type]
    """Every part of a policy; for an instrument, `inherits` are left to its institution."""

    lists = frozenset({"inherits", "classes", "night_classes", "days_off_classes"})
    required: ClassVar[Mapping[str, Text]] = dict.fromkeys(TERMS, N_("请填写整数。"))
    grid_minutes = QueryCount(most=60, required=True)
    horizon_days = QueryCount(least=1, most=366, required=True)
    shortest_minutes = QueryCount(least=5, most=20160, required=True)
    longest_minutes = QueryCount(least=5, most=20160, required=True)
    lead_minutes = QueryCount(most=43200, required=True)
    change_until_minutes = QueryCount(most=43200, required=True)
    buffer_before_minutes = QueryCount(most=1440, required=True)
    buffer_after_minutes = QueryCount(most=1440, required=True)
    release_after_minutes = QueryCount(most=1440, load_default=0)
    observes_holidays = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})
    classes = _classes()
    gap_minutes = QueryCount(most=10080, load_default=0)
    night = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})
    night_begins = WallTime(load_default=1080)
    night_ends = WallTime(load_default=480)
    night_classes = _classes()
    night_lead_minutes = QueryCount(most=43200, load_default=None)
    night_longest_minutes = QueryCount(least=5, most=20160, load_default=None)
    days_off = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})
    days_off_classes = _classes()
    days_off_lead_minutes = QueryCount(most=43200, load_default=None)
    days_off_longest_minutes = QueryCount(least=5, most=20160, load_default=None)
    inherits = fields.List(fields.String(), load_default=list)
    version = QueryCount(least=0, most=2**31, load_default=None)

    @post_load
    def to_parts(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the parts that are decided here, and the version seen."""
        parts: Document = {name: data[name] for name in (*TERMS, "gap_minutes")}
        parts["classes"] = _chosen(data["classes"])
        parts["quotas"] = {name: data[name] for name in QUOTAS if data[name] is not None}
        for time in TIMES:
            parts[time] = _unattended(data, time) if data[time] else None
        own = {name: parts[name] for name in PARTS if name not in data["inherits"]}
        return {"own": own, "version": data["version"]}


def _chosen(classes: list[CustomerClass]) -> list[str] | None:
    """Return the classes by name; all of them mean everybody."""
    return None if len(set(classes)) == len(CustomerClass) else [each.value for each in classes]


def _unattended(data: Mapping[str, Any], time: str) -> Document:
    found: Document = {
        "classes": _chosen(data[f"{time}_classes"]),
        "lead_minutes": data[f"{time}_lead_minutes"],
        "longest_minutes": data[f"{time}_longest_minutes"],
    }
    if time == "night":
        found |= {"begins_minute": data["night_begins"], "ends_minute": data["night_ends"]}
    return found


def typed_policy(document: Document) -> list[tuple[str, str]]:
    """Return a policy as its form shows it; boxes that are ticked appear once for each."""
    numbers = (*TERMS, "gap_minutes")
    typed = [(name, str(document[name])) for name in numbers if name != "observes_holidays"]
    if document["observes_holidays"]:
        typed.append(("observes_holidays", "1"))
    typed += _typed_classes("classes", document["classes"])
    typed += [(name, str(most)) for name, most in document["quotas"].items()]
    for time in TIMES:
        typed += _typed_unattended(time, document[time])
    return typed


def _typed_classes(name: str, classes: list[str] | None) -> list[tuple[str, str]]:
    chosen = list(CustomerClass) if classes is None else classes
    return [(name, str(each)) for each in chosen]


def _typed_unattended(time: str, kept: Document | None) -> list[tuple[str, str]]:
    asked = kept or {}
    typed = [(time, "1")] if kept is not None else []
    typed += _typed_classes(f"{time}_classes", asked.get("classes"))
    for name in ("lead_minutes", "longest_minutes"):
        typed.append((f"{time}_{name}", str(asked.get(name) or "")))
    if time == "night":
        typed.append(("night_begins", _wall(asked.get("begins_minute", 1080))))
        typed.append(("night_ends", _wall(asked.get("ends_minute", 480))))
    return typed


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class WhyForm(FormSchema):
    """Who wants an instrument when: the question of the tester."""

    required: ClassVar[Mapping[str, Text]] = {
        "starts_at": N_("请填写开始时间。"),
        "minutes": N_("请填写时长。"),
    }
    organisation = QueryId(load_default=None)
    uscc = Line(max_length=30, load_default="")
    login = Line(max_length=200, load_default="")
    starts_at = WallClock(required=True)
    minutes = QueryCount(least=5, most=20160, required=True)


class OverrideForm(WhyForm):
    """The same, booked nevertheless."""

    required: ClassVar[Mapping[str, Text]] = {
        **WhyForm.required,
        "override_reason": N_("请写明理由，会记入日志。"),
    }
    purpose = Line(max_length=200, load_default="")
    override_reason = Line(max_length=200, required=True)
