"""Several workers at once on committed data: every mail once, whoever sends it, whoever dies.

The control at the end takes the guard away and shows that the same race then does send twice.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from booking.accounts.models import User
from booking.accounts.rules import Role
from booking.app import create_app
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import jobs
from booking.notices.gateway.carriers import Post
from booking.notices.gateway.smtp import parse
from booking.notices.models import Message
from booking.notices.rules import LEASE, Kind, MailState
from booking.notices.service import sending
from tests.factories import make_organisation
from tests.mail_servers import GoodServer, serving
from tests.notices.world import post, somebody

pytestmark = [pytest.mark.service, pytest.mark.real]

WORKERS, NOTICES, PEOPLE = 4, 30, 3


@pytest.fixture
def mailbox() -> Iterator[GoodServer]:
    with serving(GoodServer()) as server:
        yield server


@pytest.fixture
def app(scratch_url: str, now: object, mailbox: GoodServer, tmp_path) -> Iterator[Flask]:
    app = create_app("testing", DATABASE_URL=scratch_url, DB_POOL_SIZE=WORKERS)
    app.extensions["booking_post"] = Post(
        sender="no-reply@booking.example.cn",
        server=parse(f"smtp://127.0.0.1:{mailbox.port}"),
        folder=tmp_path,
        timeout_seconds=20,
    )
    with app.app_context(), transaction():
        firm = make_organisation()
        for number in range(PEOPLE):
            somebody(firm, Role.MEMBER, f"p{number}", f"p{number}")
    with app.app_context():
        people = list(db.session.scalars(select(User)))
        for _ in range(NOTICES):
            post(Kind.VERIFICATION, *people)
    yield app
    with app.app_context():
        db.engine.dispose()


def all_at_once(app: Flask, work) -> list[str]:
    start = Barrier(WORKERS)

    def run(_: int) -> str:
        with app.app_context():
            start.wait()
            return str(work())

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, range(WORKERS)))


def times_received(mailbox: GoodServer) -> Counter[int]:
    """How many mails came how often."""
    return Counter(Counter(str(mail["Message-ID"]) for mail in mailbox.mails).values())


def states(app: Flask) -> Counter[tuple[MailState, int]]:
    with app.app_context():
        return Counter((m.mail, m.attempts) for m in db.session.scalars(select(Message)))


def test_every_notice_becomes_one_message_for_each_person(app):
    all_at_once(app, jobs.expand)

    with app.app_context():
        rows = db.session.execute(select(Message.notice_id, Message.user_id)).all()
    assert len(rows) == len(set(rows)) == NOTICES * PEOPLE


def test_every_mail_is_sent_once(app, mailbox):
    all_at_once(app, jobs.expand)

    all_at_once(app, jobs.send)

    assert times_received(mailbox) == {1: NOTICES * PEOPLE}
    assert states(app) == {(MailState.SENT, 1): NOTICES * PEOPLE}


def test_posting_expanding_and_sending_side_by_side(app, mailbox):
    def work() -> None:
        people = list(db.session.scalars(select(User)))
        for _ in range(3):
            post(Kind.VERIFICATION, *people)
            jobs.expand()
            jobs.send()

    all_at_once(app, work)

    everything = (NOTICES + WORKERS * 3) * PEOPLE
    assert times_received(mailbox) == {1: everything}
    assert states(app) == {(MailState.SENT, 1): everything}


def test_control_without_the_lock_the_same_race_sends_twice(app, mailbox, monkeypatch):
    all_at_once(app, jobs.expand)

    def look_then_take(*, limit: int = sending.BATCH) -> list[Message]:
        now = clock.now()
        due = select(Message.id).where(Message.mail == MailState.WAITING, Message.due_at <= now)
        ids = db.session.scalars(due.order_by(Message.id).limit(limit)).all()
        taking = update(Message).where(Message.id.in_(ids))
        values = {"due_at": now + LEASE, "attempts": Message.attempts + 1}
        db.session.execute(taking.values(**values).execution_options(synchronize_session=False))
        query = select(Message).where(Message.id.in_(ids)).options(joinedload(Message.notice))
        return list(db.session.scalars(query.execution_options(populate_existing=True)))

    monkeypatch.setattr("booking.notices.service.claim", look_then_take)
    all_at_once(app, jobs.send)

    assert sum(count for times, count in times_received(mailbox).items() if times > 1) > 0
