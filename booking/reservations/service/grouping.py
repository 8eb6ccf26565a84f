"""Several reservations at one confirmation, all or none: bundles and series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from booking.accounts.rules import Caller, acting_for
from booking.availability import service as availability
from booking.journal import service as journal
from booking.kernel.db import db
from booking.reservations import queries
from booking.reservations.models import GroupKind, Reservation, ReservationGroup
from booking.reservations.queries import Grouped
from booking.reservations.service.booking import take
from booking.reservations.service.judging import Judged, Wish, judge, refusal


@dataclass(frozen=True)
class Recurring:
    """The rule a series was made by, and on whose wall it is meant."""

    rule: str
    time_zone: str


class _Lost(Exception):
    """Somebody was faster with some of them."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = judged


def preview(
    wishes: Sequence[Wish], *, caller: Caller, organisation_id: int | None = None
) -> list[Judged]:
    """Return what each would cost the caller's organisation and what would refuse it.

    Raises NotAllowed or WhichOrganisation.
    """
    return judge(wishes, (acting_for(caller, organisation_id), caller.user_id))


def reserve_all(
    wishes: Sequence[Wish],
    *,
    caller: Caller,
    organisation_id: int | None = None,
    purpose: str = "",
    recurring: Recurring | None = None,
) -> Grouped:
    """Reserve them all, or raise SomeNotBookable or SomeTaken, which name every refused one.

    Each of them is then a reservation like any other. Raises NotAllowed or WhichOrganisation.
    """
    buyer = (acting_for(caller, organisation_id), caller.user_id)
    try:
        # Rolled back, the savepoint lets the others go on while we look what else is free.
        with db.session.begin_nested():
            return _reserve_all(wishes, buyer, caller, purpose, recurring)
    except _Lost as lost:
        raise refusal(lost.judged) from None


def _reserve_all(
    wishes: Sequence[Wish],
    buyer: tuple[int, int],
    caller: Caller,
    purpose: str,
    recurring: Recurring | None,
) -> Grouped:
    # Who holds time while waiting for more queues first, as who moves does; then for those whom
    # the same rules concern; then time is taken, by instrument and instant. Everybody does it in
    # this order, so nobody waits in a circle.
    instruments = {wish.instrument_id for wish in wishes}
    availability.queue_for_all(instruments)
    queries.wait_beside(instruments, buyer[0])
    judged = judge(wishes, buyer)
    if not all(each.bookable for each in judged):
        raise _Lost(judged)
    group = _begin(buyer, len(wishes), recurring)
    lost: set[int] = set()
    made: list[Reservation] = []
    for each in sorted(judged, key=lambda each: (each.wish.instrument_id, each.wish.slot)):
        assert each.offer is not None  # noqa: S101 - else it would not be bookable
        reservation = take(each.offer, caller, purpose=purpose, group_id=group.id)
        if reservation is None:
            lost.add(each.index)
        else:
            made.append(reservation)
    if lost:
        raise _Lost([replace(each, is_taken=each.index in lost) for each in judged])
    made.sort(key=lambda each: (each.starts_at, each.id))
    _record(group, made, caller)
    return Grouped(group, made)


def _begin(buyer: tuple[int, int], size: int, recurring: Recurring | None) -> ReservationGroup:
    organisation_id, user_id = buyer
    group = ReservationGroup(
        kind=GroupKind.SERIES if recurring else GroupKind.BUNDLE,
        organisation_id=organisation_id,
        user_id=user_id,
        size=size,
        rule=recurring.rule if recurring else None,
        time_zone=recurring.time_zone if recurring else None,
    )
    db.session.add(group)
    db.session.flush()
    return group


def _record(group: ReservationGroup, made: Sequence[Reservation], caller: Caller) -> None:
    journal.record(
        "reservation_group.reserved",
        "reservation_group",
        group.id,
        by=caller.user_id,
        organisation_id=group.organisation_id,
        new={
            "kind": group.kind,
            "rule": group.rule,
            "time_zone": group.time_zone,
            "reservations": [each.id for each in made],
        },
    )
