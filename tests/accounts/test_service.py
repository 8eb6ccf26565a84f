"""Sign-up, organisations, people and their roles on a real database."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from booking.accounts import queries, rules, service
from booking.accounts.errors import (
    InvitationUnusable,
    LastManager,
    LoginTaken,
    OrganisationExists,
    PersonsNotServed,
)
from booking.accounts.models import Membership, Organisation, User
from booking.accounts.rules import OrganisationKind, Role, SizeClass
from booking.accounts.service import NewOrganisation, NewPerson
from booking.journal.models import JournalEntry
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.kernel.passwords import verify_password
from tests.factories import (
    caller_of,
    make_admin,
    make_caller,
    make_institution,
    make_organisation,
    make_uscc,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
FIRM = NewOrganisation(
    kind=OrganisationKind.ENTERPRISE,
    name="长沙精工机械有限公司",
    uscc="91350100M000100Y43",
    region_code="430104",
    industry_code="C34",
    size_class=SizeClass.SMALL,
)
LI = NewPerson(name="李明", email="Li@Example.cn", mobile="+86 13812345678", password=PASSWORD)
LAB = NewOrganisation(
    kind=OrganisationKind.INSTITUTION, name="湖南省检测研究院", uscc="914300000000000210"
)


def sign_up(organisation=FIRM, person=LI, accepted=rules.PURPOSE_NOTICE):
    return service.sign_up(organisation, person, purpose_notice_accepted=accepted)


def actions(session) -> list[str]:
    return list(session.scalars(select(JournalEntry.action).order_by(JournalEntry.id)))


def test_an_enterprise_signs_up_with_its_manager_and_can_book_at_once(session, now):
    done = sign_up()

    who = queries.get_member(done.organisation.id, done.user.id)
    assert (done.organisation.uscc, done.user.email, done.user.mobile) == (
        "91350100M000100Y43",
        "li@example.cn",
        "13812345678",
    )
    assert who.roles == (Role.MANAGER,)
    [declared] = done.organisation.declarations
    assert (declared.industry_code, declared.size_class) == ("34", SizeClass.SMALL)
    assert declared.declared_on.isoformat() == "2026-11-23"
    caller = caller_of(done.user, (done.organisation, Role.MANAGER))
    assert rules.acting_for(caller, None) == done.organisation.id


def test_sign_up_is_journalled_with_the_notice_and_without_personal_data(session):
    sign_up()

    entries = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "user.registered",
        "organisation.registered",
        "enterprise.declared",
        "membership.started",
    ]
    assert entries[0].data["purpose_notice"] == rules.PURPOSE_NOTICE
    kept = str([entry.data for entry in entries])
    assert not any(part in kept for part in ("李明", "example.cn", "13812345678", PASSWORD))


def test_sign_up_keeps_a_hash_of_the_password_only(session):
    user = sign_up().user

    assert PASSWORD not in str(user.password_hash)
    assert verify_password(user.password_hash, PASSWORD)


@pytest.mark.parametrize(
    ("organisation", "person", "field"),
    [
        pytest.param(replace(FIRM, uscc="91350100M000100Y44"), LI, "uscc", id="check-digit"),
        pytest.param(replace(FIRM, uscc=""), LI, "uscc", id="no-uscc"),
        pytest.param(replace(FIRM, region_code="431400"), LI, "region_code", id="no-region"),
        pytest.param(replace(FIRM, industry_code="98"), LI, "industry_code", id="no-industry"),
        pytest.param(replace(FIRM, size_class=None), LI, "size_class", id="no-size"),
        pytest.param(FIRM, replace(LI, password="short"), "password", id="weak"),
        pytest.param(FIRM, replace(LI, password=None), "password", id="no-password"),
        pytest.param(FIRM, replace(LI, email=None, mobile=None), "email", id="unreachable"),
        pytest.param(FIRM, replace(LI, mobile="12345"), "mobile", id="no-mobile"),
    ],
)
def test_sign_up_names_the_field_that_cannot_be_used(organisation, person, field):
    with pytest.raises(InvalidField) as refused:
        sign_up(organisation, person)

    assert list(refused.value.details["errors"]) == [field]


def test_without_consent_nothing_is_kept(session):
    with pytest.raises(InvalidField) as refused:
        sign_up(accepted=None)

    assert list(refused.value.details["errors"]) == ["purpose_notice_accepted"]
    assert session.scalar(select(User)) is None


def test_private_persons_are_not_served():
    with pytest.raises(PersonsNotServed):
        sign_up(replace(FIRM, kind="person"))


def test_a_credit_code_registers_once_however_it_is_typed():
    sign_up()

    with pytest.raises(OrganisationExists):
        sign_up(
            replace(FIRM, uscc=" 91350100m000100y43 "), replace(LI, email="b@c.cn", mobile=None)
        )


@pytest.mark.parametrize(
    "person",
    [
        pytest.param(replace(LI, mobile=None, email="LI@example.CN"), id="e-mail"),
        pytest.param(replace(LI, mobile="138 1234 5678", email=None), id="mobile"),
    ],
)
def test_a_log_in_name_registers_once_however_it_is_typed(person, session):
    sign_up()

    with pytest.raises(LoginTaken):
        sign_up(replace(FIRM, uscc=make_uscc()), person)
    assert len(session.scalars(select(User)).all()) == 1


def test_an_institution_may_publish_only_after_an_admin_verified_it(session):
    lab = sign_up(LAB).organisation
    before = queries.is_verified(lab.id)

    service.verify_organisation(lab.id, caller=make_admin(), version=lab.version)

    assert (before, queries.is_verified(lab.id)) == (False, True)
    assert actions(session)[-1] == "organisation.verified"


def test_verifying_is_for_admins_for_institutions_and_once():
    lab, firm = make_institution(verified_at=None), make_organisation()
    admin = make_admin()

    with pytest.raises(NotFound):
        service.verify_organisation(lab.id, caller=make_caller())
    with pytest.raises(NotAllowed):
        service.verify_organisation(lab.id, caller=make_caller(lab, Role.MANAGER))
    with pytest.raises(InvalidField):
        service.verify_organisation(firm.id, caller=admin)
    with pytest.raises(Stale):
        service.verify_organisation(lab.id, caller=admin, version=9)
    service.verify_organisation(lab.id, caller=admin)
    with pytest.raises(WrongState):
        service.verify_organisation(lab.id, caller=admin)


def test_a_new_declaration_leaves_the_earlier_ones_as_they_were(now):
    firm = make_organisation(size_class=SizeClass.SMALL)
    manager = make_caller(firm, Role.MANAGER)

    service.declare_enterprise(
        firm.id, industry_code="3489", size_class=SizeClass.LARGE, caller=manager, version=1
    )

    kept = queries.get_organisation(firm.id, caller=manager).declarations
    assert [(each.size_class, each.declared_on.isoformat()) for each in kept] == [
        (SizeClass.SMALL, "2026-01-01"),
        (SizeClass.LARGE, "2026-11-23"),
    ]


def test_a_declaration_that_saw_an_older_version_is_stale():
    firm = make_organisation()
    manager = make_caller(firm, Role.MANAGER)
    declared = {"industry_code": "34", "size_class": SizeClass.LARGE, "caller": manager}
    service.declare_enterprise(firm.id, **declared, version=1)

    with pytest.raises(Stale):
        service.declare_enterprise(firm.id, **declared, version=1)


def test_an_organisation_changes_its_own_facts(session):
    firm = make_organisation(name="旧名")
    manager = make_caller(firm, Role.MANAGER)

    service.update_organisation(firm.id, {"name": "新名"}, caller=manager, version=1)

    entry = session.scalars(select(JournalEntry)).one()
    assert (firm.name, firm.version) == ("新名", 2)
    assert entry.data == {"old": {"name": "旧名"}, "new": {"name": "新名"}}
    with pytest.raises(Stale):
        service.update_organisation(firm.id, {"name": "再改"}, caller=manager, version=1)


def test_the_name_that_was_verified_is_changed_by_an_admin_only():
    lab = make_institution()
    manager = make_caller(lab, Role.MANAGER)

    with pytest.raises(NotAllowed):
        service.update_organisation(lab.id, {"name": "国家计量院"}, caller=manager)
    service.update_organisation(lab.id, {"address": "长沙市"}, caller=manager)
    service.update_organisation(lab.id, {"name": "更名后的研究院"}, caller=make_admin())

    assert (lab.name, lab.address) == ("更名后的研究院", "长沙市")


def test_a_manager_adds_a_person_who_then_sets_a_password():
    firm = make_organisation()
    manager = make_caller(firm, Role.MANAGER)

    added = service.add_member(
        firm.id, NewPerson(name="王芳", email="wang@example.cn"), [Role.MEMBER], caller=manager
    )
    user = service.accept_invitation(
        added.invitation, PASSWORD, purpose_notice_accepted=rules.PURPOSE_NOTICE
    )

    assert added.member.is_invited
    assert (user.id, user.purpose_notice) == (added.member.id, rules.PURPOSE_NOTICE)
    assert verify_password(user.password_hash, PASSWORD)


def test_an_invitation_works_once_for_two_weeks_and_only_with_consent(now):
    firm = make_organisation()
    manager = make_caller(firm, Role.MANAGER)
    wang = NewPerson(name="王芳", email="wang@example.cn")

    def accept(secret, notice=rules.PURPOSE_NOTICE):
        return service.accept_invitation(secret, PASSWORD, purpose_notice_accepted=notice)

    first = service.add_member(firm.id, wang, [Role.MEMBER], caller=manager).invitation
    second = service.add_member(firm.id, wang, [Role.MEMBER], caller=manager).invitation
    with pytest.raises(InvitationUnusable):
        accept(first)
    with pytest.raises(InvalidField):
        accept(second, notice=None)
    now.advance(days=14)
    with pytest.raises(InvitationUnusable):
        accept(second)
    third = service.add_member(firm.id, wang, [Role.MEMBER], caller=manager).invitation
    accept(third)
    with pytest.raises(InvitationUnusable):
        accept(third)


def test_nobody_is_given_a_seat_by_strangers():
    victim = make_user(make_organisation(), Role.MEMBER)
    firm = make_organisation()
    manager = make_caller(firm, Role.MANAGER)

    with pytest.raises(LoginTaken):
        service.add_member(
            firm.id, NewPerson(name="李明", email=victim.email), [Role.MEMBER], caller=manager
        )


def test_a_person_who_left_elsewhere_can_be_added_again(session, now):
    old, new = make_organisation(), make_organisation()
    person = make_user(old, Role.MEMBER, password=PASSWORD)
    session.scalars(select(Membership)).one().ended_at = now.at
    manager = make_caller(new, Role.MANAGER)

    added = service.add_member(
        new.id, NewPerson(name="李明", email=person.email), [Role.MEMBER], caller=manager
    )

    assert (added.member.id, added.invitation) == (person.id, None)
    with pytest.raises(LoginTaken):
        service.add_member(
            new.id, NewPerson(name="李明", email=person.email), [Role.MEMBER], caller=manager
        )


def test_roles_change_together_and_the_version_counts_the_changes():
    lab = make_institution()
    manager = make_caller(lab, Role.MANAGER)
    tester = make_user(lab, Role.TESTER)

    changed = service.change_roles(
        lab.id, tester.id, [Role.CHECKER, Role.OPERATOR], caller=manager, version=1
    )

    assert (set(changed.roles), changed.version) == ({Role.CHECKER, Role.OPERATOR}, 4)
    with pytest.raises(Stale):
        service.change_roles(lab.id, tester.id, [Role.TESTER], caller=manager, version=1)
    with pytest.raises(InvalidField):
        service.change_roles(lab.id, tester.id, [Role.MEMBER], caller=manager)
    with pytest.raises(NotFound):
        service.change_roles(lab.id, make_user().id, [Role.TESTER], caller=manager)


def test_the_last_manager_does_not_leave():
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER, password=PASSWORD)
    make_user(firm, Role.MANAGER)  # was invited and never came

    with pytest.raises(LastManager):
        service.end_membership(firm.id, user.id, caller=caller_of(user, (firm, Role.MANAGER)))


def test_the_last_manager_does_not_become_a_member():
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER, password=PASSWORD)
    manager = caller_of(user, (firm, Role.MANAGER))

    with pytest.raises(LastManager):
        service.change_roles(firm.id, user.id, [Role.MEMBER], caller=manager)


def test_a_manager_leaves_once_another_can_let_others_in():
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER, password=PASSWORD)
    make_user(firm, Role.MANAGER, password=PASSWORD)

    service.end_membership(firm.id, user.id, caller=caller_of(user, (firm, Role.MANAGER)))

    with pytest.raises(NotFound):
        queries.get_member(firm.id, user.id)


def test_members_may_leave_but_not_send_others_away(session):
    firm = make_organisation()
    make_user(firm, Role.MANAGER, password=PASSWORD)
    leaver, other = make_caller(firm), make_user(firm)

    with pytest.raises(NotAllowed):
        service.end_membership(firm.id, other.id, caller=leaver)
    service.end_membership(firm.id, leaver.user_id, caller=leaver)

    assert actions(session)[-1] == "membership.ended"


def test_making_an_admin_makes_the_platform_once(session):
    service.make_admin(NewPerson(name="甲", email="a@example.cn", password=PASSWORD))
    service.make_admin(NewPerson(name="乙", email="b@example.cn", password=PASSWORD))
    service.make_admin(NewPerson(name="乙", email="b@example.cn"))

    platform = session.scalars(select(Organisation)).one()
    assert platform.kind is OrganisationKind.PLATFORM
    assert session.scalars(select(Membership.role)).all() == [Role.ADMIN, Role.ADMIN]


def test_an_admin_is_not_made_of_somebody_disabled():
    make_user(email="gone@example.cn", is_active=False)

    with pytest.raises(NotFound):
        service.make_admin(NewPerson(name="丙", email="gone@example.cn"))
