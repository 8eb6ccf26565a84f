"""Deciding how instruments may be booked: for one, and for all that leave it to the institution."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert

from booking.accounts.rules import Caller, Permission, require
from booking.availability import queries, rules
from booking.availability.errors import Unbookable
from booking.availability.models import InstrumentPair, PolicyDefaults, Schedule
from booking.availability.queries import PolicySheet
from booking.availability.rules import MIRRORED, Document, Pairing, Terms, WeekPlan
from booking.journal import service as journal
from booking.kernel import clock, driver
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, Stale
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument

_DECIDING = 1347374148  # whoever decides about an institution's policies
MOST_PAIRS, NAMED = 20, 5
Problem = tuple[str, Text]
Pairs = Mapping[int, Pairing]  # by the other instrument


def set_policy(
    instrument_id: int,
    own: Mapping[str, Any],
    *,
    caller: Caller,
    pairs: Pairs | None = None,
    version: int | None = None,
) -> PolicySheet:
    """Say what an instrument decides itself; what is left out is as its institution has it.

    Without `pairs` those that stand stay. Raises NotFound, NotAllowed, Stale, InvalidField for
    what cannot be, or Unbookable for what would leave nobody any slot.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    queue_for_policies(instrument.institution_id)
    sheet = queries.get_policy(instrument)
    sheet.schedule.check_version(version)
    old = facts(sheet)
    check_instrument(sheet, own, pairs)
    _work_out(sheet.schedule, rules.worked_out(own, sheet.defaults))
    sheet.schedule.inherits = [name for name in rules.PARTS if name not in own]
    sheet.schedule.touch()
    if pairs is not None:
        _replace_pairs(instrument_id, pairs)
    db.session.flush()
    new = queries.get_policy(instrument)
    journal.record(
        "policy.set",
        "schedule",
        instrument_id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=old,
        new=facts(new),
    )
    return new


def check_instrument(sheet: PolicySheet, own: Mapping[str, Any], pairs: Pairs | None) -> Document:
    """Return the whole policy, or raise InvalidField or Unbookable for what cannot be."""
    document = rules.worked_out(own, sheet.defaults)
    rules.check_policy(document)
    plans = queries.plans_of([sheet.instrument.id], clock.now())
    problems = [*rules.unbookable(document, plans[sheet.instrument.id], _ahead())]
    if pairs is not None:
        problems += _pair_problems(sheet.instrument, pairs)
    if problems:
        raise Unbookable(problems)
    return document


def set_defaults(
    institution_id: int, given: Mapping[str, Any], *, caller: Caller, version: int | None = None
) -> PolicyDefaults:
    """Say what holds for all instruments of an institution that do not decide it themselves.

    Raises NotAllowed, Stale, InvalidField, or Unbookable if it would leave an instrument without
    any slot.
    """
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    queue_for_policies(institution_id)
    rules.check_policy(rules.worked_out({}, given))
    found = queries.find_defaults(institution_id)
    old = found.given if found else None
    if found is None:
        if version:
            raise Stale(version=0)
        found = PolicyDefaults(institution_id=institution_id, given=dict(given))
        db.session.add(found)
    else:
        found.check_version(version)
        found.given = dict(given)
        found.touch()
    changed = _pass_on(institution_id, rules.worked_out({}, given))
    db.session.flush()
    journal.record(
        "policy.defaults_set",
        "organisation",
        institution_id,
        by=caller.user_id,
        organisation_id=institution_id,
        old=old,
        new=dict(given),
        instruments=changed,
    )
    return found


def start(schedule: Schedule, institution_id: int) -> None:
    """Give a new schedule what its institution decided for all."""
    queue_for_policies(institution_id)
    found = queries.find_defaults(institution_id)
    _work_out(schedule, queries.defaults_of(institution_id))
    schedule.inherits = list(rules.PARTS if found else rules.CONDITIONS)


def keep_inherited(schedule: Schedule, terms: Terms, institution_id: int) -> None:
    """Make the terms that change the schedule's own; the caller is about to set them."""
    queue_for_policies(institution_id)
    schedule.inherits = [
        name
        for name in schedule.inherits
        if name not in rules.TERMS or getattr(schedule, name) == getattr(terms, name)
    ]


def queue_for_policies(institution_id: int) -> None:
    """Let one at a time decide about an institution's policies, until the transaction ends."""
    lock = f"SELECT pg_advisory_xact_lock({_DECIDING}, hashint8(%(id)s::bigint))"
    driver.first(lock, {"id": institution_id})


def facts(sheet: PolicySheet) -> dict[str, Any]:
    """Return all of it as the journal keeps it."""
    return {
        **sheet.document,
        "inherits": list(sheet.schedule.inherits),
        "pairs": [[pair.instrument_id, pair.pairing] for pair in sheet.pairs],
        "version": sheet.schedule.version,
    }


def _work_out(schedule: Schedule, document: Document) -> None:
    for name, value in asdict(rules.terms_of(document)).items():
        setattr(schedule, name, value)
    schedule.classes = document["classes"]
    schedule.conditions = rules.kept_conditions(document)


def _pass_on(institution_id: int, defaults: Document) -> list[int]:
    """Work out anew what inherits; returns the instruments for which something changed."""
    found = queries.schedules_of(institution_id)
    plans = queries.plans_of([each.instrument_id for each, _ in found], clock.now())
    refused: dict[Problem, list[str]] = {}
    changed = []
    for schedule, instrument in found:
        before = queries.document_of(schedule)
        inherited = {name: defaults[name] for name in schedule.inherits}
        document = before | inherited
        if document == before:
            continue
        for problem in _problems(document, plans[instrument.id]):
            refused.setdefault(problem, []).append(instrument.name)
        _work_out(schedule, document)
        schedule.touch()
        changed.append(instrument.id)
    if refused:
        raise Unbookable([_of_instruments(*each) for each in refused.items()])
    return changed


def _problems(document: Document, plan: WeekPlan) -> Iterator[Problem]:
    try:
        rules.check_policy(document)
    except InvalidField as refused:
        for name, reasons in refused.details["errors"].items():
            yield name, reasons[0]
        return
    yield from rules.unbookable(document, plan, _ahead())


def _of_instruments(problem: Problem, names: list[str]) -> Problem:
    field, reason = problem
    return field, N_(
        "以下 %(count)s 台仪器（%(names)s）因此无法预约：%(reason)s也可以先让这些仪器自行设置。",
        count=len(names),
        names="、".join(names[:NAMED]) + ("…" if len(names) > NAMED else ""),
        reason=reason,
    )


def _ahead() -> TimeSlot:
    return TimeSlot(clock.now(), clock.now() + queries.LOOKED_AT)


def _pair_problems(instrument: Instrument, pairs: Pairs) -> Iterator[Problem]:
    if len(pairs) > MOST_PAIRS:
        yield "needs", N_("最多 %(most)s 台。", most=MOST_PAIRS)
        return
    known = queries.pairable(instrument.institution_id, pairs)
    for other, pairing in pairs.items():
        field = "needs" if pairing is Pairing.NEEDS else "apart"
        if other not in known or other == instrument.id:
            yield field, N_("请选择本机构的另一台仪器。")
            continue
        name, is_bookable = known[other]
        if pairing is Pairing.NEEDS and not is_bookable:
            yield (
                field,
                N_(
                    "“%(name)s”现在不能预约，须与它同时预约的仪器也就没有人能约。"
                    "请先让它恢复预约，或去掉这条规则。",
                    name=name,
                ),
            )
    yield from _circles(instrument, pairs)


def _circles(instrument: Instrument, pairs: Pairs) -> Iterator[Problem]:
    """Yield the instruments that would need one another: nobody could book the first of them."""
    needs = queries.needs_within(instrument.institution_id)
    needs[instrument.id] = {each for each, how in pairs.items() if how is Pairing.NEEDS}
    reached, ahead = set[int](), set(needs[instrument.id])
    while ahead:
        each = ahead.pop()
        reached.add(each)
        ahead |= needs.get(each, set()) - reached
    if instrument.id in reached:
        yield "needs", N_("这些仪器互相要求同时预约，谁也不能先约。请去掉其中一条。")
    if any(how is not Pairing.NEEDS and each in reached for each, how in pairs.items()):
        yield "apart", N_("同一台仪器不能既须同时预约、又不能同时预约。请去掉其中一条。")


def _replace_pairs(instrument_id: int, pairs: Pairs) -> None:
    decided = [how for how in Pairing if how is not Pairing.NEEDED_BY]
    mirrored = [MIRRORED[how] for how in decided]
    for mine, own in ((InstrumentPair.instrument_id, decided), (InstrumentPair.other_id, mirrored)):
        db.session.execute(
            delete(InstrumentPair).where(mine == instrument_id, InstrumentPair.pairing.in_(own))
        )
    rows = [
        row
        for other, how in sorted(pairs.items())
        for row in (
            {"instrument_id": instrument_id, "other_id": other, "pairing": how},
            {"instrument_id": other, "other_id": instrument_id, "pairing": MIRRORED[how]},
        )
    ]
    if rows:
        db.session.execute(insert(InstrumentPair), rows)
