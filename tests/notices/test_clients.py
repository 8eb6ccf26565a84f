"""Mails as a calendar program takes them: one entry that follows, also beside the feed's own."""

from datetime import timedelta

import pytest

from booking.calendars import service as calendars
from booking.calendars.rules import FeedKind
from booking.kernel.db import transaction
from booking.notices import jobs
from booking.reservations import service
from tests.factories import slot
from tests.notices.world import make_scene

pytestmark = pytest.mark.service
DAY = timedelta(days=1)


@pytest.fixture
def scene(session):
    return make_scene()


@pytest.fixture
def next_entry(mail_server):
    """A function that delivers and returns the entry in the mail that Li got last."""

    def deliver() -> str:
        jobs.expand()
        jobs.send()
        to_li = [got for got in mail_server.received if got.to == "li@example.cn"]
        (file,) = to_li[-1].mail.iter_attachments()
        return file.get_content().decode()

    return deliver


def test_an_entry_follows_a_change_and_a_cancellation(scene, next_entry, reader):
    reservation = scene.reserve()
    reader.take_in(next_entry())
    assert reader.agenda() == ["2026-11-25 10:00-12:00 电子万能试验机 CONFIRMED"]

    with transaction():
        to = slot(slot().starts_at + DAY)
        service.move(reservation.id, to, caller=scene.as_li)
    reader.take_in(next_entry())
    assert reader.agenda() == ["2026-11-26 10:00-12:00 电子万能试验机 CONFIRMED"]

    with transaction():
        service.cancel(reservation.id, caller=scene.as_operator, reason="仪器故障")
    reader.take_in(next_entry())
    assert reader.agenda() == ["2026-11-26 10:00-12:00 已取消：电子万能试验机 CANCELLED"]


def test_the_mail_changes_the_entry_that_came_by_the_feed(scene, next_entry, reader, client):
    reservation = scene.reserve()
    feed = calendars.create_feed(FeedKind.USER, caller=scene.as_li)
    # Not by vdirsyncer: it gives what it fetches over HTTP ids of its own.
    reader.take_in(client.get(feed.url.partition("8000")[2]).text)
    assert reader.agenda() == ["2026-11-25 10:00-12:00 电子万能试验机 CONFIRMED"]
    with transaction():
        service.move(reservation.id, slot(slot().starts_at + DAY), caller=scene.as_li)

    reader.take_in(next_entry())

    assert reader.agenda() == ["2026-11-26 10:00-12:00 电子万能试验机 CONFIRMED"]
