"""What is kept, what refers to it, and what is swept out."""

import os

import pytest
from sqlalchemy import Column, ForeignKey, Integer, String, Table, insert, select

from booking.files import gateway, jobs, service
from booking.files.errors import FileRefused
from booking.files.models import StoredFile
from booking.files.rules import MediaType
from booking.kernel.db import Model, db
from tests.uploaded import PDF, PROGRAM, picture

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def holders(session):
    """A table that refers to files, as features have them."""
    table = Table(
        "tried_holders",
        Model.metadata,
        Column("id", Integer, primary_key=True),
        Column("sha256", String, ForeignKey(StoredFile.sha256)),
    )
    table.create(session.connection())
    yield table
    Model.metadata.remove(table)


def hold(holders, kept):
    db.session.execute(insert(holders).values(sha256=kept.file.sha256))


def is_there(kept):
    return gateway.store().is_whole(kept.file.sha256)


def test_a_photo_is_kept_with_a_small_one():
    kept = service.keep_photo(picture((1000, 500)), "正面.png")

    assert (kept.file.media_type, kept.file.width) == (MediaType.JPEG, 1000)
    assert kept.small is not None
    assert kept.small.width == 480
    assert kept.name == "正面.jpg"
    assert is_there(kept)


def test_a_document_is_kept_as_it_is():
    kept = service.keep_document(PDF, "说明书.pdf")

    with gateway.store().open(kept.file.sha256) as file:
        assert file.read() == PDF
    assert (kept.file.size, kept.small) == (len(PDF), None)


def test_the_same_content_is_one_file():
    assert service.keep_document(PDF, "a.pdf").file is service.keep_document(PDF, "b.pdf").file
    assert len(db.session.scalars(select(StoredFile)).all()) == 1


@pytest.mark.parametrize("content", [b"", PROGRAM, b"x" * (20 * 2**20 + 1)])
def test_what_is_refused_leaves_nothing(content):
    with pytest.raises(FileRefused):
        service.keep_document(content, "a.png")

    assert list(gateway.store().names()) == []


def test_what_nothing_refers_to_goes_after_a_day(holders, now):
    kept, loose = service.keep_document(PDF, "a.pdf"), service.keep_photo(picture(), "b.png")
    hold(holders, kept)

    assert service.sweep() == (2, 0)
    now.advance(hours=23)
    assert service.sweep() == (0, 0)
    now.advance(hours=2)
    assert service.sweep() == (0, 2)
    assert is_there(kept)
    assert not is_there(loose)


def test_what_is_referred_to_again_meanwhile_stays(holders, now):
    kept = service.keep_document(PDF, "a.pdf")
    jobs.sweep()
    now.advance(hours=20)
    hold(holders, service.keep_document(PDF, "a.pdf"))
    now.advance(hours=20)

    service.sweep()

    assert is_there(kept)
    assert kept.file.unused_since is None


def test_what_has_no_row_goes_after_a_day(now):
    stray = "ab" * 32
    gateway.store().put(stray, b"left by an upload that never ended")
    half = gateway.folder() / "ab" / ".abc.1"
    half.write_bytes(b"half")
    fresh = (now.at.timestamp(), now.at.timestamp())
    for path in gateway.folder().rglob("*"):
        os.utime(path, fresh)

    assert service.sweep() == (0, 0)
    now.advance(hours=25)
    assert service.sweep() == (0, 2)
    assert not half.exists()


def test_verify_names_files_that_are_gone_or_changed(holders):
    kept, other = service.keep_document(PDF, "a.pdf"), service.keep_photo(picture(), "b.png")
    hold(holders, kept)
    hold(holders, other)
    assert list(service.breaches()) == []

    gateway.store().remove(kept.file.sha256)
    gateway.store()._path(other.file.sha256).write_bytes(b"changed")

    assert len(list(service.breaches())) == 2
