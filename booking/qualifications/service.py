"""Recording certificates, scope and calibrations; extending, withdrawing and reminding."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select

from booking.accounts.rules import Caller, Permission, require
from booking.files import service as files
from booking.files.rules import SCANS
from booking.journal import service as journal
from booking.kernel import clock, workbooks
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, UnreadableFile, WrongState
from booking.kernel.text import N_
from booking.kernel.uploads import Upload
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.qualifications import queries, rules
from booking.qualifications.errors import NothingToExtend, NumberTaken, UnusableScope
from booking.qualifications.models import Calibration, Certificate, Extension, ScopeLine
from booking.qualifications.queries import Ending
from booking.qualifications.rules import CalibrationKind, Line, Result, Scheme
from booking.registry import queries as registry
from booking.registry.models import Instrument

NUMBER = "uq_certificates_number"
HEAD_ROWS = 10  # within which a scope table's head stands


def add_certificate(
    institution_id: int,
    scheme: Scheme,
    number: str,
    *,
    issuer: str,
    valid_from: date,
    valid_until: date,
    caller: Caller,
    file: Upload | None = None,
) -> Certificate:
    """Add a certificate; a renewal is a new one. Raises NotAllowed, InvalidField, NumberTaken,
    or FileRefused.
    """
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    rules.check_number(scheme, number)
    rules.check_period(valid_from, valid_until, names=("valid_from", "valid_until"))
    certificate = Certificate(
        institution_id=institution_id,
        scheme=scheme,
        number=number,
        issuer=issuer,
        valid_from=valid_from,
        valid_until=valid_until,
        **_kept(file),
    )
    with violation_raises(NUMBER, NumberTaken()):
        db.session.add(certificate)
    facts = {
        "scheme": scheme,
        "number": number,
        "issuer": issuer,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "sha256": certificate.file_sha256,
    }
    _record("certificate.added", certificate, caller, new=rules.plain(facts))
    return certificate


def withdraw_certificate(
    certificate_id: int, *, caller: Caller, version: int | None = None
) -> Certificate:
    """Let it count no longer; it stays on record.

    Raises NotFound, NotAllowed, Stale or WrongState.
    """
    certificate = _managed_certificate(certificate_id, caller)
    certificate.check_version(version)
    if certificate.withdrawn_at is not None:
        raise WrongState("withdrawn", "withdraw")
    certificate.withdrawn_at = clock.now()
    certificate.touch()
    db.session.flush()
    _record("certificate.withdrawn", certificate, caller)
    return certificate


def add_line(certificate_id: int, line: Line, *, caller: Caller) -> ScopeLine:
    """Add a line to a certificate's scope; raises NotFound, NotAllowed or InvalidField."""
    certificate = _managed_certificate(certificate_id, caller)
    if wrong := line.wrong_column():
        reasons = {
            "standard": N_("请填写标准（方法）编号。"),
            "parameter": N_("请填写产品或参数。"),
        }
        raise InvalidField(wrong, reasons.get(wrong, N_("内容过长。")))
    of_it = ScopeLine.certificate_id == certificate_id
    count, last = db.session.execute(
        select(func.count(), func.max(ScopeLine.place)).where(of_it)
    ).one()
    if count >= rules.MOST_LINES:
        raise InvalidField("standard", N_("一张证书最多 %(most)s 行。", most=rules.MOST_LINES))
    made = ScopeLine(certificate_id=certificate_id, place=(last or 0) + 1, **_columns(line))
    db.session.add(made)
    db.session.flush()
    _record("certificate.line_added", certificate, caller, line_id=made.id, new=_columns(line))
    return made


def remove_line(certificate_id: int, line_id: int, *, caller: Caller) -> None:
    """Take a line out of a certificate's scope; one that is gone already is no fault."""
    certificate = _managed_certificate(certificate_id, caller)
    gone = db.session.scalars(
        delete(ScopeLine)
        .where(ScopeLine.id == line_id, ScopeLine.certificate_id == certificate_id)
        .returning(ScopeLine)
    ).one_or_none()
    if gone is not None:
        line = Line(gone.product, gone.parameter, gone.standard, gone.limits)
        _record(
            "certificate.line_removed", certificate, caller, line_id=line_id, old=_columns(line)
        )


def import_scope(certificate_id: int, table: Path, *, caller: Caller) -> int:
    """Put a workbook's lines in the place of a certificate's scope; returns how many.

    All rows or none. Raises NotFound, NotAllowed, UnreadableFile, or UnusableScope with the rows.
    """
    certificate = _managed_certificate(certificate_id, caller)
    lines = _read(table)
    wrong = [(number, column) for number, line in lines if (column := line.wrong_column())]
    if wrong:
        raise UnusableScope(wrong)
    had = len(
        db.session.scalars(
            delete(ScopeLine)
            .where(ScopeLine.certificate_id == certificate_id)
            .returning(ScopeLine.id)
        ).all()
    )
    db.session.execute(
        insert(ScopeLine),
        [
            {"certificate_id": certificate_id, "place": place, **_columns(line)}
            for place, (_, line) in enumerate(lines, start=1)
        ],
    )
    _record("certificate.scope_imported", certificate, caller, old=had, new=len(lines))
    return len(lines)


def _read(table: Path) -> list[tuple[int, Line]]:
    """Return the lines of the first sheet that has a head we know."""
    for sheet in workbooks.open_workbook(table):
        rows = sheet.rows()
        for _, (_, cells) in zip(range(HEAD_ROWS), rows, strict=False):
            columns = rules.columns_of(cells)
            if columns is not None:
                return _bounded(list(_first(rules.lines_of(rows, columns))))
    raise UnreadableFile(
        N_("没有找到表头：前 %(rows)s 行里须有“标准（方法）”和“参数”或“产品”。", rows=HEAD_ROWS)
    )


def _first(lines: Any) -> Any:
    return (line for line, _ in zip(lines, range(rules.MOST_LINES + 1), strict=False))


def _bounded(lines: list[tuple[int, Line]]) -> list[tuple[int, Line]]:
    if len(lines) > rules.MOST_LINES:
        raise UnreadableFile(N_("一张证书最多 %(most)s 行。", most=rules.MOST_LINES))
    if not lines:
        raise UnreadableFile(N_("表头下面没有内容。"))
    return lines


def record_calibration(
    instrument_id: int,
    kind: CalibrationKind,
    *,
    number: str,
    agency: str,
    performed_on: date,
    caller: Caller,
    valid_until: date | None = None,
    result: Result = Result.PASSED,
    note: str = "",
    file: Upload | None = None,
) -> Calibration:
    """Record what a certificate says; the latest of its kind decides about bookings from now on.

    Raises NotFound, NotAllowed, InvalidField or FileRefused.
    """
    instrument = _managed_instrument(instrument_id, caller)
    rules.check_calibration(kind, performed_on, valid_until, today=_today(instrument))
    calibration = Calibration(
        instrument_id=instrument_id,
        kind=kind,
        number=number,
        agency=agency,
        performed_on=performed_on,
        result=result,
        valid_until=valid_until,
        note=note,
        **_kept(file),
    )
    db.session.add(calibration)
    db.session.flush()
    facts = {
        "kind": kind,
        "number": number,
        "agency": agency,
        "performed_on": performed_on,
        "result": result,
        "valid_until": valid_until,
        "sha256": calibration.file_sha256,
    }
    _settle("calibration.recorded", calibration, instrument, caller, new=rules.plain(facts))
    return calibration


def withdraw_calibration(
    instrument_id: int, calibration_id: int, *, reason: str, caller: Caller
) -> Calibration:
    """Let a record that is wrong count no longer; raises NotFound, NotAllowed or WrongState."""
    instrument = _managed_instrument(instrument_id, caller)
    calibration = queries.get_calibration(
        instrument_id, calibration_id, caller=caller, for_update=True
    )
    if calibration.withdrawn_at is not None:
        raise WrongState("withdrawn", "withdraw")
    calibration.withdrawn_at = clock.now()
    calibration.withdrawn_reason = reason
    calibration.touch()
    _settle("calibration.withdrawn", calibration, instrument, caller, new=reason)
    return calibration


def extend(
    instrument_id: int, calibration_id: int, until: date, *, reason: str, caller: Caller
) -> Extension:
    """Answer, by name, for using the instrument beyond its calibration's end until that day.

    Raises NotFound, NotAllowed, NothingToExtend or InvalidField.
    """
    instrument = _managed_instrument(instrument_id, caller)
    calibration = queries.get_calibration(
        instrument_id, calibration_id, caller=caller, for_update=True
    )
    current = queries.current(queries.calibrations_of(instrument_id))
    if (
        current.get(CalibrationKind.CALIBRATION) is not calibration
        or calibration.valid_until is None
        or calibration.result is Result.FAILED
    ):
        raise NothingToExtend
    if not calibration.valid_until < until <= rules.LATEST:
        raise InvalidField("until", N_("须晚于校准有效期。"))
    extension = Extension(
        calibration=calibration,
        until=until,
        reason=reason,
        granted_by=caller.user_id,
        granted_name=caller.name,
    )
    db.session.add(extension)
    _settle(
        "calibration.extended",
        calibration,
        instrument,
        caller,
        new={"until": until.isoformat(), "reason": reason, "name": caller.name},
    )
    return extension


def revoke_extensions(instrument_id: int, calibration_id: int, *, caller: Caller) -> None:
    """Take back whatever extends a calibration; raises NotFound or NotAllowed."""
    instrument = _managed_instrument(instrument_id, caller)
    calibration = queries.get_calibration(
        instrument_id, calibration_id, caller=caller, for_update=True
    )
    for each in calibration.extensions:
        each.revoked_at = each.revoked_at or clock.now()
    _settle("calibration.extension_revoked", calibration, instrument, caller)


def remind() -> int:
    """Remind of what ends in 60, 30 and 7 days, each once; returns how many are new."""
    today = clock.today()
    return sum(_remind(each, today) for each in queries.ending(today))


def _remind(ending: Ending, today: date) -> bool:
    days = rules.due_reminder(ending.expires_on, today=today)
    if days is None:
        return False
    path = (
        f"/institution/instruments/{ending.instrument_id}/calibrations"
        if ending.instrument_id
        else f"/institution/certificates/{ending.id}"
    )
    return notices.post(
        Kind.EXPIRY,
        ("certificate" if ending.instrument_id is None else "calibration", ending.id),
        to=[
            To(
                Side.OWNER,
                organisation_id=ending.institution_id,
                permission=Permission.MANAGE_INSTRUMENTS.value,
            )
        ],
        facts={
            "what": ending.kind,
            "number": ending.number,
            "organisation": ending.organisation,
            "instrument": ending.instrument,
            "expires_on": ending.expires_on,
            "days": (ending.expires_on - today).days,
            "path": path,
        },
        key=f"expiry:{ending.kind}:{ending.id}:{ending.expires_on}:{days}",
    )


def _managed_certificate(certificate_id: int, caller: Caller) -> Certificate:
    certificate = queries.get_certificate(certificate_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, certificate.institution_id)
    return certificate


def _managed_instrument(instrument_id: int, caller: Caller) -> Instrument:
    """Return the instrument, locked, so that what limits its use is worked out by one at a time."""
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    return instrument


def _today(instrument: Instrument) -> date:
    return clock.now().astimezone(instrument.zone).date()


def _kept(file: Upload | None) -> Mapping[str, Any]:
    if file is None:
        return {"file": None, "file_name": ""}
    kept = files.keep_document(file.content, file.name, kinds=SCANS)
    return {"file": kept.file, "file_sha256": kept.file.sha256, "file_name": kept.name}


def _columns(line: Line) -> dict[str, Any]:
    return {
        "product": line.product,
        "parameter": line.parameter,
        "standard": line.standard,
        "limits": line.limits,
        "standard_keys": rules.standard_keys(line.standard),
    }


def _settle(
    action: str, calibration: Calibration, instrument: Instrument, caller: Caller, **data: Any
) -> None:
    """Work out anew until when the instrument may be used, and record what was done."""
    db.session.flush()
    records: Sequence[Calibration] = queries.calibrations_of(instrument.id)
    instrument.verified_until = queries.until(records, CalibrationKind.VERIFICATION)
    instrument.calibrated_until = queries.until(records, CalibrationKind.CALIBRATION)
    db.session.flush()
    journal.record(
        action,
        "instrument",
        instrument.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        calibration_id=calibration.id,
        verified_until=_iso(instrument.verified_until),
        calibrated_until=_iso(instrument.calibrated_until),
        **data,
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _record(action: str, certificate: Certificate, caller: Caller, **data: Any) -> None:
    journal.record(
        action,
        "certificate",
        certificate.id,
        by=caller.user_id,
        organisation_id=certificate.institution_id,
        **data,
    )
