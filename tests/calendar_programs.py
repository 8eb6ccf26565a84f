"""Other people's calendar programs: vdirsyncer fetches a feed, khal shows it."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

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
readonly = {readonly}
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

    def take_in(self, entry: str) -> None:
        """Import an entry that came by mail, as a person would who opens it."""
        file = self.home / "entry.ics"
        file.write_bytes(entry.encode())
        config = self.home / "khal.conf"
        config.write_text(KHAL.format(home=self.home, readonly=False))
        self.run("khal", "-c", config, "import", "--batch", file)

    def agenda(self) -> list[str]:
        """Return what khal lists for the test's week, in Chinese time."""
        config = self.home / "khal.conf"
        config.write_text(KHAL.format(home=self.home, readonly=True))
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
