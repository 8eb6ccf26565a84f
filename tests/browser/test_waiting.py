"""The waiting list in a browser: joining where all is taken, and one tap once time frees."""

import re
from datetime import UTC, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from booking.accounts import queries as accounts
from booking.accounts.models import User
from booking.availability import queries as availability
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations import service as reserving
from booking.tariffs import queries as tariffs
from booking.waiting import jobs
from tests.browser.conftest import NOW, flaws, log_in, scrolls_sideways

MINUTES = 60


@pytest.fixture
def other(program):
    """Another firm's manager, as the services know them."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        user = db.session.scalars(select(User).where(User.email == "firm02@demo.example")).one()
        return accounts.caller_of(user)


@pytest.fixture
def held(program, other):
    """A reservation of another firm: its id, instrument and slot."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context(), transaction():
        instrument = db.session.scalars(
            select(Instrument).where(Instrument.name == "多功能校准源").order_by(Instrument.id)
        ).first()
        window = TimeSlot(clock.now() + timedelta(days=9), clock.now() + timedelta(days=16))
        [slot, *_] = availability.free_slots_of(
            instrument.id,
            window,
            customer=tariffs.customer_of(other),
            now=clock.now(),
            minutes=MINUTES,
        )
        made = reserving.reserve(instrument.id, slot, caller=other)
        return made.id, instrument.id, slot


def test_from_the_queue_to_a_reservation(visit, width, program, other, held):
    reservation, instrument, slot = held
    start = f"{slot.starts_at.astimezone(clock.CHINA):%Y-%m-%dT%H:%M}"
    page = visit(width)
    log_in(page)

    page.goto(f"/instruments/{instrument}/waiting?starts_at={start}&minutes={MINUTES}")
    assert flaws(page) == {}
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="加入候补").click()
    page.wait_for_url("**/waiting-list")
    expect(page.get_by_text("已加入候补")).to_be_visible()
    assert flaws(page) == {}

    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        with transaction():
            reserving.cancel(reservation, caller=other)
        jobs.offer()
    page.reload()
    assert flaws(page) == {}
    assert not scrolls_sideways(page)
    offer = page.locator("section", has=page.get_by_text("多功能校准源"))
    offer.get_by_role("button", name=re.compile("^确认预约")).first.click()

    page.wait_for_url(re.compile(r"/reservations/\d+/made"))
    expect(page.get_by_role("status")).to_contain_text("预约成功")


def test_what_the_demo_holds_is_shown_with_its_place(visit, width, language):
    page = visit(width, language)
    log_in(page)
    page.goto("/waiting-list")

    assert flaws(page) == {}
    assert not scrolls_sideways(page)
    words = (
        ("候补到位，待您确认", "候补第 2 位")
        if language == "zh-CN"
        else ("Your turn", "Place 2 in line")
    )
    for each in words:
        expect(page.get_by_text(each).first).to_be_visible()
