"""What accounts tell by mail: invitations, ways to a new password, verified institutions."""

from datetime import timedelta

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from booking.accounts import queries, service
from booking.accounts.errors import InvitationUnusable
from booking.accounts.models import Membership
from booking.accounts.rules import PURPOSE_NOTICE, OrganisationKind, Role
from booking.accounts.service import NewPerson
from booking.kernel import clock
from booking.kernel.db import db
from booking.notices import gateway
from booking.notices.models import Message, Notice
from booking.notices.rules import Kind, Side, To
from tests.factories import make_admin, make_caller, make_institution, make_organisation, make_user
from tests.notices.world import expand, messages, somebody

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def only_notice() -> Notice:
    return db.session.scalars(select(Notice)).one()


def secret_in(notice: Notice) -> str:
    """The secret in the address of the mail's button."""
    with force_locale("zh_Hans_CN"):
        letter = gateway.compose(notice.kind, Side.SELF, notice.facts, subject_id=notice.subject_id)
    return letter.button[1].partition("invitation=")[2]


class TestInvitation:
    @pytest.fixture
    def manager(self):
        return make_caller(make_organisation(name="长沙精工机械有限公司"), Role.MANAGER)

    def add(self, manager, **person):
        (firm,) = manager.organisations
        given = {"name": "吴芳", "email": "wu@example.cn"} | person
        return service.add_member(firm, NewPerson(**given), [Role.MEMBER], caller=manager)

    def test_is_mailed_with_the_secret_that_works(self, manager):
        added = self.add(manager)
        notice = only_notice()

        assert notice.kind is Kind.INVITATION
        assert secret_in(notice) == added.invitation
        user = service.accept_invitation(
            added.invitation, "korrekt-pferd", purpose_notice_accepted=PURPOSE_NOTICE
        )
        assert user.email == "wu@example.cn"

    def test_reaches_somebody_without_a_password(self, manager):
        self.add(manager)
        expand()

        assert [message.email for message in messages()] == ["wu@example.cn"]

    def test_the_secret_is_nowhere_kept(self, manager):
        added = self.add(manager)
        expand()

        kept = [str(row.facts) for row in db.session.scalars(select(Notice))]
        assert added.invitation not in str(kept)

    def test_without_an_address_nothing_is_mailed_and_the_secret_is_shown_as_before(self, manager):
        added = self.add(manager, email=None, mobile="13800001111")
        expand()

        assert added.invitation
        assert [(m.email, m.is_listed) for m in messages()] == [(None, False)]

    def test_somebody_who_has_a_password_gets_none(self, manager):
        (firm,) = manager.organisations
        left = make_organisation()
        wu = somebody(left, Role.MEMBER, "wu", "吴芳")
        membership = db.session.scalars(select(Membership).where(Membership.user_id == wu.id)).one()
        membership.ended_at = clock.now()
        self.add(manager)

        assert db.session.scalars(select(Notice)).all() == []
        assert firm


class TestReset:
    @pytest.fixture
    def li(self):
        return somebody(make_organisation(), Role.MEMBER, "li", "李明")

    def test_the_mail_opens_the_door_for_a_day_and_once(self, li, now):
        service.send_reset("li@example.cn")
        secret = secret_in(only_notice())
        service.accept_invitation(secret, "neues-pferd-9", purpose_notice_accepted=PURPOSE_NOTICE)

        with pytest.raises(InvitationUnusable):
            service.accept_invitation(
                secret, "neues-pferd-9", purpose_notice_accepted=PURPOSE_NOTICE
            )

    def test_after_a_day_it_is_shut(self, li, now):
        service.send_reset("li@example.cn")
        secret = secret_in(only_notice())
        now.advance(hours=24)

        with pytest.raises(InvitationUnusable):
            service.accept_invitation(
                secret, "neues-pferd-9", purpose_notice_accepted=PURPOSE_NOTICE
            )

    def test_asking_again_ends_the_first_link(self, li):
        service.send_reset("li@example.cn")
        first = secret_in(only_notice())
        service.send_reset("li@example.cn")

        with pytest.raises(InvitationUnusable):
            service.accept_invitation(
                first, "neues-pferd-9", purpose_notice_accepted=PURPOSE_NOTICE
            )

    def test_the_old_password_holds_until_then(self, li):
        before = li.password_hash
        service.send_reset("li@example.cn")

        assert li.password_hash == before

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"email": None, "mobile": "13800001111"}]
    )
    def test_for_whom_it_cannot_be_nothing_happens(self, li, change):
        for name, value in change.items():
            setattr(li, name, value)
        db.session.flush()
        for login in ("li@example.cn", "13800001111", "nobody@example.cn"):
            service.send_reset(login)

        assert db.session.scalars(select(Notice)).all() == []
        assert li.invitation_digest is None

    def test_is_asked_for_a_few_times_before_one_has_to_wait(self):
        waits = [service.admit_reset("li@example.cn", "192.0.2.1") for _ in range(5)]

        assert waits[:3] == [0, 0, 0]
        assert waits[4] > 0
        assert service.admit_reset("wu@example.cn", "192.0.2.1") == 0

    def test_guesses_at_passwords_are_counted_apart(self):
        for _ in range(3):
            service.admit_reset("li@example.cn", "192.0.2.1")

        assert service.admit_sign_in("li@example.cn", "192.0.2.1") == 0


def test_a_verified_institution_is_told_to_its_managers():
    lab = make_organisation(
        kind=OrganisationKind.INSTITUTION, name="湖南省检测院", verified_at=None
    )
    somebody(lab, Role.MANAGER, "head", "刘主任")
    somebody(lab, Role.OPERATOR, "operator", "张工")
    service.verify_organisation(lab.id, caller=make_admin())
    expand()

    assert [message.name for message in messages()] == ["刘主任"]
    assert only_notice().facts["verified"] is True


class TestReach:
    def test_a_person_alone_need_not_have_a_password_but_be_active(self):
        invited, gone = make_user(), make_user(is_active=False)
        asked = [To(Side.SELF, user_id=invited.id), To(Side.SELF, user_id=gone.id)]

        found = queries.reach(asked)

        assert [[person.id for person in found[to]] for to in asked] == [[invited.id], []]

    def test_members_are_those_who_may_do_it_and_can_sign_in(self):
        lab = make_institution()
        head = somebody(lab, Role.MANAGER, "head", "刘主任")
        operator = somebody(lab, Role.OPERATOR, "operator", "张工")
        somebody(lab, Role.TESTER, "tester", "检测员")
        make_user(lab, Role.MANAGER, name="从未来过")
        to = To(Side.OWNER, organisation_id=lab.id, permission="run_instruments")

        assert [person.id for person in queries.reach([to])[to]] == [head.id, operator.id]

    def test_who_holds_two_roles_is_meant_once(self):
        lab = make_institution()
        head = somebody(lab, Role.MANAGER, "head", "刘主任")
        db.session.add(Membership(user_id=head.id, organisation_id=lab.id, role=Role.OPERATOR))
        db.session.flush()
        to = To(Side.OWNER, organisation_id=lab.id, permission="run_instruments")

        assert [person.id for person in queries.reach([to])[to]] == [head.id]

    def test_without_a_permission_all_members_are_meant(self):
        firm = make_organisation()
        people = [somebody(firm, Role.MEMBER, login, login) for login in ("a", "b")]
        to = To(Side.CUSTOMER, organisation_id=firm.id)

        assert [person.id for person in queries.reach([to])[to]] == [each.id for each in people]

    def test_nobody_is_reached_in_an_organisation_that_was_closed(self):
        firm = make_organisation(is_active=False)
        somebody(firm, Role.MANAGER, "a", "a")
        to = To(Side.CUSTOMER, organisation_id=firm.id)

        assert queries.reach([to])[to] == []

    def test_nobody_asked_is_nobody(self):
        assert queries.reach([]) == {}


def test_an_invitation_is_no_entry_of_an_inbox():
    manager = make_caller(make_organisation(), Role.MANAGER)
    (firm,) = manager.organisations
    person = NewPerson(name="吴芳", email="wu@example.cn")
    added = service.add_member(firm, person, [Role.MEMBER], caller=manager)
    expand()

    assert messages(Message.user_id == added.member.id)[0].is_listed is False
    assert added.invited_until == clock.now() + timedelta(days=14)
