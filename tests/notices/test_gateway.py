"""Mails as they leave: headers, parts, calendar entries; servers that behave and that do not."""

import re
import stat
from datetime import datetime, timedelta
from email.header import decode_header, make_header
from html.parser import HTMLParser

import ics
import pytest
from flask_babel import force_locale
from icalendar import Calendar

from booking.app import create_app
from booking.kernel.config import ConfigError
from booking.notices import gateway
from booking.notices.errors import Postponed, Refused, Unreachable
from booking.notices.gateway import Envelope, carriers, smtp
from booking.notices.gateway.smtp import Server
from booking.notices.rules import Kind, Side
from tests.mail_servers import Dripping, GoodServer, TlsController, free_port, only_li, serving, tls

FACTS = {
    "starts_at": "2026-11-25T02:00:00+00:00",
    "ends_at": "2026-11-25T04:00:00+00:00",
    "sequence": 0,
    "price_minor": 28800,
    "baseline_minor": 36000,
    "currency": "CNY",
    "number": "R-000007",
    "created_at": "2026-11-23T01:00:00+00:00",
    "purpose": "拉伸试验",
    "instrument": "电子万能试验机",
    "model": "CMT5105",
    "zone": "Asia/Shanghai",
    "place": "长沙市雨花区 3 号楼",
    "contact": "张工 0731-88886666",
    "requirement": "样品长度不超过 1 米。",
    "institution": "湖南省检测院",
    "customer": "长沙精工机械有限公司",
    "person": "李明",
    "change_until_minutes": 1440,
}
MOVED = FACTS | {
    "sequence": 1,
    "was_starts_at": "2026-11-25T00:00:00+00:00",
    "was_ends_at": "2026-11-25T01:00:00+00:00",
}
CANCELLED = FACTS | {"sequence": 2, "by_owner": True, "reason": "仪器维护"}
POSTED = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
ENVELOPE = Envelope(id=12, name="李明", email="li@example.cn", at=POSTED)

pytestmark = pytest.mark.usefixtures("session", "use_mail")


@pytest.fixture(autouse=True)
def _in_chinese(session):
    with force_locale("zh_Hans_CN"):
        yield


def letter(kind=Kind.CONFIRMATION, side=Side.CUSTOMER, facts=None, **change):
    return gateway.compose(kind, side, (facts or FACTS) | change, subject_id=7)


def mail_of(kind=Kind.CONFIRMATION, side=Side.CUSTOMER, facts=None, envelope=ENVELOPE, **change):
    return gateway.build(letter(kind, side, facts, **change), envelope, date=POSTED)


class TestWords:
    @pytest.mark.parametrize(
        ("kind", "side", "facts", "subject"),
        [
            (
                Kind.CONFIRMATION,
                Side.CUSTOMER,
                FACTS,
                "已预约：电子万能试验机，11月25日 周三 10:00–12:00",
            ),
            (
                Kind.CONFIRMATION,
                Side.OWNER,
                FACTS,
                "新预约：电子万能试验机，11月25日 周三 10:00–12:00",
            ),
            (
                Kind.CHANGE,
                Side.CUSTOMER,
                MOVED,
                "已改期：电子万能试验机，11月25日 周三 10:00–12:00",
            ),
            (
                Kind.CANCELLATION,
                Side.OWNER,
                CANCELLED,
                "已取消：电子万能试验机，11月25日 周三 10:00–12:00",
            ),
        ],
    )
    def test_the_subject_is_the_fact_then_the_when(self, kind, side, facts, subject):
        assert letter(kind, side, facts).subject == subject

    def test_a_reminder_says_how_soon(self, now):
        now.set(datetime.fromisoformat("2026-11-24T09:00:00+08:00"))

        assert letter(Kind.REMINDER).subject == "明天 10:00：电子万能试验机"

    def test_the_firm_reads_where_what_it_pays_and_saves_and_until_when_it_is_free(self):
        found = letter()

        assert found.rows == [
            ("仪器", "电子万能试验机 CMT5105"),
            ("时间", "11月25日 周三 10:00–12:00"),
            ("机构", "湖南省检测院"),
            ("地点", "长沙市雨花区 3 号楼"),
            ("联系人", "张工 0731-88886666"),
            ("用途", "拉伸试验"),
            ("应付（含税）", "288.00 元"),
            ("预计节约", "72.00 元"),
        ]
        assert found.steps == [
            "请按时到达，带上样品和夹具要求。",
            "样品长度不超过 1 米。",
            "11月24日 周二 10:00 前可免费取消。",
        ]
        assert found.number == "R-000007"

    def test_the_lab_reads_who_comes_and_what_for(self):
        rows = dict(letter(side=Side.OWNER).rows)

        assert rows["客户单位"] == "长沙精工机械有限公司"
        assert rows["用途"] == "拉伸试验"
        assert {"机构", "预计节约"}.isdisjoint(rows)

    @pytest.mark.parametrize("baseline", [None, 28800])
    def test_nothing_saved_is_not_mentioned(self, baseline):
        assert "预计节约" not in dict(letter(baseline_minor=baseline).rows)

    def test_what_is_not_known_has_no_row(self):
        rows = dict(letter(contact="", purpose="", place="").rows)

        assert {"联系人", "用途", "地点"}.isdisjoint(rows)

    def test_a_cancellation_by_the_lab_says_so_and_why(self):
        found = letter(Kind.CANCELLATION, facts=CANCELLED)

        assert "机构取消了这个预约" in found.sentence
        assert ("原因", "仪器维护") in found.rows
        assert found.steps == ["可以改约其他时间，或另找一台同类仪器。"]

    def test_a_change_names_both_times(self):
        found = letter(Kind.CHANGE, facts=MOVED)

        assert "11月25日 周三 08:00–09:00" in found.sentence
        assert dict(found.rows)["原时间"] == "11月25日 周三 08:00–09:00"

    def test_times_are_those_on_the_labs_wall_named_where_they_are_not_ours(self):
        found = letter(zone="Asia/Tokyo")

        assert dict(found.rows)["时间"] == "11月25日 周三 11:00–13:00（Asia/Tokyo 时间）"

    def test_in_english(self):
        with force_locale("en"):
            found = letter()
            kept = mail_of()

        assert found.subject == "Booked: 电子万能试验机, Wed 25 Nov, 10:00–12:00"
        assert ("Due (incl. tax)", "¥288.00") in found.rows
        assert kept["Content-Language"] == "en"
        assert "接下来" not in kept.get_body(("plain",)).get_content()


class Page(HTMLParser):
    """What an HTML mail shows and refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.tags, self.addresses = "", set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"href", "src", "background"}]

    def handle_data(self, data):
        self.words += data


class TestMail:
    def test_names_sender_reader_and_itself(self):
        mail = mail_of()

        assert mail["From"] == "仪器共享 <no-reply@booking.example.cn>"
        assert mail["To"] == "李明 <li@example.cn>"
        assert re.fullmatch(
            r"<0000000012-[0-9a-f]{16}@booking\.example\.cn>", str(mail["Message-ID"])
        )
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == "zh-CN"

    def test_has_text_html_and_calendar_and_the_entry_as_a_file(self):
        kinds = [part.get_content_type() for part in mail_of().walk()]

        assert kinds == [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "text/calendar",
            "application/ics",
        ]
        (file,) = mail_of().iter_attachments()
        assert file.get_filename() == "R-000007.ics"

    def test_the_text_says_what_the_html_says(self):
        mail = mail_of()
        text = mail.get_body(("plain",)).get_content()
        page = Page(mail.get_body(("html",)).get_content())

        said = letter()
        for part in (
            said.sentence,
            *(value for _, value in said.rows),
            *said.steps,
            said.button[1],
            said.number,
            said.why,
            "http://127.0.0.1:8000/account/notices",
        ):
            assert part in text
            assert part in page.words + " ".join(page.addresses)

    def test_the_html_needs_no_picture_and_nothing_from_outside(self):
        page = Page(mail_of().get_body(("html",)).get_content())

        assert page.tags.isdisjoint({"img", "script", "link", "iframe", "form", "object"})
        assert set(page.addresses) == {
            "http://127.0.0.1:8000/reservations/7",
            "http://127.0.0.1:8000/account/notices",
        }
        assert "url(" not in mail_of().get_body(("html",)).get_content()

    def test_what_people_typed_is_escaped_in_html(self):
        mail = mail_of(purpose="<script>alert(1)</script>")

        assert "<script>" not in mail.get_body(("html",)).get_content()
        assert "<script>alert(1)</script>" in mail.get_body(("plain",)).get_content()

    def test_a_mail_that_must_come_has_no_way_to_stop_it(self):
        facts = {"nonce": "n", "until": "2026-11-24T09:00:00+08:00"}
        mail = gateway.build(
            gateway.compose(Kind.RESET, Side.SELF, facts, subject_id=1), ENVELOPE, date=POSTED
        )

        assert "/account/notices" not in mail.as_string()
        assert "/account/notices" not in mail.get_body(("plain",)).get_content()
        assert "/invitation?invitation=" in mail.get_body(("plain",)).get_content()
        assert mail.get_body(("calendar",)) is None

    @pytest.mark.parametrize(
        "evil", ["A\r\nBcc: evil@example.cn", "A\nX: y", "A\u2028B", "A\rB", "A\x85B", "A\0B"]
    )
    def test_breaks_in_names_and_subjects_never_break_headers(self, evil):
        envelope = Envelope(id=1, name=evil, email="li@example.cn", at=POSTED)
        mail = mail_of(envelope=envelope, instrument=evil, reason=evil)

        raw = mail.as_bytes()
        head = raw.partition(b"\r\n\r\n")[0].decode()
        names = re.findall(r"^([A-Za-z-]+):", head, re.MULTILINE)
        assert names == [
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
            "MIME-Version", "Content-Type", "Content-Language",
        ]  # fmt: skip
        assert "\n" not in str(make_header(decode_header(mail["Subject"])))

    def test_every_line_is_seven_bits_and_short_enough_for_any_server(self):
        raw = mail_of(instrument="很长的仪器名称" * 30, purpose="用途" * 900).as_bytes()

        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert b"\n" not in raw.replace(b"\r\n", b"")

    def test_a_name_with_marks_of_its_own_stays_a_name(self):
        envelope = Envelope(id=1, name='Li "the" <x@evil.cn>, 李', email="li@example.cn", at=POSTED)

        (address,) = mail_of(envelope=envelope)["To"].addresses
        assert address.addr_spec == "li@example.cn"

    def test_ids_differ_by_message_and_stay_over_attempts(self):
        again = gateway.build(letter(), ENVELOPE, date=POSTED + timedelta(hours=1))
        other = Envelope(id=13, name="李明", email="li@example.cn", at=POSTED)

        assert again["Message-ID"] == mail_of()["Message-ID"]
        assert mail_of(envelope=other)["Message-ID"] != mail_of()["Message-ID"]


def entry_of(mail) -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
    return part.get_content()


def read_by_icalendar(text):
    calendar = Calendar.from_ical(text)
    (event,) = calendar.events
    assert event.errors == []
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "begin": event.start,
        "end": event.end,
        "organizer": str(event["ORGANIZER"]),
        "attendee": str(event["ATTENDEE"]),
    }


def read_by_ics(text):
    calendar = ics.Calendar(text)
    (event,) = calendar.events
    more = {line.name: line.value for line in event.extra}
    (attendee,) = event.attendees
    return {
        "method": calendar.method,
        "uid": event.uid,
        "sequence": int(more["SEQUENCE"]),
        "status": event.status,
        "begin": event.begin.datetime,
        "end": event.end.datetime,
        "organizer": f"mailto:{event.organizer.email}",
        "attendee": f"mailto:{attendee.email}",
    }


@pytest.mark.parametrize("read", [read_by_icalendar, read_by_ics])
class TestEntry:
    def test_follows_from_booked_to_moved_to_cancelled(self, read):
        booked, moved, gone = (
            read(entry_of(mail_of(kind, facts=facts)))
            for kind, facts in (
                (Kind.CONFIRMATION, FACTS),
                (Kind.CHANGE, MOVED),
                (Kind.CANCELLATION, CANCELLED),
            )
        )

        assert [each["method"] for each in (booked, moved, gone)] == [
            "REQUEST",
            "REQUEST",
            "CANCEL",
        ]
        assert [each["sequence"] for each in (booked, moved, gone)] == [0, 1, 2]
        assert [each["status"] for each in (booked, moved, gone)] == [
            "CONFIRMED",
            "CONFIRMED",
            "CANCELLED",
        ]
        assert len({each["uid"] for each in (booked, moved, gone)}) == 1

    def test_names_the_time_and_both_parties(self, read):
        found = read(entry_of(mail_of()))

        assert found["begin"] == datetime.fromisoformat("2026-11-25T10:00:00+08:00")
        assert found["end"] == datetime.fromisoformat("2026-11-25T12:00:00+08:00")
        assert found["organizer"] == "mailto:no-reply@booking.example.cn"
        assert found["attendee"] == "mailto:li@example.cn"

    def test_both_sides_hold_the_same_entry(self, read):
        firm, lab = (read(entry_of(mail_of(side=side))) for side in (Side.CUSTOMER, Side.OWNER))

        assert firm["uid"] == lab["uid"]


class TestEntryText:
    def test_part_and_file_are_the_same_and_the_part_names_the_method(self):
        mail = mail_of(Kind.CANCELLATION, facts=CANCELLED)
        part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
        (file,) = mail.iter_attachments()

        assert part.get_param("method") == "CANCEL"
        assert file.get_content().decode() == entry_of(mail).replace("\r\n", "\n").replace(
            "\n", "\r\n"
        )

    def test_lines_are_folded_by_octets(self):
        file = next(mail_of(purpose="拉伸" * 200).iter_attachments()).get_content()

        assert max(len(line) for line in file.split(b"\r\n")) <= 75

    def test_quotes_in_a_name_do_not_end_the_parameter(self):
        envelope = Envelope(id=1, name='李 "明"; X=1', email="li@example.cn", at=POSTED)

        found = Calendar.from_ical(entry_of(mail_of(envelope=envelope))).events[0]
        assert found["ATTENDEE"].params["CN"] == "李 '明'; X=1"

    def test_a_reminder_brings_none(self):
        assert mail_of(Kind.REMINDER).get_body(("calendar",)) is None
        assert letter(Kind.REMINDER).entry is None


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "meant"),
        [
            ("smtp://127.0.0.1:1025", Server("127.0.0.1", 1025, "none")),
            ("smtp://mail.example.cn", Server("mail.example.cn", 25, "none")),
            (
                "smtp+starttls://li%40x:p%2Fw@mail.example.cn",
                Server("mail.example.cn", 587, "starttls", "li@x", "p/w"),
            ),
            (
                "smtps://u:p@mail.example.cn/",
                Server("mail.example.cn", 465, "tls", "u", "p"),
            ),
            ("smtp://u:p@localhost:25", Server("localhost", 25, "none", "u", "p")),
        ],
    )
    def test_is_read(self, url, meant):
        assert smtp.parse(url) == meant

    @pytest.mark.parametrize(
        "url",
        [
            "mail.example.cn",
            "http://mail.example.cn",
            "smtp://",
            "smtp://mail.example.cn:0",
            "smtp://mail.example.cn:99999",
            "smtp://mail.example.cn/inbox",
            "smtp://mail.example.cn?tls=1",
            "smtp://[::1",
            "smtp://u:geheim@mail.example.cn",
        ],
    )
    def test_a_bad_one_stops_the_start_with_one_sentence_without_the_password(self, url):
        with pytest.raises(ConfigError) as refused:
            smtp.parse(url)

        assert "SMTP_URL" in str(refused.value)
        assert "geheim" not in str(refused.value)
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("base_url", "given", "sender"),
        [
            ("https://lab.example.cn", "", "no-reply@lab.example.cn"),
            ("http://127.0.0.1:8000", "", "no-reply@localhost.localdomain"),
            ("https://10.0.0.5", "", "no-reply@[10.0.0.5]"),
            ("https://[2001:db8::1]", "", "no-reply@[IPv6:2001:db8::1]"),
            ("https://lab.example.cn", "Post@example.cn", "post@example.cn"),
        ],
    )
    def test_of_the_sender(self, app, base_url, given, sender):
        made = create_app(
            "testing",
            DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"],
            BASE_URL=base_url,
            MAIL_FROM=given,
        )

        assert made.extensions["booking_post"].sender == sender

    def test_of_the_sender_that_is_none_is_refused(self, app):
        with pytest.raises(ConfigError, match="BOOKING_MAIL_FROM=nobody"):
            create_app(
                "testing",
                DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"],
                MAIL_FROM="nobody",
            )


def carry(mail, *, to="li@example.cn"):
    with carriers.carrier() as way:
        way.send(mail, to=to)


class TestServer:
    def test_gets_the_mail_as_it_was_made(self, mail_server):
        carry(mail_of())

        (got,) = mail_server.received
        assert (got.sender, got.to) == ("no-reply@booking.example.cn", "li@example.cn")
        assert got.mail["Subject"] == "已预约：电子万能试验机，11月25日 周三 10:00–12:00"
        assert "288.00 元" in got.mail.get_body(("plain",)).get_content()
        assert read_by_icalendar(entry_of(got.mail))["method"] == "REQUEST"

    def test_that_refuses_one_recipient_takes_the_next_mail_on_the_same_connection(
        self, mail_server
    ):
        mail_server.answers["gone@example.cn"] = "550 5.1.1 no such user"
        with carriers.carrier() as way:
            with pytest.raises(Refused, match=r"550 5\.1\.1 no such user"):
                way.send(mail_of(), to="gone@example.cn")
            way.send(mail_of(), to="li@example.cn")

        assert [got.to for got in mail_server.received] == ["li@example.cn"]

    def test_that_greylists_is_asked_again_later(self, mail_server):
        mail_server.answers["li@example.cn"] = "450 4.2.0 greylisted"

        with pytest.raises(Postponed, match="450"):
            carry(mail_of())

    @pytest.mark.parametrize(
        ("answer", "error"),
        [("554 5.7.1 spam", Refused), ("451 4.3.0 busy", Postponed), ("421 bye", Unreachable)],
    )
    def test_that_refuses_the_contents(self, mail_server, answer, error):
        mail_server.data_answer = answer

        with pytest.raises(error, match=answer[:3]):
            carry(mail_of())

    def test_that_does_not_listen(self, use_mail):
        use_mail(f"smtp://127.0.0.1:{free_port()}")

        with pytest.raises(Unreachable, match="refused"):
            carry(mail_of())

    def test_whose_name_nobody_knows(self, use_mail):
        use_mail("smtp://no-such-host.invalid")

        with pytest.raises(Unreachable):
            carry(mail_of())

    @pytest.mark.parametrize("silent_at", ["EHLO", "MAIL", "RCPT", "DATA", "."])
    def test_that_falls_silent_is_given_up(self, odd_server, silent_at):
        odd_server({silent_at: None})

        with pytest.raises(Unreachable, match="timed out"):
            carry(mail_of())

    def test_that_never_greets_is_given_up(self, odd_server):
        odd_server(greeting=None)

        with pytest.raises(Unreachable, match="timed out"):
            carry(mail_of())

    def test_that_drips_is_given_up_in_time(self, odd_server, monkeypatch):
        monkeypatch.setattr(smtp, "LONGEST_SEND", timedelta(seconds=0.5))
        odd_server(kind=Dripping, seconds=30)

        with pytest.raises(Unreachable):
            carry(mail_of())

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            ({"MAIL": "550 5.7.1 sender unknown"}, "550"),
            ({"MAIL": "451 later"}, "451"),
            ({"RCPT": "421 going down"}, "421"),
            ({"EHLO": "550 go away", "HELO": "550 go away"}, "550"),
        ],
    )
    def test_that_takes_nothing_from_us_is_no_mails_fault(self, odd_server, script, said):
        odd_server(script)

        with pytest.raises(Unreachable, match=said):
            carry(mail_of())

    @pytest.mark.parametrize("greeting", ["554 not today", "garbage"])
    def test_that_does_not_let_us_in(self, odd_server, greeting):
        odd_server(greeting=greeting)

        with pytest.raises(Unreachable):
            carry(mail_of())

    def test_that_hangs_up_in_between(self, odd_server):
        server = odd_server()
        with carriers.carrier() as way:
            way.send(mail_of(), to="li@example.cn")
            server.close()
            with pytest.raises(Unreachable):
                way.send(mail_of(), to="li@example.cn")


class TestSecrecy:
    @pytest.fixture
    def trusted(self, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        return certificate

    def test_starttls_and_log_in(self, use_mail, trusted):
        options = {"tls_context": tls(trusted), "authenticator": only_li, "auth_required": True}
        with serving(GoodServer(), **options) as server:
            use_mail(f"smtp+starttls://li:secret@localhost:{server.port}")
            carry(mail_of())

        assert len(server.received) == 1

    def test_a_wrong_password_is_said(self, use_mail, trusted):
        options = {"tls_context": tls(trusted), "authenticator": only_li, "auth_required": True}
        with serving(GoodServer(), **options) as server:
            use_mail(f"smtp+starttls://li:wrong@localhost:{server.port}")
            with pytest.raises(Unreachable, match="535"):
                carry(mail_of())

    def test_tls_from_the_first_byte(self, use_mail, trusted):
        server = GoodServer(port=free_port())
        controller = TlsController(server, tls(trusted), hostname="127.0.0.1", port=server.port)
        controller.start()
        try:
            use_mail(f"smtps://localhost:{server.port}")
            carry(mail_of())
        finally:
            controller.stop()

        assert len(server.received) == 1

    def test_an_unknown_certificate_is_not_trusted(self, use_mail, certificate):
        with serving(GoodServer(), tls_context=tls(certificate)) as server:
            use_mail(f"smtp+starttls://localhost:{server.port}")
            with pytest.raises(Unreachable, match="certificate verify failed"):
                carry(mail_of())

        assert server.received == []

    def test_without_the_tls_that_was_asked_for_nothing_is_sent(self, use_mail):
        with serving(GoodServer()) as server:
            use_mail(f"smtp+starttls://localhost:{server.port}")
            with pytest.raises(Unreachable, match="STARTTLS"):
                carry(mail_of())

        assert server.received == []


class TestFolder:
    def test_keeps_each_mail_as_a_file_that_mail_programs_open(self, tmp_path):
        carry(mail_of())

        (kept,) = gateway.list_kept(limit=10)
        assert kept.subject == "已预约：电子万能试验机，11月25日 周三 10:00–12:00"
        assert kept.to == "李明 <li@example.cn>"
        assert kept.sent_at == POSTED
        assert "288.00 元" in kept.body("plain")
        assert "METHOD:REQUEST" in kept.body("calendar")
        assert kept.body("csv") == ""
        assert (tmp_path / "mail" / f"{kept.name}.eml").read_bytes() == kept.raw

    def test_the_same_mail_twice_is_one(self):
        carry(mail_of())
        carry(mail_of())

        assert len(gateway.list_kept(limit=10)) == 1

    def test_latest_comes_first_and_no_more_than_asked(self):
        for number in (3, 1, 2):
            carry(mail_of(envelope=Envelope(number, "李明", "li@example.cn", POSTED)))

        names = [kept.name for kept in gateway.list_kept(limit=2)]
        assert [int(name[:10]) for name in names] == [3, 2]

    def test_others_cannot_look_into_it(self, tmp_path):
        carry(mail_of())

        assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700

    @pytest.mark.parametrize("name", ["../secret_key", "x", "", "0000000012-0123456789abcdef"])
    def test_only_its_own_files_are_found(self, name):
        assert gateway.find_kept(name) is None

    def test_a_folder_that_cannot_be_made_is_said(self, tmp_path):
        (tmp_path / "mail").write_text("a file")

        with pytest.raises(Unreachable, match="mail"):
            carry(mail_of())

    def test_a_mail_that_cannot_be_written_leaves_nothing_half(self, tmp_path):
        with carriers.carrier() as way:
            (tmp_path / "mail").rmdir()
            with pytest.raises(Unreachable, match="No such file"):
                way.send(mail_of(), to="li@example.cn")

    def test_a_mail_of_somebody_elses_making_is_a_mistake(self):
        mail = mail_of()
        mail.replace_header("Message-ID", "<../../x@y>")

        with pytest.raises(ValueError, match="no id of ours"):
            carry(mail)

    def test_the_way_is_named(self, use_mail, tmp_path):
        assert gateway.way() == str(tmp_path / "mail")
        use_mail("smtp://u:p@localhost:25")
        assert gateway.way() == "localhost:25"
