"""Feeds as other people's calendar programs take them: vdirsyncer fetches, khal shows."""

from datetime import timedelta

import pytest

from booking.availability import service as availability
from booking.availability.models import Closure, OccupancyKind
from booking.calendars import service
from booking.calendars.rules import FeedKind
from booking.reservations import service as reservations
from tests.factories import WEDNESDAY_10, make_caller, make_instrument, slot

pytestmark = pytest.mark.service


def test_a_persons_feed_arrives_event_by_event_at_chinese_times(address, reader, session):
    instrument = make_instrument(name="电子万能试验机；100 kN, “甲”", street="长沙市麓谷大道 1 号")
    caller = make_caller()
    for hour in (0, 3, 6):
        held = reservations.reserve(
            instrument.id,
            slot(WEDNESDAY_10 + timedelta(hours=hour)),
            caller=caller,
            purpose="拉伸试验：Q235 钢板，按 GB/T 228.1；" * 5,
        )
    url = service.create_feed(FeedKind.USER, caller=caller).url.partition("8000")[2]

    files = reader.sync(address + url)

    assert len(files) == 3
    assert reader.agenda() == [
        "2026-11-25 10:00-12:00 电子万能试验机；100 kN, “甲” CONFIRMED",
        "2026-11-25 13:00-15:00 电子万能试验机；100 kN, “甲” CONFIRMED",
        "2026-11-25 16:00-18:00 电子万能试验机；100 kN, “甲” CONFIRMED",
    ]

    reservations.move(held.id, slot(WEDNESDAY_10 + timedelta(days=1)), caller=caller)
    session.flush()

    assert len(reader.sync(address + url)) == 3
    assert "2026-11-26 10:00-12:00 电子万能试验机；100 kN, “甲” CONFIRMED" in reader.agenda()
    assert "2026-11-25 16:00-18:00 电子万能试验机；100 kN, “甲” CONFIRMED" not in reader.agenda()


def test_the_public_feed_shows_busy_closed_and_cancelled_times(address, reader):
    instrument, caller = make_instrument(), make_caller()
    reservations.reserve(instrument.id, slot(), caller=caller)
    gone = reservations.reserve(
        instrument.id, slot(WEDNESDAY_10 + timedelta(hours=3)), caller=caller
    )
    availability.close(
        Closure(
            instrument_id=instrument.id,
            slot=slot(WEDNESDAY_10 + timedelta(hours=6)),
            kind=OccupancyKind.CALIBRATION,
            unit=None,
        ),
        units=1,
    )
    reservations.cancel(gone.id, caller=caller)

    files = reader.sync(f"{address}/calendars/instruments/{instrument.id}.ics")

    assert len(files) == 3
    assert reader.agenda() == [
        "2026-11-25 10:00-12:00 已占用 CONFIRMED",
        "2026-11-25 13:00-15:00 已取消：已占用 CANCELLED",
        "2026-11-25 16:00-18:00 仪器校准 CONFIRMED",
    ]
