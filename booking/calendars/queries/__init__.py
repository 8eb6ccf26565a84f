"""Reads for calendars: whose feed it is, what it shows and whether that has changed."""

from booking.calendars.queries.contents import ShownEvent, State, state, texts
from booking.calendars.queries.facts import facts
from booking.calendars.queries.subjects import (
    feed_subject,
    get_feed,
    instrument_subject,
    list_feeds,
    personal_data,
    visible_to,
)

__all__ = [
    "ShownEvent",
    "State",
    "facts",
    "feed_subject",
    "get_feed",
    "instrument_subject",
    "list_feeds",
    "personal_data",
    "state",
    "texts",
    "visible_to",
]
