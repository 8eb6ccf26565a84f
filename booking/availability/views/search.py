"""What an address asks to be found, and the same address with something changed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.availability.queries import DAYS, Sort, Wanted
from booking.kernel import clock, formats
from booking.kernel.pages import LENGTH_COOKIE
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference
from booking.registry import queries as registry

LENGTHS = (60, 120, 240, 480)
USUAL_LENGTH = 120
FURTHEST = 366
MOST = 20  # places at once


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
            "minutes": self.minutes if self.minutes != usual_length() else None,
            "from": self.first.isoformat() if self.first != clock.today() else None,
            "all": None if self.only_free else "1",
            "sort": self.order.value if self.order is not self.sorts[0] else None,
        }
        kept = {name: value for name, value in (found | changes).items() if value}
        return url_for("availability_pages.results", **kept)


def read_search(given: MultiDict[str, str]) -> Search:
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
    return _possible(text) or usual_length()


def _possible(text: str) -> int | None:
    minutes = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return minutes if 0 < minutes <= 20160 and minutes % 5 == 0 else None


def usual_length() -> int:
    """Return the minutes looked for when none are named: as long as was booked last here."""
    return _possible(request.cookies.get(LENGTH_COOKIE, "")) or USUAL_LENGTH


def _first_day(text: str) -> date:
    today = clock.today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if today <= day <= today + timedelta(days=FURTHEST) else today


def sorts(search: Search) -> list[tuple[str, str, str]]:
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


def kept(search: Search) -> dict[str, str]:
    """Return what a new search keeps of this one: how long and from when."""
    kept = {"minutes": str(search.minutes), "from": search.first.isoformat()}
    usual = {"minutes": str(usual_length()), "from": clock.today().isoformat()}
    return {name: value for name, value in kept.items() if value != usual[name]}


def place_name(region: str) -> str:
    """Return the name of the place alone: `长沙市`."""
    full = reference.region_name(region.ljust(6, "0")) or region
    return full.rpartition(" ")[2]


def chips(search: Search) -> Iterator[tuple[str, str]]:
    """Yield each filter that is on, with the address without it."""
    if search.category:
        name = registry.category_names([search.category.ljust(6, "0")])
        yield next(iter(name.values()), search.category), search.address(category=None)
    for region in search.regions:
        others = [each for each in search.regions if each != region]
        yield place_name(region), search.address(region=others)
    if search.institution_id is not None:
        publisher = registry.publisher_name(search.institution_id)
        yield publisher or gettext("机构"), search.address(institution=None)
    if search.minutes != usual_length():
        yield formats.length(search.minutes), search.address(minutes=None)
    if search.first != clock.today():
        yield formats.day(search.first), search.address(**{"from": None})


def relaxed(search: Search) -> Iterator[tuple[str, Search]]:
    """Yield each thing that could be left out, with the search without it."""
    if search.only_free:
        yield gettext("也看 7 天内没有空闲的"), replace(search, only_free=False)
    if search.minutes > LENGTHS[0] and search.only_free:
        shorter = max(length for length in LENGTHS if length < search.minutes)
        yield (
            gettext("缩短到 %(length)s", length=formats.length(shorter)),
            replace(search, minutes=shorter),
        )
    if search.regions:
        yield gettext("不限地区"), replace(search, regions=())
    if search.institution_id is not None:
        yield gettext("不限机构"), replace(search, institution_id=None)
    if search.category:
        yield gettext("不限类别"), replace(search, category="")
