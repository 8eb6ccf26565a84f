"""What the timetable runs for accounts."""

import pytest

from booking.accounts import jobs
from booking.kernel.throttle import Attempts, admit
from tests.factories import make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def test_what_is_forgiven_and_what_ended_long_ago_is_dropped(client, now, session):
    admit({"name": 5})
    sign_in(client, make_user())
    now.advance(days=31)

    assert jobs.forget() == "清理登录失败计数 1 条、已结束的会话 1 条"
    assert session.query(Attempts).count() == 0
