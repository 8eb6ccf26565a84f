"""Fields of prices: percentages, times of day, kinds of days."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from booking.kernel.schema import unusable
from booking.kernel.text import N_

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


class ClockTime(fields.Field[int]):
    """A time on the wall, `22:00`; as minutes since midnight inside."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value // 60:02}:{value % 60:02}"

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        minute = int(found[1]) * 60 + int(found[2]) if found else None
        if minute is None or minute > 1440:
            raise unusable(N_("请写作 22:00，最晚 24:00。"))
        return minute


class DayKinds(fields.Field[tuple[int, ...]]):
    """Which days: `mon` to `sun`, and `holiday` for public holidays."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return [DAYS[each] for each in value]

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[int, ...]:
        if not isinstance(value, list) or not all(each in DAYS for each in value) or not value:
            raise unusable(N_("请写作 mon 到 sun，节假日写作 holiday。"))
        return tuple(sorted({DAYS.index(each) for each in value}))
