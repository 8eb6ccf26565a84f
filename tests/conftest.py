"""One database per worker, one rolled-back transaction per test, a clock frozen on a Monday."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.orm import scoped_session, sessionmaker

from booking.app import create_app
from booking.files.gateway import FolderStore
from booking.kernel import clock, passwords
from booking.kernel.db import db
from tests import factories

# Speed is shown by benchmarks: on a busy machine a deadline fails what is right.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

pytest_plugins = ["tests.postgres", "tests.calendar_programs", "tests.mail_servers"]

# 2026-11-23 is a Monday; 09:00 in Shanghai.
MONDAY_9 = datetime.fromisoformat("2026-11-23T09:00:00+08:00")


@pytest.fixture(scope="session", autouse=True)
def _fast_hashes() -> None:
    passwords.use_fast_hashes()


@pytest.fixture(scope="session")
def app(database_url: str) -> Iterator[Flask]:
    """The application on this worker's own database."""
    app = create_app("testing", DATABASE_URL=database_url)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """The frozen clock; `now.set(...)` moves it."""
    frozen = Clock(MONDAY_9)
    monkeypatch.setattr(clock, "wall", lambda: frozen.at.astimezone(UTC))
    return frozen


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def set(self, at: datetime) -> None:
        self.at = at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def session(app: Flask, now: Clock) -> Iterator[Any]:
    """A session inside one outer transaction that is rolled back; commits become savepoints."""
    with app.app_context():
        connection = db.engine.connect()
        outer = connection.begin()
        inside = scoped_session(
            sessionmaker(
                bind=connection,
                join_transaction_mode="create_savepoint",
                expire_on_commit=False,
            )
        )
        original, db.session = db.session, inside
        try:
            yield inside
        finally:
            inside.remove()
            db.session = original
            outer.rollback()
            connection.close()


class Client(FlaskClient):
    """A client that forgets who was signed in before each call and speaks JSON by default."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        g.pop("_login_user", None)
        db.session.commit()  # what the test made must survive a request that rolls back
        kwargs.setdefault("buffered", True)  # read to its end and closed, as servers do
        return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask, session: Any) -> Client:
    """A client whose requests share the test's transaction."""
    return Client(app, app.response_class, use_cookies=True)


@pytest.fixture
def files(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """An empty folder for uploaded files."""
    store = FolderStore(tmp_path / "files")
    monkeypatch.setitem(app.extensions, "booking_files", store)
    return store


@pytest.fixture
def bearer(session: Any) -> Any:
    """A function that gives a user's request headers with a fresh token."""
    return factories.bearer
