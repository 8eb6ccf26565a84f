"""Suggestions: what exists and is published, best first, however it is typed."""

import pytest

from booking.accounts.models import Organisation
from booking.availability import queries
from booking.availability.queries import suggestions
from booking.registry import service as registry
from booking.registry.models import Publication
from tests.factories import make_instrument
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def machine(session):
    """A function that makes an indexed instrument."""

    def make(name, **given):
        made = make_instrument(name=name, **given)
        made.institution = session.get(Organisation, made.institution_id)
        registry.index_instrument(made)
        session.flush()

    return make


@pytest.fixture
def testers(machine):
    for _ in range(2):
        machine("电子万能试验机", standards=["GB/T 228.1-2021"])
    machine("万能材料试验机", standards=["GB/T 228.1-2021"])
    machine("洛氏硬度计", category_code="020102", standards=["GB/T 230.1-2018"])


def said(found):
    return [(each.words, each.count) for each in found]


@pytest.mark.usefixtures("testers")
@pytest.mark.parametrize("typed", ["电子万能", "dzwn", "dianziwanneng", "万能"])
def test_names_are_offered_once_each_with_how_many_there_are(typed):
    assert ("电子万能试验机", 2) in said(queries.suggest(typed).names)


@pytest.mark.usefixtures("testers")
def test_a_name_that_begins_so_comes_first():
    names = [each.words for each in queries.suggest("万能").names]

    assert names == ["万能材料试验机", "电子万能试验机"]


@pytest.mark.usefixtures("testers")
def test_classes_are_offered_with_their_code():
    [found] = queries.suggest("硬度").classes

    assert (found.code, found.count) == ("020102", 1)


@pytest.mark.usefixtures("testers")
@pytest.mark.parametrize("typed", ["GB/T 228", "gbt228", "228.1"])
def test_standards_are_offered_however_they_are_written(typed):
    assert said(queries.suggest(typed).standards) == [("GB/T 228.1-2021", 3)]


def test_what_is_not_published_is_not_offered(machine):
    machine("未公开的仪器", publication=Publication.DRAFT, standards=["Q/ABC 1-2020"])

    for typed in ("未公开", "Q/ABC"):
        found = queries.suggest(typed)
        assert (found.names, found.standards) == ([], [])


@pytest.mark.parametrize("typed", ["", " ", "%", "_", "。，", "'"])
def test_punctuation_offers_nothing(typed):
    found = queries.suggest(typed)

    assert not [*found.names, *found.classes, *found.standards]


def test_it_costs_three_statements_however_many_there_are(machine):
    for number in range(10):
        machine(f"试验机{number}号")
    with counted() as statements:
        found = queries.suggest("试验机")

    assert len(found.names) == 6
    assert len(statements) == 3


def test_the_page_offers_links_that_search(client, machine):
    machine("电子万能试验机")

    page = client.get("/instruments/suggestions?q=dzwn")

    assert page.status_code == 200
    assert "电子万能试验机" in page.text
    assert 'role="option"' in page.text
    assert client.get("/instruments/suggestions").status_code == 200


@pytest.mark.usefixtures("testers")
def test_a_name_that_is_nearly_right_leads_to_those_that_exist():
    assert queries.near_names("洛氏硬度机") == ["洛氏硬度计"]
    assert set(queries.near_names("万能拉伸机")) == {"万能材料试验机", "电子万能试验机"}
    assert queries.near_names("完全不同") == []
    assert queries.near_names("，") == []


@pytest.mark.usefixtures("testers")
@pytest.mark.parametrize("common", [1, 300])
def test_near_names_cost_one_statement_also_where_everything_is_common(monkeypatch, common):
    monkeypatch.setattr(suggestions, "COMMON", common)
    with counted() as statements:
        found = queries.near_names("洛氏硬度机")

    assert found == ["洛氏硬度计"]
    assert len(statements) == 1


def test_a_rare_word_leads_there_although_no_name_has_all_that_was_typed(machine):
    for _ in range(4):
        machine("电子万能试验机")
    machine("布氏硬度计")

    assert queries.near_names("万能试验 布氏")[:2] == ["电子万能试验机", "布氏硬度计"]
    assert queries.near_names("试验 布氏硬度")[0] == "布氏硬度计"


def test_near_names_are_only_of_what_is_published(machine):
    machine("未公开的仪器", publication=Publication.DRAFT)

    assert queries.near_names("未公开的机器") == []
