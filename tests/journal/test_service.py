"""Writing and sealing on a real database, and what the database itself refuses."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from booking.journal import service
from booking.journal.models import JournalEntry, JournalSeal
from booking.journal.rules import GENESIS
from tests.journal.conftest import write

pytestmark = pytest.mark.service


def seal():
    return service.seal(service.settled_end())


def test_an_entry_says_who_did_what_to_which_thing(journal, now):
    service.record("price.set", "price", 5, by=7, organisation_id=3, old=None, new={"yuan": "1"})
    journal.flush()

    entry = journal.scalar(select(JournalEntry))
    assert (entry.action, entry.subject_type, entry.subject_id) == ("price.set", "price", 5)
    assert (entry.actor_id, entry.organisation_id, entry.at) == (7, 3, now.at)
    assert entry.data == {"old": None, "new": {"yuan": "1"}}


@pytest.mark.parametrize("table", ["journal_entries", "journal_seals"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"],
    ids=["update", "delete", "truncate"],
)
def test_the_database_refuses_to_alter_the_journal(journal, table, statement):
    write()
    seal()

    with pytest.raises(ProgrammingError, match="append-only"):
        journal.execute(text(statement.format(table)))


def test_the_first_seal_starts_the_chain(journal, now):
    write(3)

    link = seal()

    assert (link.first_id, link.last_id, link.entry_count) == (1, 3, 3)
    assert link.previous_digest == GENESIS
    assert link.sealed_on.isoformat() == "2026-11-23"


def test_the_next_seal_continues_where_the_last_ended(journal, now):
    write(3)
    first = seal()
    write(2)
    now.advance(days=1)

    second = seal()

    assert (second.first_id, second.last_id, second.entry_count) == (4, 5, 2)
    assert second.previous_digest == first.digest


def test_a_day_is_sealed_once(journal):
    write()
    seal()
    write()

    assert seal() is None
    assert len(journal.scalars(select(JournalSeal)).all()) == 1


def test_the_day_of_a_seal_is_chinese(journal, now):
    now.advance(hours=15, minutes=10)
    write()

    assert seal().sealed_on.isoformat() == "2026-11-24"


def test_a_day_without_entries_makes_no_seal(journal, now):
    assert seal() is None
    write()
    seal()
    now.advance(days=1)

    assert seal() is None


def test_ids_lost_to_rollbacks_are_no_breach(journal, now):
    write()
    savepoint = journal.begin_nested()
    write()
    savepoint.rollback()
    write()

    link = seal()

    assert (link.last_id, link.entry_count) == (3, 2)
