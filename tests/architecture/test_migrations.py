"""Migrations are numbered, have one head, agree with the models and work both ways."""

import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, text

from booking.app import create_app
from booking.kernel.db import db

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ScriptDirectory(str(ROOT / "migrations"))
FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def test_there_is_one_head():
    assert len(SCRIPTS.get_heads()) == 1


def test_they_are_numbered_without_gaps():
    numbers = [re.fullmatch(r"(\d{4})_\w+\.py", path.name).group(1) for path in FILES]

    assert numbers == [f"{number:04}" for number in range(1, len(FILES) + 1)]


def test_each_builds_on_the_one_before():
    scripts = sorted(SCRIPTS.walk_revisions(), key=lambda script: script.revision)

    assert [script.revision for script in scripts] == [path.name[:4] for path in FILES]
    assert [script.down_revision for script in scripts] == [
        None,
        *(script.revision for script in scripts[:-1]),
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_says_in_words_what_it_does(path):
    assert re.match(r'"""[A-Z].+\.\n?', path.read_text(encoding="utf-8"))


@pytest.fixture
def migrated(scratch_url):
    """An application on a migrated database of its own."""
    app = create_app("testing", DATABASE_URL=scratch_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.service
@pytest.mark.usefixtures("migrated")
def test_models_and_migrations_agree(caplog):
    check()  # raises if there is anything left to generate


@pytest.mark.service
@pytest.mark.usefixtures("migrated")
def test_the_way_down_leaves_nothing_and_the_way_up_works_again():
    before = shape()

    downgrade(revision="base")
    assert leftovers() == {"tables": ["alembic_version"], "functions": []}
    upgrade()

    assert shape() == before


@pytest.mark.service
@pytest.mark.usefixtures("migrated")
def test_each_step_can_be_undone_alone():
    for _ in FILES[1:]:
        downgrade()
    for _ in FILES[1:]:
        upgrade(revision="+1")

    assert db.session.scalar(text("SELECT version_num FROM alembic_version")) == FILES[-1].name[:4]


def leftovers():
    """Return what is in the schema."""
    functions = text(
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace"
        " WHERE n.nspname = 'public'"
    )
    with db.engine.connect() as connection:
        return {
            "tables": inspect(connection).get_table_names(),
            "functions": list(connection.scalars(functions)),
        }


def shape():
    """Return columns, constraints, indexes, triggers and functions as the database names them."""
    statement = text(
        "SELECT 'column', table_name || '.' || column_name || ' ' || data_type || is_nullable"
        "  FROM information_schema.columns WHERE table_schema = 'public'"
        " UNION ALL SELECT 'constraint', conname || pg_get_constraintdef(oid) FROM pg_constraint"
        "  WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " UNION ALL SELECT 'trigger', tgname || tgrelid::regclass FROM pg_trigger"
        "  WHERE NOT tgisinternal"
        " UNION ALL SELECT 'function', proname FROM pg_proc"
        "  WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]
