"""Pages for finding an instrument: the list with everybody's next seven days."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller_or_none
from booking.availability import queries
from booking.availability.queries import DAYS, DayShown, Listed, Sort, Wanted, Week
from booking.kernel import clock, formats, login, pages
from booking.kernel.errors import InvalidField
from booking.kernel.paging import Page
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference
from booking.registry import queries as registry
from booking.tariffs import rules as tariffs

bp = pages.Blueprint("availability_pages", __name__)

LENGTHS = (60, 120, 240, 480)
USUAL_LENGTH = 120
SHOWN = 20
FIRST, DOORS = 3, 4  # on the front page
FURTHEST = 366
MOST = 20  # places at once
COUNTED = 300  # up to so many are looked at one by one to say how many are free


@dataclass(frozen=True)
class Search:
    """What the address asks for; what cannot be meant in it is left out, the rest stands."""

    q: str
    category: str
    regions: tuple[str, ...]
    institution_id: int | None
    minutes: int
    first: date
    only_free: bool
    sort: Sort
    cursor: str | None = None

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """Return the orders to choose from; the soonest is first only of those that are free."""
        usual = Sort.EARLIEST if self.only_free else Sort.RELEVANCE
        return usual, Sort.PRICE, Sort.SAVING

    @property
    def order(self) -> Sort:
        """Return the order asked for, or the usual one."""
        return self.sort if self.sort in self.sorts else self.sorts[0]

    def wanted(self, now: datetime) -> Wanted:
        """Return it as the list understands it."""
        midnight = datetime.combine(self.first, datetime.min.time(), clock.CHINA)
        window = TimeSlot(max(midnight, now), midnight + timedelta(days=DAYS))
        return Wanted(
            sort=self.order,
            q=self.q or None,
            category=self.category or None,
            regions=self.regions,
            institution_id=self.institution_id,
            window=window if self.only_free else None,
            minutes=self.minutes if self.only_free else None,
        )

    def address(self, **changes: Any) -> str:
        """Return the address of this search with something changed; None takes it out."""
        found: dict[str, Any] = {
            "q": self.q,
            "category": self.category,
            "region": self.regions,
            "institution": self.institution_id,
            "minutes": self.minutes if self.minutes != USUAL_LENGTH else None,
            "from": self.first.isoformat() if self.first != clock.today() else None,
            "all": None if self.only_free else "1",
            "sort": self.order.value if self.order is not self.sorts[0] else None,
        }
        kept = {name: value for name, value in (found | changes).items() if value}
        return url_for("availability_pages.results", **kept)


@dataclass(frozen=True)
class Row:
    """An instrument of the list."""

    listed: Listed
    week: Week | None
    days: Sequence[DayShown]
    starts: Sequence[tuple[datetime, str]]
    quote: tariffs.Quote | None
    url: str


def home() -> str:
    """Show where to begin: the search, the main classes, and what is free soonest."""
    login.signed_in()  # before the first word is chosen
    now, caller = clock.now(), caller_or_none()
    midnight = datetime.combine(clock.today() + timedelta(days=1), datetime.min.time(), clock.CHINA)
    for end in (midnight, midnight + timedelta(days=DAYS - 1)):
        wanted = Wanted(sort=Sort.EARLIEST, window=TimeSlot(now, end), minutes=USUAL_LENGTH)
        page = queries.list_instruments(wanted, caller=caller, now=now, limit=FIRST, cursor=None)
        if page.items:
            break
    search = _search(MultiDict())
    weeks = _weeks(page.items, search, now)
    axis = queries.axis_of(weeks.values())
    return render_template(
        "home.html",
        doors=queries.facets(Wanted(), caller=caller).categories[:DOORS],
        rows=[_row(each, weeks, search, axis, now) for each in page.items],
        marked=partial(_marked, ""),
        today_free=end == midnight,
    )


@bp.get("/instruments")
def results() -> str:
    """List instruments with their next seven days, price and saving for the length needed."""
    now, search = clock.now(), _search(request.args)
    caller = caller_or_none()
    try:
        page = queries.list_instruments(
            search.wanted(now), caller=caller, now=now, limit=SHOWN, cursor=search.cursor
        )
    except InvalidField:  # a cursor of another search
        search = replace(search, cursor=None)
        page = queries.list_instruments(
            search.wanted(now), caller=caller, now=now, limit=SHOWN, cursor=None
        )
    facets = queries.facets(search.wanted(now), caller=caller)
    weeks = _weeks(page.items, search, now)
    axis = queries.axis_of(weeks.values())
    return render_template(
        "availability/results.html",
        search=search,
        rows=[_row(each, weeks, search, axis, now) for each in page.items],
        next_url=search.address(cursor=page.next_cursor) if page.next_cursor else "",
        axis=axis,
        facets=facets,
        chips_on=list(_chips(search)),
        kept=_kept(search),
        on_a_phone=formats.is_phone(request.user_agent.string),
        today=clock.today(),
        lengths=LENGTHS,
        sorts=_sorts(search),
        relaxed=list(_relaxed(search)) if not page.items else [],
        chosen_cities={region[:4] for region in search.regions},
        places=" · ".join(map(_place, search.regions)),
        free_ones=_free_ones(search, page, facets.total, now),
        marked=partial(_marked, search.q),
    )


def _free_ones(search: Search, page: Page[Listed], total: int, now: datetime) -> int | None:
    """Return how many have the time, where that is known without looking at thousands."""
    if not search.only_free:
        return None
    if search.cursor is None and page.next_cursor is None:
        return len(page.items)
    if total > COUNTED:
        return None
    return queries.free_count(search.wanted(now), caller=caller_or_none(), now=now)


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


def _weeks(items: Sequence[Listed], search: Search, now: datetime) -> dict[int, Week]:
    bookable = [each.described.instrument.id for each in items if each.bookable]
    return queries.weeks(bookable, search.first, now=now, minutes=search.minutes)


def _search(given: MultiDict[str, str]) -> Search:
    return Search(
        q=given.get("q", "").strip()[:100],
        category=_code(given.get("category", "")),
        regions=tuple(dict.fromkeys(filter(None, map(_code, given.getlist("region")[:MOST])))),
        institution_id=_id(given.get("institution", "")),
        minutes=_length(given.get("minutes", "")),
        first=_first_day(given.get("from", "")),
        # A box that is not ticked sends nothing: with `all` the form says that it had one.
        only_free=given.get("free") == "1" or given.get("all") != "1",
        sort=Sort(given["sort"]) if given.get("sort") in list(Sort) else Sort.EARLIEST,
        cursor=given.get("cursor") or None,
    )


def _code(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) <= 6 else ""


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _length(text: str) -> int:
    minutes = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return minutes if 0 < minutes <= 20160 and minutes % 5 == 0 else USUAL_LENGTH


def _first_day(text: str) -> date:
    today = clock.today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if today <= day <= today + timedelta(days=FURTHEST) else today


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
    price = listed.price

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
        quote=tariffs.quote(
            price.facts, minutes=minutes, customer_class=price.customer_class, now=now
        )
        if price
        else None,
        url=url,
    )


def _written(instant: datetime, week: Week) -> str:
    return f"{instant.astimezone(week.zone):%Y-%m-%dT%H:%M}"


def _sorts(search: Search) -> list[tuple[str, str, str]]:
    words = {
        Sort.EARLIEST: gettext("最早可约"),
        Sort.RELEVANCE: gettext("相关度"),
        Sort.PRICE: gettext("价格"),
        Sort.SAVING: gettext("节约"),
    }
    usual = search.sorts[0]
    return [
        (sort.value, words[sort], search.address(sort=sort.value if sort is not usual else None))
        for sort in search.sorts
    ]


def _kept(search: Search) -> dict[str, str]:
    """Return what a new search keeps of this one: how long and from when."""
    kept = {"minutes": str(search.minutes), "from": search.first.isoformat()}
    usual = {"minutes": str(USUAL_LENGTH), "from": clock.today().isoformat()}
    return {name: value for name, value in kept.items() if value != usual[name]}


def _place(region: str) -> str:
    """Return the name of the place alone: `长沙市`."""
    full = reference.region_name(region.ljust(6, "0")) or region
    return full.rpartition(" ")[2]


def _chips(search: Search) -> Iterator[tuple[str, str]]:
    """Yield each filter that is on, with the address without it."""
    if search.category:
        name = registry.category_names([search.category.ljust(6, "0")])
        yield next(iter(name.values()), search.category), search.address(category=None)
    for region in search.regions:
        others = [each for each in search.regions if each != region]
        yield _place(region), search.address(region=others)
    if search.institution_id is not None:
        publisher = registry.publisher_name(search.institution_id)
        yield publisher or gettext("机构"), search.address(institution=None)
    if search.minutes != USUAL_LENGTH:
        yield formats.length(search.minutes), search.address(minutes=None)
    if search.first != clock.today():
        yield formats.day(search.first), search.address(**{"from": None})


def _relaxed(search: Search) -> Iterator[tuple[str, str]]:
    """Yield what to leave out when nothing was found, with the address without it."""
    if search.only_free:
        yield gettext("也看这 7 天没有空闲的"), search.address(all="1")
    if search.regions:
        yield gettext("不限地区"), search.address(region=None)
    if search.institution_id is not None:
        yield gettext("不限机构"), search.address(institution=None)
    if search.category:
        yield gettext("不限类别"), search.address(category=None)
    if search.q:
        yield gettext("看全部仪器"), search.address(q=None)
