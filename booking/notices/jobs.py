"""What the worker does for notices all the time, and the timetable once a day."""

from collections import deque
from collections.abc import Callable

from booking.kernel import clock
from booking.kernel.db import transaction
from booking.notices import gateway, queries, service
from booking.notices.errors import Unreachable
from booking.notices.gateway import Carrier
from booking.notices.models import Message

GoOn = Callable[[], bool]


def _always() -> bool:
    return True


def expand(go_on: GoOn = _always) -> str:
    """Turn what waits in the outbox into entries of inboxes and mails to send."""
    taken = 0
    while go_on():
        with transaction():
            found = service.expand()
        taken += found
        if not found:
            break
    return f"通知 {taken} 条"


def send(go_on: GoOn = _always) -> str:
    """Send the mails that are due; raises Unreachable if the mail server does not play along."""
    sent = 0
    try:
        while go_on() and _is_anything_due():
            sent += _send_some(go_on)
    except Unreachable as trouble:
        with transaction():
            service.note_outage(str(trouble))
        raise
    return f"邮件 {sent} 封"


def _is_anything_due() -> bool:
    with transaction():
        return queries.anything_to_send(clock.now())


def _send_some(go_on: GoOn) -> int:
    """Open the way first: no mail pays for a server that is down."""
    with gateway.carrier() as carrier:
        with transaction():
            claimed = deque(service.claim())
        taken = len(claimed)
        try:
            _carry(claimed, carrier, go_on)
        finally:
            with transaction():
                service.give_back(claimed)
    return taken - len(claimed)


def _carry(claimed: deque[Message], carrier: Carrier, go_on: GoOn) -> None:
    while claimed and go_on():
        outcome = service.send(claimed[0], carrier)
        if outcome is None:
            return
        with transaction():
            service.mark(claimed.popleft(), outcome)
        if outcome.broken:
            raise Unreachable(outcome.error)


def forget() -> str:
    """Drop what was told more than a year ago."""
    with transaction():
        return f"清理旧通知 {service.forget()} 条"
