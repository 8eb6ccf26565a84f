"""REST for what an instrument is qualified for."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller, caller_or_none
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.qualifications import queries, service
from booking.qualifications.models import Calibration
from booking.qualifications.schemas import (
    CalibrationIn,
    CalibrationOut,
    QualificationsOut,
    WithdrawIn,
)
from booking.registry import queries as registry

bp = Blueprint("qualifications", __name__, description="资质、检定与校准")
Headers = dict[str, str]


@bp.get("/instruments/<id:instrument_id>/qualifications")
@bp.doc(security=[])
@bp.response(200, QualificationsOut)
def show(instrument_id: int) -> dict[str, Any]:
    """Show until when an instrument may be used, by which records, and its certificates."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    return {
        "verified_until": instrument.verified_until,
        "calibrated_until": instrument.calibrated_until,
        "calibrations": queries.calibrations_of(instrument_id),
        "certificates": queries.covering(instrument, today=clock.today()),
    }


@bp.post("/instruments/<id:instrument_id>/calibrations")
@login_required
@idempotent
@bp.arguments(CalibrationIn)
@bp.response(201, CalibrationOut)
def record(data: dict[str, Any], instrument_id: int) -> tuple[Calibration, Headers]:
    """Record a verification or calibration; the latest of its kind decides about bookings."""
    with transaction():
        made = service.record_calibration(instrument_id, **data, caller=caller())
    return made, {"Location": url_for(".show", instrument_id=instrument_id)}


@bp.post("/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/withdraw")
@login_required
@idempotent
@bp.arguments(WithdrawIn)
@bp.response(200, CalibrationOut)
def withdraw(data: dict[str, Any], instrument_id: int, calibration_id: int) -> Calibration:
    """Let a record that is wrong count no longer; it stays on record."""
    with transaction():
        return service.withdraw_calibration(instrument_id, calibration_id, **data, caller=caller())
