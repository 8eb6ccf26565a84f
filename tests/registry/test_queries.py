"""What is found by words and filters, how near, and who sees it."""

import pytest
from sqlalchemy import text

from booking.accounts.rules import Role
from booking.kernel.db import db
from booking.registry import queries, service
from booking.registry.models import Instrument, Publication
from tests.factories import make_caller, make_institution, make_instrument
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution(name="省检院")


@pytest.fixture
def machine(institution):
    """A function that makes an indexed instrument of the institution."""

    def make(name="电子万能试验机", **given):
        made = make_instrument(institution=institution, name=name, price=None, **given)
        made.institution = institution
        service.index_instrument(made)
        db.session.flush()
        return made

    return make


def names(**wanted):
    wanted.setdefault("caller", None)
    order = (queries.rank(wanted.get("q")), Instrument.name_pinyin)
    return [each.name for each in db.session.scalars(queries.matching(**wanted).order_by(*order))]


def test_every_word_must_be_found_and_adjoin(machine):
    machine("扫描电子显微镜")
    machine("电子万能试验机")

    assert names(q="电子") == ["电子万能试验机", "扫描电子显微镜"]
    assert names(q="电子 显微") == ["扫描电子显微镜"]
    assert names(q="扫微") == []


@pytest.mark.parametrize("typed", ["拉力", "拉力机", "lali", "llj", "拉伸试验机"])
def test_what_the_workshop_calls_it_finds_it(machine, typed):
    machine("扫描电子显微镜")
    machine("微机控制电子万能试验机")

    assert names(q=typed) == ["微机控制电子万能试验机"]


@pytest.mark.parametrize("typed", [None, "", "  ", "　"])
def test_nothing_typed_finds_all(machine, typed):
    machine()

    assert names(q=typed) == ["电子万能试验机"]


@pytest.mark.parametrize("typed", ["%", "_", "——", "' OR 1=1", "\\", "。，", "%_%"])
def test_punctuation_is_no_wildcard(machine, typed):
    machine()

    assert names(q=typed) == []


def test_the_nearest_name_comes_first(machine):
    machine("试验箱 盐雾型")
    machine("盐雾试验箱")
    machine("试验箱")
    machine("阿贝仪", functions="配合试验箱使用")

    assert names(q="试验箱") == ["试验箱", "试验箱 盐雾型", "盐雾试验箱", "阿贝仪"]


@pytest.mark.parametrize(
    ("category", "count"),
    [("010101", 1), ("0101", 2), ("010100", 2), ("01", 3), ("010000", 3), ("02", 0), ("990000", 1)],
)
def test_a_category_stands_for_its_branch(machine, category, count):
    for code in ("010101", "010102", "010201", "990000"):
        machine(category_code=code)

    assert len(names(category=category)) == count


@pytest.mark.parametrize(
    ("region", "count"),
    [("430000", 3), ("43", 3), ("430100", 2), ("4301", 2), ("430104", 1), ("110000", 0)],
)
def test_a_region_stands_for_what_lies_in_it(machine, region, count):
    for code in ("430104", "430100", "430200", None):
        machine(region_code=code)

    assert len(names(regions=[region])) == count


def test_only_what_the_caller_may_see_is_found(machine, institution):
    machine(publication=Publication.DRAFT)
    stranger = make_caller(make_institution(), Role.MANAGER)

    assert names(q="万能") == []
    assert names(q="万能", caller=stranger) == []
    assert names(q="万能", caller=make_caller(institution, Role.TESTER)) == ["电子万能试验机"]


def test_one_institution_is_filtered(machine, institution):
    machine()

    assert names(institution_id=institution.id) == ["电子万能试验机"]
    assert names(institution_id=institution.id + 1) == []


def test_wide_columns_are_read_only_when_asked_for(machine):
    machine(source_row={"Name": "试验机"})
    db.session.expunge_all()

    with counted() as statements:
        query = queries.matching(caller=None, q="万能").options(*queries.LISTED)
        [found] = db.session.scalars(query).all()
        assert found.institution.name == "省检院"

    [statement] = statements
    chosen = statement.partition("FROM")[0]
    assert "instruments.source_row" not in chosen
    assert "instruments.search_tokens" not in chosen
    assert found.source_row == {"Name": "试验机"}


def test_names_of_codes_come_in_two_queries_however_many(machine):
    made = [machine(category_code="010101", region_code="430104") for _ in range(3)]
    made.append(machine(category_code="019998", region_code=None))

    with counted() as statements:
        found = queries.described(made, caller=None)

    assert len(statements) == 2
    assert [(each.category, each.region) for each in found] == [
        ("透射电镜", "湖南省 长沙市 岳麓区")
    ] * 3 + [(None, None)]


def test_the_index_serves_the_search(machine):
    machine()
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    query = queries.matching(caller=None, q="万能试验").with_only_columns(text("1"))
    compiled = query.compile(db.engine)

    lines = db.session.connection().exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)

    plan = "\n".join(lines.scalars())
    assert "ix_instruments_tokens" in plan
