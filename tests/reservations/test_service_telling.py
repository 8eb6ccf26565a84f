"""Who is told of a reservation, on which side, and when somebody is reminded."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from flask_babel import force_locale
from sqlalchemy import select, update

from booking.accounts.models import Membership, User
from booking.accounts.rules import Role
from booking.availability.errors import SlotTaken
from booking.availability.models import OccupancyKind
from booking.calendars import service as calendars
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import gateway
from booking.notices.models import Message, Notice
from booking.notices.rules import Kind
from booking.reservations import jobs, queries, service
from booking.reservations.models import Reservation
from tests.factories import make_user, slot
from tests.notices.world import expand, make_scene, messages, somebody, told
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
DAY = timedelta(days=1)
EVERYBODY = [("李明", "customer"), ("王总", "customer"), ("张工", "owner"), ("刘主任", "owner")]


@pytest.fixture
def scene(session):
    return make_scene()


def notices(kind=None):
    query = select(Notice).order_by(Notice.id)
    found = db.session.scalars(query).all()
    return [each for each in found if kind in (None, each.kind)]


def test_a_reservation_is_told_to_its_maker_the_managers_and_who_runs_the_instrument(scene):
    make_user(scene.firm, Role.MEMBER, name="同事", password="korrekt-pferd")
    make_user(scene.lab, Role.TESTER, name="检测员", password="korrekt-pferd")
    scene.reserve()

    assert told() == EVERYBODY


def test_it_is_told_in_the_reservations_own_transaction(scene):
    with suppress(ZeroDivisionError), transaction():
        service.reserve(scene.instrument.id, slot(), caller=scene.as_li)
        1 / 0  # noqa: B018

    assert notices() == []


def test_one_that_was_refused_tells_nobody(scene):
    scene.reserve()
    with pytest.raises(SlotTaken):
        scene.reserve()

    assert [each.kind for each in notices()] == [Kind.CONFIRMATION]


def test_a_move_is_told_with_both_times_and_the_next_sequence(scene):
    reservation = scene.reserve()
    service.move(reservation.id, slot(slot().starts_at + DAY), caller=scene.as_li)

    booked, moved = notices()
    assert (booked.facts["sequence"], moved.facts["sequence"]) == (0, 1)
    assert moved.kind is Kind.CHANGE
    assert moved.facts["was_starts_at"] == booked.facts["starts_at"]
    assert moved.facts["starts_at"] == (slot().starts_at + DAY).isoformat()
    assert moved.facts["price_minor"] == 28800


def test_a_move_to_the_same_place_tells_nothing(scene):
    reservation = scene.reserve()
    service.move(reservation.id, slot(), caller=scene.as_li)

    assert len(notices()) == 1


def test_another_purpose_alone_tells_nothing(scene):
    reservation = scene.reserve()
    service.change(reservation.id, caller=scene.as_li, purpose="弯曲试验")

    assert len(notices()) == 1


@pytest.mark.parametrize(("side", "by_owner"), [("as_li", False), ("as_operator", True)])
def test_a_cancellation_says_who_decided_and_why(scene, side, by_owner):
    reservation = scene.reserve()
    service.cancel(reservation.id, caller=getattr(scene, side), reason="样品未到")

    (gone,) = notices(Kind.CANCELLATION)
    assert (gone.facts["by_owner"], gone.facts["reason"]) == (by_owner, "样品未到")
    assert gone.facts["sequence"] == 1
    assert told() == EVERYBODY * 2


def test_a_closure_tells_the_firms_it_hits_and_nobody_else(scene):
    other = scene.reserve(slot=slot(slot().starts_at + DAY))
    hit = scene.reserve()
    service.close(
        scene.instrument.id,
        slot(),
        OccupancyKind.MAINTENANCE,
        caller=scene.as_operator,
        cancel=[hit.id],
    )

    (gone,) = notices(Kind.CANCELLATION)
    assert gone.subject_id == hit.id != other.id
    assert (gone.facts["by_owner"], gone.facts["reason"]) == (True, "仪器维护")


def test_names_are_as_they_are_when_it_is_delivered_times_as_they_were(scene):
    reservation = scene.reserve()
    scene.instrument.name = "电子万能试验机（新）"
    service.move(reservation.id, slot(slot().starts_at + DAY), caller=scene.as_li)
    expand()

    booked, _ = notices()
    assert booked.facts["instrument"] == "电子万能试验机（新）"
    assert booked.facts["starts_at"] == slot().starts_at.isoformat()


def test_who_has_left_is_told_nothing(scene):
    scene.reserve()
    left = update(Membership).where(Membership.user_id.in_([scene.li.id, scene.operator.id]))
    db.session.execute(left.values(ended_at=clock.now()))

    assert told() == [("王总", "customer"), ("刘主任", "owner")]


def test_who_was_shut_out_is_told_nothing(scene):
    scene.reserve()
    db.session.execute(update(User).where(User.id == scene.li.id).values(is_active=False))

    assert ("李明", "customer") not in told()


def test_the_lab_that_books_its_own_instrument_is_told_as_the_customer(scene):
    service.reserve(scene.instrument.id, slot(), caller=scene.as_operator)

    assert told() == [("张工", "customer"), ("刘主任", "customer")]


def test_facts_of_many_take_one_statement(scene):
    ids = [scene.reserve(slot=slot(slot().starts_at + n * DAY)).id for n in range(3)]

    with counted() as statements:
        found = queries.told(ids)

    assert len(statements) == 1
    assert found[ids[0]]["number"] == f"R-{ids[0]:06d}"


def test_mail_and_feed_name_the_entry_alike(scene, app, use_mail):
    reservation = scene.reserve()
    expand()
    message = messages(Message.user_id == scene.li.id)[0]
    with force_locale("zh_Hans_CN"):
        notice = db.session.get_one(Notice, message.notice_id)
        letter = gateway.compose(
            notice.kind, message.side, notice.facts, subject_id=notice.subject_id
        )
        envelope = gateway.Envelope(message.id, "李明", "li@example.cn", notice.posted_at)
        mail = gateway.build(letter, envelope, date=clock.now())
    file = next(mail.iter_attachments()).get_content().decode()
    feed = calendars.one_reservation(
        reservation.id, caller=scene.as_li, locale="zh_Hans_CN"
    ).body.decode()

    assert line_of(file, "UID") == line_of(feed, "UID")
    assert line_of(file, "SEQUENCE") == line_of(feed, "SEQUENCE")
    assert line_of(file, "DTSTART") == line_of(feed, "DTSTART")
    assert line_of(file, "SUMMARY") == line_of(feed, "SUMMARY")


def line_of(text, name):
    (found,) = [line for line in text.splitlines() if line.startswith(f"{name}:")]
    return found


class TestReminders:
    """Wednesday 10:00 on the lab's wall; the moment is Tuesday 09:00 there."""

    TUESDAY_9 = datetime.fromisoformat("2026-11-24T09:00:00+08:00")

    def test_come_at_nine_the_day_before(self, scene, now):
        scene.reserve()
        now.set(self.TUESDAY_9 - timedelta(minutes=1))
        assert jobs.remind() == "提醒 0 个预约"
        now.set(self.TUESDAY_9)
        assert jobs.remind() == "提醒 1 个预约"

        (reminder,) = notices(Kind.REMINDER)
        assert reminder.facts["starts_at"] == slot().starts_at.isoformat()

    def test_go_to_the_firm_only(self, scene, now):
        scene.reserve()
        expand()
        now.set(self.TUESDAY_9)
        jobs.remind()

        assert told()[4:] == EVERYBODY[:2]

    def test_come_once_however_often_the_job_runs(self, scene, now):
        scene.reserve()
        now.set(self.TUESDAY_9)
        jobs.remind()
        now.advance(minutes=15)

        assert jobs.remind() == "提醒 0 个预约"

    def test_are_made_up_while_the_visit_is_ahead(self, scene, now):
        scene.reserve()
        now.set(slot().starts_at - timedelta(hours=1))
        assert jobs.remind() == "提醒 1 个预约"

    def test_never_come_after_it_began(self, scene, now):
        scene.reserve()
        now.set(slot().starts_at)

        assert jobs.remind() == "提醒 0 个预约"

    def test_a_moved_visit_is_reminded_of_anew(self, scene, now):
        reservation = scene.reserve(slot=slot(slot().starts_at + DAY))
        now.set(self.TUESDAY_9 + DAY)
        jobs.remind()
        now.set(self.TUESDAY_9 + DAY + timedelta(minutes=5))
        to = slot(slot().starts_at + 5 * DAY)
        service.move(reservation.id, to, caller=scene.as_operator)
        now.set(to.starts_at - timedelta(hours=3))

        assert jobs.remind() == "提醒 1 个预约"

    def test_who_booked_or_moved_after_the_moment_knows(self, scene, now):
        now.set(self.TUESDAY_9 + timedelta(minutes=1))
        scene.reserve()
        now.advance(hours=1)

        assert jobs.remind() == "提醒 0 个预约"

    def test_cancelled_visits_are_not_reminded_of(self, scene, now):
        service.cancel(scene.reserve().id, caller=scene.as_li)
        now.set(self.TUESDAY_9)

        assert jobs.remind() == "提醒 0 个预约"

    def test_go_by_the_wall_of_the_lab(self, session, now):
        scene = make_scene(time_zone="Asia/Tokyo")
        scene.reserve()  # 11:00 there, the moment is 08:00 here
        now.set(self.TUESDAY_9 - timedelta(minutes=61))
        assert jobs.remind() == "提醒 0 个预约"
        now.set(self.TUESDAY_9 - timedelta(minutes=60))
        assert jobs.remind() == "提醒 1 个预约"

    def test_the_key_is_the_same_in_sql_and_here(self, scene, now):
        reservation = scene.reserve()
        now.set(self.TUESDAY_9)
        service.remind()

        (reminder,) = notices(Kind.REMINDER)
        assert reminder.key == queries.reminder_key(reservation)
        assert queries.to_remind_of(clock.now()) == []


class TestBreaches:
    def test_all_that_happened_was_told(self, scene):
        reservation = scene.reserve()
        service.move(reservation.id, slot(slot().starts_at + DAY), caller=scene.as_li)
        service.cancel(reservation.id, caller=scene.as_li)

        assert list(queries.breaches()) == []

    @pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.CANCELLATION])
    def test_what_was_not_told_is_one(self, scene, kind):
        reservation = scene.reserve()
        service.move(reservation.id, slot(slot().starts_at + DAY), caller=scene.as_li)
        service.cancel(reservation.id, caller=scene.as_li)
        (lost,) = notices(kind)
        db.session.delete(lost)
        db.session.flush()

        assert list(queries.breaches()) == [f"预约 {reservation.id} 的变更没有全部通知有关各方。"]

    def test_what_happened_before_there_were_notices_is_none(self, scene, now):
        old = scene.reserve()
        for notice in notices():
            db.session.delete(notice)
        db.session.flush()
        now.advance(minutes=1)
        scene.reserve(slot=slot(slot().starts_at + DAY))

        assert db.session.get_one(Reservation, old.id)
        assert list(queries.breaches()) == []


def test_the_person_who_made_it_is_found_though_others_share_the_name(scene):
    namesake = somebody(scene.firm, Role.MEMBER, "namesake", "李明")
    scene.reserve()
    expand()

    assert namesake.id not in {message.user_id for message in messages()}
