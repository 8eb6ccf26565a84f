"""Who is told of an authorisation: the person, or whoever runs the institution's instruments."""

from booking.accounts.rules import Permission
from booking.authorisations.models import Authorisation, TrainingSession
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To

PERSON, OWNER = "/authorisations", "/institution/authorisations"


def tell_person(authorisation: Authorisation, event: str, **more: object) -> None:
    """Tell the person what became of it."""
    notices.post(
        Kind.AUTHORISATION,
        ("authorisation", authorisation.id),
        to=[to_person(authorisation.user_id, authorisation.organisation_id)],
        facts=facts_of(authorisation, event) | {"path": PERSON} | more,
    )


def tell_owner(authorisation: Authorisation, event: str, **more: object) -> None:
    """Tell the institution's operators."""
    runs = Permission.RUN_INSTRUMENTS.value
    notices.post(
        Kind.AUTHORISATION,
        ("authorisation", authorisation.id),
        to=[To(Side.OWNER, organisation_id=authorisation.institution_id, permission=runs)],
        facts=facts_of(authorisation, event) | {"path": OWNER} | more,
    )


def tell_of_session(
    session: TrainingSession, user_id: int, organisation_id: int, event: str, **more: object
) -> None:
    """Tell somebody who has a seat in a session."""
    facts = {"event": event, "what": "", "institution": session.institution.name, "person": ""}
    notices.post(
        Kind.AUTHORISATION,
        ("training_session", session.id),
        to=[to_person(user_id, organisation_id)],
        facts=facts | session_facts(session) | {"path": PERSON} | more,
    )


def to_person(user_id: int, organisation_id: int) -> To:
    """Return the person, as long as they belong to the firm."""
    return To(Side.CUSTOMER, user_id=user_id, organisation_id=organisation_id)


def facts_of(authorisation: Authorisation, event: str) -> dict[str, object]:
    """Return what a notice about it says, whatever happened."""
    return {
        "event": event,
        "what": what_of(authorisation),
        "institution": authorisation.institution.name,
        "person": authorisation.user.name,
        "organisation": authorisation.organisation.name,
        "reason": authorisation.reason,
        "valid_until": authorisation.valid_until,
    }


def session_facts(session: TrainingSession) -> dict[str, object]:
    """Return when and where a session takes place."""
    return {
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "location": session.location,
        "note": session.note,
    }


def what_of(authorisation: Authorisation) -> str:
    """Return the instrument's name; of a category its code, of everything nothing."""
    if authorisation.instrument is not None:
        return authorisation.instrument.name
    return authorisation.category_code or ""
