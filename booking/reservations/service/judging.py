"""Several slots wanted together: each is judged with the others in mind, before any is taken."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from booking.availability import queries as calendars
from booking.availability.rules import Held, Pairing, minute_after
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries
from booking.reservations.errors import SomeNotBookable, SomeTaken
from booking.reservations.queries import Sheet
from booking.reservations.rules import Violation
from booking.reservations.service.offers import Offer, instead, make_offer, with_buffers


@dataclass(frozen=True)
class Wish:
    """One of the slots somebody wants together."""

    instrument_id: int
    slot: TimeSlot
    samples: int = 1
    is_assisted: bool | None = None
    flaw: Violation | None = None  # why the slot is not what was meant
    is_statutory: bool = False


@dataclass(frozen=True)
class Judged:
    """A wish with what it would cost and what refuses it."""

    index: int
    wish: Wish
    offer: Offer | None  # None: there is no such instrument for this customer
    violations: Sequence[Violation] = ()
    is_taken: bool = False

    @property
    def bookable(self) -> bool:
        """Tell whether nothing would refuse it."""
        return self.offer is not None and not self.violations and not self.is_taken


_NO_INSTRUMENT = Violation("not_found", N_("没有找到这台仪器，或您无权查看。"))


@dataclass(frozen=True)
class _Known:
    index: int
    wish: Wish
    sheet: Sheet

    @property
    def held(self) -> TimeSlot:
        policy = self.sheet.policy
        return with_buffers(self.wish.slot, policy) if policy else self.wish.slot


def judge(wishes: Sequence[Wish], buyer: tuple[int, int]) -> list[Judged]:
    """Return what would refuse each for this organisation and person there, in the given order.

    Rules see the other wishes: quotas and gaps the earlier ones, pairs all of them.
    """
    known = [each for each in _known(wishes, buyer) if isinstance(each, _Known)]
    known.sort(key=lambda each: (each.wish.instrument_id, each.wish.slot))
    found = {each.index: each for each in _judged(known)}
    missing = (_NO_INSTRUMENT,)
    return [
        found.get(index) or Judged(index, wish, None, missing) for index, wish in enumerate(wishes)
    ]


def _known(wishes: Sequence[Wish], buyer: tuple[int, int]) -> Iterator[_Known | None]:
    organisation_id, user_id = buyer
    for index, wish in enumerate(wishes):
        try:
            sheet = queries.get_sheet(
                wish.instrument_id, wish.slot, organisation_id=organisation_id, user_id=user_id
            )
        except NotFound:
            yield None
        else:
            yield _Known(index, wish, sheet)


def _judged(known: Sequence[_Known]) -> Iterator[Judged]:
    earlier: dict[int, list[_Known]] = defaultdict(list)
    for each in known:
        before = earlier[each.wish.instrument_id]
        sheet = _aware(each, before, known)
        wish = each.wish
        offer = make_offer(
            sheet,
            wish.slot,
            samples=wish.samples,
            is_assisted=wish.is_assisted,
            is_statutory=wish.is_statutory,
        )
        is_free = calendars.is_free(wish.instrument_id, each.held, units=sheet.units)
        flaws = [wish.flaw] if wish.flaw else []
        violations = [*flaws, *offer.violations, *_crowded(each, before)]
        yield Judged(each.index, wish, offer, violations, is_taken=not is_free)
        before.append(each)


def _aware(each: _Known, before: Sequence[_Known], known: Sequence[_Known]) -> Sheet:
    """Return its sheet as if the others were booked already."""
    standing = each.sheet.standing
    held = [
        Held(
            standing.user_id,
            int(other.wish.slot.starts_at.timestamp() // 60),
            minute_after(other.wish.slot.ends_at),
        )
        for other in before
    ]
    pairs = [
        replace(pair, is_booked=True)
        if any(_meets(pair.pairing, pair.instrument_id, each, other) for other in known)
        else pair
        for pair in standing.pairs
    ]
    return replace(
        each.sheet, standing=replace(standing, held=[*standing.held, *held], pairs=pairs)
    )


def _meets(pairing: Pairing, instrument_id: int, each: _Known, other: _Known) -> bool:
    if other.wish.instrument_id != instrument_id or pairing is Pairing.NEEDED_BY:
        return False
    # Nobody has both: the other counts with its buffers, as its occupancy does.
    there = other.held if pairing is Pairing.APART_ALL else other.wish.slot
    return each.wish.slot.overlaps(there)


def _crowded(each: _Known, before: Sequence[_Known]) -> Iterator[Violation]:
    """Yield where earlier wishes leave no unit of the instrument; they come in order of time."""
    until: list[tuple[TimeSlot, int]] = []
    for other in [*before, each]:
        free = next((n for n, (last, _) in enumerate(until) if not last.overlaps(other.held)), None)
        if free is not None:
            until[free] = (other.held, other.index)
        elif len(until) < each.sheet.units:
            until.append((other.held, other.index))
        elif other is each:
            clashing = min(index for last, index in until if last.overlaps(each.held))
            yield Violation(
                "overlaps",
                N_(
                    "与第 %(number)s 项的时间重叠（含前后缓冲）。请改约其他时段。",
                    number=clashing + 1,
                ),
            )


def refusal(judged: Sequence[Judged]) -> DomainError:
    """Return the refusal that names every item that is refused, with all its reasons."""
    refused = [each for each in judged if not each.bookable]
    items = [_item(each) for each in refused]
    if any(each.violations for each in refused):
        return SomeNotBookable(items)
    return SomeTaken(items)


def _item(each: Judged) -> dict[str, Any]:
    here, elsewhere = (
        instead(each.offer.sheet, each.wish.slot) if each.is_taken and each.offer else ((), ())
    )
    return {
        "index": each.index,
        "instrument_id": each.wish.instrument_id,
        "starts_at": each.wish.slot.starts_at,
        "ends_at": each.wish.slot.ends_at,
        "violations": [{"rule": v.rule, "detail": v.detail} for v in each.violations],
        "taken": each.is_taken,
        "alternatives": list(here),
        "elsewhere": list(elsewhere),
    }
