"""The proof that nobody altered the journal, with a control for each way to alter it."""

import tracemalloc

import pytest
from sqlalchemy import text

from booking.journal import queries, service
from tests.journal.conftest import write

pytestmark = pytest.mark.service


@pytest.fixture
def sealed(journal, now):
    """Two days of three entries each, sealed: ids 1-3 and 4-6."""
    for _ in range(2):
        write(3)
        service.seal(service.settled_end())
        now.advance(days=1)
    return journal


def tamper(session, *statements):
    for table in ("journal_entries", "journal_seals"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for statement in statements:
        session.execute(text(statement))
    for table in ("journal_entries", "journal_seals"):
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    session.expire_all()


def breaches():
    return list(queries.breaches())


def test_an_untouched_journal_has_no_breach(sealed):
    write()

    assert breaches() == []


def test_an_empty_journal_has_no_breach(journal):
    assert breaches() == []


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE journal_entries SET data = '{"new": {"n": 9}}' WHERE id = 2""",
        "UPDATE journal_entries SET actor_id = 8 WHERE id = 2",
        "UPDATE journal_entries SET at = at + interval '1 microsecond' WHERE id = 2",
        "UPDATE journal_entries SET organisation_id = 1 WHERE id = 2",
    ],
)
def test_a_changed_entry_is_found(sealed, change):
    tamper(sealed, change)

    assert breaches() == ["2026-11-23 的日志封存摘要不符，编号 1 至 3 的记录被更改。"]


def test_a_missing_entry_is_found(sealed):
    tamper(sealed, "DELETE FROM journal_entries WHERE id = 5")

    assert breaches() == ["2026-11-24 的日志封存应有 3 条记录，现有 2 条。"]


def test_an_entry_added_to_a_sealed_range_is_found(sealed):
    tamper(
        sealed,
        "UPDATE journal_entries SET id = 40 WHERE id = 5",
        "INSERT INTO journal_entries (id, at, action, subject_type, subject_id, data)"
        " VALUES (5, now(), 'x', 'x', 1, '{}')",
    )

    assert breaches() == ["2026-11-24 的日志封存摘要不符，编号 4 至 6 的记录被更改。"]


def test_a_changed_seal_breaks_the_chain_behind_it(sealed):
    tamper(sealed, r"UPDATE journal_seals SET digest = '\x00' WHERE first_id = 1")

    assert breaches() == [
        "2026-11-23 的日志封存摘要不符，编号 1 至 3 的记录被更改。",
        "2026-11-24 的日志封存与前一次封存不衔接，其间的封存被删除或更改。",
    ]


def test_a_removed_seal_breaks_the_chain(sealed):
    tamper(sealed, "DELETE FROM journal_seals WHERE first_id = 1")

    assert breaches() == ["2026-11-24 的日志封存与前一次封存不衔接，其间的封存被删除或更改。"]


@pytest.mark.parametrize(("table", "trigger"), queries.GUARDS)
@pytest.mark.parametrize("way", ["ALTER TABLE {0} DISABLE TRIGGER {1}", "DROP TRIGGER {1} ON {0}"])
def test_a_guard_that_does_not_stand_is_found(journal, table, trigger, way):
    journal.execute(text(way.format(table, trigger)))

    assert breaches() == [f"日志表 {table} 的保护触发器 {trigger} 缺失或已停用。"]


def test_a_guard_made_toothless_is_found(journal):
    journal.execute(
        text(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NEW; END'"
        )
    )

    assert len(breaches()) == len(queries.GUARDS)


def test_the_journal_is_read_in_constant_memory(journal):
    journal.execute(
        text(
            "INSERT INTO journal_entries (at, action, subject_type, subject_id, data)"
            " SELECT now(), 'x', 'x', n, jsonb_build_object('text', repeat('x', 2000))"
            " FROM generate_series(1, 5000) n"
        )
    )
    tracemalloc.start()

    chain = queries.follow(b"", 1, 10_000)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert chain.count == 5000
    assert peak < 8_000_000


def test_what_happened_to_a_thing_is_listed_latest_first(journal):
    for number in (1, 2):
        service.record("thing.changed", "thing", 9, by=None, new=number)
        journal.flush()
    service.record("other.changed", "other", 9, by=None)
    journal.flush()

    assert [entry.data["new"] for entry in queries.list_entries("thing", 9)] == [2, 1]
