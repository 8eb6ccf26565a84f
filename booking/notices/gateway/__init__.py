"""Doors outward: to the features above, to words, to mail servers and the mail folder."""

from booking.notices.gateway.above import complete, init_notices, reach
from booking.notices.gateway.carriers import Carrier, carrier, find_kept, list_kept, way
from booking.notices.gateway.folder import KeptMail
from booking.notices.gateway.letter import Letter
from booking.notices.gateway.letters import compose
from booking.notices.gateway.mime import Envelope, build, message_id

__all__ = [
    "Carrier",
    "Envelope",
    "KeptMail",
    "Letter",
    "build",
    "carrier",
    "complete",
    "compose",
    "find_kept",
    "init_notices",
    "list_kept",
    "message_id",
    "reach",
    "way",
]
