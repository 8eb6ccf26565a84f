"""Who may do what, what may be declared; without a database."""

import pytest

from booking.accounts import rules
from booking.accounts.errors import PersonsNotServed, ScopeMissing, SignInNeeded, WhichOrganisation
from booking.accounts.rules import (
    PERMISSIONS,
    ROLES,
    SCOPE_FOR,
    Caller,
    CustomerClass,
    OrganisationKind,
    Permission,
    Role,
    Scope,
    Seat,
    SizeClass,
)
from booking.kernel.errors import InvalidField, NotAllowed

FIRM, LAB = 1, 2


def caller(*seats: Seat, **given) -> Caller:
    return Caller(user_id=7, name="李明", seats=seats, **given)


def test_every_permission_has_a_scope_and_every_seat_of_the_table_exists():
    assert set(SCOPE_FOR) == set(Permission)
    assert all(role in ROLES[kind] for kind, role in PERMISSIONS)


@pytest.mark.parametrize(
    ("kind", "role", "allowed"),
    [
        ("enterprise", "member", {"reserve"}),
        ("research", "member", {"reserve"}),
        ("institution", "operator", {"reserve", "run_instruments", "see_owner_side"}),
        ("institution", "tester", {"reserve"}),
        ("institution", "finance", {"see_customer_side", "see_owner_side", "keep_books"}),
        ("window", "manager", {"manage_organisation"}),
        ("window", "clerk", set()),
        ("authority", "province", set()),
        ("platform", "admin", {"verify", "reference", "manage_organisation"}),
    ],
)
def test_a_role_allows_this_and_nothing_else(kind, role, allowed):
    someone = caller(Seat(FIRM, OrganisationKind(kind), Role(role)))

    may = {permission for permission in Permission if someone.may(permission, FIRM)}

    assert may == {Permission(name) for name in allowed}


def test_a_role_in_one_organisation_allows_nothing_in_another():
    manager = caller(Seat(FIRM, OrganisationKind.ENTERPRISE, Role.MANAGER))

    assert not any(manager.may(permission, LAB) for permission in Permission)


def test_only_an_institutions_manager_manages_instruments():
    allowed = [
        seat for seat, given in PERMISSIONS.items() if Permission.MANAGE_INSTRUMENTS in given
    ]

    assert allowed == [(OrganisationKind.INSTITUTION, Role.MANAGER)]


@pytest.mark.parametrize("permission", list(Permission))
def test_a_token_without_the_scope_may_not_whatever_its_user_may(permission):
    scopes = frozenset(Scope) - {SCOPE_FOR[permission]}
    everything = caller(
        *(Seat(FIRM, kind, role) for kind, role in PERMISSIONS), scopes=frozenset(scopes)
    )

    with pytest.raises(ScopeMissing):
        rules.require(everything, permission, FIRM)


def test_acting_for_needs_a_name_only_where_there_are_several():
    firm, lab = (
        Seat(FIRM, OrganisationKind.ENTERPRISE, Role.MEMBER),
        Seat(LAB, OrganisationKind.RESEARCH, Role.MEMBER),
    )

    assert rules.acting_for(caller(firm), None) == FIRM
    assert rules.acting_for(caller(firm, lab), LAB) == LAB
    with pytest.raises(WhichOrganisation):
        rules.acting_for(caller(firm, lab), None)
    with pytest.raises(NotAllowed):
        rules.acting_for(caller(firm), LAB)
    with pytest.raises(NotAllowed):
        rules.acting_for(caller(), None)


@pytest.mark.parametrize(
    ("kind", "size_class", "expected"),
    [
        ("enterprise", SizeClass.MICRO, CustomerClass.SME),
        ("enterprise", SizeClass.SMALL, CustomerClass.SME),
        ("enterprise", SizeClass.MEDIUM, CustomerClass.SME),
        ("enterprise", SizeClass.SOLE_TRADER, CustomerClass.SME),
        ("enterprise", SizeClass.COOPERATIVE, CustomerClass.SME),
        ("enterprise", SizeClass.LARGE, CustomerClass.LARGE),
        ("enterprise", None, CustomerClass.LARGE),
        ("research", None, CustomerClass.RESEARCH),
        ("institution", None, CustomerClass.LARGE),
    ],
)
def test_the_customer_class_follows_from_kind_and_declared_size(kind, size_class, expected):
    kind = OrganisationKind(kind)

    assert rules.customer_class(kind=kind, size_class=size_class, is_owner=False) is expected
    assert (
        rules.customer_class(kind=kind, size_class=size_class, is_owner=True)
        is CustomerClass.INTERNAL
    )


def test_private_persons_are_told_in_words_that_they_are_not_served():
    with pytest.raises(PersonsNotServed) as refused:
        rules.sign_up_kind("person")

    assert "暂不面向个人" in str(refused.value)


@pytest.mark.parametrize("kind", ["authority", "window", "platform", "school", ""])
def test_other_kinds_cannot_sign_up_by_themselves(kind):
    with pytest.raises(InvalidField) as refused:
        rules.sign_up_kind(kind)

    assert list(refused.value.details["errors"]) == ["kind"]


@pytest.mark.parametrize("kind", ["enterprise", "research", "institution"])
def test_three_kinds_sign_up_by_themselves(kind):
    assert rules.sign_up_kind(kind) == kind


@pytest.mark.parametrize(
    ("kind", "industry", "size", "field"),
    [
        ("enterprise", None, SizeClass.SMALL, "industry_code"),
        ("enterprise", "34", None, "size_class"),
        ("research", "34", None, "industry_code"),
        ("institution", None, SizeClass.LARGE, "size_class"),
    ],
)
def test_an_enterprise_and_nobody_else_declares_industry_and_size(kind, industry, size, field):
    with pytest.raises(InvalidField) as refused:
        rules.check_declaration(OrganisationKind(kind), industry, size)

    assert list(refused.value.details["errors"]) == [field]


@pytest.mark.parametrize(
    ("typed", "code"), [("34", "34"), (" C34 ", "34"), ("c3489", "3489"), ("348", "348")]
)
def test_an_industry_is_kept_as_its_digits(typed, code):
    assert rules.clean_industry(typed) == code


@pytest.mark.parametrize("typed", ["", "C", "3", "34891", "Z34", "三四", "３４"])
def test_what_is_no_industry_code_is_refused(typed):
    with pytest.raises(InvalidField):
        rules.clean_industry(typed)


@pytest.mark.parametrize("kind", list(OrganisationKind))
def test_roles_of_other_kinds_are_refused_by_name(kind):
    foreign = sorted(set(Role) - ROLES[kind])[0]

    with pytest.raises(InvalidField) as refused:
        rules.check_roles([foreign], kind)

    assert foreign in str(refused.value.details["errors"]["roles"][0])
    rules.check_roles(ROLES[kind], kind)


def test_somebody_without_any_role_is_no_member():
    with pytest.raises(InvalidField):
        rules.check_roles([], OrganisationKind.ENTERPRISE)


@pytest.mark.parametrize("accepted", [None, "", "2025-01"])
def test_consent_names_the_notice_in_force(accepted):
    with pytest.raises(InvalidField):
        rules.check_notice(accepted)

    rules.check_notice(rules.PURPOSE_NOTICE)


def test_a_token_gives_no_more_than_its_maker_has():
    maker = caller(scopes=frozenset({Scope.READ}))

    rules.check_scopes(maker, [Scope.READ])
    with pytest.raises(ScopeMissing):
        rules.check_scopes(maker, [Scope.READ, Scope.ADMIN])
    with pytest.raises(InvalidField):
        rules.check_scopes(maker, [])


def test_a_token_is_not_signed_in():
    rules.require_signed_in(caller(session_id=1))
    with pytest.raises(SignInNeeded):
        rules.require_signed_in(caller(token_id=1))
