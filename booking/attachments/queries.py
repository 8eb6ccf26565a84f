"""Reads for photos and documents: who sees the instrument sees them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from booking.accounts.rules import Caller
from booking.attachments.models import Attachment
from booking.attachments.rules import AttachmentKind
from booking.files.models import StoredFile
from booking.kernel import driver
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry import queries as registry
from booking.registry.models import Instrument

_FIRST = """
SELECT DISTINCT ON (a.instrument_id) a.instrument_id, a.id, a.small_sha256
  FROM attachments a
 WHERE a.instrument_id = ANY(%(ids)s) AND a.kind = 'photo'
 ORDER BY a.instrument_id, a.place
"""
TAG = 12  # as many characters of the hash make an address that changes with the content


@dataclass(frozen=True)
class FirstPhoto:
    """The photo that stands for an instrument in lists."""

    id: int
    tag: str


def first_photos(instrument_ids: Collection[int]) -> dict[int, FirstPhoto]:
    """Return each instrument's first photo, in one statement; those without are left out."""
    if not instrument_ids:
        return {}
    rows = driver.rows(_FIRST, {"ids": list(instrument_ids)})
    return {instrument_id: FirstPhoto(found, small[:TAG]) for instrument_id, found, small in rows}


def of_instrument(instrument_id: int) -> Mapping[AttachmentKind, Sequence[Attachment]]:
    """Return what hangs on an instrument, by kind, in order, in one statement."""
    found: dict[AttachmentKind, list[Attachment]] = defaultdict(list)
    rows = db.session.scalars(
        select(Attachment)
        .options(joinedload(Attachment.file, innerjoin=True))
        .where(Attachment.instrument_id == instrument_id)
        .order_by(Attachment.kind, Attachment.place, Attachment.id)
    )
    for row in rows:
        found[row.kind].append(row)
    return found


def of_kind(instrument_id: int, kind: AttachmentKind) -> Sequence[Attachment]:
    """Return an instrument's photos or documents in order."""
    return of_instrument(instrument_id).get(kind, ())


def get_attachment(
    instrument_id: int, attachment_id: int, *, caller: Caller | None, for_update: bool = False
) -> Attachment:
    """Return one that hangs on an instrument the caller may see, with its files, or NotFound."""
    visible = registry.visible_to(caller).with_only_columns(Instrument.id)
    query = (
        select(Attachment)
        .options(joinedload(Attachment.file, innerjoin=True), joinedload(Attachment.small))
        .where(
            Attachment.id == attachment_id,
            Attachment.instrument_id == instrument_id,
            Attachment.instrument_id.in_(visible),
        )
    )
    if for_update:
        query = query.with_for_update(of=Attachment).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def content_of(attachment: Attachment, *, is_small: bool) -> StoredFile:
    """Return the file to send: the small one if there is one and it is asked for."""
    return attachment.small if is_small and attachment.small is not None else attachment.file
