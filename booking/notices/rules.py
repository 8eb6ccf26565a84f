"""Which kinds of notice there are, whom they are for, and when a mail is tried again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a notice tells."""

    CONFIRMATION = "confirmation"
    REQUEST = "request"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    REMINDER = "reminder"
    NO_SHOW = "no_show"
    USAGE = "usage"
    OBJECTION = "objection"
    SETTLED = "settled"
    FEE = "fee"
    FAULT = "fault"
    WAITING = "waiting"
    VERIFICATION = "verification"
    EXPIRY = "expiry"
    AUTHORISATION = "authorisation"
    INVITATION = "invitation"
    RESET = "reset"
    SECURITY = "security"


class Side(StrEnum):
    """From where the reader sees it."""

    CUSTOMER = "customer"
    OWNER = "owner"
    SELF = "self"


class State(StrEnum):
    """Of a notice: whether it has become messages."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class MailState(StrEnum):
    """Of a message: what became of its mail."""

    NONE = "none"  # not wanted, or no address
    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"  # too late to be of use
    DEAD = "dead"


# Without these somebody could not get in: they cannot be switched off, and are no news afterwards.
DOORS = frozenset({Kind.INVITATION, Kind.RESET})
# Neither can what tells that somebody else may have got in.
ALWAYS = DOORS | {Kind.SECURITY}
OPTIONAL = tuple(kind for kind in Kind if kind not in ALWAYS)
CALLED_OFF = frozenset({Kind.CANCELLATION, Kind.DECLINED, Kind.EXPIRED})
EVENTS = CALLED_OFF | {Kind.CONFIRMATION, Kind.CHANGE, Kind.REQUEST, Kind.APPROVED}

# What a notice's facts must hold from the start; what is missing here fails where it is posted.
_OF_A_SLOT = frozenset({"starts_at", "ends_at", "sequence", "price_minor", "currency"})
_OF_A_USE = _OF_A_SLOT | {"due_minor", "used_minutes", "objection_until", "note"}
NEEDED: Mapping[Kind, frozenset[str]] = {
    Kind.CONFIRMATION: _OF_A_SLOT,
    Kind.REQUEST: _OF_A_SLOT | {"approval_rules", "expires_at"},
    Kind.APPROVED: _OF_A_SLOT | {"note"},
    Kind.DECLINED: _OF_A_SLOT | {"note"},
    Kind.EXPIRED: _OF_A_SLOT,
    Kind.CHANGE: _OF_A_SLOT | {"was_starts_at", "was_ends_at"},
    Kind.CANCELLATION: _OF_A_SLOT | {"by_owner", "reason"},
    Kind.REMINDER: _OF_A_SLOT,
    Kind.NO_SHOW: _OF_A_SLOT | {"note"},
    Kind.USAGE: _OF_A_USE | {"answers"},
    Kind.OBJECTION: _OF_A_USE | {"reason"},
    Kind.SETTLED: _OF_A_USE | {"settlement"},
    Kind.FEE: _OF_A_SLOT | {"fee_minor", "settlement", "reason"},
    Kind.FAULT: _OF_A_SLOT | {"fault_id", "what", "stopped_use"},
    # `event` is offered, withdrawn, lapsed or over; the times are the offered slot's or the wish's.
    Kind.WAITING: frozenset(
        {"event", "instrument", "institution", "starts_at", "ends_at", "answer_by", "path"}
    ),
    Kind.VERIFICATION: frozenset({"organisation", "verified", "reason"}),
    # `what` is cma, cnas, verification or calibration, or the owner's own words; `path` leads
    # to it.
    Kind.EXPIRY: frozenset({"what", "number", "organisation", "expires_on", "days", "path"}),
    # `what` is an instrument's name, the beginning of a category's code, or empty for everything.
    Kind.AUTHORISATION: frozenset({"event", "what", "institution", "person", "path"}),
    Kind.INVITATION: frozenset({"organisation", "inviter", "nonce", "until"}),
    Kind.RESET: frozenset({"nonce", "until"}),
    # `what` is password_changed, factor_reset or factor_dropped.
    Kind.SECURITY: frozenset({"what", "at"}),
}

LEASE = timedelta(minutes=5)
LONGEST_SEND = timedelta(seconds=60)
KEPT = timedelta(days=400)
# Two days in all: then somebody has to look.
_PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720, 1440))


@dataclass(frozen=True)
class To:
    """Whom to tell: one person, or all who may do something for an organisation.

    A person named together with an organisation is told only while they belong to it.
    """

    side: Side
    user_id: int | None = None
    organisation_id: int | None = None
    permission: str | None = None

    def plain(self) -> list[Any]:
        """Return it as the outbox keeps it."""
        return [self.side.value, self.user_id, self.organisation_id, self.permission]

    @classmethod
    def of(cls, plain: list[Any]) -> "To":
        """Return what was kept."""
        side, user_id, organisation_id, permission = plain
        return cls(Side(side), user_id, organisation_id, permission)


@dataclass(frozen=True)
class Person:
    """Somebody who can be told; without an address they only have their inbox."""

    id: int
    name: str
    email: str | None
    locale: str


def check_facts(kind: Kind, facts: Mapping[str, Any]) -> None:
    """Raise ValueError if a notice of this kind could not be worded from the facts."""
    if missing := NEEDED[kind] - facts.keys():
        msg = f"a notice of {kind} needs {', '.join(sorted(missing))}"
        raise ValueError(msg)


def pause_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many attempts; None if it was the last."""
    return _PAUSES[attempts - 1] if attempts <= len(_PAUSES) else None


def is_too_late(kind: Kind, facts: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether nobody is helped by a mail any more: the visit has begun, the link is dead."""
    if kind is Kind.REMINDER:
        return datetime.fromisoformat(facts["starts_at"]) <= now
    if kind is Kind.WAITING:
        return facts["event"] == "offered" and datetime.fromisoformat(facts["answer_by"]) <= now
    return kind in DOORS and datetime.fromisoformat(facts["until"]) <= now


def one_line(text: str) -> str:
    """Return the text as one line a mail's header can hold: no breaks, nothing invisible."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
