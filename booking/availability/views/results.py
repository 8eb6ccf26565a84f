"""Pages for finding an instrument: the list with everybody's next seven days."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller_or_none
from booking.accounts.rules import Caller
from booking.attachments import queries as attachments
from booking.attachments.queries import FirstPhoto
from booking.availability import queries
from booking.availability.queries import DAYS, Counted, DayShown, Listed, Sort, Wanted, Week
from booking.availability.views.search import (
    LENGTHS,
    Search,
    chips,
    kept,
    place_name,
    read_search,
    relaxed,
    sorts,
    usual_length,
)
from booking.kernel import clock, formats, login, pages
from booking.kernel.errors import InvalidField
from booking.kernel.paging import Page
from booking.kernel.timeslot import TimeSlot
from booking.qualifications import queries as qualifications
from booking.qualifications.rules import SOON_DAYS, Scheme
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs

bp = pages.Blueprint("availability_pages", __name__)

SHOWN = 20
FIRST, DOORS = 3, 4  # on the front page
LOOKED_AT = 300  # up to so many are looked at one by one for free time


@dataclass(frozen=True)
class Row:
    """An instrument of the list."""

    listed: Listed
    week: Week | None
    days: Sequence[DayShown]
    starts: Sequence[tuple[datetime, str]]
    quote: tariffs.Quote | None
    url: str
    photo: FirstPhoto | None = None
    schemes: Sequence[Scheme] = ()


def home() -> str:
    """Show where to begin: the search, the main classes, and what is free soonest."""
    login.signed_in()  # before the first word is chosen
    now, caller = clock.now(), caller_or_none()
    midnight = datetime.combine(clock.today() + timedelta(days=1), datetime.min.time(), clock.CHINA)
    for end in (midnight, midnight + timedelta(days=DAYS - 1)):
        wanted = Wanted(
            sort=Sort.EARLIEST,
            window=TimeSlot(now, end),
            minutes=usual_length(),
            at_most=LOOKED_AT,
        )
        page = queries.list_instruments(wanted, caller=caller, now=now, limit=FIRST, cursor=None)
        if page.items:
            break
    search = read_search(MultiDict())
    weeks = _weeks(page.items, search, now, caller)
    axis = queries.axis_of(weeks.values())
    return render_template(
        "home.html",
        doors=queries.facets(Wanted(), caller=caller).categories[:DOORS],
        rows=_rows(page.items, weeks, search, axis, now),
        marked=partial(_marked, ""),
        today_free=end == midnight,
        today=clock.today(),
        soon=SOON_DAYS,
    )


@bp.get("/instruments")
def results() -> str:
    """List instruments with their next seven days, price and saving for the length needed."""
    now, search = clock.now(), read_search(request.args)
    caller = caller_or_none()
    wanted = replace(search.wanted(now), at_most=LOOKED_AT)
    found = partial(queries.list_instruments, wanted, caller=caller, now=now, limit=SHOWN)
    try:
        page = found(cursor=search.cursor)
    except InvalidField:  # a cursor of another search
        search = replace(search, cursor=None)
        page = found(cursor=None)
    facets = queries.facets(wanted, caller=caller)
    weeks = _weeks(page.items, search, now, caller)
    axis = queries.axis_of(weeks.values())
    return render_template(
        "availability/results.html",
        search=search,
        rows=_rows(page.items, weeks, search, axis, now),
        next_url=search.address(cursor=page.next_cursor) if page.next_cursor else "",
        axis=axis,
        facets=facets,
        chips_on=list(chips(search)),
        kept=kept(search),
        on_a_phone=formats.is_phone(request.user_agent.string),
        today=clock.today(),
        soon=SOON_DAYS,
        lengths=LENGTHS,
        sorts=sorts(search),
        **_instead(search, facets.total, now) if not page.items else {},
        chosen_cities={region[:4] for region in search.regions},
        places=" · ".join(map(place_name, search.regions)),
        free_ones=_free_ones(search, page, facets.total, now),
        looked_at=LOOKED_AT if search.only_free and facets.total > LOOKED_AT else None,
        marked=partial(_marked, search.q),
    )


def _instead(search: Search, total: int, now: datetime) -> dict[str, Any]:
    """Return what to try when nothing was found: what helps most first, and near names.

    Where many match, only some are looked at: then as many are free at least.
    """
    caller = caller_or_none()
    options = []
    for words, other in relaxed(search):
        wanted = replace(other.wanted(now), at_most=LOOKED_AT)
        counted = (
            queries.free_count(wanted, caller=caller, now=now)
            if other.only_free
            else Counted(queries.count(wanted, caller=caller), is_all=True)
        )
        if counted.count:
            options.append((counted, words, other.address()))
    return {
        "relaxed": sorted(options, key=lambda option: -option[0].count),
        "near_names": [
            (name, search.address(q=name, region=None, category=None, institution=None))
            for name in (queries.near_names(search.q) if not total else ())
        ],
    }


def _free_ones(search: Search, page: Page[Listed], total: int, now: datetime) -> int | None:
    """Return how many have the time, where that is known without looking at thousands."""
    if not search.only_free or total > LOOKED_AT:
        return None
    if search.cursor is None and page.next_cursor is None:
        return len(page.items)
    return queries.free_count(search.wanted(now), caller=caller_or_none(), now=now).count


def _marked(q: str, name: str) -> list[tuple[str, bool]]:
    """Return the name in pieces, each with whether it is what was typed."""
    words = [re.escape(word) for word in sorted(q.split(), key=len, reverse=True)]
    if not words:
        return [(name, False)]
    pieces = re.split(f"({'|'.join(words)})", name, flags=re.IGNORECASE)
    return [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]


@bp.get("/instruments/suggestions")
def suggestions() -> Response:
    """Offer what the words typed so far may mean, for the list under the search box."""
    found = queries.suggest(request.args.get("q", "").strip()[:100])
    page = render_template(
        "availability/suggestions.html",
        groups=[
            (gettext("仪器"), [_offered(each, q=each.words) for each in found.names]),
            (gettext("类别"), [_offered(each, category=each.code) for each in found.classes]),
            (gettext("方法标准"), [_offered(each, q=each.words) for each in found.standards]),
        ],
    )
    return Response(page, content_type="text/html; charset=utf-8")


def _offered(found: queries.Suggestion, **asked: Any) -> tuple[str, str, str]:
    count = gettext("%(count)s 台", count=formats.count(found.count))
    return found.words, count, url_for("availability_pages.results", **asked)


def _weeks(
    items: Sequence[Listed], search: Search, now: datetime, caller: Caller | None
) -> dict[int, Week]:
    bookable = [each.described.instrument.id for each in items if each.bookable]
    return queries.weeks(
        bookable,
        search.first,
        now=now,
        minutes=search.minutes,
        customer=tariff_queries.customer_of(caller),
    )


def _rows(
    items: Sequence[Listed],
    weeks: Mapping[int, Week],
    search: Search,
    axis: tuple[int, int],
    now: datetime,
) -> list[Row]:
    instruments = [each.described.instrument for each in items]
    photos = attachments.first_photos([each.id for each in instruments])
    schemes = qualifications.schemes_of(instruments, today=clock.today())
    return [
        replace(
            _row(each, weeks, search, axis, now),
            photo=photos.get(instrument.id),
            schemes=schemes.get(instrument.id, ()),
        )
        for each, instrument in zip(items, instruments, strict=True)
    ]


def _row(
    listed: Listed,
    weeks: Mapping[int, Week],
    search: Search,
    axis: tuple[int, int],
    now: datetime,
) -> Row:
    instrument_id = listed.described.instrument.id
    week = weeks.get(instrument_id)
    minutes = week.minutes if week else search.minutes

    url = url_for("reservations_pages.instrument", instrument_id=instrument_id, minutes=minutes)

    def at(**more: str) -> str:
        return f"{url}&{urlencode(more, safe=':')}"

    return Row(
        listed,
        week,
        days=[queries.day_shown(day, axis, url=at(day=day.on.isoformat())) for day in week.days]
        if week
        else [],
        starts=[
            (free.starts_at.astimezone(week.zone), at(start=_written(free.starts_at, week)))
            for free in week.soonest
        ]
        if week
        else [],
        quote=_quoted(listed, week, minutes, now),
        url=url,
    )


def _quoted(listed: Listed, week: Week | None, minutes: int, now: datetime) -> tariffs.Quote | None:
    """Return what the soonest start costs; by the usual hours where nothing is free."""
    if listed.price is None:
        return None
    starts_at = week.soonest[0].starts_at if week and week.soonest else now
    return tariffs.quote(
        listed.facts,
        tariffs.Usage(starts_at, minutes),
        customer_class=listed.price.customer_class,
        now=now,
        wall=week.plan.wall if week else tariffs.CHINA,
    )


def _written(instant: datetime, week: Week) -> str:
    return f"{instant.astimezone(week.zone):%Y-%m-%dT%H:%M}"
