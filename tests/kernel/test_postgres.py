"""The embedded server: shared, healed, stopped by the last; with real processes and kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine

from booking.kernel import postgres
from booking.kernel.config import ConfigError
from booking.kernel.postgres import EmbeddedPostgres, PostgresUnavailable, normalise_url

QUICK = {"fsync": "off"}
USER_PROGRAM = """
import sys
from pathlib import Path
from booking.kernel.config import ConfigError
from booking.kernel.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
print(server.acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    # pytest's own folder is closed to the server's user; ours must let it pass.
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o711)
    yield tmp_path / "postgres"
    left = EmbeddedPostgres(tmp_path / "postgres")
    if left.cluster.is_dir():
        left._clear_leftovers()


@pytest.fixture
def server(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, QUICK)


class Process:
    """Another process of ours that uses the server until told to leave."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", USER_PROGRAM, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def postmaster(folder: Path) -> int | None:
    pid_file = folder / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0]) if pid_file.exists() else None


def answers(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", "")).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_last_of_two_processes_stops_it(folder, server):
    other = Process(folder)
    url = server.acquire()

    other.leave()
    alive_after_first = answers(url)
    server.release()

    assert url == other.url
    assert alive_after_first
    assert not answers(url)


def test_a_killed_process_does_not_keep_it_alive(folder, server):
    other = Process(folder)
    url = server.acquire()

    other.kill()
    server.release()

    assert not answers(url)


def test_a_server_left_running_is_used_again(folder, server):
    other = Process(folder)
    running = postmaster(folder)
    other.kill()

    url = server.acquire()

    assert postmaster(folder) == running
    server.release()
    assert not answers(url)


def test_a_killed_server_is_started_again_with_its_data(folder, server):
    url = server.acquire().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    idle = psycopg.connect(url)  # its backend is left without a parent
    os.kill(postmaster(folder), signal.SIGKILL)

    again = EmbeddedPostgres(folder, QUICK)
    again.acquire()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    idle.close()
    server.release()
    again.release()


def test_a_stale_pid_file_of_a_living_program_is_healed(folder, server):
    server.acquire()
    server.release()
    (folder / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n0\n5432\n")

    url = server.acquire()

    assert answers(url)
    assert psutil.pid_exists(os.getpid())
    server.release()


def test_an_interrupted_creation_is_begun_anew(folder, server):
    (folder / "cluster.new").mkdir(parents=True)
    (folder / "cluster.new" / "half").write_text("made")

    url = server.acquire()

    assert answers(url)
    assert not (folder / "cluster.new").exists()
    server.release()


def test_a_forked_child_does_not_stop_it(server):
    url = server.acquire()
    child = os.fork()
    if child == 0:
        server.release()
        os._exit(0)
    os.waitpid(child, 0)

    assert answers(url)
    server.release()


def test_a_forked_child_that_acquires_keeps_it_alive(server):
    url = server.acquire()
    ready, told = os.pipe()
    leave, tell = os.pipe()
    child = os.fork()
    if child == 0:
        server.acquire()
        os.write(told, b"1")
        os.read(leave, 1)
        server.release()
        os._exit(0)
    os.read(ready, 1)

    server.release()
    alive_for_child = answers(url)
    os.write(tell, b"1")
    os.waitpid(child, 0)

    assert alive_for_child
    assert not answers(url)


def test_it_knows_chinese_characters(server):
    engine = create_engine(server.acquire())
    with engine.connect() as connection:
        postgres.check_server(connection)
        found = connection.exec_driver_sql(
            "SELECT '扫描电镜' ~ '^[[:alpha:]]+$', lower('ＡÉ'), current_setting('server_encoding')"
        ).one()
    engine.dispose()
    server.release()

    assert tuple(found) == (True, "ａé", "UTF8")


def test_a_long_folder_name_still_gets_a_socket(tmp_path, folder):
    deep = folder.parent / ("长" * 40) / "postgres"
    server = EmbeddedPostgres(deep, QUICK)

    url = server.acquire()

    assert answers(url)
    server.release()


def test_a_full_disk_is_named_before_anything_is_made(server, monkeypatch):
    usage = shutil_usage(free=10 * 2**20)
    monkeypatch.setattr(postgres.shutil, "disk_usage", lambda _: usage)

    with pytest.raises(PostgresUnavailable, match="full: 10 MB are free, 200 MB are needed"):
        server.acquire()

    assert not server.cluster.exists()


def shutil_usage(*, free: int) -> object:
    return type("Usage", (), {"free": free})()


def test_a_disk_that_fills_up_while_starting_is_named(server):
    said = 'FATAL:  could not write lock file "postmaster.pid": No space left on device'

    assert "disk" in server._reason("initdb", said)


def test_data_of_another_major_version_are_refused(server):
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("16\n")

    with pytest.raises(PostgresUnavailable, match="made by PostgreSQL 16, this program brings 18"):
        server.acquire()


def test_a_folder_that_is_a_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "var").write_text("")

    with pytest.raises(PostgresUnavailable, match="cannot be used"):
        EmbeddedPostgres(tmp_path / "var" / "postgres").acquire()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://u:p@db/booking", "postgresql+psycopg://u:p@db/booking"),
        ("postgresql://u:p@db:5432/x?sslmode=require",
         "postgresql+psycopg://u:p@db:5432/x?sslmode=require"),
        ("postgresql+psycopg:///x", "postgresql+psycopg:///x"),
    ],
)  # fmt: skip
def test_addresses_are_rewritten_for_our_driver(given, wanted):
    assert normalise_url(given) == wanted


@pytest.mark.parametrize(
    "given", ["sqlite:///x.db", "mysql://u@h/d", "nonsense", "", "postgresql://h:port/d"]
)
def test_other_addresses_are_refused_in_one_sentence(given):
    with pytest.raises(ConfigError, match=r"DATABASE_URL .* write it like"):
        normalise_url(given)


def test_starting_twice_in_one_process_counts_once(server):
    began = time.monotonic()
    assert server.acquire() == server.acquire()
    server.release()

    assert not answers(server.url)
    assert time.monotonic() - began < 60
