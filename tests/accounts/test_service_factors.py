"""The second factor: who needs one, what a code opens, and that none works twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts import queries, rules, service
from booking.accounts.errors import FactorNeeded, StepOver, WrongCode
from booking.accounts.models import LoginSession, Organisation, RecoveryCode, SecondFactor
from booking.accounts.rules import Awaits, OrganisationKind, Role
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, WrongState
from booking.kernel.passwords import digest
from booking.notices.models import Notice
from booking.notices.rules import Kind
from tests.accounts.world import code_of, set_up
from tests.factories import (
    caller_of,
    make_admin,
    make_caller,
    make_institution,
    make_organisation,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
LASTS = timedelta(hours=12)


def log_in(user, *, spared=()):
    return service.log_in(
        user.email, PASSWORD, address="192.0.2.7", client="", lasts=LASTS, spared=spared
    )


def pass_code(secret, code):
    return service.pass_code(secret, code, address="192.0.2.7", lasts=LASTS)


@pytest.fixture
def zhou():
    """An institution's manager."""
    return make_user(make_institution(), Role.MANAGER, password=PASSWORD)


@pytest.fixture
def li():
    """A firm's manager, who needs no second factor."""
    return make_user(make_organisation(), Role.MANAGER, password=PASSWORD)


@pytest.mark.parametrize(
    ("kind", "role", "needed"),
    [
        (OrganisationKind.INSTITUTION, Role.MANAGER, True),
        (OrganisationKind.PLATFORM, Role.ADMIN, True),
        (OrganisationKind.INSTITUTION, Role.OPERATOR, False),
        (OrganisationKind.ENTERPRISE, Role.MANAGER, False),
        (OrganisationKind.WINDOW, Role.MANAGER, False),
        (OrganisationKind.AUTHORITY, Role.PROVINCE, False),
    ],
)
def test_is_needed_by_who_manages_an_institution_or_the_platform(kind, role, needed):
    assert rules.needs_second_factor([rules.Seat(1, kind, role)]) is needed


class TestLogIn:
    def test_without_one_needed_the_password_is_enough(self, li):
        session, secret = log_in(li)

        assert session.awaits is None
        assert queries.caller_by_session(digest(secret)).user_id == li.id

    def test_where_one_is_needed_the_password_opens_nothing_but_the_set_up(self, zhou):
        session, secret = log_in(zhou)

        assert session.awaits is Awaits.SETUP
        assert queries.caller_by_session(digest(secret)) is None
        with pytest.raises(StepOver):
            pass_code(secret, "000000")

    def test_setting_it_up_finishes_the_log_in_with_a_new_secret(self, zhou, now):
        session, secret = log_in(zhou)
        service.begin_factor(zhou.id, session_id=session.id)

        done, fresh, codes = service.set_up_and_enter(
            secret, code_of(zhou.id), address=None, lasts=LASTS
        )

        assert (done.id, done.awaits) == (session.id, None)
        assert done.expires_at == now.at + LASTS
        assert len(set(codes)) == rules.RECOVERY_CODES
        assert queries.caller_by_session(digest(secret)) is None
        assert queries.caller_by_session(digest(fresh)).user_id == zhou.id

    def test_with_one_set_up_it_takes_a_code(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        session, secret = log_in(zhou)
        assert session.awaits is Awaits.CODE
        assert queries.caller_by_session(digest(secret)) is None

        _, fresh = pass_code(secret, code_of(zhou.id))

        assert queries.caller_by_session(digest(fresh)).user_id == zhou.id

    def test_somebody_who_needs_none_may_have_one_and_is_then_asked(self, li):
        set_up(li.id)

        assert log_in(li)[0].awaits is Awaits.CODE

    def test_the_demos_own_are_spared_the_set_up_but_not_what_they_set_up(self, zhou):
        assert log_in(zhou, spared={zhou.email})[0].awaits is None

        set_up(zhou.id)

        assert log_in(zhou, spared={zhou.email})[0].awaits is Awaits.CODE

    def test_takes_no_wrong_code(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        _, secret = log_in(zhou)
        right = code_of(zhou.id)
        wrong = f"{(int(right) + 1) % 10**6:06d}"

        for code in (wrong, "", "x", right[:5]):
            with pytest.raises(WrongCode):
                pass_code(secret, code)

    def test_a_code_with_a_gap_is_the_same_code(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        _, secret = log_in(zhou)
        code = code_of(zhou.id)

        assert pass_code(secret, f" {code[:3]} {code[3:]} ")

    def test_no_code_works_twice_whoever_sends_it(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        _, first = log_in(zhou)
        _, second = log_in(zhou)
        code = code_of(zhou.id)
        pass_code(first, code)

        with pytest.raises(WrongCode):
            pass_code(second, code)
        now.advance(seconds=30)
        with pytest.raises(WrongCode):  # still inside the window, but used
            pass_code(second, code)
        assert pass_code(second, code_of(zhou.id))

    def test_the_code_of_the_set_up_does_not_log_in(self, zhou):
        set_up(zhou.id)
        _, secret = log_in(zhou)

        with pytest.raises(WrongCode):
            pass_code(secret, code_of(zhou.id))

    def test_the_second_step_runs_out(self, zhou, now):
        set_up(zhou.id)
        _, secret = log_in(zhou)
        now.advance(minutes=rules.SECOND_STEP_MINUTES)

        with pytest.raises(StepOver):
            pass_code(secret, code_of(zhou.id))

    def test_guesses_at_codes_are_slowed_down_whatever_the_passwords(self, zhou):
        set_up(zhou.id)
        for _ in range(5):
            assert service.admit_code(zhou.id, "192.0.2.7") == 0
            log_in(zhou)  # the password is right each time, which forgives no guess

        assert service.admit_code(zhou.id, "198.51.100.1") > 0

    def test_a_right_code_forgives_the_guesses(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        for _ in range(4):
            service.admit_code(zhou.id, "192.0.2.7")
        pass_code(log_in(zhou)[1], code_of(zhou.id))

        assert [service.admit_code(zhou.id, "192.0.2.7") for _ in range(5)] == [0] * 5

    def test_who_is_disabled_meanwhile_stays_out(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        _, secret = log_in(zhou)
        service.disable_user(zhou.email, by=None)

        with pytest.raises(StepOver):
            pass_code(secret, code_of(zhou.id))


class TestRecovery:
    def test_a_code_works_once_however_it_is_typed(self, zhou):
        code, *_ = set_up(zhou.id)
        pass_code(log_in(zhou)[1], code.upper().replace("-", " "))

        with pytest.raises(WrongCode):
            pass_code(log_in(zhou)[1], code)
        assert queries.show_factor(zhou.id).codes_left == rules.RECOVERY_CODES - 1

    def test_codes_are_kept_as_digests_only(self, zhou):
        codes = set_up(zhou.id)

        kept = set(db.session.scalars(select(RecoveryCode.digest)))

        assert kept == {digest(code) for code in codes}

    def test_somebody_elses_code_does_not_work(self, zhou, li):
        set_up(zhou.id)
        theirs, *_ = set_up(li.id)

        with pytest.raises(WrongCode):
            pass_code(log_in(zhou)[1], theirs)

    def test_new_codes_end_the_old_ones(self, zhou, now):
        old, *_ = set_up(zhou.id)
        now.advance(seconds=60)
        who = queries.caller_by_session(digest(pass_code(log_in(zhou)[1], code_of(zhou.id))[1]))
        now.advance(seconds=60)

        new = service.renew_codes(code_of(zhou.id), caller=who, address=None)

        with pytest.raises(WrongCode):
            pass_code(log_in(zhou)[1], old)
        assert pass_code(log_in(zhou)[1], new[0])


class TestSetUp:
    def test_the_key_is_kept_nowhere(self, zhou):
        service.begin_factor(zhou.id, session_id=None)
        key = service.show_setup(zhou.id).key.replace(" ", "")

        factor = db.session.scalars(select(SecondFactor)).one()

        assert len(key) == 32
        assert key not in {factor.nonce, factor.nonce.upper()}

    def test_begun_anew_it_has_another_key_and_turns_others_away(self, zhou):
        _, stolen = log_in(zhou)
        service.begin_factor(zhou.id, session_id=None)
        seen = service.show_setup(zhou.id)
        mine, _ = log_in(zhou)

        service.begin_factor(zhou.id, session_id=mine.id)

        assert service.show_setup(zhou.id) != seen
        assert queries.pending_session(digest(stolen)) is None
        db.session.refresh(mine)
        assert mine.ended_at is None

    def test_once_in_use_the_key_is_shown_no_more(self, zhou):
        set_up(zhou.id)

        with pytest.raises(NotFound):
            service.show_setup(zhou.id)
        with pytest.raises(WrongState):
            service.begin_factor(zhou.id, session_id=None)
        with pytest.raises(NotFound):
            service.confirm_factor(zhou.id, code_of(zhou.id), address=None)

    def test_who_becomes_a_manager_is_signed_out_to_set_one_up(self, zhou):
        (held,) = queries.caller_of(zhou).organisations
        lab = db.session.get_one(Organisation, held)
        tester = make_user(lab, Role.TESTER, password=PASSWORD)
        session, _ = log_in(tester)

        service.change_roles(
            lab.id, tester.id, [Role.MANAGER], caller=caller_of(zhou, (lab, Role.MANAGER))
        )

        db.session.refresh(session)
        assert session.ended_at is not None
        assert log_in(tester)[0].awaits is Awaits.SETUP


class TestDropping:
    def test_is_for_who_needs_none(self, li, zhou, now):
        for user in (li, zhou):
            set_up(user.id)
        now.advance(seconds=60)

        service.drop_factor(code_of(li.id), caller=signed_in(li), address=None)

        assert not queries.has_factor(li.id)
        assert warned() == [(li.id, "factor_dropped")]
        with pytest.raises(FactorNeeded):
            service.drop_factor(code_of(zhou.id), caller=signed_in(zhou), address=None)

    def test_takes_a_code(self, li):
        set_up(li.id)

        with pytest.raises(WrongCode):
            service.drop_factor("000000", caller=signed_in(li), address=None)


class TestReset:
    def test_takes_it_away_signs_out_and_is_kept_with_its_reason(self, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        session, _ = pass_code(log_in(zhou)[1], code_of(zhou.id))
        admin = make_admin()

        service.reset_factor(zhou.id, "本人到场，核对工作证", caller=admin)

        db.session.refresh(session)
        assert session.ended_at is not None
        assert not queries.has_factor(zhou.id)
        assert log_in(zhou)[0].awaits is Awaits.SETUP
        entry = db.session.scalars(
            select(JournalEntry).filter_by(action="user.second_factor_reset")
        ).one()
        assert (entry.actor_id, entry.subject_id) == (admin.user_id, zhou.id)
        assert entry.data == {"reason": "本人到场，核对工作证"}
        assert warned() == [(zhou.id, "factor_reset")]

    @pytest.mark.parametrize("reason", ["", "   ", "忘了"])
    def test_needs_a_reason(self, zhou, reason):
        with pytest.raises(InvalidField):
            service.reset_factor(zhou.id, reason, caller=make_admin())

    def test_is_for_admins_and_not_for_oneself(self, zhou):
        admin = make_admin()

        with pytest.raises(NotAllowed):
            service.reset_factor(zhou.id, "本人到场", caller=make_caller())
        with pytest.raises(InvalidField):
            service.reset_factor(admin.user_id, "本人到场", caller=admin)

    def test_for_the_command_line_the_log_in_name_says_whom(self, zhou):
        set_up(zhou.id)

        service.reset_factor_of(zhou.email, "唯一的管理员丢失手机")

        assert not queries.has_factor(zhou.id)
        with pytest.raises(NotFound):
            service.reset_factor_of("nobody@example.cn", "唯一的管理员丢失手机")


def warned() -> list[tuple[int, str]]:
    """Who was told that the way into their account changed."""
    found = db.session.scalars(select(Notice).filter_by(kind=Kind.SECURITY))
    return [(notice.audience[0][1], notice.facts["what"]) for notice in found]


def signed_in(user):
    """The caller as from a browser."""
    session = LoginSession(user_id=user.id, digest=f"d{user.id}", expires_at=user.created_at)
    db.session.add(session)
    db.session.flush()
    caller = queries.caller_of(user)
    return type(caller)(user_id=user.id, name=user.name, seats=caller.seats, session_id=session.id)
