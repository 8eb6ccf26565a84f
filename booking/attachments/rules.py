"""How many photos and documents an instrument has, and in which order. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from booking.attachments.errors import AttachmentsFull

Each = TypeVar("Each")


class AttachmentKind(StrEnum):
    """What hangs on an instrument."""

    PHOTO = "photo"
    DOCUMENT = "document"


MOST = {AttachmentKind.PHOTO: 12, AttachmentKind.DOCUMENT: 20}
LONGEST_CAPTION = 80


def check_room(kind: AttachmentKind, count: int) -> None:
    """Raise AttachmentsFull if there are as many as may be."""
    if count >= MOST[kind]:
        raise AttachmentsFull(most=MOST[kind])


def reordered(rows: Sequence[Each], moved: Each, place: int) -> list[Each]:
    """Return the rows with this one at the place, the first being 1; beyond an end is the end."""
    others = [row for row in rows if row != moved]
    others.insert(max(0, place - 1), moved)
    return others
