"""Certificates, scope and calibrations recorded; the gate at booking; reminders, each once."""

import io
from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from booking.accounts.rules import Role
from booking.availability import queries as availability
from booking.files.errors import FileRefused
from booking.journal.models import JournalEntry
from booking.kernel import workbooks
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, UnreadableFile, WrongState
from booking.kernel.uploads import Upload
from booking.notices.models import Notice
from booking.qualifications import jobs, queries, service
from booking.qualifications.errors import NothingToExtend, NumberTaken, UnusableScope
from booking.qualifications.models import ScopeLine
from booking.qualifications.rules import CalibrationKind, Line, Result, Scheme
from booking.registry.models import Instrument, Publication
from booking.reservations import service as reservations
from booking.reservations.errors import NotBookable
from booking.tariffs import queries as tariffs
from tests.factories import make_caller, make_institution, make_instrument, slot
from tests.queries_counted import counted
from tests.uploaded import PDF, PROGRAM

VERIFICATION, CALIBRATION = CalibrationKind.VERIFICATION, CalibrationKind.CALIBRATION
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)  # the slot is on Wednesday
THURSDAY_10 = datetime.fromisoformat("2026-11-26T10:00:00+08:00")
pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(institution):
    return make_caller(institution, Role.MANAGER)


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, standards=["GB/T 228.1-2021"])


@pytest.fixture
def firm():
    return make_caller()


def certify(institution, caller, scheme=Scheme.CMA, **given):
    given.setdefault("number", "231812345678" if scheme is Scheme.CMA else "CNAS L10234")
    given.setdefault("issuer", "湖南省市场监督管理局")
    given.setdefault("valid_from", date(2023, 5, 1))
    given.setdefault("valid_until", date(2029, 4, 30))
    return service.add_certificate(institution.id, scheme, caller=caller, **given)


def calibrate(instrument, caller, until, kind=CALIBRATION, **given):
    given.setdefault("number", "LX-2026-0318")
    given.setdefault("agency", "湖南省计量检测研究院")
    given.setdefault("performed_on", date(2026, 3, 15))
    return service.record_calibration(
        instrument.id, kind, valid_until=until, caller=caller, **given
    )


def broken(instrument, caller, at=None):
    """What a quote says; reserving must say the same."""
    wanted = at or slot()
    quoted = [v.rule for v in reservations.quote(instrument.id, wanted, caller=caller).violations]
    try:
        with db.session.begin_nested():
            reservations.reserve(instrument.id, wanted, caller=caller)
            refused = []
            raise _Undo
    except NotBookable as error:
        refused = [violation.rule for violation in error.violations]
    except _Undo:
        pass
    assert refused == quoted
    return quoted


class _Undo(Exception):
    """Takes a reservation back that was only tried."""


@pytest.mark.parametrize("kind", [VERIFICATION, CALIBRATION])
@pytest.mark.parametrize(
    ("until", "refused"),
    [(date(2026, 11, 20), True), (TUESDAY, True), (WEDNESDAY, False), (date(2027, 3, 14), False)],
    ids=["ended", "ends-before", "ends-that-day", "ends-later"],
)
def test_after_its_end_nothing_can_be_booked_and_quote_and_reserve_agree(
    instrument, manager, firm, kind, until, refused
):
    calibrate(instrument, manager, until, kind)

    assert broken(instrument, firm) == ([kind.value] if refused else [])


def test_the_refusal_says_the_day_and_the_way_out(instrument, manager, firm):
    calibrate(instrument, manager, date(2026, 11, 20), VERIFICATION)

    [violation] = reservations.quote(instrument.id, slot(), caller=firm).violations

    assert str(violation.detail).startswith("检定已于 2026-11-20 到期，暂停使用。")
    assert "改约同类仪器" in str(violation.detail)


def test_before_its_end_an_earlier_time_is_offered(instrument, manager, firm):
    calibrate(instrument, manager, WEDNESDAY)

    with pytest.raises(NotBookable) as refused:
        reservations.reserve(instrument.id, slot(THURSDAY_10), caller=firm)

    offered = [each["starts_at"].date() for each in refused.value.details["alternatives"]]
    assert offered
    assert max(offered) <= WEDNESDAY


def test_a_reservation_cannot_be_moved_past_the_end(instrument, manager, firm):
    calibrate(instrument, manager, WEDNESDAY)
    made = reservations.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(NotBookable) as refused:
        reservations.move(made.id, slot(THURSDAY_10), caller=firm)

    assert [violation.rule for violation in refused.value.violations] == ["calibration"]
    assert made.slot == slot()


def test_the_owner_itself_is_held_to_it_too(instrument, manager):
    calibrate(instrument, manager, TUESDAY, VERIFICATION)

    assert broken(instrument, manager) == ["verification"]


def test_both_are_named_at_once(instrument, manager, firm):
    calibrate(instrument, manager, TUESDAY, VERIFICATION)
    calibrate(instrument, manager, TUESDAY, CALIBRATION)

    assert broken(instrument, firm) == ["verification", "calibration"]


def test_free_times_end_with_fitness(instrument, manager, firm, now):
    calibrate(instrument, manager, TUESDAY)

    week = availability.weeks([instrument.id], date(2026, 11, 23), now=now.at)[instrument.id]
    found = list(
        availability.find_free_slots(
            slot(THURSDAY_10, hours=4), customer=tariffs.customer_of(firm), now=now.at, minutes=60
        )
    )

    assert [bool(day.free) for day in week.days] == [True, True, *[False] * 5]
    assert instrument.id not in [free.instrument_id for free in found]


def test_a_reservation_takes_as_many_statements_as_without(instrument, manager, firm, institution):
    plain = make_instrument(institution=institution)
    calibrate(instrument, manager, date(2027, 3, 14))
    reservations.reserve(plain.id, slot(THURSDAY_10), caller=firm)

    with counted() as without:
        reservations.reserve(plain.id, slot(), caller=firm)
    with counted() as gated:
        reservations.reserve(instrument.id, slot(), caller=firm)

    assert len(gated) == len(without)


def test_a_renewal_opens_it_again_and_a_withdrawn_record_counts_no_more(instrument, manager, firm):
    calibrate(instrument, manager, date(2026, 11, 20), VERIFICATION)
    renewed = calibrate(
        instrument, manager, date(2027, 11, 22), VERIFICATION, performed_on=date(2026, 11, 23)
    )
    assert broken(instrument, firm) == []

    service.withdraw_calibration(instrument.id, renewed.id, reason="号码有误", caller=manager)
    assert broken(instrument, firm) == ["verification"]
    with pytest.raises(WrongState):
        service.withdraw_calibration(instrument.id, renewed.id, reason="", caller=manager)


def test_what_failed_is_out_of_use_at_once(instrument, manager, firm):
    calibrate(
        instrument,
        manager,
        date(2027, 11, 22),
        VERIFICATION,
        result=Result.FAILED,
        performed_on=date(2026, 11, 23),
    )

    assert broken(instrument, firm) == ["verification"]


def test_an_ended_calibration_is_extended_by_name_and_taken_back(instrument, manager, firm):
    ended = calibrate(instrument, manager, date(2026, 11, 20))
    assert broken(instrument, firm) == ["calibration"]

    made = service.extend(
        instrument.id, ended.id, date(2026, 12, 20), reason="期间核查合格", caller=manager
    )
    assert broken(instrument, firm) == []
    assert made.granted_name == manager.name
    service.revoke_extensions(instrument.id, ended.id, caller=manager)
    assert broken(instrument, firm) == ["calibration"]
    assert list(queries.breaches()) == []


def test_a_verification_is_never_extended(instrument, manager):
    ended = calibrate(instrument, manager, date(2026, 11, 20), VERIFICATION)

    with pytest.raises(NothingToExtend):
        service.extend(instrument.id, ended.id, date(2026, 12, 20), reason="x", caller=manager)


def test_an_extension_must_reach_further(instrument, manager):
    ended = calibrate(instrument, manager, date(2026, 11, 20))

    with pytest.raises(InvalidField):
        service.extend(instrument.id, ended.id, date(2026, 11, 20), reason="x", caller=manager)


def test_verify_finds_fitness_that_its_records_do_not_say(instrument, manager):
    calibrate(instrument, manager, WEDNESDAY)
    assert list(queries.breaches()) == []

    db.session.execute(
        update(Instrument).where(Instrument.id == instrument.id).values(calibrated_until=None)
    )

    assert len(list(queries.breaches())) == 1


def test_only_managers_record_and_only_their_own(instrument, manager, institution):
    for other in (
        make_caller(institution, Role.OPERATOR),
        make_caller(make_institution(), Role.MANAGER),
    ):
        with pytest.raises(NotAllowed):
            calibrate(instrument, other, WEDNESDAY)
        with pytest.raises(NotAllowed):
            certify(institution, other)


def test_a_certificates_file_is_kept_and_a_program_refused(institution, manager):
    made = certify(institution, manager, file=Upload("资质认定证书.pdf", PDF))

    assert (made.file_name, made.file.size) == ("资质认定证书.pdf", len(PDF))
    with pytest.raises(FileRefused):
        certify(institution, manager, Scheme.CNAS, file=Upload("证书.pdf", PROGRAM))


def test_a_certificate_stands_once_and_a_renewal_beside_it(institution, manager):
    certify(institution, manager)

    with pytest.raises(NumberTaken):
        certify(institution, manager)
    certify(institution, manager, valid_from=date(2029, 5, 1), valid_until=date(2035, 4, 30))
    assert len(queries.certificates_of(institution.id)) == 2


def test_put_right_it_is_written_down_once_and_never_once_withdrawn(institution, manager, session):
    made = certify(institution, manager)
    right = {"issuer": "省局", "valid_from": made.valid_from, "valid_until": made.valid_until}
    for _ in range(2):
        service.edit_certificate(made.id, number=made.number, caller=manager, **right)

    entries = select(JournalEntry.data).where(JournalEntry.action == "certificate.edited")
    [told] = session.scalars(entries)
    assert (told["old"]["issuer"], told["new"]["issuer"]) == ("湖南省市场监督管理局", "省局")
    service.withdraw_certificate(made.id, caller=manager)
    with pytest.raises(WrongState):
        service.edit_certificate(made.id, number=made.number, caller=manager, **right)


def test_put_right_it_cannot_become_another_that_is_there(institution, manager):
    certify(institution, manager)
    other = certify(institution, manager, number="231812345679")

    with pytest.raises(NumberTaken):
        service.edit_certificate(
            other.id,
            number="231812345678",
            issuer=other.issuer,
            valid_from=other.valid_from,
            valid_until=other.valid_until,
            caller=manager,
        )


def test_an_instrument_falls_under_what_its_standards_meet(institution, instrument, manager):
    other = make_instrument(institution=institution, standards=["GB/T 9999-2020"])
    bare = make_instrument(institution=institution)
    foreign = make_instrument(standards=["GB/T 228.1"])
    cma, cnas = certify(institution, manager), certify(institution, manager, Scheme.CNAS)
    line = Line("金属材料", "抗拉强度", "GB/T 228.1-2010", "10 N–100 kN")
    for certificate in (cma, cnas):
        service.add_line(certificate.id, line, caller=manager)

    with counted() as statements:
        found = queries.schemes_of([instrument, other, bare, foreign], today=WEDNESDAY)

    assert found == {instrument.id: [Scheme.CMA, Scheme.CNAS]}
    assert len(statements) == 1
    [first, _] = queries.covering(instrument, today=WEDNESDAY)
    assert [each.parameter for each in first.lines] == ["抗拉强度"]
    assert queries.schemes_of([instrument], today=date(2030, 1, 1)) == {}
    service.withdraw_certificate(cma.id, caller=manager)
    assert queries.schemes_of([instrument], today=WEDNESDAY) == {instrument.id: [Scheme.CNAS]}


def test_lines_are_added_and_removed(institution, manager):
    certificate = certify(institution, manager)
    made = service.add_line(certificate.id, Line("", "硬度", "GB/T 230.1-2018"), caller=manager)

    with pytest.raises(InvalidField):
        service.add_line(certificate.id, Line("钢", "硬度", ""), caller=manager)
    service.remove_line(certificate.id, made.id, caller=manager)
    service.remove_line(certificate.id, made.id, caller=manager)
    assert queries.lines_of(certificate.id, limit=10) == ([], 0)


def sheet(tmp_path, *rows):
    target = io.BytesIO()
    workbooks.write_workbook(target, "能力表", rows[0], rows[1:])
    path = tmp_path / "scope.xlsx"
    path.write_bytes(target.getvalue())
    return path


HEAD = ("序号", "产品名称", "参数", "标准（方法）名称及编号", "限制范围")


def test_a_scope_is_imported_in_the_place_of_the_old_one(institution, manager, tmp_path):
    certificate = certify(institution, manager)
    service.add_line(certificate.id, Line("旧", "旧", "GB/T 1-2020"), caller=manager)
    table = sheet(
        tmp_path,
        HEAD,
        ("1", "金属材料", "抗拉强度", "GB/T 228.1-2021", "≤100 kN"),
        ("2", "", "屈服强度", "GB/T 228.1-2021", ""),
    )

    assert service.import_scope(certificate.id, table, caller=manager) == 2
    lines, total = queries.lines_of(certificate.id, limit=1)
    assert (total, lines[0].limits, lines[0].standard_keys) == (2, "≤100 kN", ["GB/T228.1"])


def test_a_table_with_a_bad_row_leaves_everything_as_it_was(institution, manager, tmp_path):
    certificate = certify(institution, manager)
    service.add_line(certificate.id, Line("旧", "旧", "GB/T 1-2020"), caller=manager)
    table = sheet(
        tmp_path, HEAD, ("1", "钢", "硬度", "GB/T 230.1", ""), ("2", "钢", "硬度", "", "")
    )

    with pytest.raises(UnusableScope) as refused:
        service.import_scope(certificate.id, table, caller=manager)

    assert refused.value.details["rows"] == [{"row": 3, "column": "standard"}]
    assert len(db.session.scalars(select(ScopeLine)).all()) == 1


@pytest.mark.parametrize("rows", [[("说明",)], [HEAD], [("产品",), ("钢",)]])
def test_a_table_without_head_or_rows_is_refused(institution, manager, tmp_path, rows):
    certificate = certify(institution, manager)

    with pytest.raises(UnreadableFile):
        service.import_scope(certificate.id, sheet(tmp_path, *rows), caller=manager)


def test_everybody_sees_a_certificate_once_its_institution_publishes(institution, manager):
    certificate = certify(institution, manager)
    with pytest.raises(NotFound):
        queries.get_certificate(certificate.id, caller=None)

    make_instrument(institution=institution, publication=Publication.DRAFT)
    with pytest.raises(NotFound):
        queries.get_certificate(certificate.id, caller=make_caller())
    make_instrument(institution=institution)
    assert queries.get_certificate(certificate.id, caller=None) is certificate
    service.withdraw_certificate(certificate.id, caller=manager)
    with pytest.raises(NotFound):
        queries.get_certificate(certificate.id, caller=None)
    assert queries.get_certificate(certificate.id, caller=manager)


def notices():
    return db.session.scalars(
        select(Notice).where(Notice.kind == "expiry").order_by(Notice.id)
    ).all()


def test_each_end_is_reminded_of_three_times_and_never_twice(instrument, manager, now):
    calibrate(instrument, manager, date(2027, 1, 25))  # in 63 days
    days = []
    for _ in range(70):
        before = len(notices())
        jobs.remind()
        jobs.remind()
        days += [each.facts["days"] for each in notices()[before:]]
        now.advance(days=1)

    assert days == [60, 30, 7]


def test_a_reminder_missed_while_nothing_ran_comes_late_and_once(institution, manager, now):
    certify(institution, manager, valid_until=date(2026, 12, 13))  # in 20 days

    jobs.remind()

    [notice] = notices()
    assert notice.facts["days"] == 20
    assert notice.facts["what"] == "cma"
    assert notice.audience == [["owner", None, institution.id, "manage_instruments"]]


def test_what_was_renewed_or_withdrawn_is_not_reminded_of(institution, instrument, manager):
    certify(institution, manager, valid_until=date(2026, 12, 13))
    certify(institution, manager, valid_from=date(2026, 12, 14), valid_until=date(2032, 12, 13))
    calibrate(instrument, manager, date(2026, 12, 1))
    calibrate(instrument, manager, date(2027, 12, 1), performed_on=date(2026, 11, 20))
    gone = calibrate(instrument, manager, date(2026, 12, 1), VERIFICATION)
    service.withdraw_calibration(instrument.id, gone.id, reason="误录", caller=manager)

    jobs.remind()

    assert notices() == []


def test_each_change_stands_in_the_journal(instrument, manager, institution):
    ended = calibrate(instrument, manager, date(2026, 11, 20))
    service.extend(instrument.id, ended.id, date(2026, 12, 1), reason="核查", caller=manager)
    service.revoke_extensions(instrument.id, ended.id, caller=manager)
    service.withdraw_calibration(instrument.id, ended.id, reason="误录", caller=manager)
    service.withdraw_certificate(certify(institution, manager).id, caller=manager)

    actions = db.session.scalars(
        select(JournalEntry.action)
        .where(JournalEntry.actor_id == manager.user_id)
        .order_by(JournalEntry.id)
    ).all()
    assert actions == [
        "calibration.recorded",
        "calibration.extended",
        "calibration.extension_revoked",
        "calibration.withdrawn",
        "certificate.added",
        "certificate.withdrawn",
    ]
