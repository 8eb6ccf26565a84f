"""Importing tables: all rows or none, told apart by number, said where and why."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from booking.accounts.rules import Role
from booking.journal.models import JournalEntry
from booking.kernel.errors import UnreadableFile
from booking.registry import queries, service
from booking.registry.gateway import open_table, write_table
from booking.registry.models import (
    Funds,
    Instrument,
    InstrumentType,
    Publication,
    RunningState,
    SharingMode,
)
from booking.registry.service.formats import FORMATS, NRII, UNIQUIP
from tests.factories import caller_of, make_institution, make_instrument, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def bring(tmp_path, institution):
    """Import rows, given as texts under a heading."""

    def run(heading, *rows, **given):
        path = tmp_path / "table.csv"
        path.write_text("\n".join([heading, *rows]), encoding=given.pop("encoding", "utf-8"))
        return service.import_instruments(institution, open_table(path), **given)

    return run


def all_of(session):
    query = select(Instrument).options(undefer(Instrument.source_row)).order_by(Instrument.inner_id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def told(report):
    return [(f.row, f.column, str(f.reason)) for f in report.findings if f.is_error]


def warned(report):
    return [(f.row, f.column, str(f.reason)) for f in report.findings if not f.is_error]


def test_uniquip_rows_become_published_instruments_with_their_source(bring, session):
    report = bring(
        "ID,Name,Location,Site Location,Service Level,Web Address,Photo",
        "A-1,电子万能试验机,長崎県,3F,internal only,https://lab.example.cn/1,p.jpg",
    )

    (made,) = all_of(session)
    assert (report.created, report.errors, report.publishes) == (1, 0, True)
    assert (made.inner_id, made.name, made.category_code) == ("A-1", "电子万能试验机", "990000")
    assert (made.place, made.region_code, made.street) == ("長崎県", None, "3F")
    assert made.sharing_mode is SharingMode.INTERNAL
    assert made.publication is Publication.PUBLISHED
    assert (made.source_format, made.source_row["Photo"]) == ("uniquip", "p.jpg")


def test_what_was_imported_is_found_by_name_and_pinyin(bring, session, institution):
    bring("ID,Name", "A-1,电子万能试验机")

    for typed in ("万能试验", "wanneng", "dzwn"):
        found = session.scalars(queries.matching(caller=None, q=typed)).all()
        assert [each.inner_id for each in found] == ["A-1"], typed


def test_the_national_form_fills_all_its_fields(bring, session):
    bring(
        "所属单位仪器编号,仪器设备名称,设备分类编码,原值（万元）,购置经费来源,类别,启用日期,方法标准,"
        "行政区划代码,运行状态,共享模式,海关监管,台数",
        '7,气相色谱仪,10501,"1,052.80",中央财政；单位自有,专用,2019年3月5日,GB/T 5009.1；GB 1,'
        "430100,偶有故障,不共享,否,2",
    )

    (made,) = all_of(session)
    assert (made.category_code, str(made.worth_wan), made.units) == ("010501", "1052.80", 2)
    assert made.funds == [Funds.CENTRAL, Funds.OWN]
    assert made.instrument_type is InstrumentType.SPECIAL
    assert made.commissioned_on.isoformat() == "2019-03-05"
    assert made.standards == ["GB/T 5009.1", "GB 1"]
    assert (made.region_code, made.running_state) == ("430100", RunningState.OCCASIONAL)
    assert (made.sharing_mode, made.customs_supervised) == (SharingMode.NONE, False)


def test_a_chinese_place_gets_its_region(bring, session):
    bring("ID,Name,Location", "A-1,试验机,长沙市", "A-2,试验机,湖南省 长沙市 岳麓区")

    assert [each.region_code for each in all_of(session)] == ["430100", "430104"]


def test_one_error_and_nothing_is_written(bring, session):
    report = bring(
        "ID,Name,Service Level", "A-1,试验机,external", ",无编号,", "A-3,,", "A-4,天平,now and then"
    )

    assert all_of(session) == []
    assert session.scalar(select(func.count()).select_from(JournalEntry)) == 0
    assert told(report) == [
        (3, "ID", "请填写此项。"),
        (4, "Name", "请填写此项。"),
        (
            5,
            "Service Level",
            "“now and then”不在可选范围内：external、internal only、not shared。",
        ),
    ]


@pytest.mark.parametrize(
    ("heading", "row", "column", "reason"),
    [
        ("原值(万元)", "很贵", "原值(万元)", "数字"),
        ("原值(万元)", "1.234", "原值(万元)", "两位小数"),
        ("启用日期", "2019-02-30", "启用日期", "日期"),
        ("设备分类编码", "888888", "设备分类编码", "分类代码"),
        ("行政区划代码", "999999", "行政区划代码", "行政区划"),
        ("台数", "100", "台数", "1 到 99"),
        ("台数", "两台", "台数", "整数"),
        ("运行状态", "好", "运行状态", "正常、偶有故障、故障频繁、待修、待报废"),
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error_in_its_column(
    bring, session, heading, row, column, reason
):
    report = bring(f"所属单位仪器编号,仪器设备名称,{heading}", f"1,天平,{row}")

    ((number, named, said),) = told(report)
    assert (number, named) == (2, column)
    assert reason in said
    assert all_of(session) == []


def test_a_number_that_comes_twice_is_named_with_its_first_row(bring):
    report = bring("ID,Name", "A-1,天平", "A-2,天平", "A-1,天平")

    assert told(report) == [(4, "ID", "编号与第 2 行重复。")]


def test_content_beyond_the_headings_is_an_error_and_missing_cells_are_empty(bring):
    report = bring("ID,Name,Location", "A-1,天平", "A-2,天平,长沙市,,", "A-3,天,平,长沙市")

    assert told(report) == [(4, "", "比列名多出 1 格内容，请检查是否缺少引号。")]


def test_long_text_is_cut_for_show_and_kept_with_the_row(bring, session):
    report = bring("ID,Name", f"A-1,{'试' * 120}")

    (made,) = all_of(session)
    assert (len(made.name), len(made.source_row["Name"])) == (100, 120)
    assert warned(report) == [(2, "Name", "共 120 字，超过 100 字，已截短显示，原文保留。")]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ("Web Address,lab.example.cn", "service_url"),
        (f"Web Address,https://lab.example.cn/{'x' * 100}", "service_url"),
        ("Contact Email,李明", "email"),
        (f"Contact Telephone,{'0731-8555555、' * 4}", "phone"),
    ],
)
def test_an_address_that_does_not_work_is_left_out_with_a_warning(bring, session, cells, field):
    heading, _, cell = cells.partition(",")
    report = bring(f"ID,Name,{heading}", f"A-1,天平,{cell}")

    (made,) = all_of(session)
    assert (getattr(made, field), made.source_row[heading]) == ("", cell)
    ((row, column, reason),) = warned(report)
    assert (row, column) == (2, heading)
    assert reason.startswith("未采用，原文保留：")


def test_controls_become_blanks_and_formulas_stay_text(bring, session):
    report = bring("ID,Name", 'A-1,"天\x82平\n一台"', "A-2,=cmd|' /C calc'!A0")

    assert [each.name for each in all_of(session)] == ["天 平 一台", "=cmd|' /C calc'!A0"]
    assert warned(report) == [
        (2, "Name", "换行或控制字符已改为空格。"),
        (3, "Name", "以“=”开头，按文字处理，不作公式。"),
    ]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(bring, session):
    report = bring("ID,Name", "A-1,天平", dry_run=True)

    assert (report.created, all_of(session)) == (1, [])


def test_the_same_file_again_changes_nothing(bring, session):
    bring("ID,Name,Location", "A-1,天平,长沙市", "A-2,天平,東京都")
    entries = session.scalar(select(func.count()).select_from(JournalEntry))

    report = bring("ID,Name,Location", "A-1,天平,长沙市", "A-2,天平,東京都")

    assert (report.created, report.changed, report.unchanged) == (0, 0, 2)
    assert session.scalar(select(func.count()).select_from(JournalEntry)) == entries
    assert [each.version for each in all_of(session)] == [1, 1]


def test_a_changed_row_changes_its_instrument_and_its_index(bring, session):
    bring("ID,Name,Department", "A-1,天平,一室")

    report = bring("ID,Name,Department", "A-1,电子天平,一室")

    (made,) = all_of(session)
    assert (report.changed, made.name, made.version) == (1, "电子天平", 2)
    assert made.source_row["Name"] == "电子天平"
    assert len(session.scalars(queries.matching(caller=None, q="电子")).all()) == 1
    entry = session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc())).first()
    assert (entry.action, entry.data) == (
        "instrument.changed",
        {"old": {"name": "天平"}, "new": {"name": "电子天平"}},
    )


def test_what_was_edited_here_stays_unless_the_file_says_something_new(bring, session, institution):
    bring("ID,Name,Department", "A-1,天平,一室")
    (made,) = all_of(session)
    manager = make_user(institution, Role.MANAGER)
    caller = caller_of(manager, (institution, Role.MANAGER))
    service.update_instrument(made.id, {"name": "分析天平"}, caller=caller)

    bring("ID,Name,Department", "A-1,天平,二室")

    (now,) = all_of(session)
    assert (now.name, now.department) == ("分析天平", "二室")


def test_another_institutions_number_is_another_instrument(bring, session):
    theirs = make_instrument(inner_id="A-1", name="气相色谱仪")

    report = bring("ID,Name", "A-1,天平")

    assert report.created == 1
    assert session.get(Instrument, theirs.id).name == "气相色谱仪"


def test_fewer_units_of_a_published_instrument_are_refused(bring, session):
    heading = "所属单位仪器编号,仪器设备名称,台数"
    bring(heading, "1,天平,3")

    report = bring(heading, "1,天平,2", "2,新的,1")

    assert told(report) == [(2, "台数", "仪器发布过，每一台都可能已有预约，不能减少台数。")]
    assert [(each.inner_id, each.units) for each in all_of(session)] == [("1", 3)]


def test_without_verification_new_instruments_are_drafts(session, tmp_path):
    institution = make_institution(verified_at=None)
    path = tmp_path / "table.csv"
    path.write_text("ID,Name\nA-1,天平")

    report = service.import_instruments(institution, open_table(path))

    assert report.publishes is False
    assert all_of(session)[0].publication is Publication.DRAFT


@pytest.mark.parametrize(
    ("heading", "given", "reason"),
    [
        ("编号,名称", {}, "认不出"),
        ("ID,名称", {"format_": UNIQUIP}, "缺少这些列：Name"),
        ("ID,Name", {"format_": NRII}, "缺少这些列：所属单位仪器编号、仪器设备名称"),
    ],
)
def test_a_table_of_no_known_format_is_refused(bring, heading, given, reason):
    with pytest.raises(UnreadableFile, match=reason):
        bring(heading, "1,天平", **given)


@pytest.mark.parametrize("key", FORMATS)
def test_what_is_exported_can_be_imported_again_unchanged(
    bring, session, institution, tmp_path, key
):
    bring(
        "ID,Name,Location,Site Location,Service Level,Web Address,Photo",
        f"A-1,{'试' * 120},長崎県,3F,internal only,lab,p.jpg",
        "A-2,=1+1,长沙市,,external on request,https://lab.example.cn,",
        "'A-3,'天平',,,,,",
    )
    format_ = FORMATS[key]
    path = tmp_path / "out.csv"
    with path.open("w", encoding="utf-8") as file:
        rows = service.export_instruments(institution.id, format_)
        write_table(file, [column.heading for column in format_.columns], rows)

    report = service.import_instruments(institution, open_table(path))

    assert (report.errors, report.created, report.changed, report.unchanged) == (0, 0, 0, 3)


def test_an_export_gives_back_what_was_cut(bring, institution):
    bring("ID,Name,Photo", f"A-1,{'试' * 120},p.jpg")

    (row,) = service.export_instruments(institution.id, UNIQUIP)

    assert {"A-1", "试" * 120, "p.jpg"} <= set(row)
