"""Real transactions at the same moment: somebody is always left who can let others in."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from booking.accounts import queries, service
from booking.accounts.models import Organisation
from booking.accounts.rules import PURPOSE_NOTICE, Caller, Role
from booking.accounts.service import NewPerson
from booking.app import create_app
from booking.kernel.db import db, transaction
from booking.kernel.errors import DomainError
from tests.accounts.world import code_of, set_up
from tests.factories import caller_of, make_institution, make_user

pytestmark = [pytest.mark.service, pytest.mark.real]

PASSWORD = "Lathe-7-quiet"
ROUNDS = 8


@pytest.fixture
def app(scratch_url: str, now: object) -> Iterator[Flask]:
    app = create_app("testing", DATABASE_URL=scratch_url, DB_POOL_SIZE=8)
    yield app
    with app.app_context():
        db.engine.dispose()


def two_managers(app: Flask) -> tuple[int, list[Caller]]:
    """An institution with exactly two managers, committed."""
    with app.app_context(), transaction():
        lab = make_institution()
        users = [make_user(lab, Role.MANAGER, password=PASSWORD) for _ in range(2)]
        return lab.id, [caller_of(user, (lab, Role.MANAGER)) for user in users]


def race(app: Flask, *jobs: Callable[[], object]) -> Counter[str]:
    """Do all at once, each in its own transaction; count how they ended."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> str:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    job()
            except DomainError as refused:
                return refused.code
            return "done"

    with ThreadPoolExecutor(len(jobs)) as pool:
        return Counter(pool.map(run, jobs))


def keepers(app: Flask, lab: int) -> bool:
    with app.app_context():
        return queries.has_keeper(db.session.get_one(Organisation, lab))


def test_two_managers_who_leave_at_once_do_not_both(app):
    for _ in range(ROUNDS):
        lab, (one, other) = two_managers(app)

        ended = race(
            app,
            lambda lab=lab, one=one: service.end_membership(lab, one.user_id, caller=one),
            lambda lab=lab, other=other: service.end_membership(lab, other.user_id, caller=other),
        )

        assert ended == {"done": 1, "last_manager": 1}
        assert keepers(app, lab)


def test_two_managers_who_shut_each_other_out_do_not_both(app):
    for _ in range(ROUNDS):
        lab, (one, other) = two_managers(app)

        ended = race(
            app,
            lambda lab=lab, a=one, b=other: service.disable_member(lab, b.user_id, caller=a),
            lambda lab=lab, a=one, b=other: service.disable_member(lab, a.user_id, caller=b),
        )

        assert ended == {"done": 1, "last_manager": 1}
        assert keepers(app, lab)


def test_one_leaves_while_the_other_gives_up_managing(app):
    for _ in range(ROUNDS):
        lab, (one, other) = two_managers(app)

        ended = race(
            app,
            lambda lab=lab, one=one: service.end_membership(lab, one.user_id, caller=one),
            lambda lab=lab, other=other: service.change_roles(
                lab, other.user_id, [Role.TESTER], caller=other
            ),
        )

        assert ended == {"done": 1, "last_manager": 1}
        assert keepers(app, lab)


def test_an_invitation_used_twice_at_once_works_once(app):
    lab, (manager, _) = two_managers(app)
    with app.app_context(), transaction():
        person = NewPerson(name="吴芳", email="wu@example.cn")
        secret = service.add_member(lab, person, [Role.TESTER], caller=manager).invitation

    def accept() -> None:
        service.accept_invitation(secret, PASSWORD, purpose_notice_accepted=PURPOSE_NOTICE)

    assert race(app, *[accept] * 4) == {"done": 1, "invitation_unusable": 3}


def test_one_person_invited_by_two_at_once_belongs_to_one(app):
    person = NewPerson(name="吴芳", email="wu@example.cn")
    (lab, (one, _)), (other_lab, (other, _)) = two_managers(app), two_managers(app)

    ended = race(
        app,
        lambda: service.add_member(lab, person, [Role.TESTER], caller=one),
        lambda: service.add_member(other_lab, person, [Role.TESTER], caller=other),
    )

    assert ended == {"done": 1, "login_taken": 1}


def test_a_code_sent_twice_at_once_works_once(app, now):
    _, (zhou, _) = two_managers(app)
    with app.app_context(), transaction():
        set_up(zhou.user_id)
        now.advance(seconds=60)
        code = code_of(zhou.user_id)

    def use() -> None:
        service.check_code(zhou.user_id, code, address=None)

    assert race(app, *[use] * 4) == {"done": 1, "wrong_code": 3}


def test_a_recovery_code_sent_twice_at_once_works_once(app):
    _, (zhou, _) = two_managers(app)
    with app.app_context(), transaction():
        code, *_ = set_up(zhou.user_id)

    def use() -> None:
        service.check_code(zhou.user_id, code, address=None)

    assert race(app, *[use] * 4) == {"done": 1, "wrong_code": 3}
