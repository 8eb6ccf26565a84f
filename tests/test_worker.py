"""`booking worker` as a process of its own: any number run, one leads, another takes over."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import psutil
import psycopg
import pytest

from booking.accounts.rules import Role
from booking.app import create_app
from booking.kernel import jobruns
from booking.kernel.db import db, transaction
from booking.notices.rules import Kind
from tests.factories import make_organisation
from tests.mail_servers import free_port
from tests.notices.world import post, somebody

pytestmark = [pytest.mark.service, pytest.mark.real]

BOOKING = Path(sys.executable).with_name("booking")
JSON_LOGS = {"BOOKING_ENV": "development", "LOG_FORMAT": "json"}
LEADER = f"""
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
   AND classid::bigint = {jobruns._key("leader") >> 32 & 0xFFFFFFFF}
   AND objid::bigint = {jobruns._key("leader") & 0xFFFFFFFF}
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def until(true: Callable[[], object], seconds: float = 60) -> bool:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


class Workers:
    """Worker processes on one database, and a look at who leads."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Start one; its log is kept by its number."""
        env = {"DATABASE_URL": self.url, "BOOKING_DATA_DIR": str(self.folder)} | JSON_LOGS
        with (self.folder / f"worker-{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen([BOOKING, "worker"], env=os.environ | env, stderr=log)
        self.running.append(process)
        return process

    def log(self, number: int) -> str:
        """What a worker has said so far."""
        return (self.folder / f"worker-{number}.log").read_text()

    def leads(self, number: int) -> bool:
        """Tell whether it said that it leads."""
        return '"worker_leads"' in self.log(number)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Read from the database."""
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()

    def mails(self) -> list[str]:
        """The subjects of what lies in the mail folder."""
        found = [path.read_bytes() for path in (self.folder / "mail").glob("*.eml")]
        return [str(message_from_bytes(raw, policy=default)["Subject"]) for raw in found]


@pytest.fixture
def workers(scratch_url: str, tmp_path: Path) -> Iterator[Workers]:
    found = Workers(scratch_url, tmp_path)
    yield found
    for process in found.running:
        process.kill()
        process.wait(20)


def tell_somebody(url: str) -> None:
    """Post a notice, as a business transaction would."""
    app = create_app("testing", DATABASE_URL=url)
    with app.app_context():
        with transaction():
            name = f"p{time.monotonic_ns()}"
            person = somebody(make_organisation(), Role.MEMBER, name, name)
        post(Kind.VERIFICATION, person)
        db.session.remove()
        db.engine.dispose()


def test_when_the_leader_is_killed_another_leads_within_seconds(workers):
    first = workers.start()
    assert until(lambda: workers.leads(0))
    workers.start()
    assert until(lambda: '"worker_started"' in workers.log(1))
    ((leader,),) = workers.ask(LEADER)

    first.send_signal(signal.SIGKILL)
    began = time.monotonic()
    assert until(lambda: workers.leads(1), 30)
    took = time.monotonic() - began

    ((next_leader,),) = workers.ask(LEADER)
    assert next_leader != leader
    assert took < 20
    done = workers.ask("SELECT job, count(*) FROM job_runs GROUP BY job HAVING count(*) > 1")
    assert done == []  # each due time ran once, whoever led
    assert workers.ask("SELECT count(*) > 0 FROM job_runs WHERE succeeded") == [(True,)]


def test_what_is_posted_is_mailed_within_seconds_by_whoever_lives(workers):
    first = workers.start()
    workers.start()
    assert until(lambda: workers.leads(0) or workers.leads(1))
    tell_somebody(workers.url)
    # Killed between the sending and its record, a worker leaves a mail to be sent again.
    assert until(lambda: workers.ask(_SENT) == [("sent", 1)], 20)
    assert len(workers.mails()) == 1

    first.send_signal(signal.SIGKILL)
    tell_somebody(workers.url)

    assert until(lambda: len(workers.mails()) == 2, 20)
    assert until(lambda: workers.ask(_SENT) == [("sent", 2)], 20)


_SENT = "SELECT mail, count(*) FROM messages GROUP BY mail"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_in_order(workers, number):
    process = workers.start()
    assert until(lambda: workers.leads(0))

    process.send_signal(number)

    assert process.wait(30) == 0
    assert '"worker_stopped"' in workers.log(0)
    assert "Traceback" not in workers.log(0)
    assert workers.ask(LEADER) == []


def test_on_an_old_database_it_does_not_start(server, tmp_path):
    name = f"old_{os.getpid()}"
    workers = Workers(server.empty(name), tmp_path)
    try:
        assert workers.start().wait(60) == 1
        assert "booking db upgrade" in workers.log(0)
    finally:
        server.drop(name)


class Served:
    """`booking serve --demo` on its own port and data."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        env = {
            "DATABASE_URL": url,
            "BOOKING_DATA_DIR": str(folder),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
        }
        with (folder / "serve.log").open("wb") as log:
            self.process = subprocess.Popen(
                [BOOKING, "serve", "--demo", "--port", str(self.port), "--workers", "1"],
                env=os.environ | env | JSON_LOGS,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """What server and worker have said so far."""
        return (self.folder / "serve.log").read_text()

    def answers(self) -> bool:
        """Tell whether pages are served."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    def children(self) -> list[int]:
        """The processes of ours it has started that still live, also once it is gone itself."""
        return [
            process.pid
            for process in psutil.process_iter()
            if process.pid != self.process.pid and self._is_ours(process)
        ]

    def _is_ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and process.environ().get("BOOKING_DATA_DIR") == str(self.folder)
        return False


@pytest.fixture
def served(scratch_url: str, tmp_path: Path) -> Iterator[Served]:
    """The demo, served; whatever is left of it is killed at the end."""
    app = create_app("testing", DATABASE_URL=scratch_url)
    with app.app_context():
        with transaction():  # by whom it knows that the demo data are loaded
            somebody(make_organisation(), Role.MANAGER, "", "", email="firm@demo.example")
        db.session.remove()
        db.engine.dispose()
    found = Served(scratch_url, tmp_path)
    yield found
    for pid in [*found.children(), found.process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    found.process.wait(20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_demo_has_a_worker_that_ends_with_it_however_it_ends(served, number):
    assert until(served.answers, 120), served.log
    assert until(lambda: '"worker_started"' in served.log)
    assert len(served.children()) == 2  # one that serves, one that works

    served.process.send_signal(number)
    served.process.wait(60)

    assert until(lambda: served.children() == [], 60)
    assert "Traceback" not in served.log
