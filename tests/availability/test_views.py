"""The list of instruments and the front page: what is found, what is said, what never breaks."""

from datetime import timedelta

import pytest

from booking.accounts.rules import OrganisationKind, Role
from booking.availability.views import results
from booking.registry import service as registry
from booking.reservations import service as reservations
from tests.factories import (
    WEDNESDAY_10,
    make_caller,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

HOUR = timedelta(hours=1)


def test_the_list_shows_free_time_starts_price_and_saving(client):
    instrument = make_instrument(name="电子万能试验机")

    page = client.get("/instruments").text

    assert "电子万能试验机" in page
    assert f'href="/instruments/{instrument.id}?minutes=120&amp;start=2026-11-23T11:00"' in page
    assert f'href="/instruments/{instrument.id}?minutes=120&amp;day=2026-11-25"' in page
    assert "省 72.00 元" in page


def test_a_taken_morning_moves_the_start_buttons(client):
    instrument = make_instrument()
    reservations.reserve(instrument.id, slot(WEDNESDAY_10 - 2 * HOUR), caller=make_caller())

    page = client.get("/instruments?from=2026-11-25").text

    assert "start=2026-11-25T10:00" in page
    assert "start=2026-11-25T08:00" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=拉力", True),
        ("q=天平", False),
        ("q=万能", True),
        ("q=dzwn", True),
        ("region=4301", True),
        ("region=4302", False),
        ("category=02", True),
        ("category=01", False),
        ("minutes=480&from=2026-11-25", True),
    ],
)
def test_search_and_filters_narrow_the_list(client, query, found):
    make_instrument(name="电子万能试验机")

    registry.reindex()  # the factory leaves it to the service

    page = client.get(f"/instruments?{query}").text

    assert ("选时段" in page) is found


def test_what_is_not_bookable_is_shown_on_demand_and_never_as_free(client):
    make_instrument(name="无开放时间的仪器", schedule=None)

    assert "无开放时间的仪器" not in client.get("/instruments").text
    page = client.get("/instruments?all=1").text
    assert "无开放时间的仪器" in page
    assert "尚未开放在线预约" in page
    assert "选时段" not in page


def test_an_empty_list_says_what_helps_most_and_names_that_are_near(client):
    make_instrument(name="电子万能试验机")
    make_instrument(name="电子拉力试验机", region_code="430300")
    registry.reindex()

    page = client.get("/instruments?q=试验机&region=4302&category=03").text
    assert "没有找到“试验机”" in page
    assert "不限地区（" not in page  # alone it finds nothing
    assert "不限类别（" not in page

    page = client.get("/instruments?q=试验机&region=4302").text
    assert "不限地区（2 台）" in page

    page = client.get("/instruments?q=电子拉伸机").text
    assert "试试相近的名称" in page
    assert "电子拉力试验机" in page


@pytest.mark.parametrize(
    "query",
    [
        "from=gestern",
        "from=1999-01-01",
        "minutes=-5",
        "minutes=99999999999",
        "region=%27%3B--",
        "category=ab",
        "sort=x",
        "cursor=broken",
        "q=" + "长" * 300,
        "from=2026-11-25&from=x&all=2",
    ],
)
def test_what_cannot_be_meant_is_left_out_and_the_rest_stands(client, query):
    make_instrument()

    assert client.get(f"/instruments?{query}").status_code == 200


def test_the_list_costs_the_same_statements_however_long_it_is(client):
    make_instrument()
    with counted() as one:
        client.get("/instruments")
    for _ in range(9):
        make_instrument()

    with counted() as ten:
        client.get("/instruments")

    assert len(ten) == len(one)


def test_more_than_a_page_is_paged(client):
    for _ in range(25):
        make_instrument()

    first = client.get("/instruments")
    address = first.text.partition('href="/instruments?cursor=')[2].partition('"')[0]
    second = client.get(f"/instruments?cursor={address}")

    assert first.text.count('class="card result"') == 20
    assert second.text.count('class="card result"') == 5


def test_the_front_page_leads_to_search_classes_and_what_is_free_today(client):
    instrument = make_instrument(name="电子万能试验机")

    page = client.get("/").text

    assert 'role="search"' in page
    assert 'href="/instruments?category=02"' in page
    assert "今天就能用" in page
    assert f"/instruments/{instrument.id}?" in page


def test_the_price_is_that_of_who_is_signed_in(client):
    make_instrument(price=20000)  # 20 % off for small firms
    university = make_organisation(kind=OrganisationKind.RESEARCH)

    assert "320.00" in client.get("/instruments").text
    sign_in(client, make_user(university, Role.MEMBER))
    page = client.get("/instruments").text

    assert "400.00" in page
    assert "无可比基准" in page


def test_the_page_is_in_english_on_demand(client):
    make_instrument()

    page = client.get("/instruments?lang=en").text

    assert '<html lang="en">' in page
    assert "Choose a slot" in page


def test_the_heading_says_how_many_have_the_time_and_where(client):
    make_instrument(name="甲")
    make_instrument(name="乙", schedule=None)

    page = client.get("/instruments?region=4301&region=4302").text

    assert "长沙市 · 株洲市 · 7 天内有 2 小时空档的 1 台，共 2 台" in page


def test_what_was_typed_is_marked_in_the_names(client):
    make_instrument(name="电子<万能>试验机")
    registry.reindex()

    page = client.get("/instruments?q=万能").text

    assert "&lt;<mark>万能</mark>&gt;试验机" in page


def test_one_institution_is_looked_at_alone_and_no_other_organisation_named(client):
    found, other = make_instrument(name="它的"), make_instrument(name="别人的")
    firm = make_organisation(name="不公开的企业")

    page = client.get(f"/instruments?institution={found.institution_id}").text
    assert "它的" in page
    assert "别人的" not in page
    assert other.institution_id != found.institution_id
    assert "不公开的企业" not in client.get(f"/instruments?institution={firm.id}").text


def test_a_box_that_is_not_ticked_is_told_from_an_address_without_it(client):
    make_instrument(name="没有时间的", schedule=None)

    assert "没有时间的" in client.get("/instruments?all=1").text
    assert "没有时间的" not in client.get("/instruments?all=1&free=1").text


def test_the_length_booked_last_in_this_browser_is_looked_for_next(client):
    make_instrument(name="甲")
    client.set_cookie("length", "240")

    assert "7 天内有 4 小时空档" in client.get("/instruments").text
    assert "7 天内有 1 小时空档" in client.get("/instruments?minutes=60").text
    client.set_cookie("length", "nonsense")
    assert "7 天内有 2 小时空档" in client.get("/instruments").text


def test_the_page_says_when_only_some_of_many_were_looked_at(client, monkeypatch):
    monkeypatch.setattr(results, "LOOKED_AT", 1)
    first = make_instrument()
    assert "这里只查了其中" not in client.get("/instruments").text
    make_instrument(institution=first.institution)

    page = client.get("/instruments").text
    assert "这里只查了其中 1 台的空档" in page
    assert "空档的" not in page  # how many are free is not known
    assert "这里只查了其中" not in client.get("/instruments?all=1").text


def test_what_helps_says_at_least_where_not_all_were_looked_at(client, monkeypatch):
    for _ in range(3):
        make_instrument(region_code="430300")
    assert "不限地区（3 台）" in client.get("/instruments?region=4302").text
    monkeypatch.setattr(results, "LOOKED_AT", 2)

    assert "不限地区（至少 2 台）" in client.get("/instruments?region=4302").text


def test_a_page_that_finds_nothing_costs_the_same_statements_however_many_there_are(client):
    def statements() -> int:
        with counted() as counting:
            assert "没有找到" in client.get("/instruments?q=试验机&minutes=20160").text
        return len(counting)

    def more() -> None:
        for _ in range(40):
            make_instrument(name="电子万能试验机", schedule={"longest_minutes": 600})
        registry.reindex()

    more()
    few = statements()
    more()

    assert statements() == few <= 14
