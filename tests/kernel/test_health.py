"""/healthz and /readyz, with and without a database."""

import pytest
from sqlalchemy import text

from booking.app import create_app
from booking.kernel.db import db


@pytest.fixture
def without_database():
    """An application whose database does not answer."""
    return create_app("testing", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").test_client()


def test_the_process_is_up_without_a_database(without_database):
    assert without_database.get("/healthz").get_json() == {"status": "ok"}


def test_without_a_database_it_is_not_ready(without_database):
    answer = without_database.get("/readyz")

    assert (answer.status_code, answer.get_json()["status"]) == (503, "database_unreachable")


def test_without_a_database_requests_are_503(without_database):
    answer = without_database.get(
        "/api/v1/reservations", headers={"Authorization": "Bearer anything"}
    )

    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in answer.get_json()["detail"]


@pytest.mark.service
def test_a_migrated_database_is_ready(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")


@pytest.mark.service
def test_an_old_schema_is_not_ready(client):
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_json()["status"]) == (503, "migrations_pending")


@pytest.mark.service
def test_an_exhausted_pool_is_503_not_a_hang(scratch_url):
    app = create_app(
        "testing",
        DATABASE_URL=scratch_url,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1},
    )
    with app.app_context(), db.engine.connect():
        answer = app.test_client().get(
            "/api/v1/reservations", headers={"Authorization": "Bearer anything"}
        )
        ready = app.test_client().get("/readyz")
    with app.app_context():
        db.engine.dispose()

    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert ready.status_code == 503
