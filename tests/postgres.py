"""A throw-away server per run, one migrated template, and a clone of it per worker.

`TEST_DATABASE_URL` names a server to use instead (a role that may create databases);
`TEST_POSTGRES=system` takes the distribution's PostgreSQL 15 or newer. The process that starts
the run owns the server; pytest-xdist's workers get its address with their input.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from flask_migrate import upgrade
from sqlalchemy import make_url

from booking.app import create_app
from booking.kernel.db import db, transaction
from booking.kernel.postgres import EmbeddedPostgres, normalise_url
from booking.reference import service as reference

DURABILITY_OFF = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
MEMORY = Path("/dev/shm")
PREFIX = "booking-tests-"
TEMPLATE = "booking_template"
_numbers = itertools.count(1)


class SystemPostgres(EmbeddedPostgres):
    """The distribution's newest PostgreSQL, run the same way."""

    locale = ()
    run_as = "postgres"

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        super().__init__(folder, settings)
        self.programs = _system_programs()
        self.major = int(self.programs.parent.name)


def _system_programs() -> Path:
    given = os.environ.get("TEST_POSTGRES_BIN")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not given and not found:
        raise pytest.UsageError("no PostgreSQL of the distribution: apt-get install postgresql-15")
    return Path(given) if given else found[-1]


class Server:
    """The run's server: where to connect, and how to take and drop databases."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)

    def address(self, database: str) -> str:
        """Return the address of a database on this server."""
        return self.url.set(database=database).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside any database of ours."""
        conninfo = self.address("postgres").replace("+psycopg", "")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def clone(self, name: str, template: str = TEMPLATE) -> str:
        """Create a database like the template and return its address."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.address(name)

    def empty(self, name: str) -> str:
        """Create an empty database and return its address."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.address(name)

    def drop(self, name: str) -> None:
        """Drop it, whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class _Run:
    """What the process that started the run keeps until its end."""

    def __init__(self) -> None:
        self.postgres: EmbeddedPostgres | None = None
        given = os.environ.get("TEST_DATABASE_URL")
        self.url = normalise_url(given) if given else self._start()
        self.template = f"{TEMPLATE}_{os.getpid()}"
        self._build()

    def _start(self) -> str:
        parent = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
        sweep(parent)
        folder = parent / f"{PREFIX}{os.getpid()}"
        system = os.environ.get("TEST_POSTGRES") == "system"
        self.postgres = (SystemPostgres if system else EmbeddedPostgres)(folder, DURABILITY_OFF)
        return self.postgres.acquire()

    def _build(self) -> None:
        app = create_app("testing", DATABASE_URL=Server(self.url).empty(self.template))
        with app.app_context():
            upgrade()
            with transaction():
                reference.seed()
            db.session.remove()
            db.engine.dispose()

    def stop(self) -> None:
        if self.postgres is None:
            Server(self.url).drop(self.template)
            return
        self.postgres.release()
        shutil.rmtree(self.postgres.folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what runs that were killed left behind."""
    for folder in parent.glob(f"{PREFIX}*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(PREFIX))):
            left = EmbeddedPostgres(folder)
            if left.cluster.is_dir():
                left._clear_leftovers()
            shutil.rmtree(folder, ignore_errors=True)


_RUN = pytest.StashKey[_Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, unless this is a worker or nothing will run."""
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    config.stash[_RUN] = _Run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker where the server is."""
    run = node.config.stash[_RUN]  # type: ignore[attr-defined]
    node.workerinput |= {"postgres_url": run.url, "template": run.template}  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it, also after Ctrl-C."""
    if run := config.stash.get(_RUN, None):
        run.stop()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The run's server."""
    given = getattr(request.config, "workerinput", None)
    return Server(given["postgres_url"] if given else request.config.stash[_RUN].url)


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest) -> str:
    """The name of the migrated and seeded template."""
    given = getattr(request.config, "workerinput", None)
    return given["template"] if given else request.config.stash[_RUN].template


@pytest.fixture(scope="session")
def database_url(server: Server, template: str) -> Iterator[str]:
    """This worker's own database, shared by its tests inside rolled-back transactions."""
    name = f"w_{os.getpid()}"
    yield server.clone(name, template)
    server.drop(name)


@pytest.fixture
def scratch_url(server: Server, template: str) -> Iterator[str]:
    """A database of this one test, for writers that really commit."""
    name = f"s_{os.getpid()}_{next(_numbers)}"
    yield server.clone(name, template)
    server.drop(name)
