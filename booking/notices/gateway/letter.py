"""What a letter is made of, whatever it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from flask import current_app

from booking.kernel.timeslot import TimeSlot

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """What the reader's calendar is told."""

    method: Literal["REQUEST", "CANCEL"]
    thing: str  # as feeds name it too: one thing is one entry, wherever it came from
    number: str
    sequence: int
    slot: TimeSlot
    created_at: datetime
    summary: str
    description: str
    place: str
    contact: str
    url: str
    is_tentative: bool = False


@dataclass(frozen=True)
class Letter:
    """First the fact, then the rest (ux §10); all in one language."""

    subject: str
    sentence: str
    why: str
    rows: Sequence[tuple[str, str]] = ()
    steps: Sequence[str] = ()
    offers: Sequence[tuple[str, str]] = ()  # free slots instead, each with its address
    button: tuple[str, str] | None = None
    number: str = ""
    entry: Entry | None = field(default=None, repr=False)
    optional: bool = True


def url(path: str) -> str:
    """Return the whole address of one of our pages."""
    return f"{current_app.config['BASE_URL']}{path}"
