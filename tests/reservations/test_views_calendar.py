"""The week as the slot calendar draws it: what is free, taken and one's own, and nobody's name."""

import html
import json
import re

import pytest

from booking.accounts.rules import Role
from booking.availability.models import OccupancyKind
from booking.reservations import service
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution)


def week_of(page):
    found = re.search(r'data-slot-calendar="([^"]*)"', page.text)
    return json.loads(html.unescape(found[1]))


def events_of(page, kind):
    return [
        (event["start"], event["end"]) for event in week_of(page)["events"] if event["kind"] == kind
    ]


def test_another_s_booking_is_taken_and_nothing_more(client, instrument):
    stranger = make_caller(make_organisation(name="湘潭新材料科技有限公司"), Role.MANAGER)
    service.reserve(instrument.id, slot(), caller=stranger, purpose="保密的用途")

    page = client.get(f"/instruments/{instrument.id}")

    assert events_of(page, "busy") == [("2026-11-25T10:00", "2026-11-25T12:00")]
    assert "湘潭" not in page.text
    assert "保密" not in page.text
    free = events_of(page, "free")
    assert not [each for each in free if "2026-11-25T10:00" <= each[0] < "2026-11-25T12:00"]


def test_one_s_own_booking_is_one_s_own_and_not_taken_too(client, instrument):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER)
    sign_in(client, user)
    service.reserve(instrument.id, slot(), caller=caller_of(user, (firm, Role.MANAGER)))

    page = client.get(f"/instruments/{instrument.id}")

    assert events_of(page, "mine") == [("2026-11-25T10:00", "2026-11-25T12:00")]
    assert events_of(page, "busy") == []


def test_while_a_second_machine_is_there_nothing_is_taken(client):
    instrument = make_instrument(units=2)
    stranger = make_caller(make_organisation(), Role.MANAGER)
    service.reserve(instrument.id, slot(), caller=stranger)

    one = client.get(f"/instruments/{instrument.id}")
    service.reserve(instrument.id, slot(hours=1), caller=stranger)
    both = client.get(f"/instruments/{instrument.id}")

    assert events_of(one, "busy") == []
    assert events_of(both, "busy") == [("2026-11-25T10:00", "2026-11-25T11:00")]


def test_upkeep_is_told_from_bookings(client, institution, instrument):
    staff = make_caller(institution, Role.MANAGER)
    service.close(instrument.id, slot(), OccupancyKind.CALIBRATION, caller=staff)

    page = client.get(f"/instruments/{instrument.id}")

    assert events_of(page, "upkeep") == [("2026-11-25T10:00", "2026-11-25T12:00")]
    assert events_of(page, "busy") == []


def test_the_chosen_slot_stands_in_it_with_its_price(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?start=2026-11-25T10:00&minutes=120")

    [chosen] = [event for event in week_of(page)["events"] if event["kind"] == "sel"]
    assert chosen["title"] == "10:00–12:00"
    assert "288.00 元" in chosen["said"]


def test_a_choice_keeps_week_purpose_and_view(client, instrument):
    page = client.get(
        f"/instruments/{instrument.id}?from=2026-11-30&purpose=拉伸&view=week&start=2026-12-02T10:00"
    )

    address = week_of(page)["address"]
    assert "from=2026-11-30" in address
    assert "view=week" in address
    assert "start=" not in address


@pytest.mark.parametrize("view", ["", "list", "week", "nonsense"])
def test_every_view_has_the_same_slots_in_its_list(client, instrument, view):
    page = client.get(f"/instruments/{instrument.id}?view={view}&day=2026-11-25")

    assert 'value="2026-11-25T08:00"' in page.text or 'value="2026-11-25T08:30"' in page.text
