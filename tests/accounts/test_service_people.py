"""The people of an organisation: invited, moved, shut out at once; somebody is always left."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts import queries, service
from booking.accounts.errors import (
    AlreadyIn,
    BelongsElsewhere,
    InvitationUnusable,
    LastManager,
    LoginTaken,
    OwnAccount,
)
from booking.accounts.models import ApiToken, LoginSession, Membership, User
from booking.accounts.rules import PURPOSE_NOTICE, OrganisationKind, Role
from booking.accounts.service import NewPerson
from booking.calendars import queries as calendars
from booking.calendars import service as calendars_service
from booking.calendars.rules import FeedKind
from booking.journal.models import JournalEntry
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.kernel.passwords import digest
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_organisation,
    make_uscc,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
WU = NewPerson(name="吴芳", email="wu@example.cn")


@pytest.fixture
def lab():
    return make_institution()


@pytest.fixture
def manager(lab):
    """A manager who can sign in."""
    return caller_of(make_user(lab, Role.MANAGER, password=PASSWORD), (lab, Role.MANAGER))


@pytest.fixture
def tester(lab):
    """A member with a password."""
    return make_user(lab, Role.TESTER, password=PASSWORD)


def accept(secret):
    return service.accept_invitation(secret, PASSWORD, purpose_notice_accepted=PURPOSE_NOTICE)


def actions(subject_id, subject_type="user"):
    found = select(JournalEntry.action).where(
        JournalEntry.subject_id == subject_id, JournalEntry.subject_type == subject_type
    )
    return list(db.session.scalars(found.order_by(JournalEntry.id)))


def sessions_open(user):
    return db.session.scalars(select(LoginSession).filter_by(user_id=user.id, ended_at=None)).all()


class TestInvitation:
    def test_a_new_one_ends_the_one_before(self, lab, manager):
        first = service.add_member(lab.id, WU, [Role.TESTER], caller=manager)
        second = service.invite_again(lab.id, first.member.id, caller=manager)

        with pytest.raises(InvitationUnusable):
            accept(first.invitation)
        assert accept(second.invitation).id == first.member.id

    def test_one_used_twice_changes_nothing(self, lab, manager):
        made = service.add_member(lab.id, WU, [Role.TESTER], caller=manager)
        user = accept(made.invitation)
        kept = user.password_hash

        with pytest.raises(InvitationUnusable):
            accept(made.invitation)
        assert user.password_hash == kept

    def test_one_that_ran_out_is_said_of_the_member(self, lab, manager, now):
        made = service.add_member(lab.id, WU, [Role.TESTER], caller=manager)
        now.advance(days=14)

        with pytest.raises(InvitationUnusable):
            accept(made.invitation)
        member = queries.get_member(lab.id, made.member.id)
        assert member.is_invited
        assert member.invited_until <= clock.now()

    def test_ends_with_the_last_seat(self, lab, manager):
        made = service.add_member(lab.id, WU, [Role.TESTER], caller=manager)

        service.end_membership(lab.id, made.member.id, caller=manager)

        with pytest.raises(InvitationUnusable):
            accept(made.invitation)
        assert actions(made.member.id)[-1] == "user.invitation_withdrawn"

    def test_is_not_for_who_has_a_password(self, lab, manager, tester):
        with pytest.raises(AlreadyIn):
            service.invite_again(lab.id, tester.id, caller=manager)

    def test_is_not_for_who_is_shut_out(self, lab, manager):
        made = service.add_member(lab.id, WU, [Role.TESTER], caller=manager)
        service.disable_member(lab.id, made.member.id, caller=manager)

        with pytest.raises(WrongState):
            service.invite_again(lab.id, made.member.id, caller=manager)

    def test_somebody_shut_out_is_named_as_such(self, lab, manager, tester):
        service.disable_member(lab.id, tester.id, caller=manager)
        again = NewPerson(name=tester.name, email=tester.email)

        with pytest.raises(LoginTaken, match="停用"):
            service.add_member(lab.id, again, [Role.CHECKER], caller=manager)

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"name": "吴芳\r\nBcc: all@example.cn"}, "name"),
            ({"name": "吴\u2028芳"}, "name"),
            ({"name": " "}, "name"),
            ({"email": "wu@example.cn\r\nBcc: all@example.cn"}, "email"),
            ({"mobile": "138\r\n12345678x"}, "mobile"),
        ],
    )
    def test_no_line_breaks_in_names_and_addresses(self, lab, manager, given, field):
        person = NewPerson(**({"name": "吴芳", "email": "wu@example.cn"} | given))

        with pytest.raises(InvalidField) as refused:
            service.add_member(lab.id, person, [Role.TESTER], caller=manager)

        assert field in refused.value.details["errors"]


class TestDisabling:
    def test_shuts_every_door_at_once(self, lab, manager, tester):
        _, cookie = service.log_in(
            tester.email, PASSWORD, address=None, client="", lasts=timedelta(hours=1)
        )
        who = queries.caller_by_session(digest(cookie))
        _, token = service.create_token(scopes=["read"], days=30, name="x", caller=who)
        feed = calendars_service.create_feed(FeedKind.USER, caller=who)
        secret = digest(feed.url.rpartition("/")[2].removesuffix(".ics"))
        assert calendars.feed_subject(secret).owner == tester.name

        member = service.disable_member(lab.id, tester.id, caller=manager)

        assert not member.is_active
        assert queries.caller_by_session(digest(cookie)) is None
        assert queries.caller_by_token(digest(token)) is None
        with pytest.raises(NotFound):
            calendars.feed_subject(secret)

    def test_ends_the_way_to_a_new_password(self, lab, manager, tester):
        secret = service.invite(tester, by=None)

        service.disable_member(lab.id, tester.id, caller=manager)
        service.enable_member(lab.id, tester.id, caller=manager)

        with pytest.raises(InvitationUnusable):
            accept(secret)

    def test_enabling_lets_in_again_but_revives_nothing(self, lab, manager, tester):
        service.issue_token(tester.id, scopes=["read"], days=30, name="x", by=None)
        service.log_in(tester.email, PASSWORD, address=None, client="", lasts=timedelta(hours=1))
        service.disable_member(lab.id, tester.id, caller=manager)

        member = service.enable_member(lab.id, tester.id, caller=manager)

        assert member.is_active
        assert member.roles == (Role.TESTER,)
        assert sessions_open(tester) == []
        assert db.session.scalars(select(ApiToken.revoked_at)).all() != [None]
        assert actions(tester.id)[-2:] == ["user.disabled", "user.enabled"]
        service.log_in(tester.email, PASSWORD, address=None, client="", lasts=timedelta(hours=1))

    def test_is_nobodys_own(self, lab, manager):
        make_user(lab, Role.MANAGER, password=PASSWORD)

        with pytest.raises(OwnAccount):
            service.disable_member(lab.id, manager.user_id, caller=manager)

    def test_is_no_single_organisations_where_somebody_works_for_two(self, lab, manager, tester):
        other = make_organisation()
        db.session.add(Membership(user_id=tester.id, organisation_id=other.id, role=Role.MEMBER))

        for change in (service.disable_member, service.enable_member):
            with pytest.raises(BelongsElsewhere):
                change(lab.id, tester.id, caller=manager)

    def test_leaves_a_manager_who_can_sign_in(self, lab, manager):
        db.session.get_one(User, manager.user_id).is_active = False
        other = make_user(lab, Role.MANAGER, password=PASSWORD)

        with pytest.raises(LastManager):
            service.disable_member(lab.id, other.id, caller=manager)

    def test_is_for_managers_and_not_for_strangers(self, lab, manager, tester):
        stranger = make_caller(make_organisation(), Role.MANAGER)

        with pytest.raises(NotFound):
            service.disable_member(lab.id, tester.id, caller=stranger)
        with pytest.raises(NotAllowed):
            service.disable_member(
                lab.id, manager.user_id, caller=caller_of(tester, (lab, Role.TESTER))
            )


class TestMoving:
    @pytest.fixture
    def school(self):
        """Another organisation of the same manager."""
        return make_organisation(kind=OrganisationKind.RESEARCH, uscc=make_uscc())

    @pytest.fixture
    def both(self, lab, school, manager):
        user = db.session.get_one(User, manager.user_id)
        db.session.add(Membership(user_id=user.id, organisation_id=school.id, role=Role.MANAGER))
        db.session.flush()
        return caller_of(user, (lab, Role.MANAGER), (school, Role.MANAGER))

    def test_ends_the_seat_here_and_begins_one_there(self, lab, school, both, tester):
        moved = service.move_member(
            lab.id, tester.id, school.id, [Role.MEMBER], caller=both, version=1
        )

        assert moved.roles == (Role.MEMBER,)
        seats = queries.caller_of(tester).seats
        assert [(seat.organisation_id, seat.role) for seat in seats] == [(school.id, Role.MEMBER)]

    def test_only_between_organisations_of_ones_own(self, lab, manager, tester):
        other = make_organisation()

        with pytest.raises(NotFound):
            service.move_member(lab.id, tester.id, other.id, [Role.MEMBER], caller=manager)

    def test_roles_are_those_of_the_new_place(self, lab, school, both, tester):
        with pytest.raises(InvalidField):
            service.move_member(lab.id, tester.id, school.id, [Role.TESTER], caller=both)

    def test_not_to_where_one_is(self, lab, both, tester):
        with pytest.raises(InvalidField):
            service.move_member(lab.id, tester.id, lab.id, [Role.TESTER], caller=both)

    def test_not_on_what_another_has_changed(self, lab, school, both, tester):
        service.change_roles(lab.id, tester.id, [Role.CHECKER], caller=both)

        with pytest.raises(Stale):
            service.move_member(lab.id, tester.id, school.id, [Role.MEMBER], caller=both, version=1)

    def test_the_last_manager_does_not_move_away(self, lab, school, both):
        with pytest.raises(LastManager):
            service.move_member(lab.id, both.user_id, school.id, [Role.MANAGER], caller=both)
