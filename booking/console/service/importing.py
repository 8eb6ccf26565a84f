"""Importing instruments from an uploaded table: taken in, looked through, then all rows or none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy import Update, null, or_, select, update
from sqlalchemy.orm import undefer

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, Permission, require
from booking.console import queries
from booking.console.models import ImportState, InstrumentImport
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import UnreadableFile, WrongState
from booking.kernel.text import N_, Text
from booking.kernel.workbooks import MOST_BYTES
from booking.registry import service as registry
from booking.registry.gateway import Table, open_table, table_at
from booking.registry.service.formats import FORMATS, NRII, Format, recognised
from booking.registry.service.rows import Finding

AT_ONCE = 2_000  # as many rows are looked through while somebody waits; more go to the worker
LONGEST_NAME = 120
KEPT_FOR = timedelta(days=7)
_LEASE = timedelta(minutes=2)

Progress = Callable[[int], None]


def take_in(institution_id: int, content: bytes, name: str, *, caller: Caller) -> InstrumentImport:
    """Keep an uploaded table with what its headings seem to mean; raises UnreadableFile.

    Also NotAllowed. It is not looked through yet.
    """
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    if not content:
        raise UnreadableFile(N_("文件是空的（0 字节）。"))
    if len(content) > MOST_BYTES:
        raise UnreadableFile(N_("文件超过 %(limit)s MB，请分成几个文件。", limit=MOST_BYTES >> 20))
    with _lying(content) as path, table_at(path) as table:
        if not table.count:
            raise UnreadableFile(N_("表格只有列名，没有内容。"))
        format_ = recognised(table.header) or NRII
        taken = InstrumentImport(
            institution_id=institution_id,
            created_by=caller.user_id,
            name=" ".join(name.split())[-LONGEST_NAME:],
            encoding=table.kind,
            content=table.path.read_bytes(),
            header=list(table.header),
            format_key=format_.key,
            chosen=_first_of_each(format_, table),
            rows=table.count,
        )
    db.session.add(taken)
    db.session.flush()
    return taken


def choose_columns(
    import_id: int, format_key: str, chosen: Sequence[str | None], *, caller: Caller
) -> InstrumentImport:
    """Say what the columns mean, to be looked through anew; raises NotFound or WrongState."""
    found = _open(import_id, caller)
    format_ = FORMATS[format_key]
    known = {column.name for column in format_.columns}
    found.format_key = format_key
    found.chosen = [name if name in known else None for name in chosen][: len(found.header)]
    found.chosen += [None] * (len(found.header) - len(found.chosen))
    found.state, found.report, found.findings = ImportState.TO_CHECK, None, []
    found.seen = 0
    db.session.flush()
    return found


def order(import_id: int, *, caller: Caller) -> InstrumentImport:
    """Ask for it to be carried out; raises NotFound, or WrongState with anything against it."""
    found = _open(import_id, caller)
    if not found.can_be_imported:
        raise WrongState(found.state, "import")
    found.state, found.seen = ImportState.TO_IMPORT, 0
    db.session.flush()
    return found


def claim() -> int | None:
    """Take the next one that waits, so that no other worker does; return its id, or None."""
    now = clock.now()
    waiting = (
        select(InstrumentImport.id)
        .where(
            InstrumentImport.state.in_([ImportState.TO_CHECK, ImportState.TO_IMPORT]),
            or_(InstrumentImport.claimed_until.is_(None), InstrumentImport.claimed_until < now),
        )
        .order_by(InstrumentImport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = db.session.scalar(waiting)
    if found is not None:
        db.session.execute(progress_of(found, 0))
    return found


def progress_of(import_id: int, seen: int) -> Update:
    """Return the statement that notes how many rows were looked at; it keeps the claim, too."""
    return (
        update(InstrumentImport)
        .where(InstrumentImport.id == import_id)
        .values(seen=seen, claimed_until=clock.now() + _LEASE)
    )


def go_through(import_id: int, progress: Progress = lambda _: None) -> InstrumentImport:
    """Look through a table that waits, or import it; with anything wrong nothing is changed.

    May be done twice: what is imported already is not changed by the same rows.
    """
    found = db.session.get_one(
        InstrumentImport,
        import_id,
        options=[undefer(InstrumentImport.content)],
        populate_existing=True,
    )
    is_rehearsal = found.state is not ImportState.TO_IMPORT
    try:
        report = _imported(found, progress, is_rehearsal=is_rehearsal)
    except UnreadableFile as refusal:
        _put(found, {"refused": plain(refusal.message)}, [], is_done=False)
        return found
    figures = {
        name: getattr(report, name)
        for name in ("rows", "created", "changed", "unchanged", "errors", "warnings", "publishes")
    }
    is_done = not is_rehearsal and not report.errors
    _put(found, figures, [plain_finding(each) for each in report.findings], is_done=is_done)
    return found


def forget_imports() -> int:
    """Let go of the contents of files that nobody finished within a week."""
    old = (
        update(InstrumentImport)
        .where(
            InstrumentImport.created_at < clock.now() - KEPT_FOR,
            InstrumentImport.state != ImportState.DONE,
        )
        .values(
            content=b"",
            findings=[],
            report=null(),
            state=ImportState.DONE,
            finished_at=clock.now(),
        )
        .returning(InstrumentImport.id)
    )
    return len(db.session.scalars(old).all())


def plain(text: Text) -> dict[str, Any]:
    """Return a sentence as JSON keeps it, to be said in anybody's language later."""
    params = {
        name: plain(value) if isinstance(value, Text) else _simple(value)
        for name, value in text.params.items()
    }
    return {"id": text.msgid, "params": params}


def spoken(kept: dict[str, Any]) -> Text:
    """Return the sentence that `plain` kept."""
    params = {
        name: spoken(value) if isinstance(value, dict) else value
        for name, value in kept["params"].items()
    }
    return Text(kept["id"], params)


def plain_finding(finding: Finding) -> list[Any]:
    """Return a finding as JSON keeps it: row, column, whether an error, the reason."""
    return [finding.row, finding.column, finding.is_error, plain(finding.reason)]


def _simple(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)


def _open(import_id: int, caller: Caller) -> InstrumentImport:
    """Return one that can still be decided about, locked."""
    found = queries.get_import(import_id, caller=caller, for_update=True)
    if found.state is not ImportState.CHECKED:
        raise WrongState(found.state, "import")
    return found


def _imported(
    found: InstrumentImport, progress: Progress, *, is_rehearsal: bool
) -> registry.Report:
    institution = db.session.get_one(Organisation, found.institution_id)
    with _lying(found.content) as path:
        return registry.import_instruments(
            institution,
            open_table(path),
            format_=FORMATS[found.format_key],
            chosen=found.chosen,
            dry_run=is_rehearsal,
            by=found.created_by,
            progress=progress,
        )


def _put(
    found: InstrumentImport, report: dict[str, Any], findings: list[Any], *, is_done: bool
) -> None:
    found.report, found.findings = report, findings
    found.state = ImportState.DONE if is_done else ImportState.CHECKED
    found.seen, found.claimed_until = found.rows, None
    if is_done:
        found.content, found.finished_at = b"", clock.now()
    db.session.flush()


@contextmanager
def _lying(content: bytes) -> Iterator[Path]:
    """Let the content lie as a file for the while: readers go through it more than once."""
    with NamedTemporaryFile("wb") as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


def _first_of_each(format_: Format, table: Table) -> list[str | None]:
    """Return the field behind each heading, each field once."""
    seen: set[str] = set()
    found: list[str | None] = []
    for column in format_.mapped(table.header):
        name = column.name if column else None
        found.append(None if name in seen else name)
        if name:
            seen.add(name)
    return found
