"""Asking for approval, approving, declining and expiring on a real database."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role
from booking.availability import queries as calendars
from booking.availability.rules import ApprovalMode, Reason
from booking.journal import queries as journal
from booking.kernel import clock
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.kernel.timeslot import TimeSlot
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.registry.models import Publication
from booking.reservations import jobs, queries, service
from booking.reservations.errors import HoldExpired, NotBookable
from booking.reservations.models import ReservationStatus
from tests.factories import WEDNESDAY_10, make_caller, make_institution, make_instrument, slot
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
S = ReservationStatus
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ALWAYS = {"approval_mode": ApprovalMode.ALWAYS}
# Eight working hours after Monday 9:00 in Shanghai.
MONDAY_17 = datetime.fromisoformat("2026-11-23T17:00:00+08:00")
THURSDAY = slot(slot().starts_at + DAY)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule=ALWAYS)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def asked(instrument, firm):
    return service.reserve(instrument.id, slot(), caller=firm)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def reserve(instrument, firm, *, start=WEDNESDAY_10, hours=2):
    return service.reserve(instrument.id, slot(start, hours=hours), caller=firm)


def told(session, reservation) -> list[Kind]:
    found = select(Notice.kind).where(Notice.subject_id == reservation.id).order_by(Notice.id)
    return list(session.scalars(found))


def test_a_slot_that_needs_approval_is_held_for_a_working_time(session, asked, instrument, firm):
    assert (asked.status, asked.expires_at) == (S.TENTATIVE, MONDAY_17)
    assert asked.approval_reasons == [Reason.ALWAYS]
    assert not calendars.is_free(instrument.id, slot(), units=1)
    assert told(session, asked) == [Kind.REQUEST]


def test_asking_takes_no_statement_more(instrument, firm):
    with counted() as statements:
        reserve(instrument, firm)

    assert len(statements) == 2


def test_a_hold_never_outlasts_the_beginning_of_its_slot(owner, firm):
    instrument = make_instrument(institution=owner, schedule=ALWAYS | {"hold_working_hours": 80})

    assert reserve(instrument, firm).expires_at == slot().starts_at


@pytest.mark.parametrize(
    ("rule", "hours", "reasons"),
    [
        pytest.param({}, 2, [], id="none"),
        pytest.param({"approval_mode": ApprovalMode.FIRST_TIME}, 2, ["first_time"], id="first"),
        pytest.param({"approval_over_minutes": 120}, 2, [], id="as-long-as-the-limit"),
        pytest.param({"approval_over_minutes": 119}, 2, ["length"], id="longer"),
        pytest.param({"approval_over_minor": 28800}, 2, [], id="as-dear-as-the-limit"),
        pytest.param({"approval_over_minor": 28799}, 2, ["price"], id="dearer"),
        pytest.param(
            ALWAYS | {"approval_over_minutes": 60}, 2, ["always", "length"], id="two-reasons"
        ),
    ],
)
def test_the_owners_rule_decides(owner, firm, rule, hours, reasons):
    instrument = make_instrument(institution=owner, schedule=rule)

    offer = service.quote(instrument.id, slot(hours=hours), caller=firm)
    made = reserve(instrument, firm, hours=hours)

    assert list(offer.approval.reasons) == made.approval_reasons == reasons
    assert offer.approval.expires_at == made.expires_at
    assert made.status is (S.TENTATIVE if reasons else S.CONFIRMED)


def test_a_firm_that_was_approved_once_is_not_new_any_more(owner, operator, firm):
    rule = {"approval_mode": ApprovalMode.FIRST_TIME}
    instrument = make_instrument(institution=owner, schedule=rule)
    first = reserve(instrument, firm)
    meanwhile = reserve(instrument, firm, start=THURSDAY.starts_at)
    service.approve(first.id, caller=operator)

    later = reserve(instrument, firm, start=slot().starts_at + 2 * DAY)

    assert meanwhile.status is S.TENTATIVE
    assert later.status is S.CONFIRMED
    assert reserve(instrument, make_caller(), start=slot().ends_at).status is S.TENTATIVE


def test_the_owners_own_use_needs_no_approval(instrument, operator):
    assert reserve(instrument, operator).status is S.CONFIRMED


def test_approving_makes_it_a_promise(session, asked, operator):
    approved = service.approve(asked.id, caller=operator, note="请带夹具")

    assert (approved.status, approved.expires_at) == (S.CONFIRMED, None)
    assert (approved.decided_by, approved.decision_note) == (operator.user_id, "请带夹具")
    assert (approved.sequence, approved.price_minor) == (1, 28800)
    assert told(session, asked) == [Kind.REQUEST, Kind.APPROVED]
    assert journal.list_entries("reservation", asked.id)[0].action == "reservation.approved"


def test_declining_frees_the_time_and_says_why(session, asked, instrument, operator):
    declined = service.decline(asked.id, caller=operator, reason="样品不适用")

    assert (declined.status, declined.decision_note) == (S.DECLINED, "样品不适用")
    assert calendars.is_free(instrument.id, slot(), units=1)
    assert told(session, asked) == [Kind.REQUEST, Kind.DECLINED]


def test_declining_needs_a_reason(asked, operator):
    with pytest.raises(InvalidField):
        service.decline(asked.id, caller=operator, reason="")


@pytest.mark.parametrize("decide", [service.approve, service.decline])
def test_only_who_runs_the_instrument_decides(asked, owner, firm, decide):
    given = {"reason": "x"} if decide is service.decline else {}
    with pytest.raises(NotAllowed):
        decide(asked.id, caller=firm, **given)
    with pytest.raises(NotFound):
        decide(asked.id, caller=make_caller(make_institution(), Role.OPERATOR), **given)
    with pytest.raises((NotAllowed, NotFound)):
        decide(asked.id, caller=make_caller(owner, Role.FINANCE), **given)


def test_of_two_who_approve_the_second_hears_of_the_first(asked, operator):
    service.approve(asked.id, caller=operator)

    with pytest.raises(WrongState):
        service.approve(asked.id, caller=operator)


def test_who_saw_an_older_version_decides_nothing(asked, firm, operator):
    service.change(asked.id, caller=firm, purpose="另一用途")

    with pytest.raises(Stale):
        service.approve(asked.id, caller=operator, version=1)


def test_a_hold_that_is_over_is_not_approved_however_late_the_job_is(asked, operator, now):
    now.set(MONDAY_17)

    with pytest.raises(HoldExpired):
        service.approve(asked.id, caller=operator)


def test_a_hold_can_be_declined_after_its_end(asked, operator, now):
    now.set(MONDAY_17 + DAY)

    assert service.decline(asked.id, caller=operator, reason="来晚了").status is S.DECLINED


def test_the_job_ends_what_nobody_answered_and_only_that(session, asked, instrument, firm, now):
    now.set(MONDAY_17 - SECOND)
    assert service.expire_holds() == 0
    now.set(MONDAY_17)
    later = reserve(instrument, firm, start=THURSDAY.starts_at)

    assert jobs.expire_holds() == "逾期未审批 1 个预约"
    assert service.expire_holds() == 0

    assert (asked.status, later.status) == (S.EXPIRED, S.TENTATIVE)
    assert calendars.is_free(instrument.id, slot(), units=1)
    assert told(session, asked) == [Kind.REQUEST, Kind.EXPIRED]
    [entry, *_] = journal.list_entries("reservation", asked.id)
    assert (entry.action, entry.actor_id) == ("reservation.expired", None)


def test_approving_asks_the_rules_again(session, asked, instrument, operator):
    instrument.publication = Publication.WITHDRAWN
    instrument.calibrated_until = clock.today()
    session.flush()

    with pytest.raises(NotBookable) as refused:
        service.approve(asked.id, caller=operator)

    assert {each.rule for each in refused.value.violations} >= {"calibration"}
    assert asked.status is S.TENTATIVE


def test_what_is_about_when_to_ask_does_not_hinder_approval(session, owner, operator, firm, now):
    instrument = make_instrument(institution=owner, schedule=ALWAYS | {"lead_minutes": 2400})
    asked = reserve(instrument, firm)
    now.set(MONDAY_17 - SECOND)

    assert service.approve(asked.id, caller=operator).status is S.CONFIRMED


def test_what_waits_can_be_cancelled_at_any_time(session, owner, firm, instrument, now):
    soon = reserve(instrument, firm, start=slot().starts_at - DAY)
    now.set(MONDAY_17 - SECOND)

    assert service.cancel(soon.id, caller=firm).status is S.CANCELLED


def test_moving_what_was_approved_lets_it_wait_again(session, asked, instrument, operator, firm):
    service.approve(asked.id, caller=operator, note="好")

    moved = service.move(asked.id, THURSDAY, caller=firm)

    assert (moved.status, moved.expires_at) == (S.TENTATIVE, MONDAY_17)
    assert (moved.decided_at, moved.decided_by, moved.decision_note) == (None, None, "")
    assert calendars.is_free(instrument.id, slot(), units=1)
    assert not calendars.is_free(instrument.id, THURSDAY, units=1)
    assert service.approve(moved.id, caller=operator).status is S.CONFIRMED


def test_moved_by_its_owner_it_stays_approved(asked, operator):
    service.approve(asked.id, caller=operator)

    assert service.move(asked.id, THURSDAY, caller=operator).status is S.CONFIRMED


def test_what_waits_goes_on_waiting_when_its_owner_moves_it(asked, operator):
    assert service.move(asked.id, THURSDAY, caller=operator).status is S.TENTATIVE


def test_moved_to_a_slot_that_needs_none_it_is_booked(owner, firm):
    instrument = make_instrument(institution=owner, schedule={"approval_over_minutes": 120})
    asked = reserve(instrument, firm, hours=3)

    moved = service.move(asked.id, THURSDAY, caller=firm)

    assert (moved.status, moved.expires_at, moved.approval_rules) == (S.CONFIRMED, None, None)


def test_what_waits_cannot_be_begun(asked, firm, now):
    now.set(slot().starts_at)

    with pytest.raises(WrongState):
        service.check_in(asked.id, caller=firm)


def test_a_closure_takes_what_waits_as_any_other_promise(asked, instrument, operator):
    hit = queries.in_the_way(instrument.id, TimeSlot(slot().starts_at, slot().ends_at), unit=None)

    assert [each.id for each in hit.reservations] == [asked.id]


def test_what_waits_is_listed_by_who_decides(asked, owner, operator, firm, instrument):
    reserve(instrument, firm, start=THURSDAY.starts_at)
    now = clock.now()

    assert [each.id for each in queries.waiting_for(owner.id, now=now, limit=1)] == [asked.id]
    assert queries.count_waiting(operator, now=now) == 2
    assert queries.count_waiting(firm, now=now) == 0
