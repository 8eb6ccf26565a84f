"""Seeding the code lists and setting days, on a real database."""

from datetime import date

import pytest
from sqlalchemy import delete, func, select, update

from booking.journal.models import JournalEntry
from booking.reference import gateway, service
from booking.reference.errors import DayOutsideCalendar
from booking.reference.models import CalendarDay, Category, Industry, Region
from booking.reference.rules import RegionFacts, RegionLevel
from tests.factories import make_admin

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def empty(session):
    for table in (Region, Category, Industry, CalendarDay):
        session.execute(delete(table))


@pytest.fixture
def regions(monkeypatch):
    """A short region list; `regions.append(...)` is what the next release brings."""
    units = [RegionFacts("430124", "宁乡县", RegionLevel.COUNTY, "430100", 1983, None)]
    monkeypatch.setattr(gateway, "regions", lambda: units)
    return units


def test_seed_fills_every_table_once(session, empty):
    assert service.seed() == {
        "regions": len(gateway.regions()),
        "categories": 739,
        "industries": 117,
        "calendar_days": 3288,
    }
    assert set(service.seed().values()) == {0}


def test_seed_puts_divisions_into_their_sections(session, empty):
    service.seed()

    assert session.get(Industry, "34").section == "C"
    assert session.get(Industry, "C").section == "C"


def test_seed_ends_a_period_when_the_source_does(session, empty, regions):
    service.seed()
    regions[0] = RegionFacts("430124", "宁乡县", RegionLevel.COUNTY, "430100", 1983, 2017)

    assert service.seed()["regions"] == 1
    assert session.scalars(select(Region.valid_to)).all() == [2017]


def test_seed_keeps_what_has_gone_from_the_source(session, empty, regions):
    service.seed()
    regions[0] = RegionFacts("430182", "宁乡市", RegionLevel.COUNTY, "430100", 2017, None)

    service.seed()

    assert set(session.scalars(select(Region.name))) == {"宁乡县", "宁乡市"}


def test_seed_never_overwrites_what_staff_set(session, empty):
    service.seed_days()
    service.set_day(date(2027, 2, 20), is_workday=True, name="春节补班", by=make_admin().user_id)

    assert service.seed_days() == 0
    assert session.get(CalendarDay, date(2027, 2, 20)).is_workday


def test_seed_corrects_a_day_when_the_notice_is_out(session, empty):
    service.seed_days()
    session.execute(
        update(CalendarDay)
        .where(CalendarDay.day == date(2026, 1, 4))
        .values(is_workday=False, name=None, source="holidays 0.1", provisional=True)
    )

    assert service.seed_days() == 1
    session.expire_all()
    assert session.get(CalendarDay, date(2026, 1, 4)).is_workday


def test_seed_reaches_two_years_ahead(session, empty, now):
    service.seed_days()

    assert session.scalar(select(func.max(CalendarDay.day))) == date(2028, 12, 31)


def test_setting_a_day_is_journalled_with_old_and_new(session, empty):
    service.seed_days()
    admin = make_admin()

    day = service.set_day(date(2026, 11, 23), is_workday=False, name="停电", by=admin.user_id)

    entry = session.scalar(select(JournalEntry).order_by(JournalEntry.id.desc()))
    assert (day.is_workday, day.source, day.provisional) == (False, "staff", False)
    assert (entry.action, entry.subject_id, entry.actor_id) == (
        "calendar_day.set",
        20261123,
        admin.user_id,
    )
    assert entry.data["old"]["is_workday"] is True
    assert entry.data["new"] == {"is_workday": False, "name": "停电", "source": "staff"}


def test_a_day_that_was_never_seeded_can_be_set(session, empty):
    service.set_day(date(2028, 1, 3), is_workday=False, name=None, by=make_admin().user_id)

    assert session.get(CalendarDay, date(2028, 1, 3)).source == "staff"


@pytest.mark.parametrize("day", [date(2019, 12, 31), date(2029, 1, 1), date(9999, 12, 31)])
def test_days_outside_the_calendar_are_refused(day):
    with pytest.raises(DayOutsideCalendar) as refused:
        service.set_day(day, is_workday=True, name=None, by=1)

    assert refused.value.details == {"first_year": 2020, "last_year": 2028}
