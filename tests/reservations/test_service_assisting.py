"""Changing who operates: at the same time, priced anew, refused by what the change breaks only."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from booking.accounts.rules import CustomerClass, Role
from booking.authorisations.rules import Operation
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.errors import WrongState
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable, TooLateToChange
from tests.factories import (
    bearer,
    caller_of,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
    sign_in,
    slot,
)
from tests.reservations.test_views import token_of

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager_user(owner):
    return make_user(owner, Role.MANAGER)


@pytest.fixture
def manager(owner, manager_user):
    return caller_of(manager_user, (owner, Role.MANAGER))


@pytest.fixture
def instrument(owner):
    found = make_instrument(institution=owner, price=None)
    make_price(found, CustomerClass.SME, kept_terms={"operator_minor": 10000})
    return found


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def user(firm):
    return make_user(firm)


@pytest.fixture
def buyer(firm, user):
    return caller_of(user, (firm, Role.MEMBER))


@pytest.fixture
def made(instrument, buyer):
    return service.reserve(instrument.id, slot(), caller=buyer)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert list(queries.breaches()) == []


def test_assistance_is_added_and_priced(made, buyer):
    assert made.price == Money.of("288.00")

    changed = service.change(made.id, caller=buyer, is_assisted=True)

    assert changed.is_assisted
    assert changed.list_price == Money.of("560.00")
    assert changed.price == Money.of("448.00")
    assert changed.slot == slot()
    assert (changed.version, changed.sequence) == (2, 1)
    entry = db.session.query(JournalEntry).filter_by(action="reservation.mode_changed").one()
    assert entry.data["new"]["is_assisted"] is True
    told = db.session.query(Notice).filter_by(kind="change", subject_id=made.id).one()
    assert told.facts["now_assisted"] is True


def test_the_same_again_changes_nothing(made, buyer):
    assert service.change(made.id, caller=buyer, is_assisted=False).version == 1


def test_a_move_may_change_it_in_one_go(made, buyer):
    later = slot(slot().ends_at)

    moved = service.change(made.id, caller=buyer, slot=later, is_assisted=True)

    assert (moved.slot, moved.is_assisted, moved.version) == (later, True, 2)
    assert moved.price == Money.of("448.00")


def test_what_was_agreed_before_a_stricter_lead_time_can_still_be_assisted(made, buyer, instrument):
    db.session.execute(
        text("UPDATE schedules SET lead_minutes = 10080 WHERE instrument_id = :id"),
        {"id": instrument.id},
    )

    assert service.change(made.id, caller=buyer, is_assisted=True).is_assisted


def test_who_may_not_operate_it_cannot_give_up_assistance(owner, buyer, manager):
    instrument = make_instrument(institution=owner, schedule={"operation": Operation.AUTHORISED})
    made = service.reserve(instrument.id, slot(), caller=buyer, is_assisted=True)

    with pytest.raises(NotBookable) as refused:
        service.change(made.id, caller=buyer, is_assisted=False)

    assert [each.rule for each in refused.value.violations] == ["authorisation"]
    assert made.is_assisted


def test_too_late_is_too_late_for_the_firm_and_not_for_the_owner(made, buyer, manager, now):
    now.at = slot().starts_at - timedelta(minutes=5)

    with pytest.raises(TooLateToChange):
        service.change(made.id, caller=buyer, is_assisted=True)
    assert service.change(made.id, caller=manager, is_assisted=True).is_assisted


def test_what_is_called_off_has_no_way_of_operating(made, buyer):
    service.cancel(made.id, caller=buyer)

    with pytest.raises(WrongState):
        service.change(made.id, caller=buyer, is_assisted=True)


def test_the_api_changes_it(client, made, user):
    at = f"/api/v1/reservations/{made.id}"

    changed = client.patch(at, json={"is_assisted": True}, headers=bearer(user))
    nothing = client.patch(at, json={}, headers=bearer(user))

    assert (changed.status_code, changed.json["is_assisted"]) == (200, True)
    assert changed.json["price"]["amount"] == "448.00"
    assert nothing.status_code == 422


def move(client, made, **given):
    at = f"/reservations/{made.id}/move"
    return client.post(at, data={"form_token": token_of(client.get(at))} | given)


def test_the_page_changes_it_without_another_time(client, made, user):
    sign_in(client, user)

    done = move(client, made, assisted="1")

    assert done.status_code == 303
    assert made.is_assisted
    assert made.slot == slot()


def test_the_page_says_before_what_either_way_costs(client, made, user):
    sign_in(client, user)

    page = client.get(f"/reservations/{made.id}/move").text

    assert "自主上机 · 288.00 元" in page
    assert "机组协助 · 448.00 元" in page


def test_the_page_still_asks_for_a_time_where_nothing_else_changes(client, made, user):
    sign_in(client, user)

    assert move(client, made, assisted="0").status_code == 422


def test_who_manages_it_moves_it_against_the_rules_with_a_reason(client, made, manager_user):
    sign_in(client, manager_user)
    sunday = "2026-11-29T10:00"

    refused = move(client, made, other_start=sunday)
    done = move(client, made, other_start=sunday, override_reason="设备验收，客户急用")

    assert refused.status_code == 422
    assert 'value="2026-11-29T10:00"' in refused.text
    assert done.status_code == 303
    assert f"{made.starts_at:%m-%d}" == "11-29"
    assert queries.overrides_of(made.id, caller=_manager(manager_user, made))[0].reason


def test_others_have_no_such_field_and_no_such_right(client, made, user):
    sign_in(client, user)

    assert "override_reason" not in client.get(f"/reservations/{made.id}/move").text
    forged = move(client, made, other_start="2026-11-29T10:00", override_reason="x")

    assert forged.status_code == 403
    assert made.slot == slot()


def _manager(user, made):
    return caller_of(user, (made.instrument.institution, Role.MANAGER))
