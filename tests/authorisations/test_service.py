"""Asking, granting, refusing, suspending, training and reminding on a real database."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role
from booking.authorisations import jobs, queries, service
from booking.authorisations.errors import AlreadyAsked, AlreadySignedUp, SessionFull
from booking.authorisations.models import Authorisation
from booking.authorisations.rules import Result, Standing
from booking.authorisations.service import Reach
from booking.journal import queries as journal
from booking.kernel import clock
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.kernel.uploads import Upload
from booking.notices.models import Notice
from tests.factories import make_caller, make_institution, make_instrument, slot
from tests.uploaded import picture

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]
DAY = timedelta(days=1)
S = Standing
TODAY = date(2026, 11, 23)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def li(session):
    return make_caller()


@pytest.fixture
def asked(instrument, li):
    return service.request(instrument.id, caller=li, note="三年经验")


@pytest.fixture
def offered(owner, operator, instrument):
    return offer(owner, operator, instrument)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert list(queries.breaches()) == []


def offer(owner, operator, *instruments, seats=1):
    return service.offer(
        owner.id,
        slot(),
        caller=operator,
        instrument_ids=[each.id for each in instruments],
        location="培训教室",
        seats=seats,
    )


def events(session) -> list[str]:
    return [each.facts["event"] for each in session.scalars(select(Notice).order_by(Notice.id))]


def test_a_request_waits_and_the_institution_is_told(session, asked, owner):
    assert (asked.standing, asked.institution_id) == (S.REQUESTED, owner.id)
    assert events(session) == ["requested"]
    assert journal.list_entries("authorisation", asked.id)[0].action == "authorisation.requested"


def test_nobody_asks_twice_while_they_wait(asked, instrument, li):
    with pytest.raises(AlreadyAsked):
        service.request(instrument.id, caller=li)


def test_after_an_answer_one_may_ask_again(asked, instrument, operator, li):
    service.refuse(asked.id, caller=operator, reason="先参加培训")

    assert service.request(instrument.id, caller=li).standing is S.REQUESTED


def test_evidence_is_kept_and_seen_by_both_sides_only(instrument, li, operator):
    made = service.request(instrument.id, caller=li, file=Upload("证.png", picture()))

    assert made.file_name.startswith("证")
    assert queries.get_authorisation(made.id, caller=operator).file_sha256
    with pytest.raises(NotFound):
        queries.get_authorisation(made.id, caller=make_caller())


def test_granted_it_holds_for_a_year_from_today(session, asked, operator):
    granted = service.grant(asked.id, caller=operator, grounds="上岗证 123")

    assert (granted.standing, granted.valid_from) == (S.GRANTED, TODAY)
    assert granted.valid_until == date(2027, 11, 22)
    assert events(session)[-1] == "granted"


def test_it_expires_by_itself(asked, operator, now):
    granted = service.grant(asked.id, caller=operator, grounds="证", valid_until=TODAY)
    now.set(now.at + DAY)

    assert granted.standing is S.EXPIRED


@pytest.mark.parametrize(
    ("reach", "covers_kin", "covers_other"),
    [
        (Reach.INSTRUMENT, False, False),
        (Reach.CATEGORY, True, False),
        (Reach.EVERYTHING, True, True),
    ],
)
def test_it_reaches_as_far_as_was_said(owner, asked, operator, li, reach, covers_kin, covers_other):
    kin = make_instrument(institution=owner)
    other = make_instrument(institution=owner, category_code="030101")
    elsewhere = make_instrument()

    service.grant(asked.id, caller=operator, grounds="证", reach=reach)

    def holds(instrument) -> bool:
        return queries.current(instrument, li.user_id, today=TODAY) is not None

    assert (holds(kin), holds(other), holds(elsewhere)) == (covers_kin, covers_other, False)


def test_refused_it_says_why(session, asked, operator):
    refused = service.refuse(asked.id, caller=operator, reason="先参加培训")

    assert (refused.standing, refused.reason) == (S.REFUSED, "先参加培训")
    assert events(session)[-1] == "refused"


def test_suspended_it_holds_no_longer_until_restored(asked, operator, instrument, li):
    service.grant(asked.id, caller=operator, grounds="证")
    suspended = service.suspend(asked.id, caller=operator, reason="违规操作")

    assert suspended.standing is S.SUSPENDED
    assert queries.current(instrument, li.user_id, today=TODAY) is None
    assert service.restore(asked.id, caller=operator).standing is S.GRANTED


def test_one_takes_back_only_ones_own_request(asked, operator, li):
    with pytest.raises(NotAllowed):
        service.withdraw(asked.id, caller=operator)

    assert service.withdraw(asked.id, caller=li).standing is S.WITHDRAWN


def test_what_was_decided_is_not_decided_again(asked, operator):
    service.refuse(asked.id, caller=operator, reason="先参加培训")

    with pytest.raises(WrongState):
        service.grant(asked.id, caller=operator, grounds="证")


def test_only_the_institution_decides(asked, li):
    with pytest.raises(NotAllowed):
        service.grant(asked.id, caller=li, grounds="我自己")
    with pytest.raises(NotFound):
        service.grant(
            asked.id, caller=make_caller(make_institution(), Role.OPERATOR), grounds="别家"
        )


def test_an_older_version_decides_nothing(asked, operator):
    with pytest.raises(Stale):
        service.grant(asked.id, caller=operator, grounds="证", version=7)


@pytest.mark.parametrize(
    ("act", "given", "field"),
    [
        (service.grant, {"grounds": ""}, "grounds"),
        (service.grant, {"grounds": "证", "valid_until": TODAY - DAY}, "valid_until"),
        (service.refuse, {"reason": ""}, "reason"),
    ],
)
def test_what_is_missing_is_named(asked, operator, act, given, field):
    with pytest.raises(InvalidField) as refused:
        act(asked.id, caller=operator, **given)

    assert list(refused.value.details["errors"]) == [field]


class TestTraining:
    def test_an_invited_person_has_a_seat(self, session, asked, offered, operator):
        invited = service.invite(asked.id, offered.id, caller=operator)

        assert invited.standing is S.SCHEDULED
        assert queries.session_shown(offered.id).free == 0
        assert events(session)[-1] == "invited"

    def test_signing_up_schedules_what_was_asked_for(self, asked, offered, li):
        service.sign_up(offered.id, caller=li)

        assert queries.get_authorisation(asked.id, caller=li).standing is S.SCHEDULED

    def test_nobody_has_two_seats_and_nobody_more_than_there_are(self, owner, operator, instrument):
        big = offer(owner, operator, instrument, seats=2)
        first, second, third = make_caller(), make_caller(), make_caller()
        service.sign_up(big.id, caller=first)

        with pytest.raises(AlreadySignedUp):
            service.sign_up(big.id, caller=first)
        service.sign_up(big.id, caller=second)
        with pytest.raises(SessionFull):
            service.sign_up(big.id, caller=third)

    def test_a_seat_given_up_is_free_again(self, asked, offered, li):
        service.sign_up(offered.id, caller=li)
        service.give_up(offered.id, caller=li)

        assert queries.session_shown(offered.id).free == 1
        assert queries.get_authorisation(asked.id, caller=li).standing is S.REQUESTED
        assert service.sign_up(offered.id, caller=li).result is None

    def test_who_passed_is_authorised_for_all_of_the_sessions_instruments(
        self, owner, operator, instrument, asked, li, now
    ):
        other = make_instrument(institution=owner, category_code="030101")
        both = offer(owner, operator, instrument, other)
        seat = service.sign_up(both.id, caller=li)
        now.set(slot().ends_at)

        service.assess(both.id, seat.id, Result.PASSED, caller=operator)

        today = clock.today()
        assert queries.current(instrument, li.user_id, today=today).id == asked.id
        assert queries.current(other, li.user_id, today=today) is not None

    def test_who_failed_waits_again_and_is_told(self, session, asked, offered, operator, li, now):
        seat = service.sign_up(offered.id, caller=li)
        now.set(slot().ends_at)

        service.assess(offered.id, seat.id, Result.FAILED, caller=operator, note="未通过实操")

        assert queries.get_authorisation(asked.id, caller=li).standing is S.REQUESTED
        assert events(session)[-1] == "failed"
        with pytest.raises(WrongState):
            service.assess(offered.id, seat.id, Result.PASSED, caller=operator)

    def test_nothing_is_assessed_before_it_begins(self, offered, operator, li):
        seat = service.sign_up(offered.id, caller=li)

        with pytest.raises(WrongState):
            service.assess(offered.id, seat.id, Result.PASSED, caller=operator)

    def test_called_off_its_people_are_told_and_nobody_signs_up(
        self, session, asked, offered, operator, li
    ):
        service.sign_up(offered.id, caller=li)

        service.call_off(offered.id, caller=operator, reason="讲师生病")

        assert events(session)[-1] == "called_off"
        assert queries.get_authorisation(asked.id, caller=li).standing is S.REQUESTED
        with pytest.raises(WrongState):
            service.sign_up(offered.id, caller=make_caller())

    def test_it_is_offered_by_who_runs_the_instruments_for_their_own(
        self, owner, operator, instrument, li
    ):
        with pytest.raises(NotAllowed):
            offer(owner, li, instrument)
        with pytest.raises(InvalidField):
            offer(owner, operator, make_instrument())


class TestReminders:
    def test_each_comes_once(self, session, asked, operator, now):
        service.grant(asked.id, caller=operator, grounds="证", valid_until=TODAY + 60 * DAY)

        assert jobs.remind() == "上机授权到期提醒 1 条"
        assert service.remind() == 0
        now.set(now.at + 31 * DAY)
        assert service.remind() == 1
        assert events(session).count("ending") == 2

    def test_none_comes_for_what_is_suspended_renewed_or_far_off(
        self, asked, instrument, operator, li
    ):
        service.grant(asked.id, caller=operator, grounds="证", valid_until=TODAY + 50 * DAY)
        renewal = service.request(instrument.id, caller=li)
        service.grant(renewal.id, caller=operator, grounds="证")

        assert service.remind() == 0


def test_a_person_is_told_all_that_is_kept(asked, offered, li):
    service.sign_up(offered.id, caller=li)

    found = queries.personal_data(li.user_id)

    assert [each["note"] for each in found["authorisations"]] == ["三年经验"]
    assert len(found["training"]) == 1


def test_nothing_is_ever_deleted(session, asked, operator, li):
    service.withdraw(asked.id, caller=li)

    assert session.get(Authorisation, asked.id) is not None
