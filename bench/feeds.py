"""A calendar feed of a thousand events, cold and unchanged, against the icalendar library."""

import http.client
import statistics
from datetime import UTC, datetime, time, timedelta

from icalendar import Calendar, Event
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench.common import Client, data_folder, line, percentile, server, timed
from bench.world import bookable, world
from booking.accounts.rules import Role
from booking.calendars import service as calendars
from booking.calendars.rules import FeedKind
from booking.kernel.clock import today
from booking.kernel.db import transaction
from booking.kernel.timeslot import TimeSlot
from booking.reservations import service as reservations
from tests import factories

EVENTS, RUNS = 1000, 3


def run(*, large: bool) -> None:
    """Print the cold p95, the p95 of 304s, and the library's own time for the same events."""
    with data_folder() as folder, world(folder) as app:
        secret = _feed_with(EVENTS)
        path = f"/calendars/feeds/{secret}.ics"
        with server("wsgi:app", folder) as port:
            client = Client(port)
            status, body = client.get(path)
            assert status == 200, body
            assert body.count(b"BEGIN:VEVENT") == EVENTS
            cold = statistics.median(
                percentile(timed(30, lambda: client.get(path)), 95) for _ in range(RUNS)
            )
            tag = _etag(port, path)
            headers = {"If-None-Match": tag}
            assert client.get(path, **headers)[0] == 304
            over_http = percentile(timed(100, lambda: client.get(path, **headers)), 95)
        tag = app.test_client().get(path).headers["ETag"]  # another host's calendar
        ask = EnvironBuilder(path=path, headers={"If-None-Match": tag}).get_environ
        same = statistics.median(
            percentile(timed(200, lambda: run_wsgi_app(app, ask())), 95) for _ in range(RUNS)
        )
        peer = percentile(timed(5, lambda: _by_library(EVENTS)), 50)
        beside = f"limit: 60 ms, icalendar builds it in {peer:.0f} ms"
        line("feed of 1,000 events: p95", cold, "ms", beside, good=cold <= 60)
        beside = f"limit: 3 ms; over HTTP with the client {over_http:.1f} ms"
        line("feed unchanged (304): p95 of server time", same, "ms", beside, good=same <= 3)


def _feed_with(count: int) -> str:
    """The secret of a user's feed with so many reservations in the coming weeks."""
    instruments = bookable(20)
    with transaction():
        caller = factories.make_caller(factories.make_organisation(), Role.MEMBER)
    morning = datetime.combine(today() + timedelta(days=2), time(0), UTC)
    with transaction():
        for number in range(count):
            start = morning + timedelta(hours=number // len(instruments))
            reservations.reserve(
                instruments[number % len(instruments)],
                TimeSlot(start, start + timedelta(hours=1)),
                caller=caller,
            )
        made = calendars.create_feed(FeedKind.USER, caller=caller)
    return made.url.rpartition("/")[2].removesuffix(".ics")


def _etag(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    return connection.getresponse().getheader("ETag") or ""


def _by_library(count: int) -> bytes:
    calendar = Calendar.new()
    for number in range(count):
        calendar.add_component(
            Event.new(uid=str(number), summary="电子万能试验机", start=factories.WEDNESDAY_10)
        )
    return calendar.to_ical()
