"""What the first institution asks of bookings besides time: decided last, after every booking."""

from collections.abc import Mapping
from typing import Any

from booking.accounts.rules import Caller
from booking.availability import service as availability
from booking.availability.rules import TERMS, Pairing
from booking.demo import tables
from booking.demo.hours import MANNERS

MICROSCOPE, COORDINATES, ROUNDNESS, SHAKER, NOISE = 3, 6, 10, 18, 21
_DEFAULTS: dict[str, Any] = {"quotas": {"firm_open_bookings": 20}}
_OWN: dict[int, dict[str, Any]] = {
    MICROSCOPE: {
        "quotas": {"firm_day_hours": 6, "firm_week_bookings": 4, "user_day_bookings": 2},
        "night": {
            "begins_minute": 1080,
            "ends_minute": 480,
            "classes": ["research", "internal"],
            "lead_minutes": 2880,
            "longest_minutes": None,
        },
        "days_off": {"classes": ["internal"], "lead_minutes": None, "longest_minutes": None},
    },
    SHAKER: {"gap_minutes": 60},
}
_PAIRS = {
    COORDINATES: (ROUNDNESS, Pairing.APART_ALL),  # one supply of dry air
    SHAKER: (NOISE, Pairing.NEEDS),
}


def decide(everybody: Mapping[str, Caller], ids: Mapping[int, int]) -> None:
    """Decide for all, and for a few by themselves."""
    owner = everybody["lab"]
    availability.set_defaults(next(iter(owner.organisations)), _DEFAULTS, caller=owner)
    terms = {row.number: MANNERS[row.terms].terms for row in tables.instruments()}
    for number in sorted(_OWN.keys() | _PAIRS.keys()):
        kept = {name: getattr(terms[number], name) for name in TERMS}
        other = _PAIRS.get(number)
        availability.set_policy(
            ids[number],
            kept | _OWN.get(number, {}),
            pairs={ids[other[0]]: other[1]} if other else None,
            caller=owner,
        )
