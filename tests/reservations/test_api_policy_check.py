"""Why can they not book, asked over the API: by the owner's people, for those they know."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.pricegroups import service as groups
from booking.pricegroups.service import Said
from booking.reservations import service
from tests.factories import (
    bearer,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"shortest_minutes": 60})


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def buyer(firm):
    return make_user(firm)


@pytest.fixture
def known(firm, buyer, instrument):
    """Somebody who has booked there before."""
    service.reserve(instrument.id, slot(), caller=caller_of(buyer, (firm, Role.MEMBER)))


def check(client, instrument, user, organisation, when=None, **given):
    when = when or slot(slot().ends_at)
    body = {
        "organisation_id": organisation.id,
        "starts_at": when.starts_at.isoformat(),
        "ends_at": when.ends_at.isoformat(),
    }
    at = f"/api/v1/instruments/{instrument.id}/policy-check"
    return client.post(at, json=body | given, headers=bearer(user))


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR])
def test_the_quote_is_the_one_the_firm_would_get(client, owner, instrument, firm, buyer, role):
    found = check(client, instrument, make_user(owner, role), firm, user_id=buyer.id)
    when = slot(slot().ends_at)
    body = {
        "instrument_id": instrument.id,
        "starts_at": when.starts_at.isoformat(),
        "ends_at": when.ends_at.isoformat(),
    }
    own = client.post("/api/v1/quotes", json=body, headers=bearer(buyer)).json

    assert found.status_code == 200
    assert found.json["quote"] == own
    assert found.json["checks"]
    assert all(each["kept"] for each in found.json["checks"])


@pytest.mark.usefixtures("known")
def test_each_broken_rule_stands_with_its_words(client, owner, instrument, firm):
    when = slot(slot().starts_at + timedelta(days=1), hours=0.5)

    found = check(client, instrument, make_user(owner, Role.MANAGER), firm, when)

    (broken,) = [each for each in found.json["checks"] if not each["kept"]]
    assert broken["broken"][0]["rule"] == "shortest"
    assert "60" in broken["words"] or "1" in broken["words"]
    assert found.json["can_be_set_aside"] is True
    assert found.json["quote"]["bookable"] is False


@pytest.mark.usefixtures("known")
def test_others_than_the_owners_people_are_refused(client, instrument, firm, buyer):
    assert check(client, instrument, buyer, firm).status_code == 403
    stranger = make_user(make_institution(), Role.MANAGER)
    assert check(client, instrument, stranger, firm).status_code == 403


def test_an_organisation_the_institution_does_not_know_is_not_found(
    client, owner, instrument, firm
):
    manager = make_user(owner, Role.MANAGER)

    assert check(client, instrument, manager, firm).status_code == 404
    assert check(client, instrument, manager, owner).status_code == 200


def test_whom_it_put_into_a_finer_class_it_knows(client, owner, instrument, firm):
    manager = make_user(owner, Role.MANAGER)
    caller = caller_of(manager, (owner, Role.MANAGER))
    group = groups.create_group(owner.id, "sme", Said("园区企业", 30, "协议"), caller=caller)
    groups.add_member(group.id, firm, caller=caller)

    found = check(client, instrument, manager, firm)

    assert found.json["quote"]["price_group"]["name"] == "园区企业"


@pytest.mark.usefixtures("known")
def test_somebody_of_another_organisation_is_not_found(client, owner, instrument, firm):
    manager, other = make_user(owner, Role.MANAGER), make_caller()

    assert check(client, instrument, manager, firm, user_id=other.user_id).status_code == 404
