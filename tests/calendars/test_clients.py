"""Feeds as other people's calendar programs take them: vdirsyncer fetches, khal shows."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from booking.availability import service as availability
from booking.availability.models import Closure, OccupancyKind
from booking.calendars import service
from booking.calendars.rules import FeedKind
from booking.reservations import service as reservations
from tests.factories import WEDNESDAY_10, make_caller, make_instrument, slot

pytestmark = pytest.mark.service

VDIRSYNCER = """
[general]
status_path = "{home}/status"
[pair feed]
a = "remote"
b = "local"
collections = null
conflict_resolution = "a wins"
[storage remote]
type = "http"
url = "{url}"
[storage local]
type = "filesystem"
path = "{home}/events"
fileext = ".ics"
"""
KHAL = """
[calendars]
[[feed]]
path = {home}/events
readonly = True
[locale]
local_timezone = Asia/Shanghai
default_timezone = Asia/Shanghai
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {home}/khal.db
"""


class Quiet(WSGIRequestHandler):
    """The development server's own log would name the secret."""

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(app, session):
    """A real server on loopback; its thread works in the test's own transaction."""
    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def reader(tmp_path):
    """Vdirsyncer and khal with a home of their own."""
    return Reader(tmp_path)


class Reader:
    """Subscribes to one feed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "events").mkdir()

    def sync(self, url: str) -> list[str]:
        """Fetch the feed; return the events' files."""
        config = self.home / "vdirsyncer.conf"
        config.write_text(VDIRSYNCER.format(home=self.home, url=url))
        if not (self.home / "status").exists():
            self.run("vdirsyncer", "-c", config, "discover", "feed")
        self.run("vdirsyncer", "-c", config, "sync")
        return [path.read_text() for path in sorted((self.home / "events").glob("*.ics"))]

    def agenda(self) -> list[str]:
        """Return what khal lists for the test's week, in Chinese time."""
        config = self.home / "khal.conf"
        config.write_text(KHAL.format(home=self.home))
        shown = self.run(
            "khal", "-c", config, "list", "--day-format", "", "--format",
            "{start-date} {start-time}-{end-time} {title} {status}", "2026-11-23", "14d",
        )  # fmt: skip
        return [line.strip() for line in shown.splitlines() if line.strip()]

    def run(self, program: str, *arguments: object) -> str:
        """Run a program of this environment, or fail with what it said."""
        done = subprocess.run(
            [Path(sys.executable).with_name(program), *map(str, arguments)],
            env=os.environ | {"HOME": str(self.home), "NO_PROXY": "*", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


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
