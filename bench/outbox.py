"""Ten thousand rows of the outbox, drained by two workers into a mail server that counts."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text

from bench.common import ROOT, data_folder, line
from bench.world import bookable, world
from booking.accounts.rules import Role
from booking.kernel.db import db, transaction
from booking.kernel.timeslot import TimeSlot
from booking.notices.models import Message, Notice
from booking.reservations import service
from tests import factories

ROWS, WORKERS, LONGEST_SECONDS = 10_000, 2, 600
# The same reservation over and over: what it costs to tell of one is what is measured.
_MULTIPLY = text("""
INSERT INTO notices (kind, subject_type, subject_id, audience, facts, state,
                     posted_at, due_at, attempts, error)
SELECT kind, subject_type, subject_id, jsonb_build_array(audience -> 0), facts, state,
       posted_at, due_at, attempts, error
  FROM notices, generate_series(1, :rows) WHERE id = :id
""")
_DRAINED = text("""
SELECT NOT EXISTS (SELECT FROM notices WHERE state = 'waiting')
   AND NOT EXISTS (SELECT FROM messages WHERE mail = 'waiting')
""")


def run(*, large: bool) -> None:
    """Print the rate, and how many mails came twice or not at all."""
    with data_folder() as folder, world(folder), _Sink() as sink:
        _fill()
        began = time.perf_counter()
        with _workers(folder, sink.port):
            took = _wait(began)
        counts = Counter(Counter(sink.ids).values())
    twice = sum(count for times, count in counts.items() if times > 1)
    lost = ROWS - counts.total()
    rate = ROWS / took
    line("outbox: rows by two workers", rate, "1/s", f"{ROWS} rows in {took:.1f} s, start included")
    line("outbox: mails that came twice", twice, "in all", "limit: 0", good=twice == 0)
    line("outbox: mails that never came", lost, "in all", "limit: 0", good=lost == 0)


def _fill() -> None:
    """Leave exactly ROWS notices of one reservation, each to one person."""
    (instrument,) = bookable(1)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    with transaction():
        firm = factories.make_organisation()
        user = factories.make_user(firm, Role.MEMBER, password="korrekt-pferd")
        service.reserve(
            instrument,
            TimeSlot(start, start + timedelta(hours=2)),
            caller=factories.caller_of(user, (firm, Role.MEMBER)),
            purpose="拉伸试验",
        )
        first = db.session.scalars(select(Notice.id)).one()
        db.session.execute(_MULTIPLY, {"rows": ROWS, "id": first})
        db.session.execute(text("DELETE FROM notices WHERE id = :id"), {"id": first})


def _wait(began: float) -> float:
    """Return the seconds until nothing waits any more."""
    while time.perf_counter() - began < LONGEST_SECONDS:
        with transaction():
            if db.session.scalar(_DRAINED) and db.session.scalar(select(Message.id).limit(1)):
                return time.perf_counter() - began
        time.sleep(0.1)
    raise SystemExit("the outbox was not drained in time")


@contextlib.contextmanager
def _workers(folder: Path, port: int) -> Iterator[None]:
    env = {"BOOKING_DATA_DIR": str(folder), "SMTP_URL": f"smtp://127.0.0.1:{port}"}
    command = [str(Path(sys.executable).with_name("booking")), "worker"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stderr=subprocess.DEVNULL)
        for _ in range(WORKERS)
    ]
    try:
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(60)


class _Sink:
    """A mail server that takes everything and keeps only the Message-IDs."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.port = 0

    def __enter__(self) -> "_Sink":
        server = self.loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while said := await reader.readline():
            word = said[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.ids += re.findall(rb"^Message-ID: *\r?\n? *(\S+)", mail, re.MULTILINE)[:1]
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 OK\r\n")
        writer.close()
