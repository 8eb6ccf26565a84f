"""Statements straight to the driver: the same transaction, the same errors."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from booking.journal.models import JournalEntry
from booking.kernel import clock, driver
from booking.kernel.db import constraint_of, db

pytestmark = pytest.mark.service


def test_it_sees_what_the_session_holds_back(session):
    session.add(JournalEntry(at=clock.now(), action="a.b", subject_type="a", subject_id=7))

    query = "SELECT count(*) FROM journal_entries WHERE subject_id = %(id)s"
    found = driver.first(query, {"id": 7})

    assert found == (1,)


def test_no_row_is_none(session):
    assert driver.first("SELECT 1 WHERE %(no)s", {"no": False}) is None


def test_a_value_may_stand_twice_and_be_nothing(session):
    query = "SELECT %(a)s::int + %(b)s::int, %(b)s::int, %(c)s::text, '10 %%'"

    assert driver.first(query, {"c": None, "b": 2, "a": 1}) == (3, 2, None, "10 %")


def test_the_same_statement_takes_values_of_other_types(session):
    query = "SELECT pg_typeof(%(a)s)::text"

    found = [driver.first(query, {"a": value}) for value in (1, 2**40, True)]

    assert found == [("smallint",), ("bigint",), ("boolean",)]


def test_what_was_prepared_outlives_a_rollback(app):
    query = "SELECT 'kept'"
    of_ours = text("SELECT count(*) FROM pg_prepared_statements WHERE statement = :query")
    with app.app_context():
        driver.first(query, {})
        db.session.rollback()

        assert driver.first(query, {}) == ("kept",)
        assert db.session.scalar(of_ours, {"query": query}) == 1
        db.session.rollback()


def test_its_writes_are_undone_with_the_session(session):
    with session.begin_nested() as inner:
        assert driver.first("DELETE FROM calendar_days RETURNING 1", {})
        inner.rollback()

    assert session.scalar(text("SELECT count(*) FROM calendar_days")) > 0


def test_a_violated_constraint_is_sqlalchemys_error(session):
    with pytest.raises(IntegrityError) as caught:
        driver.first(
            "INSERT INTO stored_answers (caller, key, fingerprint, status, body, created_at) "
            "VALUES ('1', NULL, '', 200, '', now()) RETURNING 1",
            {},
        )

    assert caught.value.orig.sqlstate == "23502"
    assert constraint_of(caught.value) is None


def test_a_lost_connection_leaves_the_pool(app):
    with app.app_context():
        pid = driver.first("SELECT pg_backend_pid()", {})
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid[0]})

        with pytest.raises(OperationalError) as caught:
            driver.first("SELECT 1", {})
        db.session.rollback()

        assert caught.value.connection_invalidated
        assert driver.first("SELECT pg_backend_pid()", {}) != pid
        db.session.rollback()
