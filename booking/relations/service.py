"""Declaring who is related, and ending it; what was counted between them is corrected at once."""

from collections.abc import Sequence
from datetime import date

from booking.accounts.rules import Caller, Permission, require, require_admin
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.relations import queries, rules
from booking.relations.errors import AlreadyRelated
from booking.relations.models import RelatedGroup, RelatedMember
from booking.relations.rules import Party
from booking.savings import service as savings
from booking.savings.rules import Reason


def declare(
    parties: Sequence[Party],
    *,
    caller: Caller,
    source: str,
    since: date,
    name: str = "",
    organisation_id: int | None = None,
) -> RelatedGroup:
    """Declare organisations as related since a day; `source` names the document that says so.

    By the platform about anybody, or by a manager about their own organisation, which is then a
    member beside those named. Savings counted between them since that day are taken out by
    corrections. Raises InvalidField, NotAllowed or AlreadyRelated.
    """
    if organisation_id is None:
        require_admin(caller, Permission.VERIFY)
        members = rules.check_parties(parties)
    else:
        require(caller, Permission.MANAGE_ORGANISATION, organisation_id)
        members = rules.check_parties([_own(organisation_id), *parties])
    if not source.strip():
        raise InvalidField("source", N_("请写明依据的文件，例如工商登记、年报或股东名册。"))
    rules.check_since(since, today=clock.today())
    queries.hold_alone()
    if organisation_id is not None:
        _check_new(organisation_id, members)
    group = RelatedGroup(
        name=name.strip() or "、".join(each.name for each in members[:2]),
        source=source.strip(),
        organisation_id=organisation_id,
        declared_by=caller.user_id,
        members=[RelatedMember(uscc=each.uscc, name=each.name, since=since) for each in members],
    )
    db.session.add(group)
    db.session.flush()
    _record("related.declared", group, caller)
    _take_out(group, caller)
    return group


def _own(organisation_id: int) -> Party:
    found = queries.organisation_of(organisation_id)
    if found.uscc is None:
        raise InvalidField("organisation_id", N_("这个单位没有统一社会信用代码。"))
    return Party(found.uscc, found.name)


def _check_new(organisation_id: int, members: Sequence[Party]) -> None:
    today = clock.today()
    others = {each.uscc for each in members[1:]}
    for group in queries.declared_by(organisation_id):
        if group.is_in_force(today) and others & {
            each.uscc for each in group.members if each.belongs_on(today)
        }:
            raise AlreadyRelated


def end(group_id: int, *, caller: Caller, until: date, version: int | None = None) -> RelatedGroup:
    """Say that they are related until a day, today at the earliest.

    Who declared it may: what was left out until then stays left out.
    Raises NotFound, WrongState, InvalidField or Stale.
    """
    group = queries.get_group(group_id, caller=caller, for_update=True)
    group.check_version(version)
    if not group.is_in_force(clock.today()):
        raise WrongState("ended", "end")
    rules.check_until(until, today=clock.today())
    old = _facts(group)
    for member in group.members:
        if member.belongs_on(until):
            member.until = until
    group.touch()
    db.session.flush()
    _record("related.ended", group, caller, old=old)
    return group


def _take_out(group: RelatedGroup, caller: Caller) -> None:
    """Correct what was counted before the relation was known."""
    for line_id in queries.counted_in(group.id):
        savings.exclude(line_id, Reason.RELATED, by=caller.user_id, note=group.source)


def _record(action: str, group: RelatedGroup, caller: Caller, **data: object) -> None:
    journal.record(
        action,
        "related_group",
        group.id,
        by=caller.user_id,
        organisation_id=group.organisation_id,
        new=_facts(group),
        **data,
    )


def _facts(group: RelatedGroup) -> dict[str, object]:
    return {
        "name": group.name,
        "source": group.source,
        "members": [
            {
                "uscc": each.uscc,
                "since": each.since.isoformat(),
                "until": each.until.isoformat() if each.until else None,
            }
            for each in group.members
        ],
    }
