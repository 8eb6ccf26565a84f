"""The outbox from end to end: posted, expanded, sent, over servers that fail in every way."""

import threading

import pytest
import structlog

from booking.accounts.rules import Role
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.notices import gateway, jobs, service
from booking.notices.errors import Unreachable
from booking.notices.models import Message
from booking.notices.rules import LEASE, Kind, MailState
from tests.factories import make_organisation
from tests.mail_servers import free_port
from tests.notices.world import make_scene, message_to, messages, post, somebody

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("use_mail")]


@pytest.fixture
def firm(session):
    """A firm of three people."""
    organisation = make_organisation()
    return [somebody(organisation, Role.MEMBER, login, login) for login in ("li", "wu", "yi")]


def deliver():
    """What a worker does at one look."""
    return jobs.expand(), jobs.send()


def states() -> list[MailState]:
    return [message.mail for message in messages()]


def test_what_was_posted_arrives(firm, mail_server):
    post(Kind.VERIFICATION, *firm)

    assert deliver() == ("通知 1 条", "邮件 3 封")
    assert sorted(got.to for got in mail_server.received) == [
        "li@example.cn", "wu@example.cn", "yi@example.cn",
    ]  # fmt: skip
    assert states() == [MailState.SENT] * 3


def test_a_second_look_sends_nothing_again(firm, mail_server):
    post(Kind.VERIFICATION, *firm)
    deliver()

    assert deliver() == ("通知 0 条", "邮件 0 封")
    assert len(mail_server.received) == 3


def test_each_reads_it_in_their_own_language(firm, mail_server, session):
    firm[1].locale = "en"
    session.flush()
    post(Kind.VERIFICATION, *firm[:2])
    deliver()

    assert sorted(str(mail["Subject"]) for mail in mail_server.mails) == [
        "Verified: 湖南省检测院",
        "已通过核验：湖南省检测院",
    ]


def test_more_than_one_batch_is_sent_at_one_look(firm, mail_server):
    for _ in range(45):
        message_to(firm[0])

    assert jobs.send() == "邮件 45 封"
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 45


def test_one_refused_recipient_stops_nobody(firm, mail_server):
    mail_server.answers["li@example.cn"] = "550 5.1.1 no such user"
    post(Kind.VERIFICATION, *firm)
    deliver()

    assert [(m.mail, m.error) for m in messages()] == [
        (MailState.DEAD, "550 5.1.1 no such user"),
        (MailState.SENT, ""),
        (MailState.SENT, ""),
    ]


def test_greylisted_mails_arrive_at_the_second_attempt(firm, mail_server, now):
    mail_server.answers["li@example.cn"] = "450 4.2.0 greylisted"
    post(Kind.VERIFICATION, firm[0])
    deliver()
    assert (states(), messages()[0].attempts) == ([MailState.WAITING], 1)

    mail_server.answers.clear()
    assert jobs.send() == "邮件 0 封"  # not yet
    now.advance(minutes=1)
    assert jobs.send() == "邮件 1 封"
    assert states() == [MailState.SENT]


def test_postponed_for_ever_they_become_dead_letters(firm, mail_server, now):
    mail_server.answers["li@example.cn"] = "450 4.2.0 greylisted"
    message_to(firm[0])
    for _ in range(12):
        jobs.send()
        now.advance(days=1)

    (dead,) = messages()
    assert (dead.mail, dead.attempts, dead.error) == (MailState.DEAD, 9, "450 4.2.0 greylisted")


def test_while_the_server_is_down_no_mail_pays_for_it(firm, use_mail):
    use_mail(f"smtp://127.0.0.1:{free_port()}")
    post(Kind.VERIFICATION, *firm)
    jobs.expand()

    with pytest.raises(Unreachable):
        jobs.send()

    assert [(m.mail, m.attempts) for m in messages()] == [(MailState.WAITING, 0)] * 3
    assert "refused" in messages()[0].error
    use_mail()
    assert jobs.send() == "邮件 3 封"


@pytest.mark.parametrize("silent_at", ["MAIL", "DATA", "."])
def test_a_server_that_hangs_ends_the_round_and_one_mail_waits_longer(
    firm, odd_server, now, silent_at
):
    server = odd_server({silent_at: None})
    post(Kind.VERIFICATION, *firm)
    jobs.expand()

    with pytest.raises(Unreachable, match="timed out"):
        jobs.send()

    tried, *others = messages()
    assert (tried.mail, tried.attempts) == (MailState.WAITING, 1)
    assert tried.due_at > clock.now()
    assert [(m.attempts, m.due_at) for m in others] == [(0, clock.now())] * 2
    assert server.connections == 1


def test_what_was_claimed_when_the_process_died_is_sent_after_the_lease(firm, mail_server, now):
    post(Kind.VERIFICATION, *firm)
    jobs.expand()
    with transaction():
        service.claim()  # and dies

    assert jobs.send() == "邮件 0 封"
    now.advance(seconds=LEASE.total_seconds())
    assert jobs.send() == "邮件 3 封"


def test_told_to_stop_it_gives_back_what_it_has_not_sent(firm, mail_server):
    for _ in range(5):
        message_to(firm[0])
    answers = iter([True, True, False])  # before the round, before the first mail, the second

    jobs.send(lambda: next(answers, False))

    assert sorted(states()) == sorted([MailState.SENT] + [MailState.WAITING] * 4)
    waiting = messages(Message.mail == MailState.WAITING)
    assert {(m.attempts, m.due_at) for m in waiting} == {(0, clock.now())}


def test_told_to_stop_it_expands_no_more(firm):
    post(Kind.VERIFICATION, *firm)

    assert jobs.expand(lambda: False) == "通知 0 条"
    assert messages() == []


def test_the_log_names_no_person(firm, mail_server):
    with structlog.testing.capture_logs() as logs:
        mail_server.answers["li@example.cn"] = "550 no"
        post(Kind.VERIFICATION, firm[0], firm[1])
        deliver()

    assert {entry["event"] for entry in logs} == {"mail_sent", "mail_refused"}
    assert "example.cn" not in str(logs)


def test_old_notices_are_forgotten(firm, now):
    post(Kind.VERIFICATION, *firm)
    deliver()
    now.advance(days=500)

    assert jobs.forget() == "清理旧通知 1 条"
    assert messages() == []


def test_a_reservation_is_mailed_to_both_sides_with_the_feeds_own_entry(session, mail_server):
    scene = make_scene()
    scene.reserve(purpose="拉伸试验")
    deliver()

    subjects = {got.to: str(got.mail["Subject"]) for got in mail_server.received}
    what = "电子万能试验机，11月25日 周三 10:00–12:00"
    assert subjects == {
        "li@example.cn": f"已预约：{what}",
        "boss@example.cn": f"已预约：{what}",
        "operator@example.cn": f"新预约：{what}",
        "head@example.cn": f"新预约：{what}",
    }
    assert all(
        "METHOD:REQUEST" in gateway.KeptMail("", b"", mail).body("calendar")
        for mail in mail_server.mails
    )


def test_the_thread_that_watches_a_mail_ends_with_it(firm, mail_server):
    before = threading.active_count()
    message_to(firm[0])
    jobs.send()

    watching = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    assert [t for t in watching if not t.finished.is_set()] == []
    assert threading.active_count() <= before + 2  # the mail server's own
