"""Who is related to whom on a day, and the declarations a caller may see."""

from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import selectinload

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, Permission
from booking.kernel import driver, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.relations.models import RelatedGroup, RelatedMember

# Of the organisations `one` and `other` on the day `day`; read where a use is agreed, confirmed,
# settled and checked, always by these words.
RELATED = """
EXISTS (SELECT FROM related_members mine
          JOIN organisations me ON me.uscc = mine.uscc
          JOIN related_members yours ON yours.group_id = mine.group_id AND yours.id <> mine.id
          JOIN organisations you ON you.uscc = yours.uscc
         WHERE me.id = {one} AND you.id = {other}
           AND {day} BETWEEN mine.since AND coalesce(mine.until, 'infinity')
           AND {day} BETWEEN yours.since AND coalesce(yours.until, 'infinity'))
"""
_ARE_RELATED = "SELECT " + RELATED.format(
    one="CAST(%(one)s AS bigint)",
    other="CAST(%(other)s AS bigint)",
    day="CAST(%(day)s AS date)",
)


def are_related(one: int, other: int, day: date) -> bool:
    """Tell whether two organisations were declared as related for a day, or are the same."""
    if one == other:
        return True
    return bool(driver.rows(_ARE_RELATED, {"one": one, "other": other, "day": day})[0][0])


def hold_still() -> None:
    """Let nobody declare anything until the transaction ends; any number may hold it at once."""
    driver.rows("SELECT pg_advisory_xact_lock_shared(%(key)s)", {"key": _LOCK})


def hold_alone() -> None:
    """Wait for all who settle by what was declared so far, and let others wait."""
    driver.rows("SELECT pg_advisory_xact_lock(%(key)s)", {"key": _LOCK})


_LOCK = 0x72656C61  # "rela"


def visible_to(caller: Caller) -> Select[RelatedGroup]:
    """Return the declarations the caller may see: the platform all, a manager their own."""
    query = select(RelatedGroup)
    if caller.is_admin:
        return query
    own = caller.organisations_with(Permission.MANAGE_ORGANISATION)
    return query.where(RelatedGroup.organisation_id.in_(own))


def get_group(group_id: int, *, caller: Caller, for_update: bool = False) -> RelatedGroup:
    """Return the declaration with its members, or raise NotFound; `for_update` locks it."""
    query = visible_to(caller).where(RelatedGroup.id == group_id)
    query = query.options(selectinload(RelatedGroup.members))
    if for_update:
        query = query.with_for_update(of=RelatedGroup).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def list_groups(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    organisation_id: int | None = None,
    q: str = "",
) -> paging.Page[RelatedGroup]:
    """Return a page of the declarations, latest first; of one organisation, or that match."""
    query = visible_to(caller).options(selectinload(RelatedGroup.members))
    if organisation_id is not None:
        query = query.where(RelatedGroup.organisation_id == organisation_id)
    if q:
        has = select(RelatedMember.group_id).where(
            or_(RelatedMember.uscc == q.upper(), RelatedMember.name.icontains(q, autoescape=True))
        )
        named = RelatedGroup.name.icontains(q, autoescape=True)
        query = query.where(or_(named, RelatedGroup.id.in_(has)))
    if cursor is not None:
        query = query.where(RelatedGroup.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(RelatedGroup.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def count_by_others(organisation_id: int, *, day: date) -> int:
    """Return in how many groups that others declared an organisation is on a day."""
    query = (
        select(func.count(func.distinct(RelatedGroup.id)))
        .join(RelatedMember, RelatedMember.group_id == RelatedGroup.id)
        .join(Organisation, Organisation.uscc == RelatedMember.uscc)
        .where(
            Organisation.id == organisation_id,
            RelatedGroup.organisation_id.is_distinct_from(organisation_id),
            RelatedMember.since <= day,
            func.coalesce(RelatedMember.until, day) >= day,
        )
    )
    return db.session.scalar(query) or 0


def declared_by(organisation_id: int) -> Sequence[RelatedGroup]:
    """Return what an organisation declared of itself."""
    query = select(RelatedGroup).where(RelatedGroup.organisation_id == organisation_id)
    return db.session.scalars(query.options(selectinload(RelatedGroup.members))).all()


def organisation_of(organisation_id: int) -> Organisation:
    """Return an organisation, or raise NotFound."""
    found = db.session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound
    return found


# The day of the use, as the line's evidence has it; of other services the day they count on.
USED_ON = """coalesce(
    ((l.evidence -> 'use' ->> 'started_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date,
    l.counted_on)"""
# What still counts: a baseline that no correction has taken away.
_COUNTED = f"""
SELECT l.id FROM savings_lines l
 WHERE l.corrects_id IS NULL AND l.baseline_minor IS NOT NULL
   AND EXISTS (SELECT FROM savings_lines s WHERE l.id = coalesce(s.corrects_id, s.id)
               HAVING sum(s.baseline_minor) <> 0 OR sum(s.price_minor) <> 0)
   AND NOT EXISTS (SELECT FROM savings_lines c WHERE c.corrects_id = l.id
                      AND c.reason IN ('related', 'statutory', 'full_refund'))
   AND {RELATED.format(one="l.organisation_id", other="l.institution_id", day=USED_ON)}
"""  # noqa: S608 - our own words
_COUNTED_AMONG = f"""{_COUNTED}
   AND l.organisation_id = ANY(%(among)s) AND l.institution_id = ANY(%(among)s)
 ORDER BY l.id
"""
_AMONG = """
SELECT o.id FROM related_members m JOIN organisations o ON o.uscc = m.uscc
 WHERE m.group_id = %(group)s
"""


def counted_in(group_id: int) -> list[int]:
    """Return the savings lines between members of a group that count though they should not."""
    among = [held for (held,) in driver.rows(_AMONG, {"group": group_id})]
    return [line for (line,) in driver.rows(_COUNTED_AMONG, {"among": among})]


def breaches() -> Iterator[str]:
    """Yield one sentence for each saving that counts between related organisations."""
    for found in db.session.scalars(text(f"{_COUNTED} ORDER BY l.id")):
        yield f"节约明细 {found} 的双方在使用当日是关联单位，却计入了节约。"
