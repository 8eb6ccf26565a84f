"""Kinds and their facts, when a mail is tried again, what a header can hold."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.notices import rules
from booking.notices.rules import Kind, Side, To

NOW = datetime.fromisoformat("2026-11-24T09:00:00+08:00")


@pytest.mark.parametrize("kind", Kind)
def test_a_notice_without_its_facts_fails_where_it_is_posted(kind):
    whole = dict.fromkeys(rules.NEEDED[kind], "x")
    rules.check_facts(kind, whole)

    for missing in rules.NEEDED[kind]:
        with pytest.raises(ValueError, match=missing):
            rules.check_facts(kind, {name: "x" for name in whole if name != missing})


def test_pauses_grow_and_end_after_two_days():
    pauses = []
    while (pause := rules.pause_after(len(pauses) + 1)) is not None:
        pauses.append(pause)

    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=1)
    assert timedelta(days=1) < sum(pauses, timedelta()) < timedelta(days=3)


@pytest.mark.parametrize(
    ("kind", "facts", "too_late"),
    [
        pytest.param(Kind.REMINDER, {"starts_at": "2026-11-24T09:01:00+08:00"}, False, id="soon"),
        pytest.param(Kind.REMINDER, {"starts_at": "2026-11-24T09:00:00+08:00"}, True, id="begun"),
        pytest.param(Kind.RESET, {"until": "2026-11-24T01:00:01+00:00"}, False, id="open"),
        pytest.param(Kind.INVITATION, {"until": "2026-11-24T01:00:00+00:00"}, True, id="shut"),
        pytest.param(Kind.CONFIRMATION, {"starts_at": "2020-01-01T00:00:00Z"}, False, id="kept"),
    ],
)
def test_mails_that_help_nobody_any_more(kind, facts, too_late):
    assert rules.is_too_late(kind, facts, NOW) is too_late


def test_doors_cannot_be_switched_off():
    assert {Kind.INVITATION, Kind.RESET} == set(rules.DOORS)
    assert set(rules.OPTIONAL) == set(Kind) - rules.DOORS - {Kind.SECURITY}


@pytest.mark.parametrize(
    "to",
    [
        To(Side.SELF, user_id=7),
        To(Side.CUSTOMER, user_id=7, organisation_id=3),
        To(Side.OWNER, organisation_id=3, permission="run_instruments"),
    ],
)
def test_whom_to_tell_survives_being_kept(to):
    assert To.of(to.plain()) == to


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("电子万能试验机 100 kN", "电子万能试验机 100 kN"),
        ("A\r\nBcc: x@example.cn", "A Bcc: x@example.cn"),
        ("一\u2028二\x85三\x0b四\x00五", "一 二 三 四 五"),
        ("  a \t b  ", "a b"),
    ],
)
def test_one_line_holds_no_breaks(text, line):
    assert rules.one_line(text) == line


@given(st.text())
def test_one_line_is_one_line_whatever_comes(text):
    line = rules.one_line(text)

    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    assert rules.one_line(line) == line
