"""What comes in and goes out over the API for schedules, availability and free slots."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields, post_dump, post_load, pre_dump, validate

from booking.authorisations.rules import Operation
from booking.availability.queries import Sort, Wanted
from booking.availability.rules import (
    DAY_MINUTES,
    MOST_HOLD_HOURS,
    USUAL_WINDOW,
    ApprovalMode,
    ApprovalRule,
    Interval,
    Terms,
)
from booking.kernel import clock
from booking.kernel.money import Money
from booking.kernel.schema import (
    AMOUNT,
    Count,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    QueryCount,
    QueryId,
    QueryInstant,
    QuerySchema,
    Schema,
    Sentence,
    unusable,
)
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.pricegroups.schemas import ConcessionOut
from booking.registry.schemas import InstrumentListed
from booking.tariffs.schemas import PriceOut

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_WINDOW = timedelta(days=92)
_WALL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class QueryMoney(fields.Field[Money]):
    """An amount in CNY in the address, e.g. `200` or `199.50`."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Money:
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise unusable(N_("须为金额，最多两位小数，例如 199.50。"))
        return Money.of(value)


class WallTime(fields.Field[int]):
    """A time on the instrument's wall as "08:00", up to "24:00"; minutes since midnight."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value // 60:02}:{value % 60:02}"

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _WALL.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise unusable(N_("须为时间，例如 08:00；一天结束写作 24:00。"))
        return DAY_MINUTES if found[1] is None else int(found[1]) * 60 + int(found[2])


class HoursSchema(Schema):
    """Open from one wall-clock time to another."""

    opens = WallTime(required=True)
    closes = WallTime(required=True)

    @post_load
    def to_interval(self, data: dict[str, Any], **_: Any) -> Interval:
        """Return the pair of minutes."""
        return data["opens"], data["closes"]


def _hours(**kwargs: Any) -> fields.List[Any]:
    return fields.List(fields.Nested(HoursSchema), validate=validate.Length(max=24), **kwargs)


class WeekSchema(Schema):
    """Opening hours by weekday; a day left out is closed."""

    monday = _hours(load_default=list)
    tuesday = _hours(load_default=list)
    wednesday = _hours(load_default=list)
    thursday = _hours(load_default=list)
    friday = _hours(load_default=list)
    saturday = _hours(load_default=list)
    sunday = _hours(load_default=list)

    @post_load
    def to_numbers(self, data: dict[str, Any], **_: Any) -> dict[int, list[Interval]]:
        """Return the hours by number of the weekday."""
        return {number: data[name] for number, name in enumerate(WEEKDAYS) if data[name]}


class SpecialDaySchema(Schema):
    """A date with hours of its own; without any it is closed."""

    day = fields.Date(required=True)
    hours = _hours(load_default=list)
    reason = Line(max_length=200, load_default="")


class TermsSchema(Schema):
    """What the owner decides about bookings."""

    grid_minutes = Count(most=60, load_default=Terms.grid_minutes)
    shortest_minutes = Count(most=20160, load_default=Terms.shortest_minutes)
    longest_minutes = Count(most=20160, load_default=Terms.longest_minutes)
    lead_minutes = Count(most=43200, load_default=Terms.lead_minutes)
    horizon_days = Count(most=366, load_default=Terms.horizon_days)
    change_until_minutes = Count(most=43200, load_default=Terms.change_until_minutes)
    buffer_before_minutes = Count(most=1440, load_default=Terms.buffer_before_minutes)
    buffer_after_minutes = Count(most=1440, load_default=Terms.buffer_after_minutes)
    release_after_minutes = Count(most=1440, load_default=Terms.release_after_minutes)
    observes_holidays = fields.Boolean(
        load_default=Terms.observes_holidays, truthy={True}, falsy={False}
    )


class ScheduleIn(TermsSchema):
    """A whole schedule: it takes the place of the one that stood."""

    week = fields.Nested(WeekSchema, required=True)
    special_days = fields.List(
        fields.Nested(SpecialDaySchema), load_default=list, validate=validate.Length(max=400)
    )
    version = Count(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the arguments of `set_schedule`."""
        special = {row["day"]: (row["hours"], row["reason"]) for row in data["special_days"]}
        if len(special) < len(data["special_days"]):
            raise unusable(N_("同一天只能出现一次。"), "special_days")
        return {
            "terms": Terms(**{name: data[name] for name in TermsSchema().fields}),
            "week": data["week"],
            "special_days": special,
            "version": data["version"],
        }


class ScheduleOut(TermsSchema):
    """An instrument's schedule as it stands, on the clock of its own zone."""

    instrument_id = fields.Integer()
    time_zone = fields.String()
    week = fields.Nested(WeekSchema)
    special_days = fields.List(fields.Nested(SpecialDaySchema))
    version = fields.Integer()
    updated_at = Instant()

    @pre_dump
    def flat(self, sheet: Any, **_: Any) -> dict[str, Any]:
        """Put days and terms side by side, weekdays by their names."""
        return {
            **asdict(sheet.terms),
            "instrument_id": sheet.schedule.instrument_id,
            "time_zone": sheet.time_zone,
            "week": {name: _as_hours(sheet.week.get(day, ())) for day, name in enumerate(WEEKDAYS)},
            "special_days": [
                {"day": day, "hours": _as_hours(hours), "reason": reason}
                for day, (hours, reason) in sheet.special_days.items()
            ],
            "version": sheet.schedule.version,
            "updated_at": sheet.schedule.updated_at,
        }


def _as_hours(intervals: Iterable[Interval]) -> list[dict[str, int]]:
    return [{"opens": opens, "closes": closes} for opens, closes in intervals]


class ApprovalRuleSchema(Schema):
    """When a reservation needs its owner's approval, and for how long it is held for that.

    Longer or dearer than the two limits needs it whatever the mode; null: no limit.
    """

    mode = fields.Enum(ApprovalMode, by_value=True, required=True)
    over_minutes = Count(least=5, most=20160, load_default=None, allow_none=True)
    over_price = MoneyField(load_default=None, allow_none=True)
    hold_working_hours = Count(
        least=1, most=MOST_HOLD_HOURS, load_default=ApprovalRule.hold_working_hours
    )


class ApprovalRuleIn(ApprovalRuleSchema):
    """A whole rule: it takes the place of the one that stood."""

    version = Count(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the arguments of `set_approval`."""
        return {"version": data.pop("version"), "rule": ApprovalRule(**data)}


class ApprovalRuleOut(ApprovalRuleSchema):
    """The rule as it stands."""

    instrument_id = fields.Integer()
    version = fields.Integer()

    @pre_dump
    def flat(self, schedule: Any, **_: Any) -> dict[str, Any]:
        """Put the rule beside whose it is."""
        rule = schedule.approval
        own = {name: getattr(rule, name) for name in ApprovalRuleSchema().fields}
        return own | {"instrument_id": schedule.instrument_id, "version": schedule.version}


class OperationIn(Schema):
    """How an instrument may be used."""

    operation = fields.Enum(Operation, by_value=True, required=True)
    version = Count(least=1, most=2**31, load_default=None)


class OperationOut(Schema):
    """How an instrument may be used."""

    instrument_id = fields.Integer()
    operation = fields.Enum(Operation, by_value=True)
    version = fields.Integer()


class SlotOut(Schema):
    """From one instant up to, not including, another."""

    starts_at = Instant()
    ends_at = Instant()


class HeldOut(Schema):
    """What takes the time, for the owner's people."""

    starts_at = Instant(attribute="slot.starts_at")
    ends_at = Instant(attribute="slot.ends_at")
    unit = fields.Integer()
    kind = fields.String()
    closure_id = fields.Integer(allow_none=True)


class ObstacleOut(Schema):
    """Why an instrument cannot be booked, whatever the slot."""

    rule = fields.String()
    detail = Sentence()


class AvailabilityOut(Schema):
    """Open, busy and free time in a window; `held` only for the owner's people."""

    instrument_id = fields.Integer()
    starts_at = Instant(attribute="window.starts_at")
    ends_at = Instant(attribute="window.ends_at")
    open = fields.List(fields.Nested(SlotOut), attribute="opened")
    busy = fields.List(fields.Nested(SlotOut))
    free = fields.List(fields.Nested(SlotOut))
    bookable = fields.Boolean()
    reasons = fields.List(fields.Nested(ObstacleOut), attribute="obstacles")
    held = fields.List(fields.Nested(HeldOut), allow_none=True)

    @post_dump
    def without_held(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what outsiders are not told."""
        if data["held"] is None:
            del data["held"]
        return data


class WindowQuery(QuerySchema):
    """A window of at most 92 days; a week from now unless told otherwise."""

    starts_at = QueryInstant(data_key="from", load_default=None)
    ends_at = QueryInstant(data_key="to", load_default=None)

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put a TimeSlot in place of the two."""
        starts_at = data.pop("starts_at") or clock.now()
        data["window"] = _window(starts_at, data.pop("ends_at") or starts_at + USUAL_WINDOW)
        return data


def _window(starts_at: datetime, ends_at: datetime, end: str = "to") -> TimeSlot:
    try:
        window = TimeSlot(starts_at, ends_at)
    except UnusableSlot as exc:
        raise unusable(exc.reason, end) from exc
    if window.duration > LONGEST_WINDOW:
        raise unusable(N_("时间范围最长 %(days)s 天。", days=LONGEST_WINDOW.days), end)
    return window


def _code() -> Line:
    return Line(load_default=None, max_length=6, validate=validate.Regexp(r"[0-9]{1,6}\Z"))


class PlaceQuery(QuerySchema):
    """Which instruments, by the beginnings of their codes."""

    category = _code()
    region = _code()


class FreeSlotQuery(PlaceQuery, WindowQuery):
    """What is wanted: all optional."""

    minutes = QueryCount(least=5, most=20160, load_default=None)
    limit = QueryCount(least=1, most=200, load_default=50)


class InstrumentQuery(PlaceQuery, PageQuery):
    """What is looked for: all optional. `free_from` and `free_to` ask for free time in between."""

    q = Line(load_default=None, max_length=100)
    institution_id = QueryId(load_default=None, data_key="institution")
    service = Line(load_default=None, max_length=100)
    price_max = QueryMoney(load_default=None)
    free_from = QueryInstant(load_default=None)
    free_to = QueryInstant(load_default=None)
    minutes = QueryCount(least=5, most=20160, load_default=None)
    sort = fields.Enum(Sort, by_value=True, load_default=Sort.RELEVANCE)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put what is wanted beside the page."""
        page = {name: data.pop(name) for name in ("limit", "cursor")}
        free_from, free_to = data.pop("free_from"), data.pop("free_to")
        region = data.pop("region")
        window = None
        if free_from or free_to or (data["minutes"] and data["sort"] is not Sort.EARLIEST):
            starts_at = free_from or clock.now()
            window = _window(starts_at, free_to or starts_at + USUAL_WINDOW, "free_to")
        return {
            "wanted": Wanted(**data, regions=(region,) if region else (), window=window),
            **page,
        }


class FreeSlotOut(SlotOut):
    """The earliest free slot of an instrument."""

    instrument_id = fields.Integer()


class InstrumentFound(InstrumentListed):
    """An instrument of the list with the price for who asks, and its free slot if asked for.

    `price` is published; an hour comes to `due_per_hour`, by the finer class `price_group`.
    """

    bookable = fields.Boolean()
    price = fields.Nested(PriceOut, allow_none=True)
    price_group = fields.Nested(ConcessionOut, allow_none=True)
    due_per_hour = MoneyField(allow_none=True)
    earliest = fields.Nested(SlotOut, allow_none=True)

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the price and the slot beside what the registry says."""
        more = {"bookable": found.bookable, "price": found.price, "earliest": found.earliest}
        for name, source in (("price_group", "applied"), ("due_per_hour", "due_per_hour")):
            more[name] = getattr(found.facts, source, None)
        shown: dict[str, Any] = super().flat(found.described)
        return shown | more


class InstrumentPage(Schema):
    """A page of instruments."""

    items = fields.List(fields.Nested(InstrumentFound))
    next_cursor = fields.String(allow_none=True)


class FreeSlotPage(Schema):
    """The soonest free slots, one of each instrument."""

    items = fields.List(fields.Nested(FreeSlotOut))
    next_cursor = fields.String(allow_none=True)
