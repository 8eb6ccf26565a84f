"""Reads for authorisations and the training that leads there."""

from booking.authorisations.queries.breaches import (
    breaches,
)
from booking.authorisations.queries.personal import (
    ids_of,
    personal_data,
)
from booking.authorisations.queries.reading import (
    count_waiting,
    current,
    ending,
    get_authorisation,
    list_authorisations,
    of_institution,
    open_request,
    open_requests,
    own,
    visible_to,
)
from booking.authorisations.queries.training import (
    Session,
    coming_sessions,
    count_taken,
    find_seat,
    find_session,
    get_seat,
    own_seats,
    seats_of,
    session_shown,
    sessions_of,
)

__all__ = [
    "Session",
    "breaches",
    "coming_sessions",
    "count_taken",
    "count_waiting",
    "current",
    "ending",
    "find_seat",
    "find_session",
    "get_authorisation",
    "get_seat",
    "ids_of",
    "list_authorisations",
    "of_institution",
    "open_request",
    "open_requests",
    "own",
    "own_seats",
    "personal_data",
    "seats_of",
    "session_shown",
    "sessions_of",
    "visible_to",
]
