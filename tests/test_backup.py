"""A backup holds everything, a restored copy passes verify, and nothing is half done."""

import io
import json
import tarfile
import uuid

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from sqlalchemy import create_engine, func, inspect, select

from booking.app import cli, create_app
from booking.journal.models import JournalEntry
from booking.kernel.db import db, transaction
from booking.reservations import service as reservations
from booking.reservations.models import Reservation
from tests.factories import make_caller, make_instrument, slot

pytestmark = pytest.mark.service


@pytest.fixture
def open_app(server):
    """A function that opens the program on a database and data folder of its own."""
    opened = []

    def on(folder, *, template=None):
        name = f"backup_{uuid.uuid4().hex[:12]}"
        url = server.clone(name, template) if template else server.empty(name)
        app = create_app("testing", DATABASE_URL=url, DATA_DIR=folder)
        opened.append((name, app))
        return app

    yield on
    for name, app in opened:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        server.drop(name)


@pytest.fixture
def source(open_app, template, tmp_path, now):
    """A program with a reservation and two stored files."""
    app = open_app(tmp_path / "source", template=template)
    with app.app_context(), transaction():
        reservations.reserve(make_instrument().id, slot(), caller=make_caller())
    for name in ("ab/abc", "cd/cde"):
        path = tmp_path / "source" / "files" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    return app


def run(app, command, *words):
    return CliRunner().invoke(cli.commands[command], words, obj=ScriptInfo(create_app=lambda: app))


def counts(app):
    with app.app_context():
        return [
            db.session.scalar(select(func.count()).select_from(model))
            for model in (Reservation, JournalEntry)
        ]


def test_a_restored_copy_has_everything_and_passes_verify(source, open_app, tmp_path):
    made = run(source, "backup", str(tmp_path / "whole.tar"))
    assert made.exit_code == 0, made.output
    copy = open_app(tmp_path / "copy")

    restored = run(copy, "restore", str(tmp_path / "whole.tar"))

    assert restored.exit_code == 0, restored.output
    assert counts(copy) == counts(source)
    assert counts(copy)[0] == 1
    assert (tmp_path / "copy" / "files" / "cd" / "cde").read_bytes() == b"cd/cde"
    assert run(copy, "verify").exit_code == 0


def test_the_journal_of_the_copy_refuses_changes_as_before(source, open_app, tmp_path):
    run(source, "backup", str(tmp_path / "whole.tar"))
    copy = open_app(tmp_path / "copy")
    run(copy, "restore", str(tmp_path / "whole.tar"))

    with copy.app_context(), pytest.raises(Exception, match="journal"):
        db.session.execute(JournalEntry.__table__.delete())


def test_neither_a_file_nor_a_database_is_written_over(source, tmp_path):
    target = tmp_path / "whole.tar"
    target.write_text("something of mine")

    assert "exists already" in run(source, "backup", str(target)).output
    assert target.read_text() == "something of mine"
    target.unlink()
    run(source, "backup", str(target))
    refused = run(source, "restore", str(target))
    assert refused.exit_code == 1
    assert "not empty" in refused.output


def test_a_folder_that_is_not_there_is_named(source, tmp_path):
    refused = run(source, "backup", str(tmp_path / "nowhere" / "whole.tar"))

    assert refused.exit_code == 1
    assert "cannot be written" in refused.output


def test_a_backup_that_fails_leaves_nothing_behind(source, tmp_path, monkeypatch):
    monkeypatch.setattr("booking.kernel.backup.EmbeddedPostgres.programs", tmp_path)
    refused = run(source, "backup", str(tmp_path / "whole.tar"))

    assert refused.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def changed(path, **files):
    """Write the archive anew with some members replaced or added."""
    with tarfile.open(path) as old:
        found = {each.name: old.extractfile(each).read() for each in old if each.isfile()}
    with tarfile.open(path, "w") as new:
        for name, content in (found | files).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))


def manifest(path, **facts):
    with tarfile.open(path) as tar:
        found = json.load(tar.extractfile("manifest.json"))
    changed(path, **{"manifest.json": json.dumps(found | facts).encode()})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"no archive"), "no backup that can be read"),
        (lambda path: changed(path, **{"database.dump": b"PGDMP"}), "is damaged"),
        (lambda path: changed(path, **{"manifest.json": b"{"}), "none of ours"),
        (lambda path: changed(path, **{"files/../../outside": b"x"}), "leads out"),
        (lambda path: manifest(path, format=99), "another version"),
        (lambda path: manifest(path, migration="9999"), "newer version"),
    ],
)
def test_what_is_not_our_backup_is_refused_and_the_database_stays_empty(
    source, open_app, tmp_path, spoil, said
):
    target = tmp_path / "whole.tar"
    run(source, "backup", str(target))
    spoil(target)
    copy = open_app(tmp_path / "copy")

    refused = run(copy, "restore", str(target))

    assert refused.exit_code == 1
    assert said in refused.output
    assert not (tmp_path / "outside").exists()
    engine = create_engine(copy.config["SQLALCHEMY_DATABASE_URI"])
    assert inspect(engine).get_table_names() == []
    engine.dispose()
