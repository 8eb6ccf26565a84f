"""The demo data: all of Hunan, by our own rules, the same for a day, and only once."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import scoped_session, sessionmaker

from booking import demo, operations
from booking.accounts import queries as accounts
from booking.accounts.models import EnterpriseDeclaration, Organisation
from booking.accounts.rules import OrganisationKind, SizeClass
from booking.attachments.models import Attachment
from booking.authorisations.models import Authorisation
from booking.availability.models import Closure, OccupancyKind
from booking.availability.queries import find_schedule
from booking.availability.rules import WeekPlan, open_windows
from booking.demo.bookings import Booking, Planner
from booking.demo.hours import MANNERS, Calendar, policy
from booking.demo.uses import Days
from booking.files import service as files
from booking.files.gateway import FolderStore
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.notices import queries
from booking.notices.models import Message, Notice
from booking.notices.rules import MailState, State
from booking.packages.models import HourPackage, PrepaidBalance
from booking.pricegroups.models import PriceGroup
from booking.qualifications import queries as qualifications
from booking.qualifications.models import Calibration, Certificate, Extension
from booking.reference import queries as reference
from booking.registry.models import Instrument, Publication
from booking.relations.models import RelatedGroup
from booking.reservations.models import (
    HOLDING,
    FeeSettlement,
    Reservation,
    ReservationGroup,
    ReservationStatus,
)
from booking.reservations.rules import broken_rules
from booking.savings.models import SavingsLine
from booking.tariffs.models import Price
from booking.tariffs.rules import EXTERNAL_CLASSES
from booking.waiting.models import WaitingEntry
from tests.conftest import MONDAY_9

CITIES = {"430100", "430200", "430300", "430400", "430500", "430600", "430700"} | {
    "430800", "430900", "431000", "431100", "431200", "431300", "433100"
}  # fmt: skip
CHINA = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def hunan(app, tmp_path_factory):
    """The data, loaded once on a Monday and rolled back after the last test."""
    with app.app_context(), db.engine.connect() as connection:
        outer = connection.begin()
        original = db.session
        kept = app.extensions["booking_files"]
        app.extensions["booking_files"] = FolderStore(tmp_path_factory.mktemp("files"))
        db.session = scoped_session(
            sessionmaker(bind=connection, join_transaction_mode="create_savepoint")
        )
        try:
            with clock.pretend(MONDAY_9.astimezone(UTC)):
                demo.load()
            yield db.session
        finally:
            db.session.remove()
            db.session = original
            app.extensions["booking_files"] = kept
            outer.rollback()


def count(hunan, model, *where):
    return hunan.scalar(select(func.count()).select_from(model).where(*where))


def test_every_city_of_hunan_has_instruments(hunan):
    assert set(hunan.scalars(select(Instrument.region_code))) == CITIES


def test_there_is_enough_to_look_at(hunan):
    institutions = count(hunan, Organisation, Organisation.verified_at.is_not(None))
    firms = count(hunan, Organisation, Organisation.kind == OrganisationKind.ENTERPRISE)
    instruments = count(hunan, Instrument, Instrument.publication == Publication.PUBLISHED)
    coming = count(hunan, Reservation, Reservation.starts_at > MONDAY_9)
    past = count(hunan, Reservation, Reservation.ends_at < MONDAY_9)

    assert (institutions, firms) == (12, 32)
    assert 140 <= instruments <= 160
    assert min(coming, past) > 100


def test_firms_are_of_all_sizes_and_mostly_small(hunan):
    sizes = hunan.scalars(select(EnterpriseDeclaration.size_class)).all()

    assert set(sizes) == set(SizeClass)
    assert sizes.count(SizeClass.LARGE) == 2


def test_categories_are_many_and_no_instrument_is_unsorted(hunan):
    codes = set(hunan.scalars(select(Instrument.category_code)))

    assert len(codes) > 50
    assert "990000" not in codes


def test_who_calls_themselves_small_pays_less_and_everybody_has_a_price(hunan):
    for customer_class in EXTERNAL_CLASSES:
        priced = select(Price.instrument_id).where(Price.customer_class == customer_class)
        assert count(hunan, Instrument, Instrument.id.not_in(priced)) == 0
    assert count(hunan, Reservation, Reservation.price_minor <= 0) == 0
    assert count(hunan, Reservation, Reservation.baseline_minor > Reservation.price_minor) > 50


def test_nothing_is_reserved_outside_opening_hours(hunan):
    workdays = reference.workdays(date(2026, 10, 1), date(2027, 1, 31))
    slots = {}
    for reservation in hunan.scalars(select(Reservation)):
        slots.setdefault(reservation.instrument_id, []).append(reservation.slot)
    for instrument_id, reserved in slots.items():
        sheet = find_schedule(hunan.get_one(Instrument, instrument_id))
        plan = WeekPlan(
            zone=CHINA,
            week=sheet.week,
            workdays=workdays,
            observes_holidays=sheet.schedule.observes_holidays,
        )
        assert [slot for slot in reserved if open_windows(plan, slot) != [slot]] == []


def test_some_gave_up_and_a_fault_took_others_booking(hunan):
    cancelled = select(Reservation).where(Reservation.status == ReservationStatus.CANCELLED)
    given_up = hunan.scalars(cancelled).all()
    faults = hunan.scalars(select(Closure).where(Closure.kind == OccupancyKind.FAULT)).all()

    assert len(given_up) > 5
    assert all(reservation.cancel_reason for reservation in given_up)
    assert {fault.reason for fault in faults} <= {each.cancel_reason for each in given_up}


def test_past_bookings_were_used_and_some_are_settled(hunan):
    past = {
        status: count(hunan, Reservation, Reservation.status == status)
        for status in ReservationStatus
    }
    over = (Reservation.status == ReservationStatus.CONFIRMED, Reservation.ends_at < MONDAY_9 - DAY)

    assert count(hunan, Reservation, *over) == 0
    assert past[ReservationStatus.SETTLED] > 20
    assert past[ReservationStatus.USAGE_CONFIRMED] > 5
    assert past[ReservationStatus.NO_SHOW] > 0
    saved = hunan.scalar(select(func.sum(SavingsLine.relief_minor)))
    assert saved > 100_000  # more than 1,000.00


def test_some_wait_for_approval_and_some_were_declined_or_forgotten(hunan):
    statuses = (ReservationStatus.TENTATIVE, ReservationStatus.DECLINED, ReservationStatus.EXPIRED)

    for status in statuses:
        assert count(hunan, Reservation, Reservation.status == status) > 0


def test_every_day_of_use_begins_before_it_ends_and_is_over_yesterday(hunan):
    start = MONDAY_9.replace(hour=8, minute=0) - 40 * DAY
    for number in range(400):
        slot = TimeSlot(start, start + timedelta(minutes=30 + 30 * (number % 16)))
        booking = Booking("firm", 1, slot, "", start - 3 * DAY)
        with clock.pretend(MONDAY_9.astimezone(UTC)):
            steps = list(Days(Calendar(), seed=number).steps(booking))
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        if steps[0].action != "miss":
            assert slot.starts_at < steps[0].at < steps[1].at <= slot.ends_at


def test_the_first_instrument_is_partly_busy_with_time_left(hunan):
    first = hunan.scalar(select(Instrument).order_by(Instrument.id).limit(1))
    held = select(Reservation).where(
        Reservation.instrument_id == first.id,
        Reservation.status.in_(HOLDING),
        Reservation.starts_at.between(MONDAY_9, MONDAY_9 + timedelta(days=7)),
    )
    hours = sum(found.slot.minutes for found in hunan.scalars(held)) / 60

    assert (first.name, first.model) == ("电子万能试验机", "CMT5105")
    assert 10 < hours < 5 * 7 * first.units - 10


def test_the_log_ins_shown_are_there_and_the_first_firm_has_reservations_ahead(hunan):
    users = [accounts.user_by_login(login) for login in demo.LOG_INS]
    ahead = count(
        hunan,
        Reservation,
        Reservation.user_id == users[0].id,
        Reservation.status.in_(HOLDING),
        Reservation.starts_at > MONDAY_9,
    )

    assert all(user.password_hash for user in users)
    assert ahead >= 3


def test_inboxes_hold_the_history_and_nobody_gets_mails_about_it(hunan):
    unread = {
        login: queries.unread(accounts.user_by_login(login).id)
        for login in ("firm@demo.example", "lab@demo.example")
    }

    assert all(0 < count < 20 for count in unread.values()), unread
    assert count(hunan, Notice, Notice.state != State.DONE) == 0
    assert count(hunan, Message) > 200
    assert count(hunan, Message, Message.mail != MailState.NONE) == 0


def test_a_firm_has_a_weekly_series_and_a_bundle(hunan):
    kinds = db.session.scalars(select(ReservationGroup.kind).order_by(ReservationGroup.kind))

    assert list(kinds) == ["bundle", "series"]


def test_every_invariant_holds(hunan):
    assert [breach for check in operations.INVARIANTS for breach in check()] == []


def test_a_second_load_does_nothing(hunan):
    before = count(hunan, Reservation)

    assert demo.load() is False
    assert count(hunan, Reservation) == before


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 2, 13),  # before the Spring Festival, with a worked Saturday
        date(2026, 2, 20),  # in it
        date(2026, 9, 30),
        date(2026, 11, 28),  # a Saturday
        date(2027, 12, 31),
    ],
)
def test_on_any_day_it_is_the_same_all_day_and_nothing_would_be_refused(hunan, day):
    plans = []
    for hour in (1, 23):
        with clock.pretend(datetime.combine(day, time(hour), tzinfo=CHINA).astimezone(UTC)):
            calendar = Calendar()
            planner = Planner(calendar)
            plans.append(planner.bookings())

    assert plans[0] == plans[1]
    assert len(plans[0]) > 200
    for booking in plans[0]:
        instrument = planner.instruments[booking.instrument]
        manner = MANNERS[instrument.terms]
        plan = calendar.plan(instrument.week, manner)
        terms = policy(manner.terms)
        assert list(broken_rules(booking.slot, terms, plan, now=booking.made_at)) == []
        assert booking.made_at < calendar.at(day, time(0))


def test_photos_certificates_and_calibrations_are_there_and_whole(hunan):
    today = MONDAY_9.date()
    ended = count(hunan, Instrument, Instrument.verified_until < today)

    assert count(hunan, Certificate) == 18
    assert count(hunan, Calibration) == count(hunan, Instrument)
    assert count(hunan, Extension) == 1
    assert ended == 1
    assert count(hunan, Attachment) > 90
    assert list(files.breaches()) == []
    assert list(qualifications.breaches()) == []


def test_one_calibration_is_about_to_end(hunan):
    soon = hunan.scalars(
        select(Instrument.inner_id).where(
            Instrument.calibrated_until.between(MONDAY_9.date(), date(2026, 12, 5))
        )
    ).all()

    assert soon == ["CS-012"]


def test_a_firm_books_with_the_hours_it_bought(hunan):
    balance = hunan.scalars(select(PrepaidBalance)).one()
    paid_so = hunan.scalars(select(Reservation).where(Reservation.prepaid_id == balance.id)).all()

    assert 0 < balance.left_minutes < balance.minutes
    assert {each.status for each in paid_so} >= {ReservationStatus.CONFIRMED}
    assert any(each.status in {"settled", "closed"} for each in paid_so)
    assert count(hunan, HourPackage, HourPackage.withdrawn_at.is_(None)) == 3


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (PriceGroup, ()),
        (RelatedGroup, ()),
        (FeeSettlement, ()),
        (Authorisation, (Authorisation.granted_at.is_not(None),)),
        (Reservation, (Reservation.is_statutory,)),
        (Reservation, (Reservation.fee_minor > 0,)),
        (WaitingEntry, (WaitingEntry.occupancy_id.is_not(None),)),
        (WaitingEntry, (WaitingEntry.occupancy_id.is_(None), WaitingEntry.ended_at.is_(None))),
    ],
)
def test_there_is_one_of_everything_to_look_at(hunan, what, where):
    assert hunan.scalar(select(func.count()).select_from(what).where(*where)) > 0
