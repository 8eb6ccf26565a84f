"""The journal: who did what to which thing and when, and whether the seals still fit."""

from datetime import date, datetime, time, timedelta

from flask import render_template, request

from booking.accounts import queries as accounts
from booking.admin.views.frame import SHOWN, admins_only, asked, bp, page_of
from booking.journal import queries
from booking.journal.queries import Search
from booking.kernel import clock, jobruns, names
from booking.kernel.errors import NotFound

SEALS_SHOWN = 31
CHECK = "journal-check"
_DAY = timedelta(days=1)


@bp.get("/admin/journal")
@admins_only
def journal() -> str:
    """List entries by who, what, which and when, latest first."""
    search, nobody = _search()
    found = page_of(lambda cursor: queries.search(search, limit=SHOWN, cursor=cursor))
    people = {entry.actor_id for entry in found.items if entry.actor_id is not None}
    organisations = {entry.organisation_id for entry in found.items if entry.organisation_id}
    return render_template(
        "admin/journal.html",
        entries=[] if nobody else found.items,
        next_cursor=None if nobody else found.next_cursor,
        people=accounts.person_names(people),
        organisations=accounts.names_of(organisations),
        actions=queries.actions(),
        types=queries.subject_types(),
        asked={name: asked(name) for name in ("who", "action", "type", "id", "from", "to")},
    )


@bp.get("/admin/journal/seals")
@admins_only
def seals() -> str:
    """List the latest seals, and how the last check of the whole chain went."""
    return render_template(
        "admin/seals.html",
        seals=queries.list_seals(limit=SEALS_SHOWN),
        unsealed=queries.count_unsealed(),
        check=next(iter(jobruns.runs_of(CHECK, limit=1)), None),
        checked=None,
    )


@bp.get("/admin/journal/seals/<id:seal_id>")
@admins_only
def check_seal(seal_id: int) -> str:
    """Compute one seal again from the entries as they stand now, and say whether it fits."""
    seal = queries.find_seal(seal_id)
    if seal is None:
        raise NotFound
    return render_template(
        "admin/seals.html",
        seals=queries.list_seals(limit=SEALS_SHOWN),
        unsealed=queries.count_unsealed(),
        check=next(iter(jobruns.runs_of(CHECK, limit=1)), None),
        checked=(seal, list(queries.breaches_of(seal))),
    )


def _search() -> tuple[Search, bool]:
    """Return what the address asks for, and whether it names somebody who does not exist."""
    who, subject_id = asked("who"), _number(asked("id"))
    actor_id = _number(who)
    if who and actor_id is None:
        user = accounts.user_by_login(names.login_name(who))
        actor_id = user.id if user else None
    search = Search(
        actor_id=actor_id,
        action=asked("action"),
        subject_type=asked("type"),
        subject_id=subject_id,
        since=_midnight(_day("from")),
        before=_midnight(_day("to"), _DAY),
    )
    return search, bool(who) and actor_id is None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None


def _midnight(day: date | None, plus: timedelta = timedelta(0)) -> datetime | None:
    return None if day is None else datetime.combine(day, time(0), clock.CHINA) + plus
