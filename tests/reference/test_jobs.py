"""The monthly look at the calendar."""

from datetime import datetime

import pytest
from sqlalchemy import delete

from booking.reference import jobs, queries
from booking.reference.models import CalendarDay

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def test_the_calendar_is_filled_and_the_number_reported(session):
    session.execute(delete(CalendarDay))

    assert jobs.reseed_calendar() == "工作日历更新 3288 天"


def test_in_december_a_year_without_notice_is_pointed_out(session, now, monkeypatch):
    monkeypatch.setattr(queries, "provisional_years", lambda: [2027, 2028])
    now.set(datetime.fromisoformat("2026-12-01T00:20:00+08:00"))

    assert "2027 年调休尚未载入" in jobs.reseed_calendar()
