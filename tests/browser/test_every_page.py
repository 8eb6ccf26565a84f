"""Every page, as everybody who may see it, in both languages: nothing wrong at any size.

A page added later is found by its address; one that nobody here can reach fails the first test.
"""

from datetime import UTC

import pytest
from sqlalchemy import update

from booking.accounts import queries as accounts
from booking.journal import jobs as journal
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import jobs
from booking.notices.models import Message
from booking.notices.rules import MailState
from tests.browser.conftest import DESKTOP, NOW, log_in
from tests.browser.every import AMID_A_FLOW, ROLES, Everything, faults


@pytest.fixture(scope="module", autouse=True)
def mails(program):
    """What the worker would have mailed to the firm."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        firm = accounts.user_by_login(ROLES["firm"])
        waiting = update(Message).where(Message.user_id == firm.id)
        with transaction():
            db.session.execute(waiting.values(mail=MailState.WAITING, sent_at=None, attempts=0))
        jobs.expand()
        jobs.send()
        journal.seal()
        db.session.remove()


@pytest.fixture
def everything(program):
    return Everything(program)


@pytest.fixture
def somebody(visit):
    """A function that comes as one of the roles."""

    def come(role, language="zh-CN"):
        page = visit(DESKTOP, language)
        if ROLES[role]:
            log_in(page, ROLES[role])
        return page

    return come


def test_somebody_here_reaches_every_page(everything, somebody):
    reached = set()
    for role in ROLES:
        reached |= {rule for rule, _ in everything.answers(role, somebody(role)).values()}

    missed = {rule.rule for rule in everything.rules} - reached - everything.pieces - AMID_A_FLOW
    assert missed == set()


@pytest.fixture(scope="module")
def seen():
    """What was looked at already, by language: who is given the same adds nothing."""
    return {"zh-CN": set(), "en": set()}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_wrong_with_any_page(everything, somebody, seen, role, language):
    page, found = somebody(role, language), {}
    for address, (_, content) in everything.answers(role, page).items():
        # Around every page stands the same: the front page shows it to each role.
        if content in seen[language] and address != "/":
            continue
        seen[language].add(content)
        page.goto(address)
        if wrong := faults(page):
            found[address] = wrong

    assert found == {}
