"""What stands above and is asked all the same: who somebody is, and what a notice is about.

The application connects both at its start, as it does the loader of callers (kernel.login).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from booking.notices.gateway.carriers import init_carriers
from booking.notices.rules import Person, To

Reach = Callable[[Collection[To]], Mapping[To, Sequence[Person]]]
Complete = Callable[[Collection[int]], Mapping[int, Mapping[str, Any]]]


@dataclass(frozen=True)
class _Above:
    reach: Reach
    complete: Mapping[str, Complete]


def init_notices(app: Flask, *, reach: Reach, complete: Mapping[str, Complete]) -> None:
    """Connect accounts, and for each type of subject who tells its present facts by id.

    Raises ConfigError for an unusable SMTP_URL or MAIL_FROM.
    """
    app.extensions["booking_notices"] = _Above(reach, complete)
    init_carriers(app)


def reach(to: Collection[To]) -> Mapping[To, Sequence[Person]]:
    """Return the people meant."""
    return _above().reach(to) if to else {}


def complete(subject_type: str, ids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return what else there is to say of these subjects; nothing of types nobody answers for."""
    ask = _above().complete.get(subject_type)
    return ask(ids) if ask else {}


def _above() -> _Above:
    found: _Above = current_app.extensions["booking_notices"]
    return found
