"""Order and number of what hangs on an instrument."""

import pytest

from booking.attachments.errors import AttachmentsFull
from booking.attachments.rules import MOST, AttachmentKind, check_room, reordered


@pytest.mark.parametrize(
    ("moved", "place", "expected"),
    [("a", 2, "bac"), ("c", 1, "cab"), ("b", 9, "acb"), ("b", 2, "abc"), ("a", 0, "abc")],
)
def test_one_is_put_at_another_place(moved, place, expected):
    assert "".join(reordered("abc", moved, place)) == expected


def test_there_is_room_for_so_many():
    check_room(AttachmentKind.PHOTO, MOST[AttachmentKind.PHOTO] - 1)
    with pytest.raises(AttachmentsFull):
        check_room(AttachmentKind.PHOTO, MOST[AttachmentKind.PHOTO])
