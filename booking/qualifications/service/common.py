"""What the use cases of certificates and calibrations have in common."""

from collections.abc import Mapping
from typing import Any

from booking.accounts.rules import Caller, Permission, require
from booking.files import service as files
from booking.files.rules import SCANS
from booking.journal import service as journal
from booking.kernel.uploads import Upload
from booking.qualifications import queries
from booking.qualifications.models import Certificate


def managed_certificate(certificate_id: int, caller: Caller) -> Certificate:
    """Return the certificate, locked, to somebody who looks after it."""
    certificate = queries.get_certificate(certificate_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, certificate.institution_id)
    return certificate


def kept(file: Upload | None) -> Mapping[str, Any]:
    """Store a scan, if there is one; return the columns that point to it."""
    if file is None:
        return {"file": None, "file_name": ""}
    kept = files.keep_document(file.content, file.name, kinds=SCANS)
    return {"file": kept.file, "file_sha256": kept.file.sha256, "file_name": kept.name}


def note(action: str, certificate: Certificate, caller: Caller, **data: Any) -> None:
    """Write down what was done to a certificate."""
    journal.record(
        action,
        "certificate",
        certificate.id,
        by=caller.user_id,
        organisation_id=certificate.institution_id,
        **data,
    )
