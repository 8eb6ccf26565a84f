"""A person's own data: whole when asked for, gone when they want, and what must stay stays."""

import json
import zipfile
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from sqlalchemy import text

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.rules import Role
from booking.accounts.service import NewPerson
from booking.calendars import service as calendars
from booking.calendars.rules import FeedKind
from booking.console import service as console
from booking.journal import queries as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.passwords import digest
from booking.reservations import queries as reservations
from booking.reservations import service as reservations_service
from booking.subjects.cli import cli
from booking.subjects.service import FORMAT
from tests.accounts.world import set_up
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)
from tests.notices.world import expand

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
TRACES = ("吴芳芳", "wu@example.cn", "13912345678", "吴的手机", "Firefox of Wu")


@pytest.fixture
def booking(app):
    def run(*words: str, **given) -> Result:
        db.session.commit()  # what the test made must survive a command that rolls back
        command = cli.commands[words[0]]
        return CliRunner().invoke(
            command, words[1:], obj=ScriptInfo(create_app=lambda: app), **given
        )

    return run


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def wu(firm):
    """A member who left a trace in every table that holds personal data."""
    make_user(firm, Role.MANAGER, password=PASSWORD)
    user = make_user(
        firm,
        Role.MANAGER,
        name="吴芳芳",
        email="wu@example.cn",
        mobile="13912345678",
        password=PASSWORD,
    )
    set_up(user.id)
    accounts_service.admit_sign_in("wu@example.cn", "192.0.2.7")
    session, secret = accounts_service.log_in(
        "wu@example.cn",
        PASSWORD,
        address="192.0.2.7",
        client="Firefox of Wu",
        lasts=timedelta(hours=1),
    )
    session.awaits = None
    db.session.flush()
    caller = accounts.caller_by_session(digest(secret))
    accounts_service.create_token(scopes=["read"], days=30, name="吴的手机", caller=caller)
    feed = calendars.create_feed(FeedKind.USER, caller=caller, name="吴的手机")
    reservations_service.reserve(make_instrument().id, slot(), caller=caller, purpose="拉伸试验")
    colleague = NewPerson(name="何伟", email="he@example.cn")
    accounts_service.add_member(firm.id, colleague, [Role.MEMBER], caller=caller)
    accounts_service.send_reset("wu@example.cn")
    expand()
    subject = calendars.queries.feed_subject(digest(feed.url.rpartition("/")[2][:43]))
    calendars.body(calendars.glance(subject, locale="zh_Hans_CN"))
    return user


def everything() -> str:
    """Every row of every table, as text."""
    tables = db.session.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    ).all()
    rows = []
    for table in tables:
        rows += db.session.scalars(text(f'SELECT to_jsonb(t)::text FROM "{table}" t')).all()
    return "\n".join(rows)


class TestExport:
    def test_holds_every_kind_and_no_secret(self, booking, wu):
        done = booking("subject", "export", "wu@example.cn")

        data = json.loads(done.stdout)
        assert done.exit_code == 0
        assert data["format"] == FORMAT
        assert data["person"]["mobile"] == "13912345678"
        assert [each["role"] for each in data["memberships"]] == ["manager"]
        assert data["sessions"][0]["client"] == "Firefox of Wu"
        assert data["tokens"][0]["name"] == "吴的手机"
        assert data["calendar_feeds"][0]["kind"] == "user"
        assert data["reservations"][0]["purpose"] == "拉伸试验"
        assert data["reservations"][0]["use"] is None
        assert {each["kind"] for each in data["notices"]} >= {"confirmation", "reset"}
        assert any(each["action"] == "reservation.reserved" for each in data["journal"])
        assert "nonce" not in done.stdout
        assert "digest" not in done.stdout
        assert "$argon2" not in done.stdout

    def test_finds_whoever_it_is_by_mobile_number_too(self, booking, wu):
        assert json.loads(booking("subject", "export", "+86 13912345678").stdout)["person"]

    def test_as_zip_has_a_file_of_each_kind_that_only_its_owner_reads(self, booking, wu, tmp_path):
        path = tmp_path / "wu.zip"

        done = booking("subject", "export", "wu@example.cn", "-o", str(path))

        assert (done.exit_code, done.stdout) == (0, "")
        assert path.stat().st_mode & 0o777 == 0o600
        with zipfile.ZipFile(path) as archive:
            assert "README.txt" in archive.namelist()
            person = json.loads(archive.read("person.json"))
        assert person["email"] == "wu@example.cn"

    def test_is_journalled(self, booking, wu):
        booking("subject", "export", "wu@example.cn")

        assert journal.list_entries("user", wu.id)[0].action == "user.data_exported"

    def test_of_nobody_is_one_sentence(self, booking):
        done = booking("subject", "export", "nobody@example.cn")

        assert (done.exit_code, done.stdout) == (1, "")
        assert "没有账号使用" in done.stderr

    def test_where_nothing_can_be_written_says_so(self, booking, wu, tmp_path):
        done = booking("subject", "export", "wu@example.cn", "-o", str(tmp_path / "no" / "wu.zip"))

        assert done.exit_code == 1
        assert "无法写入" in done.stderr


class TestWhatWaitsInTheConsole:
    """Drafts are one's own; of tables only which they were: their rows are the institution's."""

    @pytest.fixture
    def keeper(self):
        owner = make_institution()
        make_user(owner, Role.MANAGER, password=PASSWORD)
        user = make_user(owner, Role.MANAGER, name="严谨", email="yan@example.cn")
        caller = accounts.caller_of(user)
        draft = console.start_draft(owner.id, caller=caller)
        console.keep_typed(draft.id, {"contact": ["严谨 13700000001"]}, caller=caller)
        console.take_in(owner.id, "仪器设备名称\n天平\n".encode(), "严谨的.csv", caller=caller)
        return user

    def test_is_exported(self, booking, keeper):
        data = json.loads(booking("subject", "export", "yan@example.cn").stdout)

        assert data["instrument_drafts"][0]["typed"]["contact"] == ["严谨 13700000001"]
        assert [(each["file"], each["rows"]) for each in data["instrument_imports"]] == [
            ("严谨的.csv", 1)
        ]

    def test_goes_with_the_person(self, booking, keeper):
        assert "13700000001" in everything()

        done = booking("subject", "erase", "yan@example.cn", "--json")

        assert json.loads(done.stdout)["gone"]["instrument_drafts"] == 1
        assert "13700000001" not in everything()


class TestErase:
    def test_leaves_no_trace_in_any_table(self, booking, wu):
        before = everything()
        assert all(trace in before for trace in TRACES)  # or the test would prove nothing

        done = booking("subject", "erase", "wu@example.cn")

        after = everything()
        assert done.exit_code == 0, done.output
        assert [trace for trace in TRACES if trace in after] == []

    def test_keeps_what_accounts_must_keep_under_a_pseudonym(self, booking, wu):
        done = booking("subject", "erase", "wu@example.cn", "--json")

        answer = json.loads(done.stdout)
        db.session.refresh(wu)
        assert wu.name == answer["pseudonym"] == f"已注销用户 {wu.id:06d}"
        assert answer["kept"]["reservations"]["count"] == 1
        assert "会计档案" in answer["kept"]["reservations"]["reason"]
        assert reservations.count_of(wu.id) == 1
        assert answer["gone"]["sessions"] == 1

    def test_breaks_no_invariant(self, booking, wu):
        booking("subject", "erase", "wu@example.cn")

        assert [*reservations.breaches(), *journal.breaches()] == []

    def test_lets_nobody_in_any_more_and_frees_the_address(self, booking, wu, firm):
        booking("subject", "erase", "wu@example.cn")

        assert accounts.user_by_login("wu@example.cn") is None
        assert accounts.caller_of(wu).seats == ()
        again = accounts_service.register_person(
            NewPerson(name="吴芳芳", email="wu@example.cn"), by=None
        )
        assert again.id != wu.id

    def test_is_journalled_with_its_reason_and_without_the_name(self, booking, wu):
        booking("subject", "erase", "wu@example.cn", "--reason", "本人书面申请 2026-17")

        entry = next(
            each for each in journal.list_entries("user", wu.id) if each.action == "user.erased"
        )
        assert entry.data["reason"] == "本人书面申请 2026-17"
        assert entry.data["kept"]["reservations"] == 1

    def test_twice_is_refused(self, booking, wu):
        booking("subject", "erase", "wu@example.cn")

        done = booking("subject", "erase", f"erased-{wu.id}@erased.invalid")

        assert done.exit_code == 1
        assert "已删除" in done.stderr

    def test_the_last_manager_first_names_another(self, booking, firm):
        make_user(firm, Role.MANAGER, email="li@example.cn", password=PASSWORD)

        done = booking("subject", "erase", "li@example.cn")

        assert done.exit_code == 1
        assert "最后一位管理员" in done.stderr
        assert accounts.user_by_login("li@example.cn").erased_at is None

    def test_what_others_were_told_names_the_pseudonym(self, booking, wu):
        booking("subject", "erase", "wu@example.cn")

        told = db.session.scalars(
            text("SELECT facts ->> 'person' FROM notices WHERE facts ? 'person'")
        ).all()
        invited = db.session.scalars(
            text("SELECT facts ->> 'inviter' FROM notices WHERE facts ? 'inviter'")
        ).all()
        assert set(told) == set(invited) == {f"已注销用户 {wu.id:06d}"}

    def test_the_calendar_of_the_firm_names_the_pseudonym(self, booking, wu, firm):
        booking("subject", "erase", "wu@example.cn")
        manager = accounts.caller_of(make_user(firm, Role.MANAGER, password=PASSWORD))
        feed = calendars.create_feed(FeedKind.ENTERPRISE, caller=manager, organisation_id=firm.id)
        subject = calendars.queries.feed_subject(digest(feed.url.rpartition("/")[2][:43]))

        body = calendars.body(calendars.glance(subject, locale="zh_Hans_CN")).decode()

        assert "吴芳芳" not in body.replace("\r\n ", "")


def test_the_clock_of_the_export_is_utc(booking, wu):
    data = json.loads(booking("subject", "export", "wu@example.cn").stdout)

    assert data["exported_at"] == clock.now().isoformat().replace("+00:00", "Z")
