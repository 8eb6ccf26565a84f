"""Column types, the one transaction, and named constraints."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from booking.accounts.models import Organisation
from booking.kernel.db import UtcDateTime, Word, db, transaction, violation_raises
from booking.kernel.errors import Conflict, Stale
from tests.factories import make_organisation

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 25, 12, tzinfo=CHINA)


class Colour(StrEnum):
    RED = "red"


def test_a_naive_instant_never_reaches_the_database():
    with pytest.raises(StatementError, match="naive"):
        db.session.scalar(select(literal(NOON.replace(tzinfo=None), UtcDateTime())))


def test_instants_come_back_in_utc_whatever_zone_the_server_has():
    db.session.execute(text("SET LOCAL timezone = 'America/New_York'"))

    found = db.session.scalar(select(literal(NOON, UtcDateTime())))

    assert found == NOON
    assert found.tzinfo is UTC


def test_a_word_comes_back_as_its_enum():
    found = db.session.scalar(select(literal("red", Word(Colour))))

    assert found is Colour.RED


def test_a_word_outside_the_enum_is_refused_when_writing():
    with pytest.raises(StatementError, match="blue"):
        db.session.scalar(select(literal("blue", Word(Colour))))


def test_a_word_outside_the_enum_is_refused_when_reading():
    with pytest.raises(ValueError, match="blue"):
        db.session.scalar(select(text("'blue'").columns(colour=Word(Colour)).scalar_subquery()))


def test_none_stays_none():
    assert db.session.scalar(select(literal(None, Word(Colour)))) is None
    assert db.session.scalar(select(literal(None, UtcDateTime()))) is None


def names():
    return set(db.session.scalars(select(Organisation.name)))


def test_a_transaction_is_kept_on_success():
    with transaction():
        make_organisation(name="保留")
    db.session.rollback()

    assert "保留" in names()


def make_and_fail(name, error):
    with transaction():
        make_organisation(name=name)
        raise error


def test_a_transaction_is_undone_on_any_error():
    with pytest.raises(KeyboardInterrupt):
        make_and_fail("撤销", KeyboardInterrupt())

    assert "撤销" not in names()


def make_inside_and_fail_outside(name):
    with transaction():
        with transaction():
            make_organisation(name=name)
        raise RuntimeError


def test_an_inner_transaction_joins_the_outer_one():
    with pytest.raises(RuntimeError):
        make_inside_and_fail_outside("内层")

    assert "内层" not in names()


def test_only_the_outermost_transaction_commits(monkeypatch):
    commits = []
    monkeypatch.setattr(Session, "commit", lambda session: commits.append(session))  # noqa: PLW0108

    with transaction(), transaction():
        pass

    assert len(commits) == 1


def test_a_transaction_after_a_failed_one_is_its_own():
    with pytest.raises(RuntimeError), transaction():
        raise RuntimeError
    with transaction():
        make_organisation(name="之后")
    db.session.rollback()

    assert "之后" in names()


class Exists(Conflict):
    code = "exists"


def test_a_violated_constraint_becomes_its_error_and_the_transaction_lives_on():
    taken = make_organisation()
    found = constraint_that_refuses(taken.uscc)

    with pytest.raises(Exists), violation_raises(found, Exists()):
        db.session.add(Organisation(kind=taken.kind, name="另一家", uscc=taken.uscc))

    assert taken.name in names()


def test_another_constraint_is_not_hidden():
    taken = make_organisation()

    with pytest.raises(IntegrityError), violation_raises("uq_something_else", Exists()):
        db.session.add(Organisation(kind=taken.kind, name="另一家", uscc=taken.uscc))


def constraint_that_refuses(uscc):
    (unique,) = [
        constraint.name
        for constraint in [*Organisation.__table__.constraints, *Organisation.__table__.indexes]
        if [column.name for column in constraint.columns] == ["uscc"]
        and getattr(constraint, "unique", True)
    ]
    return unique


def test_an_older_version_is_stale():
    organisation = make_organisation()
    organisation.touch()

    with pytest.raises(Stale) as refused:
        organisation.check_version(1)

    assert refused.value.details == {"version": 2}


def test_no_version_means_whatever_stands():
    organisation = make_organisation()
    organisation.touch()

    organisation.check_version(None)
    organisation.check_version(2)
