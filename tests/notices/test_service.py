"""From the outbox to people: who is told, once each, in their language, by mail or not."""

import json
from contextlib import suppress
from datetime import date, timedelta
from typing import ClassVar

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from booking.accounts.rules import Role
from booking.journal import queries as journal
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import gateway, queries, service
from booking.notices.errors import NothingToRetry, Postponed, Refused, Unreachable
from booking.notices.models import Message, Notice
from booking.notices.rules import LEASE, OPTIONAL, Kind, MailState, Side, State, To
from tests.factories import make_organisation, make_user
from tests.notices.world import expand, make_scene, message_to, messages, post, somebody, told
from tests.queries_counted import counted

pytestmark = pytest.mark.service


@pytest.fixture
def li(session):
    """Somebody with an address and a password."""
    return somebody(make_organisation(), Role.MEMBER, "li", "李明")


class TestPost:
    def test_takes_one_statement(self, li):
        with counted() as statements:
            post(Kind.VERIFICATION, li)

        assert len(statements) == 1

    def test_is_gone_with_its_transaction(self, li, session):
        with suppress(ZeroDivisionError), transaction():
            post(Kind.VERIFICATION, li)
            1 / 0  # noqa: B018

        assert session.scalar(select(func.count(Notice.id))) == 0

    def test_with_a_key_tells_once(self, li):
        assert [post(Kind.VERIFICATION, li, key="k"), post(Kind.VERIFICATION, li, key="k")] == [
            True,
            False,
        ]
        assert post(Kind.VERIFICATION, li, key="other")
        expand()

        assert len(messages()) == 2

    def test_keeps_instants_and_dates_as_text(self, li, session):
        facts = {
            "what": "CMA",
            "number": "1",
            "organisation": "院",
            "expires_on": date(2027, 1, 1),
            "days": 30,
            "path": "/x",
            "seen_at": clock.now(),
        }
        post(Kind.EXPIRY, li, facts=facts)

        kept = session.scalars(select(Notice.facts)).one()
        assert (kept["expires_on"], kept["days"]) == ("2027-01-01", 30)
        assert kept["seen_at"] == clock.now().isoformat()

    def test_refuses_what_cannot_be_kept(self, li):
        with pytest.raises(TypeError, match="cannot hold"):
            post(Kind.VERIFICATION, li, facts={"organisation": li, "verified": 1, "reason": ""})

    def test_refuses_facts_that_say_too_little(self, li):
        with pytest.raises(ValueError, match="organisation"):
            post(Kind.VERIFICATION, li, facts={"verified": True, "reason": ""})


class TestExpand:
    def test_makes_a_listed_message_to_be_mailed(self, li):
        post(Kind.VERIFICATION, li)
        expand()

        (message,) = messages()
        assert (message.user_id, message.name, message.email) == (li.id, "李明", "li@example.cn")
        assert (message.mail, message.is_listed, message.read_at) == (MailState.WAITING, True, None)

    def test_takes_each_notice_once(self, li, session):
        post(Kind.VERIFICATION, li)
        expand()
        expand()

        assert len(messages()) == 1
        assert session.scalars(select(Notice.state)).all() == [State.DONE]

    def test_tells_a_person_once_on_the_side_named_first(self, session):
        scene = make_scene()
        firm, boss = scene.firm.id, scene.boss.id
        to = [
            To(Side.CUSTOMER, user_id=boss, organisation_id=firm),
            To(Side.OWNER, organisation_id=firm, permission="manage_organisation"),
        ]
        post(to=to)

        assert told() == [("王总", "customer")]

    def test_a_person_without_an_address_has_only_the_inbox(self, session):
        mobile = make_user(email=None, mobile="13800001111")
        post(Kind.VERIFICATION, mobile)
        expand()

        assert [(m.mail, m.is_listed) for m in messages()] == [(MailState.NONE, True)]

    def test_what_is_muted_stays_in_the_inbox(self, li):
        with transaction():
            service.choose(li.id, [Kind.REMINDER])
        post(Kind.VERIFICATION, li)
        expand()

        assert [(m.mail, m.is_listed) for m in messages()] == [(MailState.NONE, True)]

    def test_doors_are_mailed_whatever_is_muted_and_never_listed(self, li):
        with transaction():
            service.choose(li.id, [])
        facts = {"nonce": "n", "until": clock.now() + timedelta(days=1)}
        post(Kind.RESET, li, facts=facts)
        expand()

        assert [(m.mail, m.is_listed) for m in messages()] == [(MailState.WAITING, False)]

    def test_history_can_be_taken_in_without_mails(self, li):
        post(Kind.VERIFICATION, li)
        with transaction():
            service.expand(by_mail=False)

        assert [m.mail for m in messages()] == [MailState.NONE]

    def test_many_notices_take_as_many_statements_as_few(self, li, session):
        def statements_for(count):
            for _ in range(count):
                post(Kind.VERIFICATION, li)
            session.expire_all()
            with counted() as statements, transaction():
                assert service.expand() == count
            return len(statements)

        assert statements_for(2) == statements_for(40)

    def test_one_that_fails_stops_nobody_and_is_tried_again(self, li, session, now):
        post(Kind.VERIFICATION, li)
        broken = session.scalars(select(Notice)).one()
        broken.audience = [["nowhere", None, None, None]]
        session.flush()
        post(Kind.VERIFICATION, li)
        expand()

        assert len(messages()) == 1
        session.refresh(broken)
        assert (broken.state, broken.attempts) == (State.WAITING, 1)
        assert "ValueError" in broken.error
        assert broken.due_at == clock.now() + timedelta(minutes=1)
        broken.audience = [To(Side.SELF, user_id=li.id).plain()]
        session.flush()
        now.advance(minutes=1)
        expand()
        assert len(messages()) == 2

    def test_one_that_always_fails_dies_and_can_be_revived(self, li, session, now):
        post(Kind.VERIFICATION, li)
        broken = session.scalars(select(Notice)).one()
        broken.audience = [["nowhere", None, None, None]]
        session.flush()
        for _ in range(9):
            expand()
            now.advance(days=2)

        session.refresh(broken)
        assert broken.state is State.DEAD
        assert queries.list_unworded(limit=9) == [broken]
        with transaction():
            service.retry_notice(broken.id, by=li.id)
        assert (broken.state, broken.attempts) == (State.WAITING, 0)
        assert journal.list_entries("notice", broken.id)[0].action == "notice.retried"

    def test_only_what_failed_can_be_revived(self, li, session):
        post(Kind.VERIFICATION, li)
        expand()

        with pytest.raises(NothingToRetry):
            service.retry_notice(session.scalars(select(Notice.id)).one(), by=li.id)


class Carrier:
    """Takes mails, or fails as told."""

    def __init__(self, error=None):
        self.error, self.taken = error, []

    def send(self, mail, *, to):
        if self.error:
            raise self.error
        self.taken.append((to, mail))


class TestSend:
    @pytest.fixture
    def message(self, li):
        message_to(li)
        with transaction():
            (claimed,) = service.claim()
        return claimed

    def deliver(self, message, carrier):
        outcome = service.send(message, carrier)
        with transaction():
            service.mark(message, outcome)
        return messages()[-1]

    def test_a_mail_that_was_taken_is_sent(self, message, now):
        carrier = Carrier()

        kept = self.deliver(message, carrier)

        assert (kept.mail, kept.sent_at, kept.attempts) == (MailState.SENT, clock.now(), 1)
        assert [to for to, _ in carrier.taken] == ["li@example.cn"]

    def test_a_refused_one_is_dead_at_once_with_the_reason(self, message):
        kept = self.deliver(message, Carrier(Refused("550 no such user")))

        assert (kept.mail, kept.error) == (MailState.DEAD, "550 no such user")

    @pytest.mark.parametrize("error", [Postponed("450 later"), Unreachable("timed out")])
    def test_a_postponed_one_is_tried_again_later(self, message, error):
        outcome = service.send(message, Carrier(error))
        with transaction():
            service.mark(message, outcome)
        (kept,) = messages()

        assert (kept.mail, kept.error) == (MailState.WAITING, str(error))
        assert kept.due_at == clock.now() + timedelta(minutes=1)
        assert outcome.broken is isinstance(error, Unreachable)

    def test_a_mistake_of_ours_is_tried_again_and_ends_in_the_dead_letters(
        self, message, session, now
    ):
        message.notice.facts = {"verified": True}  # nothing to word it from
        kept = self.deliver(message, Carrier())
        assert (kept.mail, kept.error) == (MailState.WAITING, "KeyError: 'organisation'")

        for _ in range(8):
            now.advance(days=2)
            with transaction():
                (again,) = service.claim()
            kept = self.deliver(again, Carrier())

        assert (kept.mail, kept.attempts) == (MailState.DEAD, 9)

    def test_what_comes_too_late_is_dropped(self, li):
        message_to(li, kind=Kind.RESET, facts={"nonce": "n", "until": clock.now().isoformat()})
        with transaction():
            (message,) = service.claim()

        carrier = Carrier()
        assert self.deliver(message, carrier).mail is MailState.DROPPED
        assert carrier.taken == []

    def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(self, message, now):
        with transaction():
            assert service.claim() == []
        now.advance(seconds=LEASE.total_seconds())
        with transaction():
            assert [each.id for each in service.claim()] == [message.id]

    def test_after_a_crash_before_the_mark_it_goes_out_again_under_the_same_id(self, message, now):
        carrier = Carrier()
        service.send(message, carrier)  # and the process dies here
        now.advance(seconds=LEASE.total_seconds())
        with transaction():
            (again,) = service.claim()
        self.deliver(again, carrier)

        (_, first), (_, second) = carrier.taken
        assert first["Message-ID"] == second["Message-ID"]
        assert len(messages(Message.mail == MailState.SENT)) == 1

    def test_whoever_lost_the_lease_neither_sends_nor_marks(self, message, now, session):
        now.advance(seconds=LEASE.total_seconds() - 30)
        assert service.send(message, Carrier()) is None
        session.expunge(message)  # as the process has it that fell behind
        now.advance(seconds=30)
        with transaction():
            service.claim()
            service.mark(message, service.Outcome(MailState.SENT))

        assert messages()[0].mail is MailState.WAITING

    def test_given_back_is_no_attempt(self, message):
        with transaction():
            service.give_back([message])

        assert messages()[0].attempts == 0
        with transaction():
            assert len(service.claim()) == 1

    def test_claims_are_bounded_and_in_order(self, li):
        ids = [message_to(li).id for _ in range(5)]

        with transaction():
            assert [each.id for each in service.claim(limit=3)] == ids[:3]

    def test_an_outage_is_noted_beside_the_oldest(self, li):
        oldest, younger = message_to(li), message_to(li)
        with transaction():
            service.note_outage("ConnectionRefusedError")

        found = {each.id: each.error for each in messages()}
        assert found == {oldest.id: "ConnectionRefusedError", younger.id: ""}


class TestReading:
    def test_one_or_all_are_marked_read(self, li):
        first, second = message_to(li), message_to(li)
        service.mark_read(li.id, message_id=first.id)
        assert [m.read_at is not None for m in messages()] == [True, False]

        service.mark_read(li.id)
        assert [m.read_at is not None for m in messages()] == [True, True]
        assert second.id

    def test_nobody_marks_anothers(self, li):
        other = make_user()
        message = message_to(li)
        service.mark_read(other.id, message_id=message.id)
        service.mark_read(other.id)

        assert messages()[0].read_at is None

    def test_a_choice_is_kept_changed_and_journalled(self, li):
        with transaction():
            service.choose(li.id, [Kind.CONFIRMATION])
            service.choose(li.id, [Kind.CONFIRMATION, Kind.REMINDER])

        assert queries.muted([li.id]) == {li.id: set(OPTIONAL) - {Kind.CONFIRMATION, Kind.REMINDER}}
        assert len(journal.list_entries("user", li.id)) == 2

    def test_a_dead_mail_is_sent_once_more(self, li):
        dead = message_to(li, mail=MailState.DEAD, attempts=9, error="550 no")
        with transaction():
            service.retry_mail(dead.id, by=li.id)
            (again,) = service.claim()

        assert (again.id, again.attempts) == (dead.id, 1)
        assert journal.list_entries("message", dead.id)[0].action == "mail.retried"

    @pytest.mark.parametrize("mail", [MailState.WAITING, MailState.NONE, MailState.DROPPED])
    def test_what_did_not_fail_is_not_retried(self, li, mail):
        with pytest.raises(NothingToRetry):
            service.retry_mail(message_to(li, mail=mail).id, by=li.id)

    def test_what_is_older_than_thirteen_months_is_forgotten(self, li, now):
        message_to(li)
        now.advance(days=399)
        assert service.forget() == 0
        now.advance(days=2)
        assert service.forget() == 1
        assert messages() == []


class TestLetters:
    """What each kind says; the same sentences for mail and page."""

    @pytest.fixture(autouse=True)
    def _in_chinese(self, session):
        with force_locale("zh_Hans_CN"):
            yield

    FACTS: ClassVar = {
        Kind.VERIFICATION: {
            "organisation": "湖南省检测院",
            "verified": False,
            "reason": "名称不符",
        },
        Kind.EXPIRY: {
            "what": "CMA 资质认定证书",
            "number": "171820340123",
            "organisation": "湖南省检测院",
            "expires_on": "2026-12-23",
            "days": 30,
            "path": "/institution/instruments",
        },
        Kind.INVITATION: {
            "organisation": "长沙精工机械有限公司",
            "inviter": "王总",
            "nonce": "n",
            "until": "2026-12-07T09:00:00+08:00",
        },
        Kind.RESET: {"nonce": "n", "until": "2026-11-24T09:00:00+08:00"},
        Kind.SECURITY: {"what": "factor_reset", "at": "2026-11-24T09:00:00+08:00"},
    }

    @pytest.mark.parametrize(
        ("kind", "subject"),
        [
            (Kind.VERIFICATION, "未通过核验：湖南省检测院"),
            (Kind.EXPIRY, "即将到期：CMA 资质认定证书，12月23日 周三"),
            (Kind.INVITATION, "邀请您加入长沙精工机械有限公司"),
            (Kind.RESET, "重设您的密码"),
            (Kind.SECURITY, "您的两步验证已由平台重置"),
        ],
    )
    def test_begin_with_the_fact(self, app, session, kind, subject):
        letter = gateway.compose(kind, Side.SELF, self.FACTS[kind], subject_id=1)

        assert letter.subject == subject
        assert letter.button[1].startswith(app.config["BASE_URL"])

    def test_facts_as_kept_are_enough(self, session):
        for kind, facts in self.FACTS.items():
            kept = json.loads(json.dumps(facts))
            assert gateway.compose(kind, Side.SELF, kept, subject_id=1).sentence

    def test_only_mails_that_can_be_switched_off_name_the_settings(self, session):
        letters = {
            kind: gateway.compose(kind, Side.SELF, facts, subject_id=1)
            for kind, facts in self.FACTS.items()
        }

        assert {kind for kind, letter in letters.items() if not letter.optional} == {
            Kind.INVITATION,
            Kind.RESET,
            Kind.SECURITY,
        }


def test_two_claims_at_once_share_nothing(li):
    for _ in range(4):
        message_to(li)
    with transaction():
        first = service.claim(limit=2)
        second = service.claim(limit=9)

    assert {each.id for each in first} & {each.id for each in second} == set()
    assert len(first) + len(second) == 4
    assert db.session.scalar(select(func.count(Message.id))) == 4
