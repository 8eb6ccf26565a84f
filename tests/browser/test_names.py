"""Names as people have them: very long, without a break, rare, or written from the right."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from booking.accounts.rules import OrganisationKind, Role
from booking.kernel.db import db, transaction
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument, Publication
from booking.reservations import service
from tests import factories
from tests.browser.conftest import DESKTOP, NARROWEST, NOW, PHONE, log_in, scrolls_sideways

PASSWORD = "Lathe-7-quiet"
FIRM = (
    "湖南省长沙市望城经济技术开发区𠮷祥精密零部件机械加工制造"
    "与表面处理检测技术服务股份有限责任公司第一分公司研发中心实验室"
)
UNBREAKABLE = "X" * 200
FROM_THE_RIGHT = "מעבדה לבדיקות 100"


@pytest.fixture(scope="module")
def world(program):
    """An instrument of 200 letters at an institution named from the right, booked by a firm."""
    with program.app_context(), transaction():
        lab = factories.make_organisation(
            kind=OrganisationKind.INSTITUTION, name=FROM_THE_RIGHT, region_code="430100"
        )
        firm = factories.make_organisation(name=FIRM)
        made = factories.make_instrument(
            institution=lab, name=UNBREAKABLE, model=FROM_THE_RIGHT, region_code="430100"
        )
        user = factories.make_user(firm, Role.MANAGER, name="𠮷" * 30, password=PASSWORD)
        boss = factories.make_user(lab, Role.MANAGER, name=UNBREAKABLE, password=PASSWORD)
        at = NOW.replace(hour=10) + timedelta(days=2)
        caller = factories.caller_of(user, (firm, Role.MANAGER))
        held = service.reserve(made.id, TimeSlot(at, at + timedelta(hours=2)), caller=caller)
        found = made.id, held.id, user.email, boss.email
    yield found
    with program.app_context(), transaction():
        gone = update(Instrument).where(Instrument.id == made.id)
        db.session.execute(gone.values(publication=Publication.WITHDRAWN))


@pytest.mark.parametrize("width", [NARROWEST, PHONE, DESKTOP])
def test_the_longest_name_widens_no_page(visit, world, width):
    instrument, reservation, firm, lab = world
    pages = {
        firm: [
            f"/instruments?q={UNBREAKABLE[:60]}",
            f"/instruments/{instrument}",
            f"/instruments/{instrument}?view=list",
            f"/calendars/instruments/{instrument}",
            "/reservations",
            "/reservations?view=month",
            f"/reservations/{reservation}",
            f"/reservations/{reservation}/made",
            f"/reservations/{reservation}/move",
            f"/reservations/{reservation}/cancel",
            "/calendars",
            "/account",
        ],
        lab: [
            "/account",
            "/institution/instruments",
            f"/institution/instruments/{instrument}/hours",
            f"/institution/instruments/{instrument}/closures",
        ],
    }
    wide = []
    for login, addresses in pages.items():
        page = visit(width)
        log_in(page, login, PASSWORD)
        for address in addresses:
            page.goto(address)
            wide += [(address, page.title())] * scrolls_sideways(page)
            expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert wide == []


def test_what_follows_a_name_written_from_the_right_stays_where_it_is(visit, world):
    instrument, reservation, firm, _ = world
    page = visit(DESKTOP)
    log_in(page, firm, PASSWORD)
    page.goto(f"/reservations/{reservation}/move")
    page.goto(f"/instruments/{instrument}")
    place = page.locator(".instrument-head p", has_text="长沙")
    name = place.locator("bdi")

    # The region follows its institution, and begins where that ends.
    ends = name.evaluate("e => e.getBoundingClientRect().right")
    begins = place.evaluate(
        "e => { const range = document.createRange(); range.selectNodeContents(e.lastChild);"
        " return range.getBoundingClientRect().left }"
    )
    assert begins >= ends - 1
