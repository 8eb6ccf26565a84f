"""The institution's side: granting, refusing, suspending, and reminding of the end."""

from datetime import date
from enum import StrEnum

from booking.accounts.rules import Caller, Permission, require
from booking.authorisations import queries, rules
from booking.authorisations.models import Authorisation
from booking.authorisations.rules import Standing
from booking.authorisations.service.asking import changed, kept
from booking.authorisations.service.telling import PERSON, facts_of, tell_person, to_person
from booking.kernel import clock
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.kernel.uploads import Upload
from booking.notices import service as notices
from booking.notices.rules import Kind


class Reach(StrEnum):
    """What a grant covers, of the institution it was asked of."""

    INSTRUMENT = "instrument"
    CATEGORY = "category"
    EVERYTHING = "everything"


def grant(
    authorisation_id: int,
    *,
    caller: Caller,
    valid_from: date | None = None,
    valid_until: date | None = None,
    grounds: str = "",
    reach: Reach = Reach.INSTRUMENT,
    file: Upload | None = None,
    version: int | None = None,
) -> Authorisation:
    """Grant what was asked for, by evidence or training; from today and for a year unless told.

    Raises InvalidField, WrongState, NotFound, NotAllowed, Stale or FileRefused.
    """
    asked = managed(authorisation_id, caller, version)
    if not asked.is_open:
        raise WrongState(asked.standing, "grant")
    if not grounds:
        raise InvalidField("grounds", N_("请填写依据，例如培训考核记录或已有的上岗证。"))
    first = valid_from or clock.today()
    last = valid_until or rules.usual_end(first)
    rules.check_period(first, last)
    for name, value in kept(file).items():
        setattr(asked, name, value)
    _widen(asked, reach)
    give(asked, caller, first, last, grounds)
    return asked


def give(
    asked: Authorisation, caller: Caller, valid_from: date, valid_until: date, grounds: str
) -> None:
    """Let it hold, and tell the person."""
    asked.valid_from, asked.valid_until, asked.grounds = valid_from, valid_until, grounds
    asked.granted_at, asked.granted_by = clock.now(), caller.user_id
    changed("authorisation.granted", asked, caller, grounds=grounds, sha256=asked.file_sha256)
    tell_person(asked, "granted")


def refuse(
    authorisation_id: int, *, caller: Caller, reason: str, version: int | None = None
) -> Authorisation:
    """Refuse a request, saying why; raises as `grant`."""
    asked = managed(authorisation_id, caller, version)
    if not asked.is_open:
        raise WrongState(asked.standing, "refuse")
    _check_reason(reason)
    asked.refused_at, asked.refused_by, asked.reason = clock.now(), caller.user_id, reason
    changed("authorisation.refused", asked, caller, reason=reason)
    tell_person(asked, "refused")
    return asked


def suspend(
    authorisation_id: int, *, caller: Caller, reason: str, version: int | None = None
) -> Authorisation:
    """Let what was granted hold no longer, saying why; raises as `grant`."""
    held = managed(authorisation_id, caller, version)
    if held.standing is not Standing.GRANTED:
        raise WrongState(held.standing, "suspend")
    _check_reason(reason)
    held.suspended_at, held.suspended_by, held.reason = clock.now(), caller.user_id, reason
    changed("authorisation.suspended", held, caller, reason=reason)
    tell_person(held, "suspended")
    return held


def restore(authorisation_id: int, *, caller: Caller, version: int | None = None) -> Authorisation:
    """Let what was suspended hold again; raises as `grant`."""
    held = managed(authorisation_id, caller, version)
    if held.standing is not Standing.SUSPENDED:
        raise WrongState(held.standing, "restore")
    held.suspended_at, held.suspended_by, held.reason = None, None, ""
    changed("authorisation.restored", held, caller)
    tell_person(held, "restored")
    return held


def managed(authorisation_id: int, caller: Caller, version: int | None) -> Authorisation:
    """Return it, locked, for who runs the institution's instruments."""
    found = queries.get_authorisation(authorisation_id, caller=caller, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, found.institution_id)
    found.check_version(version)
    return found


def _widen(asked: Authorisation, reach: Reach) -> None:
    if reach is Reach.INSTRUMENT or asked.instrument is None:
        return
    code = asked.instrument.category_code if reach is Reach.CATEGORY else ""
    asked.category_code, asked.instrument_id, asked.instrument = code, None, None


def _check_reason(reason: str) -> None:
    if not reason:
        raise InvalidField("reason", N_("请写明原因，申请人会看到。"))


def remind() -> int:
    """Remind people of what ends in 60, 30 and 7 days, each once; returns how many are new."""
    today = clock.today()
    return sum(_remind(each, today) for each in queries.ending(today))


def _remind(ending: Authorisation, today: date) -> bool:
    assert ending.valid_until is not None  # noqa: S101 - the query says so
    days = rules.due_reminder(ending.valid_until, today=today)
    if days is None:
        return False
    return notices.post(
        Kind.AUTHORISATION,
        ("authorisation", ending.id),
        to=[to_person(ending.user_id, ending.organisation_id)],
        facts=facts_of(ending, "ending")
        | {"path": PERSON, "days": (ending.valid_until - today).days},
        key=f"authorisation:{ending.id}:{ending.valid_until}:{days}",
    )
