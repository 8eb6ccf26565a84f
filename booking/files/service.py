"""Keeping what was uploaded, and sweeping out what nothing refers to any more."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from booking.files import gateway, queries, rules
from booking.files.models import StoredFile
from booking.files.rules import DOCUMENTS, PICTURES, MediaType
from booking.kernel import clock
from booking.kernel.db import db

PHOTO_SIDE, SCAN_SIDE, SMALL_SIDE = 2048, 3508, 480
UNUSED_FOR = timedelta(days=1)
# Whoever stores holds it shared until the commit; the sweep waits, so that it never takes away
# what somebody is just about to refer to.
_SWEEPING = 0x66696C6573  # "files"


@dataclass(frozen=True)
class Kept:
    """What was kept of an upload: the file, its name for downloads, and a small picture of it."""

    file: StoredFile
    name: str
    small: StoredFile | None = None


def keep_photo(content: bytes, name: str) -> Kept:
    """Keep a photo, made again from its pixels, and a small one; raises FileRefused."""
    rules.check_size(len(content))
    rules.check_kind(content, name, PICTURES)
    large, small = gateway.shrink(content, PHOTO_SIDE, SMALL_SIDE)
    kept = _keep(large.content, MediaType.JPEG, large.width, large.height)
    shown = _keep(small.content, MediaType.JPEG, small.width, small.height)
    return Kept(kept, rules.clean_name(name, MediaType.JPEG, otherwise="photo"), shown)


def keep_document(content: bytes, name: str, *, kinds: Collection[MediaType] = DOCUMENTS) -> Kept:
    """Keep a document as it is; one that is a picture is made again. Raises FileRefused."""
    rules.check_size(len(content))
    kind = rules.check_kind(content, name, kinds)
    if kind in PICTURES:
        [scan] = gateway.shrink(content, SCAN_SIDE)
        kind = MediaType.JPEG
        kept = _keep(scan.content, kind, scan.width, scan.height)
    else:
        kept = _keep(content, kind)
    return Kept(kept, rules.clean_name(name, kind))


def _keep(
    content: bytes, kind: MediaType, width: int | None = None, height: int | None = None
) -> StoredFile:
    """Write the file, then its row: what a row names is there."""
    sha256 = hashlib.sha256(content).hexdigest()
    db.session.execute(select(func.pg_advisory_xact_lock_shared(_SWEEPING)))
    gateway.store().put(sha256, content)
    row = insert(StoredFile).values(
        sha256=sha256,
        size=len(content),
        media_type=kind,
        width=width,
        height=height,
        stored_at=clock.now(),
    )
    row = row.on_conflict_do_update(index_elements=[StoredFile.sha256], set_={"unused_since": None})
    found = db.session.scalars(
        row.returning(StoredFile), execution_options={"populate_existing": True}
    )
    return found.one()


def sweep() -> tuple[int, int]:
    """Mark what nothing refers to, and remove what was marked a day ago.

    Returns how many were marked and removed. What has no row at all was left by an upload that
    never ended; it goes after a day too.
    """
    now, store = clock.now(), gateway.store()
    db.session.execute(select(func.pg_advisory_xact_lock(_SWEEPING)))
    db.session.execute(
        update(StoredFile)
        .where(StoredFile.unused_since.is_not(None), queries.is_used())
        .values(unused_since=None)
    )
    gone = db.session.scalars(
        delete(StoredFile)
        .where(StoredFile.unused_since <= now - UNUSED_FOR)
        .returning(StoredFile.sha256)
    ).all()
    marked = db.session.scalars(
        update(StoredFile)
        .where(StoredFile.unused_since.is_(None), ~queries.is_used())
        .values(unused_since=now)
        .returning(StoredFile.sha256)
    ).all()
    known = set(db.session.scalars(select(StoredFile.sha256)))
    before = (now - UNUSED_FOR).timestamp()
    strays = [name for name, at in store.names() if name not in known and at < before]
    for name in {*gone, *strays}:
        store.remove(name)
    return len(marked), len({*gone, *strays}) + store.clear(before=before)


def breaches() -> Iterator[str]:
    """Yield one sentence for each file that is referred to and not whole."""
    for found in db.session.scalars(queries.used().execution_options(yield_per=500)):
        if not gateway.store().is_whole(found.sha256):
            yield f"文件 {found.sha256}（{found.media_type}）缺失或内容已变。"
