"""Reminding of certificates and calibrations that end."""

from datetime import date

from booking.accounts.rules import Permission
from booking.kernel import clock
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.qualifications import queries, rules
from booking.qualifications.queries import Ending


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
