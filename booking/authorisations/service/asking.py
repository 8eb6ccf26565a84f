"""The person's side: asking for an authorisation, and taking the request back."""

from booking.accounts.rules import Caller, acting_for
from booking.authorisations import queries
from booking.authorisations.errors import AlreadyAsked
from booking.authorisations.models import Authorisation
from booking.authorisations.service.telling import tell_owner
from booking.files import service as files
from booking.files.rules import SCANS
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import NotAllowed, WrongState
from booking.kernel.uploads import Upload
from booking.registry import queries as registry

OPEN = "uq_authorisations_open"


def request(
    instrument_id: int,
    *,
    caller: Caller,
    organisation_id: int | None = None,
    note: str = "",
    file: Upload | None = None,
) -> Authorisation:
    """Ask as oneself to be allowed to operate an instrument, perhaps with evidence.

    Raises NotFound, NotAllowed, WhichOrganisation, AlreadyAsked or FileRefused.
    """
    firm = acting_for(caller, organisation_id)
    instrument = registry.get_instrument(instrument_id, caller=caller)
    asked = Authorisation(
        institution_id=instrument.institution_id,
        user_id=caller.user_id,
        organisation_id=firm,
        instrument_id=instrument_id,
        note=note,
        **kept(file),
    )
    with violation_raises(OPEN, AlreadyAsked()):
        db.session.add(asked)
    asked = queries.get_authorisation(asked.id, caller=caller)
    record("authorisation.requested", asked, caller, note=note, sha256=asked.file_sha256)
    tell_owner(asked, "requested", note=note)
    return asked


def withdraw(authorisation_id: int, *, caller: Caller, version: int | None = None) -> Authorisation:
    """Take one's own request back; raises NotFound, NotAllowed, Stale or WrongState."""
    asked = queries.get_authorisation(authorisation_id, caller=caller, for_update=True)
    if asked.user_id != caller.user_id:
        raise NotAllowed
    asked.check_version(version)
    if not asked.is_open:
        raise WrongState(asked.standing, "withdraw")
    asked.withdrawn_at = clock.now()
    changed("authorisation.withdrawn", asked, caller)
    return asked


def kept(file: Upload | None) -> dict[str, str]:
    """Keep evidence; returns the columns that point to it. Raises FileRefused."""
    if file is None:
        return {}
    stored = files.keep_document(file.content, file.name, kinds=SCANS)
    return {"file_sha256": stored.file.sha256, "file_name": stored.name}


def changed(entry: str, authorisation: Authorisation, caller: Caller, **data: object) -> None:
    """Count the change and write it into the journal."""
    authorisation.touch()
    db.session.flush()
    record(entry, authorisation, caller, **data)


def record(entry: str, authorisation: Authorisation, caller: Caller, **data: object) -> None:
    """Write into the journal what happened to an authorisation."""
    until = authorisation.valid_until
    journal.record(
        entry,
        "authorisation",
        authorisation.id,
        by=caller.user_id,
        organisation_id=authorisation.organisation_id,
        new={
            "user_id": authorisation.user_id,
            "instrument_id": authorisation.instrument_id,
            "category_code": authorisation.category_code,
            "standing": authorisation.standing,
            "valid_until": until.isoformat() if until else None,
        },
        **data,
    )
