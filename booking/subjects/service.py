"""Collecting what every feature keeps of a person, and forgetting it. Never commits."""

from dataclasses import dataclass
from typing import Any

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.models import User
from booking.authorisations import queries as authorisations
from booking.calendars import queries as calendars
from booking.calendars import service as calendars_service
from booking.console import queries as console
from booking.console import service as console_service
from booking.journal import queries as journal
from booking.kernel import clock, idempotency
from booking.kernel.errors import NotFound
from booking.kernel.names import login_name
from booking.kernel.text import N_
from booking.notices import queries as notices
from booking.notices import service as notices_service
from booking.reservations import queries as reservations
from booking.waiting import queries as waiting

FORMAT = "booking-subject-1"


@dataclass(frozen=True)
class Erased:
    """What went, and what is kept under the pseudonym."""

    pseudonym: str
    gone: dict[str, int]
    kept: dict[str, int]


def collect(login: str) -> dict[str, Any]:
    """Return everything that is kept of the person, by kind; raises NotFound. Journalled."""
    user = _known(login)
    data = accounts.personal_data(user) | {
        **authorisations.personal_data(user.id),
        "calendar_feeds": calendars.personal_data(user.id),
        "notices": notices.personal_data(user.id),
        "reservations": reservations.personal_data(user.id),
        "waiting_list": waiting.personal_data(user.id),
        **console.personal_data(user.id),
        "journal": journal.by_person(user.id),
    }
    accounts_service.record_export(user)
    return {"format": FORMAT, "exported_at": clock.now(), **data}


def forget(login: str, reason: str) -> Erased:
    """Forget the person as far as the law lets go; raises NotFound, AlreadyErased, LastManager."""
    user = _known(login)
    name = user.name
    kept = {
        "reservations": reservations.count_of(user.id),
        "waiting_list": waiting.count_of(user.id),
        "authorisations": len(authorisations.ids_of(user.id)),
        "memberships": accounts.count_memberships(user.id),
        "declarations": accounts.count_declarations(user.id),
        "journal_entries": journal.count_by(user.id),
    }
    gone = accounts_service.erase_person(user)
    gone |= calendars_service.forget_person(user.id, reservations.ids_of(user.id))
    invited = journal.subjects_of(user.id, "user.invited")
    gone |= notices_service.forget_person(
        user.id,
        name,
        user.name,
        reservations=reservations.ids_of(user.id),
        invited=invited,
        authorisations=authorisations.ids_of(user.id),
    )
    gone |= console_service.forget_person(user.id)
    gone["stored_answers"] = idempotency.forget_answers_of(str(user.id))
    accounts_service.record_erasure(user, reason, kept=kept, gone=gone)
    return Erased(user.name, gone, kept)


def _known(login: str) -> User:
    user = accounts.user_by_login(login_name(login))
    if user is None:
        raise NotFound(N_("没有账号使用“%(login)s”。", login=login))
    return user
