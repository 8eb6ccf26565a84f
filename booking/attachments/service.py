"""Attaching photos and documents to an instrument, putting them in order, taking them off."""

from collections.abc import Sequence
from typing import Any

from booking.accounts.rules import Caller, Permission, require
from booking.attachments import queries, rules
from booking.attachments.errors import AlreadyAttached
from booking.attachments.models import Attachment
from booking.attachments.rules import AttachmentKind
from booking.files import service as files
from booking.journal import service as journal
from booking.kernel.db import db, violation_raises
from booking.registry import queries as registry
from booking.registry.models import Instrument

CONTENT = "uq_attachments_content"


def attach(
    instrument_id: int,
    kind: AttachmentKind,
    content: bytes,
    name: str,
    *,
    caller: Caller,
    caption: str = "",
) -> Attachment:
    """Attach a photo or document as the last of its kind.

    Raises NotFound, NotAllowed, FileRefused, AttachmentsFull or AlreadyAttached.
    """
    _managed(instrument_id, caller)
    # Before the lock: making a picture anew takes a while.
    keep = files.keep_photo if kind is AttachmentKind.PHOTO else files.keep_document
    kept = keep(content, name)
    instrument = _managed(instrument_id, caller, for_update=True)
    present = queries.of_kind(instrument_id, kind)
    rules.check_room(kind, len(present))
    attachment = Attachment(
        instrument_id=instrument_id,
        kind=kind,
        place=len(present) + 1,
        name=kept.name,
        caption=caption,
        file_sha256=kept.file.sha256,
        small_sha256=kept.small.sha256 if kept.small else None,
        uploaded_by=caller.user_id,
        file=kept.file,
        small=kept.small,
    )
    with violation_raises(CONTENT, AlreadyAttached()):
        db.session.add(attachment)
    _record("attachment.added", attachment, instrument, caller, new=_facts(attachment))
    return attachment


def change(
    instrument_id: int,
    attachment_id: int,
    *,
    caller: Caller,
    caption: str | None = None,
    place: int | None = None,
    version: int | None = None,
) -> Attachment:
    """Word it anew, put it at another place among its kind, or both.

    Raises NotFound, NotAllowed or Stale.
    """
    instrument, attachment = _found(instrument_id, attachment_id, caller, version)
    old = _facts(attachment)
    if caption is not None:
        attachment.caption = caption
    if place is not None:
        row = queries.of_kind(instrument_id, attachment.kind)
        _number(rules.reordered(row, attachment, place))
    if _facts(attachment) != old:
        attachment.touch()
        db.session.flush()
        new = _facts(attachment)
        _record("attachment.changed", attachment, instrument, caller, old=old, new=new)
    return attachment


def remove(
    instrument_id: int, attachment_id: int, *, caller: Caller, version: int | None = None
) -> Attachment:
    """Take it off the instrument; raises NotFound, NotAllowed or Stale."""
    instrument, attachment = _found(instrument_id, attachment_id, caller, version)
    row = queries.of_kind(instrument_id, attachment.kind)
    db.session.delete(attachment)
    _number([each for each in row if each is not attachment])
    db.session.flush()
    _record("attachment.removed", attachment, instrument, caller, old=_facts(attachment))
    return attachment


def _managed(instrument_id: int, caller: Caller, *, for_update: bool = False) -> Instrument:
    """Return the instrument for somebody who manages it; locked, so that places stay in order."""
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=for_update)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    return instrument


def _found(
    instrument_id: int, attachment_id: int, caller: Caller, version: int | None
) -> tuple[Instrument, Attachment]:
    instrument = _managed(instrument_id, caller, for_update=True)
    attachment = queries.get_attachment(
        instrument_id, attachment_id, caller=caller, for_update=True
    )
    attachment.check_version(version)
    return instrument, attachment


def _number(row: Sequence[Attachment]) -> None:
    for place, each in enumerate(row, start=1):
        each.place = place


def _facts(attachment: Attachment) -> dict[str, Any]:
    return {
        "kind": attachment.kind,
        "name": attachment.name,
        "caption": attachment.caption,
        "place": attachment.place,
        "sha256": attachment.file_sha256,
    }


def _record(
    action: str, attachment: Attachment, instrument: Instrument, caller: Caller, **data: Any
) -> None:
    journal.record(
        action,
        "instrument",
        instrument.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        attachment_id=attachment.id,
        **data,
    )
