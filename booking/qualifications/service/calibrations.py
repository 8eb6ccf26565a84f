"""Verifications and calibrations of an instrument: recorded, withdrawn, extended."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from booking.accounts.rules import Caller, Permission, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.kernel.uploads import Upload
from booking.qualifications import queries, rules
from booking.qualifications.errors import NothingToExtend
from booking.qualifications.models import Calibration, Extension
from booking.qualifications.rules import CalibrationKind, Result
from booking.qualifications.service.common import kept
from booking.registry import queries as registry
from booking.registry.models import Instrument


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
        **kept(file),
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


def _managed_instrument(instrument_id: int, caller: Caller) -> Instrument:
    """Return the instrument, locked, so that what limits its use is worked out by one at a time."""
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    return instrument


def _today(instrument: Instrument) -> date:
    return clock.now().astimezone(instrument.zone).date()


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
