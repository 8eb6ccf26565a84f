"""Numbers, periods, what counts, reminders, standards and the shape of scope tables."""

from dataclasses import dataclass
from datetime import date

import pytest

from booking.kernel.errors import InvalidField
from booking.qualifications import rules
from booking.qualifications.rules import CalibrationKind, Line, Result, Scheme

TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Done:
    id: int
    performed_on: date
    valid_until: date | None = None
    result: Result = Result.PASSED


@pytest.mark.parametrize(
    ("scheme", "number", "usual"),
    [
        (Scheme.CMA, "231812345678", True),
        (Scheme.CMA, "2012002644Z", True),
        (Scheme.CMA, "23181234567", False),
        (Scheme.CMA, "23181234567a", False),
        (Scheme.CNAS, "CNAS L10234", True),
        (Scheme.CNAS, "CNAS IB0123", True),
        (Scheme.CNAS, "L10234", False),
    ],
)
def test_numbers_of_certificates(scheme, number, usual):
    assert rules.is_usual_number(scheme, number) is usual
    if scheme is Scheme.CMA and not usual:
        with pytest.raises(InvalidField):
            rules.check_number(scheme, number)
    else:
        rules.check_number(scheme, number)


@pytest.mark.parametrize(
    ("kind", "performed_on", "valid_until", "field"),
    [
        (CalibrationKind.VERIFICATION, TODAY, None, "valid_until"),
        (CalibrationKind.CALIBRATION, date(2026, 11, 24), None, "performed_on"),
        (CalibrationKind.CALIBRATION, TODAY, date(2026, 11, 22), "valid_until"),
        (CalibrationKind.CALIBRATION, date(1889, 1, 1), None, "performed_on"),
        (CalibrationKind.CALIBRATION, TODAY, date(2100, 1, 1), "valid_until"),
    ],
)
def test_calibrations_that_cannot_be(kind, performed_on, valid_until, field):
    with pytest.raises(InvalidField) as refused:
        rules.check_calibration(kind, performed_on, valid_until, today=TODAY)

    assert list(refused.value.details["errors"]) == [field]


def test_a_calibration_needs_no_end():
    rules.check_calibration(CalibrationKind.CALIBRATION, TODAY, None, today=TODAY)


def test_what_was_done_last_counts_and_of_one_day_what_was_recorded_last():
    first, second, third = Done(1, TODAY), Done(2, date(2026, 1, 1)), Done(3, TODAY)

    assert rules.latest([first, second, third]) is third
    assert rules.latest([]) is None


@pytest.mark.parametrize(
    ("record", "extended", "until"),
    [
        (None, None, None),
        (Done(1, TODAY), None, None),
        (Done(1, TODAY, date(2027, 1, 1)), None, date(2027, 1, 1)),
        (Done(1, TODAY, date(2027, 1, 1)), date(2027, 2, 1), date(2027, 2, 1)),
        (Done(1, TODAY, date(2027, 1, 1)), date(2026, 12, 1), date(2027, 1, 1)),
        (Done(1, TODAY, date(2027, 1, 1), Result.FAILED), date(2028, 1, 1), date(2026, 11, 22)),
    ],
    ids=["no-record", "no-end", "end", "extended", "extended-too-short", "failed"],
)
def test_how_long_an_instrument_may_be_used(record, extended, until):
    assert rules.usable_until(record, extended) == until


@pytest.mark.parametrize(
    ("days", "reminder"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_which_reminder_is_due(days, reminder):
    until = date.fromordinal(TODAY.toordinal() + days)

    assert rules.due_reminder(until, today=TODAY) == reminder


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("GB/T 228.1-2021", ["GB/T228.1"]),
        ("GB/T228.1—2010", ["GB/T228.1"]),
        ("ＧＢ／Ｔ 228.1", ["GB/T228.1"]),
        ("ISO 6892-1:2019", ["ISO6892-1"]),
        ("JJG 139-2014、JJF 1101-2019", ["JJG139", "JJF1101"]),
        ("GB 5009.3-2016 第一法; GB 5009.3", ["GB5009.3"]),
        ("企业标准", []),
    ],
)
def test_standards_are_known_without_their_years(text, keys):
    assert rules.standard_keys(text) == keys


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        (
            ["序号", "产品名称", "检测参数", "标准（方法）名称及编号", "限制范围"],
            {"standard": 3, "limits": 4, "parameter": 2, "product": 1},
        ),
        (["项目/参数", "依据标准"], {"standard": 1, "parameter": 0}),
        (["Product", "Item", "Method"], {"standard": 2, "parameter": 1, "product": 0}),
        (["标准"], None),
        (["省检测院", "", ""], None),
        ([], None),
    ],
)
def test_the_head_of_a_scope_table_is_known_by_its_words(head, columns):
    assert rules.columns_of(head) == columns


def test_a_product_written_once_holds_for_the_rows_below():
    columns = {"product": 0, "parameter": 1, "standard": 2}
    rows = [
        (2, ["金属材料", "抗拉强度", "GB/T 228.1-2021"]),
        (3, ["", "屈服强度", "GB/T 228.1-2021"]),
        (4, ["", ""]),
        (5, ["塑料", "硬度"]),
    ]

    lines = list(rules.lines_of(rows, columns))

    assert [number for number, _ in lines] == [2, 3, 5]
    assert lines[1][1] == Line("金属材料", "屈服强度", "GB/T 228.1-2021")
    assert lines[2][1].wrong_column() == "standard"
