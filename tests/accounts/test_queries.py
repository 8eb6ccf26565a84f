"""What commands and other features ask of accounts, and what a caller may see."""

import pytest

from booking.accounts import queries
from booking.accounts.errors import ScopeMissing
from booking.accounts.models import Membership
from booking.accounts.rules import OrganisationKind, Role, Scope
from booking.kernel.errors import NotFound
from tests.factories import (
    caller_of,
    make_admin,
    make_caller,
    make_institution,
    make_organisation,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def listed(caller, **filters):
    page = queries.list_organisations(caller=caller, limit=200, cursor=None, **filters)
    return {each.id for each in page.items}


def test_an_organisation_is_found_by_its_credit_code():
    firm = make_organisation()

    assert queries.organisation_by_uscc(firm.uscc) is firm
    with pytest.raises(NotFound):
        queries.organisation_by_uscc("91350100M000100Y43")


def test_a_person_is_a_caller_with_the_seats_they_hold_now(session, now):
    firm, left = make_organisation(), make_organisation()
    closed = make_organisation(is_active=False)
    user = make_user(firm, Role.MANAGER)
    for organisation, ended_at in ((left, now.at), (closed, None)):
        session.add(
            Membership(
                user_id=user.id,
                organisation_id=organisation.id,
                role=Role.MANAGER,
                ended_at=ended_at,
            )
        )
    session.flush()

    assert queries.caller_of(user) == caller_of(user, (firm, Role.MANAGER))


@pytest.mark.parametrize(
    ("given", "verified"),
    [({}, True), ({"verified_at": None}, False), ({"is_active": False}, False)],
)
def test_an_institution_is_verified_while_it_is_open(given, verified):
    assert queries.is_verified(make_institution(**given).id) is verified


def test_lists_are_filtered_by_kind_and_verification():
    admin = make_admin()
    firm, lab, new = make_organisation(), make_institution(), make_institution(verified_at=None)

    assert listed(admin) >= {firm.id, lab.id, new.id}
    assert listed(admin, kind=OrganisationKind.INSTITUTION) == {lab.id, new.id}
    assert listed(admin, kind=OrganisationKind.INSTITUTION, verified=False) == {new.id}
    assert listed(make_caller(firm), verified=False) == {firm.id}


def test_seeing_organisations_needs_the_scope_to_read():
    with pytest.raises(ScopeMissing):
        listed(make_caller(scopes=frozenset({Scope.RESERVATIONS})))


def test_an_admin_without_the_admin_scope_sees_what_everybody_sees():
    firm = make_organisation()
    admin = make_admin()
    limited = caller_of(make_user(), scopes=frozenset({Scope.READ}))

    assert firm.id in listed(admin)
    assert firm.id not in listed(limited)


def test_an_authority_needs_nobody_who_lets_others_in():
    assert queries.has_keeper(make_organisation(kind=OrganisationKind.AUTHORITY))
    assert not queries.has_keeper(make_organisation())
