"""Defining finer customer classes: every change is a new dated version, none is ever edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from booking.accounts import queries as accounts
from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, CustomerClass, OrganisationKind, Permission, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.names import clean_uscc
from booking.kernel.text import N_
from booking.pricegroups import queries, rules
from booking.pricegroups.errors import (
    AlreadyAnnounced,
    AlreadyMember,
    Ended,
    NameTaken,
    NothingAnnounced,
)
from booking.pricegroups.models import (
    NAMES_APART,
    ONCE_AT_A_TIME,
    PriceGroup,
    PriceGroupMember,
    PriceGroupTerms,
)
from booking.registry.models import Instrument

LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class Said:
    """What a version says: percent off the list price, and on which document that rests."""

    name: str
    percent: Decimal
    reason: str
    instruments: Mapping[int, Decimal] = field(default_factory=dict)
    effective_from: datetime | None = None
    ends_at: datetime | None = None


def create_group(
    institution_id: int, base_class: CustomerClass, said: Said, *, caller: Caller
) -> PriceGroup:
    """Define a finer class of an institution's customers, with its first version.

    Raises NotAllowed unless the caller manages its instruments, InvalidField, or NameTaken.
    """
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    if base_class not in rules.BASES:
        raise InvalidField("base_class", N_("请选择中小微企业、大型企业或高校院所。"))
    group = PriceGroup(
        institution_id=institution_id, base_class=base_class, created_by=caller.user_id
    )
    db.session.add(group)
    db.session.flush()
    _add_version(group, said, caller)
    return group


def publish_terms(
    group_id: int, said: Said, *, caller: Caller, version: int | None = None
) -> PriceGroup:
    """Publish a new version of a group, from now on or from a day to come; what was agreed stays.

    Raises NotFound, NotAllowed, Stale, InvalidField, NameTaken, or AlreadyAnnounced.
    """
    group = _managed(group_id, caller, version)
    now = clock.now()
    versions = queries.versions_of(group.id)
    if any(each.effective_from > now and not each.was_withdrawn for each in versions):
        raise AlreadyAnnounced
    current = next((each for each in versions if each.holds_at(now)), None)
    begins = _start(said, now)
    if current and (current.until is None or current.until > begins):
        current.superseded_at = begins
        db.session.flush()
    _add_version(group, said, caller, old=current)
    group.touch()
    return group


def withdraw_terms(group_id: int, *, caller: Caller, version: int | None = None) -> PriceGroup:
    """Take back the version that does not hold yet; the one before it goes on holding.

    Raises NotFound, NotAllowed, Stale, or NothingAnnounced.
    """
    group = _managed(group_id, caller, version)
    now = clock.now()
    versions = [each for each in queries.versions_of(group.id) if not each.was_withdrawn]
    announced = next((each for each in versions if each.effective_from > now), None)
    if announced is None:
        raise NothingAnnounced
    before = next((e for e in versions if e.superseded_at == announced.effective_from), None)
    announced.superseded_at = announced.effective_from
    db.session.flush()
    if before:
        with violation_raises(NAMES_APART, NameTaken()):  # it may be another's since
            before.superseded_at = None
    group.touch()
    _record("price_group.withdrawn", group, caller, new=_facts(announced))
    return group


def end_group(group_id: int, *, caller: Caller, version: int | None = None) -> PriceGroup:
    """Let it give nothing from now on, nor what is announced; what was agreed stays.

    Raises NotFound, NotAllowed, Stale, or Ended.
    """
    group = _managed(group_id, caller, version)
    now = clock.now()
    open_ = [
        each
        for each in queries.versions_of(group.id)
        if (each.until is None or each.until > now) and not each.was_withdrawn
    ]
    if not open_:
        raise Ended
    for each in open_:
        each.superseded_at = max(each.effective_from, now)
    db.session.flush()
    group.touch()
    _record("price_group.ended", group, caller, old=[_facts(each) for each in open_])
    return group


def add_member(
    group_id: int,
    organisation: Organisation,
    *,
    caller: Caller,
    since: datetime | None = None,
    until: datetime | None = None,
    version: int | None = None,
) -> PriceGroupMember:
    """Let an organisation belong to it, from now on and for good unless told.

    Raises NotFound, NotAllowed, Stale, AlreadyMember, or InvalidField where the organisation has
    the list prices of another class.
    """
    group = _managed(group_id, caller, version)
    _check_class(group, organisation)
    now = clock.now()
    begins = max(since or now, now)
    if begins > now + LONGEST_AHEAD:
        raise InvalidField("since", N_("最多提前一年。"))
    if until is not None and until <= begins:
        raise InvalidField("until", N_("截止须晚于开始。"))
    member = PriceGroupMember(
        group_id=group.id,
        organisation_id=organisation.id,
        since=begins,
        until=until,
        added_by=caller.user_id,
    )
    with violation_raises(ONCE_AT_A_TIME, AlreadyMember()):
        db.session.add(member)
    group.touch()
    _record("price_group.member_added", group, caller, new=_belonging(member))
    return queries.get_member(group.id, member.id)


def remove_member(
    group_id: int, member_id: int, *, caller: Caller, version: int | None = None
) -> PriceGroupMember:
    """Let an organisation belong to it no longer; what was agreed stays.

    Raises NotFound (also for who has left), NotAllowed, or Stale.
    """
    group = _managed(group_id, caller, version)
    member, now = queries.get_member(group.id, member_id), clock.now()
    if member.until is not None and member.until <= now:
        raise NotFound
    old = _belonging(member)
    member.until, member.ended_by = max(member.since, now), caller.user_id
    db.session.flush()
    group.touch()
    _record("price_group.member_removed", group, caller, old=old, new=_belonging(member))
    return member


def organisation_of(uscc: str) -> Organisation:
    """Return the organisation of a credit code; raises InvalidField."""
    try:
        return accounts.organisation_by_uscc(clean_uscc(uscc))
    except NotFound:
        raise InvalidField("uscc", N_("没有这个统一社会信用代码的单位。")) from None


def named_organisation(text: str) -> Organisation:
    """Return the organisation of a credit code or a whole name; raises InvalidField."""
    try:
        return accounts.organisation_named(text)
    except NotFound:
        raise InvalidField(
            "organisation", N_("没有这个名称或统一社会信用代码的单位，请填写完整。")
        ) from None


def _managed(group_id: int, caller: Caller, version: int | None) -> PriceGroup:
    group = queries.get_group(group_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, group.institution_id)
    group.check_version(version)
    return group


def _add_version(
    group: PriceGroup, said: Said, caller: Caller, *, old: PriceGroupTerms | None = None
) -> None:
    now = clock.now()
    begins = _start(said, now)
    _check(group, said, begins)
    terms = PriceGroupTerms(
        group_id=group.id,
        institution_id=group.institution_id,
        name=said.name,
        reason=said.reason,
        percent=said.percent,
        instruments={str(each): f"{own:f}" for each, own in sorted(said.instruments.items())},
        published_at=now,
        published_by=caller.user_id,
        effective_from=begins,
        ends_at=said.ends_at,
    )
    with violation_raises(NAMES_APART, NameTaken()):
        db.session.add(terms)
    _record(
        "price_group.published", group, caller, old=_facts(old) if old else None, new=_facts(terms)
    )


def _check(group: PriceGroup, said: Said, begins: datetime) -> None:
    for name, given in (("name", said.name), ("reason", said.reason)):
        if not given:
            raise InvalidField(name, N_("请填写名称。") if name == "name" else _NO_REASON)
    rules.check_percents(said.percent, said.instruments)
    if said.ends_at is not None and said.ends_at <= begins:
        raise InvalidField("ends_at", N_("截止须晚于开始。"))
    if set(said.instruments) - set(_own(group.institution_id, list(said.instruments))):
        raise InvalidField("instruments", N_("只能选择本机构的仪器。"))


_NO_REASON = N_("请填写依据，例如文件名称和文号；预约的单位会看到。")


def _own(institution_id: int, ids: Sequence[int]) -> Sequence[int]:
    return db.session.scalars(
        select(Instrument.id).where(
            Instrument.institution_id == institution_id, Instrument.id.in_(ids)
        )
    ).all()


def _start(said: Said, now: datetime) -> datetime:
    begins = said.effective_from or now
    if begins < now:
        raise InvalidField("effective_from", N_("生效时间不能早于现在；留空为立即生效。"))
    if begins > now + LONGEST_AHEAD:
        raise InvalidField("effective_from", N_("最多提前一年公布。"))
    return begins


def _check_class(group: PriceGroup, organisation: Organisation) -> None:
    kinds = {OrganisationKind.ENTERPRISE, OrganisationKind.RESEARCH, OrganisationKind.INSTITUTION}
    if organisation.kind not in kinds:
        raise InvalidField("organisation", N_("该单位不预约仪器。"))
    own = queries.class_of(organisation, institution_id=group.institution_id)
    if own != group.base_class:
        raise InvalidField("organisation", _OTHER_CLASS[own])


_OTHER_CLASS = {
    CustomerClass.SME: N_("该单位按中小微企业计价，与本类的基本类别不同。"),
    CustomerClass.LARGE: N_("该单位按大型企业计价，与本类的基本类别不同。"),
    CustomerClass.RESEARCH: N_("该单位按高校院所计价，与本类的基本类别不同。"),
    CustomerClass.INTERNAL: N_("本机构自己的使用不按客户类别计价。"),
}


def _record(action: str, group: PriceGroup, caller: Caller, **data: object) -> None:
    journal.record(
        action,
        "price_group",
        group.id,
        by=caller.user_id,
        organisation_id=group.institution_id,
        **data,
    )


def _facts(terms: PriceGroupTerms) -> dict[str, object]:
    return {
        "id": terms.id,
        "name": terms.name,
        "percent": str(terms.percent),
        "instruments": terms.instruments,
        "reason": terms.reason,
        "effective_from": terms.effective_from.isoformat(),
        "ends_at": terms.ends_at.isoformat() if terms.ends_at else None,
    }


def _belonging(member: PriceGroupMember) -> dict[str, object]:
    return {
        "id": member.id,
        "organisation_id": member.organisation_id,
        "since": member.since.isoformat(),
        "until": member.until.isoformat() if member.until else None,
    }
