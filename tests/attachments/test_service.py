"""Attaching, wording, ordering and taking off; who may, and what the journal says."""

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role
from booking.attachments import queries, service
from booking.attachments.errors import AlreadyAttached, AttachmentsFull
from booking.attachments.rules import MOST, AttachmentKind
from booking.files import service as files_service
from booking.files.errors import FileRefused
from booking.files.models import StoredFile
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.errors import NotAllowed, NotFound, Stale
from booking.registry.models import Publication
from tests.factories import make_caller, make_institution, make_instrument
from tests.queries_counted import counted
from tests.uploaded import PDF, PROGRAM, picture

PHOTO, DOCUMENT = AttachmentKind.PHOTO, AttachmentKind.DOCUMENT
pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(institution):
    return make_caller(institution, Role.MANAGER)


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution)


def attach(instrument, manager, shade=0, kind=PHOTO, **given):
    content = picture(colour=(shade * 40 % 256, 80, 80)) if kind is PHOTO else PDF + bytes([shade])
    return service.attach(
        instrument.id, kind, content, given.pop("name", "正面.png"), caller=manager, **given
    )


def names(instrument, kind=PHOTO):
    return [each.caption for each in queries.of_kind(instrument.id, kind)]


def test_photos_and_documents_are_kept_in_the_order_they_came(instrument, manager):
    for shade, caption in enumerate("abc"):
        attach(instrument, manager, shade, caption=caption)
    attach(instrument, manager, kind=DOCUMENT, name="说明书.pdf", caption="d")

    assert names(instrument) == ["a", "b", "c"]
    assert names(instrument, DOCUMENT) == ["d"]
    assert queries.of_kind(instrument.id, DOCUMENT)[0].name == "说明书.pdf"


def test_only_the_institutions_managers_may(instrument, manager):
    operator = make_caller(make_institution(), Role.MANAGER)
    with pytest.raises(NotAllowed):
        attach(instrument, operator)
    assert db.session.scalars(select(StoredFile)).all() == []

    made = attach(instrument, manager)
    for refused in (
        lambda: service.change(instrument.id, made.id, caption="x", caller=operator),
        lambda: service.remove(instrument.id, made.id, caller=operator),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_an_executable_named_png_hangs_on_nothing(instrument, manager):
    with pytest.raises(FileRefused):
        service.attach(instrument.id, PHOTO, PROGRAM, "photo.png", caller=manager)

    assert names(instrument) == []


def test_the_same_content_hangs_there_once(instrument, manager, institution):
    attach(instrument, manager)

    with pytest.raises(AlreadyAttached):
        attach(instrument, manager)
    attach(make_instrument(institution=institution), manager)
    assert len(names(instrument)) == 1


def test_there_are_only_so_many(instrument, manager, monkeypatch):
    monkeypatch.setitem(MOST, PHOTO, 2)
    attach(instrument, manager, 1)
    attach(instrument, manager, 2)

    with pytest.raises(AttachmentsFull):
        attach(instrument, manager, 3)


def test_one_is_moved_and_worded(instrument, manager):
    made = [attach(instrument, manager, shade, caption=c) for shade, c in enumerate("abc")]

    service.change(instrument.id, made[2].id, place=1, caption="C", caller=manager)

    assert names(instrument) == ["C", "a", "b"]
    with pytest.raises(Stale):
        service.change(instrument.id, made[2].id, caption="x", version=1, caller=manager)


def test_what_is_taken_off_leaves_no_gap_and_its_file_goes_later(instrument, manager, now):
    made = [attach(instrument, manager, shade, caption=c) for shade, c in enumerate("abc")]
    service.remove(instrument.id, made[1].id, caller=manager)

    rows = queries.of_kind(instrument.id, PHOTO)
    assert [(each.caption, each.place) for each in rows] == [("a", 1), ("c", 2)]
    files_service.sweep()
    now.advance(days=2)
    assert files_service.sweep() == (0, 2)
    assert list(files_service.breaches()) == []


def test_each_change_stands_in_the_journal(instrument, manager):
    made = attach(instrument, manager, caption="a")
    service.change(instrument.id, made.id, caption="b", caller=manager)
    service.change(instrument.id, made.id, caption="b", caller=manager)
    service.remove(instrument.id, made.id, caller=manager)

    entries = db.session.scalars(
        select(JournalEntry)
        .where(JournalEntry.action.startswith("attachment."))
        .order_by(JournalEntry.id)
    ).all()
    assert [entry.action.partition(".")[2] for entry in entries] == ["added", "changed", "removed"]
    assert entries[1].data["old"]["caption"] == "a"
    assert entries[0].subject_id == instrument.id


def test_who_sees_the_instrument_sees_them(instrument, manager):
    made = attach(instrument, manager)
    assert queries.get_attachment(instrument.id, made.id, caller=None).id == made.id

    instrument.publication = Publication.WITHDRAWN
    db.session.flush()
    with pytest.raises(NotFound):
        queries.get_attachment(instrument.id, made.id, caller=None)
    with pytest.raises(NotFound):
        queries.get_attachment(instrument.id, made.id, caller=make_caller())
    assert queries.get_attachment(instrument.id, made.id, caller=manager)


def test_one_of_another_instrument_is_not_found_here(instrument, manager, institution):
    made = attach(make_instrument(institution=institution), manager)

    with pytest.raises(NotFound):
        queries.get_attachment(instrument.id, made.id, caller=manager)


def test_a_lists_photos_come_in_one_statement(institution, manager):
    instruments = [make_instrument(institution=institution) for _ in range(4)]
    for shade, each in enumerate(instruments[:3]):
        attach(each, manager, shade, caption="first")
        attach(each, manager, shade + 3, caption="second")

    with counted() as statements:
        found = queries.first_photos([each.id for each in instruments])

    assert len(statements) == 1
    assert set(found) == {each.id for each in instruments[:3]}
    first = queries.of_kind(instruments[0].id, PHOTO)[0]
    assert found[instruments[0].id].id == first.id
    assert queries.first_photos([]) == {}
