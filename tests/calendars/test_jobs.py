"""What the timetable does for calendars."""

import pytest

from booking.calendars import jobs

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def test_forgetting_says_how_many():
    assert jobs.forget_texts() == "清理日历文本 0 条"
