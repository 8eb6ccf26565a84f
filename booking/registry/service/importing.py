"""Importing a table of instruments: all rows or none, and a report that names what and where."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from booking.accounts.models import Organisation
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import UnreadableFile
from booking.kernel.text import N_
from booking.reference import queries as reference
from booking.registry import queries, rules
from booking.registry.gateway import Table
from booking.registry.models import Instrument, Publication
from booking.registry.service.formats import Column, Format, recognised
from booking.registry.service.indexing import indexed, indexed_values
from booking.registry.service.inserting import insert_instruments
from booking.registry.service.rows import Entry, Finding, Known, read_row

BATCH = 500
MOST_FINDINGS = 10_000
_ONE_AT_A_TIME = 0x696D7074  # "impt": the advisory lock of who imports, with the institution

Progress = Callable[[int], None]


@dataclass
class Report:
    """What an import did, or would do."""

    format: Format
    mapping: Sequence[tuple[str, str | None]]
    publishes: bool
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: int = 0
    warnings: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, findings: Sequence[Finding]) -> None:
        """Count findings; errors are kept before warnings once there are too many of both."""
        errors = sum(finding.is_error for finding in findings)
        self.errors += errors
        self.warnings += len(findings) - errors
        room = MOST_FINDINGS - len(self.findings)
        self.findings += [each for each in findings if each.is_error or room > 0]


def import_instruments(
    institution: Organisation,
    table: Table,
    *,
    format_: Format | None = None,
    chosen: Sequence[str | None] | None = None,
    dry_run: bool = False,
    by: int | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Register and change instruments as the table says; with any error, or `dry_run`, nothing.

    Rows are told apart by the owner's own number. Of a known instrument only what changed in the
    file since the last import is changed, so what was edited here stays. New ones are published
    if the institution is verified, and cannot be booked until they have hours and a price.
    `chosen` names the field of ours behind each heading where the headings do not say it.
    Raises UnreadableFile if the table is not of the format, or of none we know.
    """
    if format_ is not None and chosen is not None:
        columns = format_.chosen(chosen)
        _check_chosen(format_, columns)
    else:
        format_ = _format_of(table, format_)
        columns = format_.mapped(table.header)
    mapping = [
        (heading, column.name if column else None) for heading, column in _pairs(table, columns)
    ]
    work = _Import(institution, Report(format_, mapping, institution.verified_at is not None), by)
    db.session.execute(
        select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME, func.hashint8(institution.id)))
    )
    with db.session.begin_nested() as savepoint:
        for batch in _batches(work.read(table, columns)):
            if not work.report.errors:
                work.store(batch)
            progress(len(batch))
        if dry_run or work.report.errors:
            savepoint.rollback()
    return work.report


def _format_of(table: Table, wanted: Format | None) -> Format:
    if wanted is None:
        found = recognised(table.header)
        if found is None:
            raise UnreadableFile(
                N_(
                    "认不出这是哪种格式的列名：%(header)s。"
                    "UNIQUIP 须有 ID 和 Name，国家平台格式须有 所属单位仪器编号 和 仪器设备名称。",
                    header="、".join(table.header[:12]),
                )
            )
        return found
    if missing := wanted.missing(table.header):
        raise UnreadableFile(
            N_(
                "按 %(format)s 格式缺少这些列：%(missing)s。",
                format=wanted.title,
                missing="、".join(missing),
            )
        )
    return wanted


def _check_chosen(format_: Format, columns: Sequence[Column | None]) -> None:
    """Raise UnreadableFile unless what is needed is there, and nothing twice."""
    names = [column.heading for column in columns if column]
    if missing := [heading for heading in format_.needed if heading not in names]:
        raise UnreadableFile(
            N_("还没有指定这些项对应哪一列：%(missing)s。", missing="、".join(missing))
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableFile(
            N_("这些项对应了不止一列，请各留一列：%(twice)s。", twice="、".join(twice))
        )


def _pairs(table: Table, columns: Sequence[Column | None]) -> Iterator[tuple[str, Column | None]]:
    return zip(table.header, columns, strict=True)


def _batches(entries: Iterator[Entry | None]) -> Iterator[list[Entry | None]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


class _Import:
    """One import under way."""

    def __init__(self, institution: Organisation, report: Report, by: int | None) -> None:
        self.institution, self.report, self.by = institution, report, by
        self.known = _known()
        self.seen: dict[str, int] = {}

    def read(self, table: Table, columns: Sequence[Column | None]) -> Iterator[Entry | None]:
        """Yield each row's entry, None where it cannot be used."""
        for row in table.rows():
            entry, findings = read_row(row, table.header, columns, self.known)
            number = entry.values.get("inner_id")
            if number and self.seen.setdefault(number, row.number) != row.number:
                heading = next(h for h, name in entry.fields.items() if name == "inner_id")
                reason = N_("编号与第 %(row)s 行重复。", row=self.seen[number])
                findings.append(Finding(row.number, heading, reason))
            self.report.note(findings)
            self.report.rows += 1
            yield None if any(finding.is_error for finding in findings) else entry

    def store(self, batch: Sequence[Entry | None]) -> None:
        """Write a batch: new ones in bulk, known ones where they changed."""
        entries = [entry for entry in batch if entry is not None]
        standing = self._standing([entry.inner_id for entry in entries])
        self._create([entry for entry in entries if entry.inner_id not in standing])
        changes: list[tuple[Instrument, dict[str, Any], dict[str, Any]]] = []
        for entry in entries:
            if entry.inner_id in standing:
                self._change(standing[entry.inner_id], entry, changes)
        db.session.flush()
        journal.record_each(
            "instrument.changed",
            "instrument",
            [(each.id, {"old": _plain(old), "new": _plain(new)}) for each, old, new in changes],
            by=self.by,
            organisation_id=self.institution.id,
        )
        self.report.changed += len(changes)

    def _standing(self, numbers: Sequence[str]) -> dict[str, Instrument]:
        query = (
            select(Instrument)
            .where(
                Instrument.institution_id == self.institution.id,
                Instrument.inner_id == func.any(numbers),
            )
            .options(undefer(Instrument.source_row))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return {each.inner_id: each for each in db.session.scalars(query)}

    def _create(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        now = clock.now()
        published = (
            {"publication": Publication.PUBLISHED, "published_at": now}
            if self.report.publishes
            else {}
        )
        rows = [
            entry.values
            | self._index(entry.values)
            | published
            | {
                "institution_id": self.institution.id,
                "contributed_by": self.by,
                "source_format": self.report.format.key,
                "source_row": entry.source,
            }
            for entry in entries
        ]
        ids = insert_instruments(rows)
        journal.record_each(
            "instrument.registered",
            "instrument",
            [
                (
                    ids[entry.inner_id],
                    {"new": _plain(entry.values) | _plain(published), "imported": entry.row},
                )
                for entry in entries
            ],
            by=self.by,
            organisation_id=self.institution.id,
        )
        self.report.created += len(rows)

    def _change(
        self,
        instrument: Instrument,
        entry: Entry,
        changes: list[tuple[Instrument, dict[str, Any], dict[str, Any]]],
    ) -> None:
        said = self._said_anew(instrument, entry)
        new = {name: value for name, value in said.items() if getattr(instrument, name) != value}
        if not new:
            self.report.unchanged += 1
            return
        if new.get("units", instrument.units) < instrument.units and instrument.published_at:
            heading = next(h for h, name in entry.fields.items() if name == "units")
            reason = N_("仪器发布过，每一台都可能已有预约，不能减少台数。")
            self.report.note([Finding(entry.row, heading, reason)])
            return
        old = {name: getattr(instrument, name) for name in new}
        for name, value in new.items():
            setattr(instrument, name, value)
        instrument.source_format, instrument.source_row = self.report.format.key, entry.source
        for name, value in self._index(indexed_values(instrument)).items():
            setattr(instrument, name, value)
        instrument.touch()
        changes.append((instrument, old, new))

    def _said_anew(self, instrument: Instrument, entry: Entry) -> dict[str, Any]:
        """Return what the file says differently from the last time it was imported."""
        if instrument.source_format != self.report.format.key or instrument.source_row is None:
            return entry.values
        before = instrument.source_row
        same = {
            name
            for heading, name in entry.fields.items()
            if entry.source.get(heading) == before.get(heading)
        }
        if "place" in same:
            same.add("region_code")
        return {name: value for name, value in entry.values.items() if name not in same}

    def _index(self, values: dict[str, Any]) -> dict[str, Any]:
        category = values.get("category_code") or rules.OTHER_CATEGORY
        return indexed(
            values,
            category=self.known.categories.get(category, ""),
            institution=self.institution.name,
            region=self.known.regions.get(values.get("region_code") or "", ""),
        )


def _known() -> Known:
    regions = reference.region_names(None)
    ends: dict[str, set[str]] = {}
    for code, name in regions.items():
        for written in (name, name.replace(" ", ""), name.rpartition(" ")[2]):
            ends.setdefault(written, set()).add(code)
    return Known(
        categories=queries.category_names(None),
        regions=regions,
        places={name: min(codes) for name, codes in ends.items() if len(codes) == 1},
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as the journal keeps them."""
    return {
        name: value if isinstance(value, str | int | bool | list | None) else str(value)
        for name, value in values.items()
    }
