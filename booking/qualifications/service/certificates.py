"""An institution's certificates: added, put right, withdrawn."""

from datetime import date
from typing import Any

from booking.accounts.rules import Caller, Permission, require
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import WrongState
from booking.kernel.uploads import Upload
from booking.qualifications import rules
from booking.qualifications.errors import NumberTaken
from booking.qualifications.models import Certificate
from booking.qualifications.rules import Scheme
from booking.qualifications.service.common import kept, managed_certificate, note

NUMBER = "uq_certificates_number"


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
        **kept(file),
    )
    with violation_raises(NUMBER, NumberTaken()):
        db.session.add(certificate)
    note("certificate.added", certificate, caller, new=_facts(certificate))
    return certificate


def edit_certificate(
    certificate_id: int,
    *,
    number: str,
    issuer: str,
    valid_from: date,
    valid_until: date,
    caller: Caller,
    file: Upload | None = None,
    version: int | None = None,
) -> Certificate:
    """Put right what was copied from it; without a new file the one it has stays.

    Raises NotFound, NotAllowed, Stale, WrongState once withdrawn, InvalidField, NumberTaken or
    FileRefused.
    """
    certificate = managed_certificate(certificate_id, caller)
    certificate.check_version(version)
    if certificate.withdrawn_at is not None:
        raise WrongState("withdrawn", "edit")
    rules.check_number(certificate.scheme, number)
    rules.check_period(valid_from, valid_until, names=("valid_from", "valid_until"))
    before = _facts(certificate)
    with violation_raises(NUMBER, NumberTaken()):
        certificate.number, certificate.issuer = number, issuer
        certificate.valid_from, certificate.valid_until = valid_from, valid_until
        if file is not None:
            for name, value in kept(file).items():
                setattr(certificate, name, value)
    after = _facts(certificate)
    if after != before:
        certificate.touch()
        db.session.flush()
        note("certificate.edited", certificate, caller, old=before, new=after)
    return certificate


def withdraw_certificate(
    certificate_id: int, *, caller: Caller, version: int | None = None
) -> Certificate:
    """Let it count no longer; it stays on record.

    Raises NotFound, NotAllowed, Stale or WrongState.
    """
    certificate = managed_certificate(certificate_id, caller)
    certificate.check_version(version)
    if certificate.withdrawn_at is not None:
        raise WrongState("withdrawn", "withdraw")
    certificate.withdrawn_at = clock.now()
    certificate.touch()
    db.session.flush()
    note("certificate.withdrawn", certificate, caller)
    return certificate


def _facts(certificate: Certificate) -> dict[str, Any]:
    columns = ("scheme", "number", "issuer", "valid_from", "valid_until")
    facts = {name: getattr(certificate, name) for name in columns}
    return rules.plain(facts | {"sha256": certificate.file_sha256})
