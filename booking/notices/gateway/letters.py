"""What a notice says to its reader, in the language that is current: for mails and pages alike."""

from booking.notices.gateway import matters, uses, visits
from booking.notices.gateway.letter import Facts, Letter, url
from booking.notices.rules import Kind, Side


def compose(kind: Kind, side: Side, facts: Facts, *, subject_id: int) -> Letter:
    """Return the letter; it says the same however often it is composed."""
    words = matters.WORDS.get(kind)
    if words:
        return words(facts)
    if kind in uses.KINDS:
        return uses.compose(kind, side, facts, subject_id)
    return visits.compose(kind, side, facts, subject_id)


def settings_url() -> str:
    """Return where a reader chooses what comes by mail."""
    return url("/account/notices")
