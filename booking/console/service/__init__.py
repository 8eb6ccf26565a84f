"""Use cases of the console: over the features' own, all or nothing."""

from booking.console.service.bulk import (
    publish_each,
    set_hours_of_each,
    set_price_of_each,
    set_sharing_of_each,
    withdraw_each,
)
from booking.console.service.contributing import (
    contribute,
    drop_draft,
    forget_person,
    keep_typed,
    note_try,
    start_draft,
)
from booking.console.service.importing import (
    AT_ONCE,
    choose_columns,
    claim,
    forget_imports,
    go_through,
    order,
    progress_of,
    spoken,
    take_in,
)

__all__ = [
    "AT_ONCE",
    "choose_columns",
    "claim",
    "contribute",
    "drop_draft",
    "forget_imports",
    "forget_person",
    "go_through",
    "keep_typed",
    "note_try",
    "order",
    "progress_of",
    "publish_each",
    "set_hours_of_each",
    "set_price_of_each",
    "set_sharing_of_each",
    "spoken",
    "start_draft",
    "take_in",
    "withdraw_each",
]
