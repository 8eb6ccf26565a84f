"""One's own inbox and nobody else's; what did not arrive."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.kernel import clock
from booking.kernel.errors import InvalidField, NotFound
from booking.notices import queries, service
from booking.notices.rules import MailState
from tests.factories import make_organisation, make_user
from tests.notices.world import message_to, somebody
from tests.queries_counted import counted

pytestmark = pytest.mark.service


@pytest.fixture
def li(session):
    return somebody(make_organisation(), Role.MEMBER, "li", "李明")


def ids(page):
    return [message.id for message in page.items]


def test_unread_counts_ones_own_listed_entries(li):
    message_to(li)
    message_to(li, read_at=clock.now())
    message_to(li, is_listed=False)
    message_to(make_user())

    assert queries.unread(li.id) == 1


def test_unread_stops_counting_at_a_hundred(li):
    for _ in range(101):
        message_to(li)

    assert queries.unread(li.id) == 100


def test_the_inbox_is_paged_latest_first(li):
    made = [message_to(li).id for _ in range(5)]
    message_to(make_user())
    message_to(li, is_listed=False)

    first = queries.list_inbox(li.id, limit=3, cursor=None)
    second = queries.list_inbox(li.id, limit=3, cursor=first.next_cursor)

    assert ids(first) + ids(second) == made[::-1]
    assert second.next_cursor is None


def test_the_inbox_can_be_only_what_is_unread(li):
    message_to(li, read_at=clock.now())
    unread = message_to(li)

    assert ids(queries.list_inbox(li.id, limit=9, cursor=None, unread_only=True)) == [unread.id]


def test_the_inbox_takes_one_statement_however_long(li):
    for _ in range(5):
        message_to(li)

    with counted() as statements:
        page = queries.list_inbox(li.id, limit=9, cursor=None)
        assert page.items[0].notice.facts

    assert len(statements) == 1


def test_a_cursor_that_is_none_is_refused(li):
    with pytest.raises(InvalidField):
        queries.list_inbox(li.id, limit=3, cursor="x")


@pytest.mark.parametrize("hidden", [{"is_listed": False}, {}])
def test_an_entry_of_somebody_else_or_unlisted_is_not_found(li, hidden):
    whose = li if hidden else make_user()
    message = message_to(whose, **hidden)

    with pytest.raises(NotFound):
        queries.get_entry(message.id, user_id=li.id)


def test_ones_own_entry_is_found(li):
    message = message_to(li)

    assert queries.get_entry(message.id, user_id=li.id) is message


def test_nobody_is_muted_who_never_said_so(li):
    assert queries.muted([li.id]) == {}


def test_something_is_to_be_sent_once_it_is_due(li):
    assert not queries.anything_to_send(clock.now())
    message_to(li, due_at=clock.now() + timedelta(minutes=1))
    assert not queries.anything_to_send(clock.now())
    message_to(li)
    assert queries.anything_to_send(clock.now())


def test_the_backlog_says_how_much_waits_since_when_and_how_much_is_dead(li):
    assert queries.backlog() == queries.Backlog(0, None, 0)
    old = clock.now() - timedelta(hours=2)
    message_to(li, created_at=old)
    message_to(li)
    message_to(li, mail=MailState.DEAD)
    message_to(li, mail=MailState.NONE)

    assert queries.backlog() == queries.Backlog(2, old, 1)


def test_undelivered_are_the_dead_and_those_that_failed_so_far(li):
    message_to(li)
    dead = message_to(li, mail=MailState.DEAD, error="550 no")
    tried = message_to(li, attempts=1, error="450 later")
    message_to(li, mail=MailState.SENT, sent_at=clock.now(), error="450 at first")

    first = queries.list_undelivered(limit=1, cursor=None)
    second = queries.list_undelivered(limit=1, cursor=first.next_cursor)
    assert ids(first) + ids(second) == [tried.id, dead.id]


def test_nothing_unworded_where_all_went_well(li):
    message_to(li)
    service.expand()

    assert queries.list_unworded(limit=9) == []
