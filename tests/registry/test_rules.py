"""Limits of fields, and that every part of a name finds it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from booking.registry import rules
from booking.registry.errors import InvalidFields

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
KANA = st.characters(min_codepoint=0x30A1, max_codepoint=0x30FC, exclude_characters="・")
LATIN = st.sampled_from("abcXYZ0189éß")
NAMES = st.text(HAN | KANA | LATIN | st.sampled_from(" -/.()（）"), min_size=2, max_size=30)


def finds(typed: str, found: rules.Index) -> bool:
    """Search as the database does: all n-grams, then each word in the text."""
    words = rules.query_words(typed)
    tokens = {token for word in words for token in rules.query_tokens(word)}
    return bool(words) and tokens <= set(found.tokens) and all(word in found.text for word in words)


@given(NAMES, st.data())
@example("核磁気共鳴装置(JNM-ECS400)", None)
def test_every_part_of_a_name_finds_it(name, data):
    first = data.draw(st.integers(0, len(name) - 2)) if data else 6
    last = data.draw(st.integers(first + 2, len(name))) if data else 10
    part = name[first:last]

    found = rules.index(named=[name, "质谱仪器"], coded=["CMT5105"])

    assert finds(part, found) is bool(rules.query_words(part))


@given(NAMES, NAMES)
def test_whatever_is_found_holds_every_word_typed(name, typed):
    found = rules.index(named=[name])

    if finds(typed, found):
        assert all(any(word in part for part in found.text.split()) for word in typed_words(typed))


def typed_words(typed: str) -> list[str]:
    return [rules.squash(part) for part in typed.split() if rules.squash(part)]


@given(NAMES)
def test_the_index_holds_no_blanks_but_between_words(name):
    found = rules.index(named=[name])

    assert not any(" " in token or not token for token in found.tokens)
    assert found.text.split(" ")[1] == rules.squash(name) or not rules.squash(name)


@pytest.mark.parametrize(
    "typed",
    [
        "电子万能试验机",
        "万能试验",
        "机",
        "DIANZIWANNENG",
        "wanneng",
        "dzwnsyj",
        "wnsy",
        "试验机 wanneng",
        "CMT5105",
        "cmt-5105",
        "ＣＭＴ５１０５",
        "5105",
        "GB/T 228.1-2021",
        "GB/T228.1",
        "228.1",
        "拉伸",
        "changsha",
        "长沙市",
        "万能 拉伸 中南大学",
    ],
)
def test_an_instrument_is_found_by(typed):
    found = rules.index(
        named=["电子万能试验机", "试验机", "中南大学", "湖南省 长沙市"],
        coded=["CMT-5105", "GB/T 228.1-2021"],
        described=["金属材料室温拉伸"],
    )

    assert finds(typed, found)


@pytest.mark.parametrize(
    "typed", ["万试", "机试", "扫描", "万能 压缩", "cmt5106", "能万", "228.2", "%", "_", "——", "。"]
)
def test_an_instrument_is_not_found_by(typed):
    found = rules.index(named=["电子万能试验机", "试样机"], coded=["CMT5105", "GB/T 228.1-2021"])

    assert not finds(typed, found)


def test_initials_run_across_latin_letters():
    found = rules.index(named=["X射线衍射仪"])

    assert finds("xsxysy", found)
    assert finds("xshexian", found)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        pytest.param("name", "机" * 100, "机" * 101, id="name"),
        pytest.param("name", "a b" * 50, "a b" * 51, id="blanks-do-not-count"),
        pytest.param("name", "机" + " " * 198 + "器", "机" + " " * 199 + "器", id="many-blanks"),
        pytest.param("name", "机", " ", id="empty-name"),
        pytest.param("inner_id", "1", "", id="empty-number"),
        pytest.param("manufacturer", "厂" * 50, "厂" * 51, id="manufacturer"),
        pytest.param("technical", "技" * 500, "技" * 501, id="technical"),
        pytest.param("functions", "能" * 300, "能" * 301, id="functions"),
        pytest.param("service_content", "服" * 200, "服" * 201, id="service-content"),
        pytest.param("contact", "李" * 20, "李" * 21, id="contact"),
        pytest.param("customs_goods_name", "品" * 30, "品" * 31, id="customs-goods"),
        pytest.param("customs_declaration", "5" * 18, "5" * 17, id="declaration"),
        pytest.param("customs_item", "07", "7", id="item"),
        pytest.param("category_code", "020101", "0201", id="category"),
        pytest.param("region_code", "430100", "４３０１００", id="full-width-digits"),
        pytest.param("postal_code", "410000", "41000", id="postal-code"),
        pytest.param("postal_code", "", "41000x", id="no-postal-code"),
        pytest.param("email", "li@example.cn", "li@", id="email"),
        pytest.param("service_url", "https://a.cn/x?y=1", "javascript:alert(1)", id="script"),
        pytest.param("service_url", "http://a.cn", "ftp://a.cn", id="ftp"),
        pytest.param("service_url", "", "https://", id="no-host"),
        pytest.param("service_url", "", "https://a.cn:99999", id="port"),
        pytest.param("service_url", "", "https://li:pw@a.cn", id="password-in-url"),
        pytest.param("service_url", "", "https://a.cn/ x", id="blank-in-url"),
        pytest.param("service_url", "", "https://[a", id="broken-address"),
        pytest.param("time_zone", "Asia/Urumqi", "Asia/Changsha", id="zone"),
        pytest.param("region_code", None, "", id="blank-region"),
        pytest.param("time_zone", "UTC", "", id="blank-zone"),
        pytest.param("name", "机", None, id="null-name"),
        pytest.param("time_zone", "UTC", "../../etc/passwd", id="path-as-zone"),
        pytest.param("standards", ["GB/T 228.1"] * 20, ["GB/T 228.1"] * 21, id="standards"),
        pytest.param("standards", ["G" * 60], ["G" * 61], id="long-standard"),
        pytest.param("standards", [], [" "], id="empty-standard"),
        pytest.param("subjects", ["430", "43015"], ["430"] * 5, id="subjects"),
        pytest.param("subjects", ["4301510"], ["材料"], id="subject-code"),
        pytest.param("units", 99, 100, id="units"),
        pytest.param("units", 1, 0, id="no-units"),
        pytest.param("rated_hours", None, 8785, id="rated-hours"),
        pytest.param("worth_wan", Decimal("0.01"), Decimal("-0.01"), id="worth"),
        pytest.param("commissioned_on", date(1900, 1, 1), date(2100, 1, 1), id="commissioned"),
    ],
)
def test_a_field_keeps_its_limit(field, good, bad):
    assert rules.problems({field: good}) == {}
    assert list(rules.problems({field: bad})) == [field]


def test_everything_wrong_is_said_at_once():
    with pytest.raises(InvalidFields) as refused:
        rules.check({"name": "", "units": 0, "email": "x", "model": "CMT"})

    assert set(refused.value.details["errors"]) == {"name", "units", "email"}


def test_the_length_is_named_in_characters_that_count():
    [reason] = rules.problems({"contact": "李 " * 21})["contact"]

    assert str(reason) == "最多 20 字，您填了 21 字。"


@given(st.text(HAN | st.just(" "), max_size=300))
def test_what_is_shortened_fits_and_is_a_beginning(text):
    short = rules.shortened("nation", text)

    assert rules.fits("nation", short)
    assert text.startswith(short)
    assert short == text or rules.letters(text[: len(short) + 1]) >= rules.letters(short)


@pytest.mark.parametrize(
    ("prefix", "first", "last"),
    [
        ("43", "430000", "439999"),
        ("430000", "430000", "439999"),
        ("4301", "430100", "430199"),
        ("430100", "430100", "430199"),
        ("430102", "430102", "430102"),
        ("010000", "010000", "019999"),
        ("020101", "020101", "020101"),
        ("990000", "990000", "999999"),
        ("100000", "100000", "109999"),
        ("4", "400000", "499999"),
    ],
)
def test_a_code_stands_for_its_branch(prefix, first, last):
    assert rules.code_range(prefix) == (first, last)


@pytest.mark.parametrize(
    ("worth", "due"), [(None, False), ("49.99", False), ("50", True), ("1200.5", True)]
)
def test_the_national_network_expects_what_is_worth_half_a_million(worth, due):
    assert rules.needs_national_entry(worth and Decimal(worth)) is due


def test_chinese_names_sort_by_pinyin():
    names = ["重庆试验机", "阿贝折射仪", "扫描电镜"]

    assert sorted(names, key=rules.name_pinyin) == ["阿贝折射仪", "重庆试验机", "扫描电镜"]


@pytest.mark.parametrize(
    ("technical", "pairs"),
    [
        ("", []),
        ("最大试验力 100 kN；准确度：0.5 级", [("最大试验力", "100 kN"), ("准确度", "0.5 级")]),
        ("100 kN; 配引伸计", [("", "100 kN"), ("", "配引伸计")]),
        ("；；\n", []),
    ],
)
def test_technical_facts_are_told_apart(technical, pairs):
    assert rules.technical_pairs(technical) == pairs


def test_what_the_workshop_calls_it_is_found_too():
    known = {"万能试验机": ("拉力机", "拉伸试验机"), "液相色谱": ("HPLC",)}

    assert rules.aliases_of(["微机控制 电子万能试验机"], known) == ["拉力机", "拉伸试验机"]
    assert rules.aliases_of(["天平", "分析仪器"], known) == []
