"""The files of certificates and calibrations, for who may see what they belong to."""

from flask import Response

from booking.accounts.auth import caller, caller_or_none
from booking.files.gateway import store
from booking.files.models import StoredFile
from booking.kernel import downloads
from booking.kernel.errors import NotFound
from booking.kernel.login import login_required
from booking.qualifications import queries
from booking.qualifications.views.frame import bp


@bp.get("/certificates/<id:certificate_id>/file")
def certificate_file(certificate_id: int) -> Response:
    """Send a certificate's file; everybody may read it once the institution publishes."""
    found = queries.get_certificate(certificate_id, caller=caller_or_none())
    return _send(found.file, found.file_name)


@bp.get("/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/file")
@login_required
def calibration_file(instrument_id: int, calibration_id: int) -> Response:
    """Send a calibration's file to who is signed in and may see the instrument."""
    found = queries.get_calibration(instrument_id, calibration_id, caller=caller())
    return _send(found.file, found.file_name)


def _send(file: StoredFile | None, name: str) -> Response:
    if file is None:
        raise NotFound
    try:
        content = store().open(file.sha256)
    except FileNotFoundError as exc:  # `booking verify` names it
        raise NotFound from exc
    return downloads.send(
        content,
        name=name,
        media_type=file.media_type.value,
        etag=file.sha256,
        size=file.size,
    )
