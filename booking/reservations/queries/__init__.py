"""Reads for reservations: the sheet a decision needs, what a caller may see, breaches."""

from booking.reservations.queries.breaches import breaches
from booking.reservations.queries.dealings import (
    firms_dealt_with,
    overrides_of,
    people_dealt_with,
)
from booking.reservations.queries.faults import (
    faults_of,
    find_fault_of,
    get_fault,
    open_faults,
)
from booking.reservations.queries.holds import (
    Record,
    count_waiting,
    expired_holds,
    kept_until,
    record_of,
    unclaimed,
    waiting_for,
)
from booking.reservations.queries.personal import count_of, ids_of, personal_data
from booking.reservations.queries.prices import Dated, price_history, rise_of
from booking.reservations.queries.reading import (
    InTheWay,
    closures_visible_to,
    coming_closures,
    free_to_change_until,
    get_closure,
    get_reservation,
    grid_of,
    held_within,
    in_the_way,
    in_use_now,
    last_purpose,
    list_closures,
    list_coming,
    list_reservations,
    settled_before,
    usable_now,
    visible_to,
)
from booking.reservations.queries.sheets import Sheet, get_sheet, get_sheet_of
from booking.reservations.queries.telling import reminder_key, to_remind_of, told

__all__ = [
    "Dated",
    "InTheWay",
    "Record",
    "Sheet",
    "breaches",
    "closures_visible_to",
    "coming_closures",
    "count_of",
    "count_waiting",
    "expired_holds",
    "faults_of",
    "find_fault_of",
    "firms_dealt_with",
    "free_to_change_until",
    "get_closure",
    "get_fault",
    "get_reservation",
    "get_sheet",
    "get_sheet_of",
    "grid_of",
    "held_within",
    "ids_of",
    "in_the_way",
    "in_use_now",
    "kept_until",
    "last_purpose",
    "list_closures",
    "list_coming",
    "list_reservations",
    "open_faults",
    "overrides_of",
    "people_dealt_with",
    "personal_data",
    "price_history",
    "record_of",
    "reminder_key",
    "rise_of",
    "settled_before",
    "to_remind_of",
    "told",
    "unclaimed",
    "usable_now",
    "visible_to",
    "waiting_for",
]
