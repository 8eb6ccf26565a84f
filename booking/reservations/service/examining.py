"""Why can they not book: every rule for one customer and slot, kept or broken."""

from collections.abc import Sequence
from dataclasses import dataclass

from booking.accounts.rules import Caller, Permission, require
from booking.availability import queries as availability
from booking.availability.rules import in_words
from booking.kernel.text import Text
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.reservations import queries, rules
from booking.reservations.rules import Violation
from booking.reservations.service.booking import with_taken
from booking.reservations.service.offers import Offer, make_offer


@dataclass(frozen=True)
class Checked:
    """A rule as its owner set it (or as the platform has it), and what the slot breaks of it."""

    words: Text | None
    broken: Sequence[Violation] = ()

    @property
    def kept(self) -> bool:
        """Tell whether the slot keeps it."""
        return not self.broken


@dataclass(frozen=True)
class Examined:
    """All of them, and whether a manager could set the broken ones aside."""

    offer: Offer
    checks: Sequence[Checked]

    @property
    def can_be_set_aside(self) -> bool:
        """Tell whether something is broken, and nothing that must hold for everybody."""
        broken = self.offer.violations
        return bool(broken) and all(each.rule in rules.OVERRIDABLE for each in broken)


def examine(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int,
    user_id: int | None = None,
) -> Examined:
    """Return every rule for somebody who would book, as whoever manages the instrument sees it.

    Raises NotFound or NotAllowed.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    sheet = queries.get_sheet(
        instrument_id, slot, organisation_id=organisation_id, user_id=user_id or 0
    )
    offer = with_taken(make_offer(sheet, slot))
    stated = (
        list(in_words(sheet.policy, availability.pairs_of(instrument_id))) if sheet.policy else []
    )
    checks = [
        Checked(each.words, [broken for broken in offer.violations if broken.rule in each.rules])
        for each in stated
    ]
    named = frozenset(rule for each in stated for rule in each.rules)
    others = [Checked(None, [each]) for each in offer.violations if each.rule not in named]
    return Examined(offer, [*others, *checks])
