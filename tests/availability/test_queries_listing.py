"""The list of instruments: filters, orders, pages, and how many statements they take."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.availability import queries, service
from booking.availability.queries import Sort, Wanted, listing
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.registry import service as registry
from booking.registry.models import Publication
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR = timedelta(hours=1)


def found(now, *, caller=None, limit=50, cursor=None, **wanted):
    return queries.list_instruments(
        Wanted(**wanted), caller=caller, now=now.at, limit=limit, cursor=cursor
    )


def ids(now, **given):
    return [each.described.instrument.id for each in found(now, **given).items]


def paged(now, **given):
    """All ids, two at a time."""
    collected, cursor = [], None
    while True:
        page = found(now, limit=2, cursor=cursor, **given)
        collected += [each.described.instrument.id for each in page.items]
        if (cursor := page.next_cursor) is None:
            return collected


@pytest.fixture
def three(session):
    """Three machines by name a, b, c at 300, 100 and 200 an hour."""
    made = []
    for name, amount in (("a", 30000), ("b", 10000), ("c", 20000)):
        instrument = make_instrument(name=name, name_pinyin=name, price=None)
        make_price(instrument, per_hour_minor=amount, discount_percent=Decimal(0))
        made.append(instrument.id)
    return made


def test_by_name_by_price_and_in_pages(now, three):
    a, b, c = three

    assert ids(now, sort=Sort.NAME) == paged(now, sort=Sort.NAME) == [a, b, c]
    assert ids(now, sort=Sort.PRICE) == paged(now, sort=Sort.PRICE) == [b, c, a]
    assert paged(now) == [a, b, c]


def test_what_has_no_price_comes_last_and_is_shown_as_not_bookable(now, three):
    without = make_instrument(price=None).id

    page = found(now, sort=Sort.PRICE)

    assert [each.described.instrument.id for each in page.items][-1] == without
    assert [each.bookable for each in page.items] == [True, True, True, False]
    assert page.items[-1].price is None


def test_the_discounted_price_counts(now, three):
    a, b, _ = three
    cheap = make_instrument(price=None)
    make_price(cheap, per_hour_minor=30000, discount_percent=Decimal("75"))

    assert ids(now, sort=Sort.PRICE)[0] == cheap.id
    assert set(ids(now, price_max=Money.of("100.00"))) == {b, cheap.id}
    assert a not in ids(now, price_max=Money.of("299.99"))
    assert a in ids(now, price_max=Money.of("300.00"))


def test_each_class_sees_its_own_price(now):
    instrument = make_instrument(price=None)
    make_price(instrument, CustomerClass.SME, per_hour_minor=1)
    make_price(instrument, CustomerClass.LARGE, per_hour_minor=9)
    small, large = make_caller(), make_caller(make_organisation(size_class=None))

    def price(caller):
        return found(now, caller=caller).items[0].price.per_hour_minor

    assert (price(small), price(large), price(None)) == (1, 9, 1)


def test_only_what_is_free_for_so_long_in_the_window(now, three):
    a, b, c = three
    for busy in (a, c):
        take(busy, slot(hours=2))
    window = TimeSlot(slot().starts_at, slot().ends_at + HOUR)

    assert ids(now, window=window, minutes=120) == [b]
    assert ids(now, window=window, minutes=60) == [a, b, c]
    assert paged(now, window=window, minutes=60, sort=Sort.PRICE) == [b, c, a]


def test_soonest_first_in_pages(now, three):
    a, b, c = three
    take(a, slot(now.at, hours=30))

    assert ids(now, sort=Sort.EARLIEST) == paged(now, sort=Sort.EARLIEST) == [b, c, a]
    assert found(now, sort=Sort.EARLIEST).items[0].earliest.starts_at == now.at + 2 * HOUR


def test_free_ones_are_looked_for_as_far_as_needed(now, monkeypatch, three):
    monkeypatch.setattr(listing, "AT_FIRST", 1)
    monkeypatch.setattr(listing, "THEN_TIMES", 1)
    take(three[0], slot())

    assert ids(now, window=slot(), minutes=120, limit=1) == [three[1]]


def test_filters_by_institution_service_category_and_words(now, three):
    owner = make_institution()
    own = make_instrument(
        institution=owner, service_content="金属拉伸与弯曲试验", category_code="030101"
    )

    assert ids(now, institution_id=owner.id) == [own.id]
    assert ids(now, service="弯曲") == [own.id]
    assert ids(now, service="100%") == []
    assert ids(now, category="03") == [own.id]
    assert ids(now, q="?") == []


def test_drafts_are_seen_by_their_own_people_only(now):
    owner = make_institution()
    draft = make_instrument(institution=owner, publication=Publication.DRAFT)

    assert ids(now) == []
    assert ids(now, caller=make_caller(owner, Role.TESTER)) == [draft.id]


@pytest.mark.parametrize("sort", list(Sort))
def test_a_forged_cursor_is_refused(now, sort):
    with pytest.raises(InvalidField):
        found(now, sort=sort, cursor="WyJ4Il0")


@pytest.mark.parametrize(
    "wanted",
    [{}, {"sort": Sort.PRICE}, {"sort": Sort.EARLIEST}, {"window": slot(), "minutes": 60}],
    ids=str,
)
def test_the_number_of_statements_does_not_grow_with_the_rows(now, wanted):
    caller = make_caller()
    make_instrument()
    with counted() as few:
        found(now, caller=caller, **wanted)
    for _ in range(12):
        take(make_instrument(institution=make_institution()).id, slot(now.at))

    with counted() as many:
        assert len(found(now, caller=caller, **wanted).items) == 13

    assert len(many) == len(few) <= 10


def take(instrument_id, when):
    service.occupy(instrument_id, when)


@pytest.mark.usefixtures("three")
def test_most_saved_comes_first_and_what_cannot_be_compared_last(now):
    since = now.at - timedelta(days=40)
    most = make_instrument(name="d", name_pinyin="d", price=None)
    make_price(most, per_hour_minor=50000, discount_percent=Decimal("20.5"), published_at=since)
    some = make_instrument(name="e", name_pinyin="e", price=None)
    make_price(some, per_hour_minor=20000, discount_percent=Decimal(10), published_at=since)
    young = make_instrument(name="f", name_pinyin="f", price=None)
    make_price(young, per_hour_minor=90000, discount_percent=Decimal(50), published_at=now.at)

    order = paged(now, sort=Sort.SAVING)

    assert order[:2] == [most.id, some.id]
    assert young.id in order[2:]
    assert order == ids(now, sort=Sort.SAVING)


def test_several_places_are_looked_in_at_once(now):
    codes = {code: make_instrument(region_code=code).id for code in ("430100", "430202", "430400")}

    assert set(ids(now, regions=["4301", "4302"])) == {codes["430100"], codes["430202"]}


def test_how_many_are_free_is_counted_beyond_the_page(now):
    for _ in range(3):
        make_instrument()
    make_instrument(schedule=None)

    assert queries.free_count(Wanted(minutes=120), caller=None, now=now.at).count == 3


def test_no_more_than_the_nearest_are_looked_at_and_the_count_says_so(now):
    for _ in range(3):
        make_instrument()
    wanted = Wanted(sort=Sort.EARLIEST, minutes=120)

    some = queries.free_count(replace(wanted, at_most=2), caller=None, now=now.at)
    every = queries.free_count(replace(wanted, at_most=4), caller=None, now=now.at)

    assert (some.count, some.is_all) == (2, False)
    assert (every.count, every.is_all) == (3, True)
    assert len(ids(now, sort=Sort.EARLIEST, at_most=2)) == 2
    assert len(ids(now, sort=Sort.PRICE, window=slot(), minutes=120, at_most=2)) == 2


def test_what_cannot_be_booked_takes_no_place_among_those_looked_at(now):
    for _ in range(3):
        make_instrument(schedule=None)
    bookable = make_instrument()

    assert ids(now, sort=Sort.EARLIEST, at_most=1) == [bookable.id]


def test_those_whose_name_is_nearest_are_looked_at_first(now):
    for name in ("拉力试验机附件", "试验机用冷却水箱", "试验机"):
        make_instrument(name=name)
    registry.reindex()

    [first] = found(now, sort=Sort.EARLIEST, q="试验机", at_most=1).items
    assert first.described.instrument.name == "试验机"


def test_others_come_first_the_next_day(now):
    for _ in range(6):
        make_instrument(schedule={"horizon_days": 60})
    wanted = Wanted(sort=Sort.EARLIEST, at_most=1)
    days = [now.at + timedelta(days=later) for later in range(8)]

    first = [
        queries.list_instruments(wanted, caller=None, now=day, limit=1, cursor=None).items
        for day in days
    ]

    assert len({row[0].described.instrument.id for row in first}) > 1


def test_each_facet_is_counted_without_its_own_filter_in_three_statements(now):
    for region, category in (("430100", "020101"), ("430100", "030101"), ("430202", "020101")):
        make_instrument(region_code=region, category_code=category)
    make_instrument(region_code=None, category_code="020101")
    with counted() as statements:
        facets = queries.facets(Wanted(regions=["4301"], category="02"), caller=None)

    assert facets.total == queries.count(Wanted(regions=["4301"], category="02"), caller=None) == 1
    assert [(code, number) for code, _, number in facets.regions] == [("4301", 1), ("4302", 1)]
    assert [(code, number) for code, _, number in facets.categories] == [("02", 1), ("03", 1)]
    assert len(statements) == 3
