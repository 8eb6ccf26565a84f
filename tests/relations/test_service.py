"""Who is declared as related by whom, and what that does to quotes, uses and savings."""

from datetime import date, timedelta

import pytest

from booking.accounts.rules import Role
from booking.kernel import clock
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, WrongState
from booking.relations import queries, service
from booking.relations.errors import AlreadyRelated
from booking.relations.rules import Party
from booking.reservations import queries as reservations
from booking.reservations import service as booking
from booking.reservations.models import Settlement
from booking.savings import queries as savings
from booking.savings.rules import NotCounted, Reason
from booking.tariffs.rules import NoBaseline
from tests.factories import (
    make_admin,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_uscc,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
USED_ON = date(2026, 11, 25)
SOURCE = "国家企业信用信息公示系统，股东信息，2026-10-08"


@pytest.fixture
def owner(session):
    return make_institution(name="湖南省检测院")


@pytest.fixture
def bookkeeper(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def company(session):
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def manager(company):
    return make_caller(company, Role.MANAGER)


@pytest.fixture
def admin(session):
    return make_admin()


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*reservations.breaches(), *savings.breaches(), *queries.breaches()] == []


@pytest.fixture
def settle(now, instrument, manager, bookkeeper):
    """A function that has the firm use the instrument on Wednesday, up to the settlement."""

    def do(before_settling=lambda: None, minutes=None):
        made = booking.reserve(instrument.id, slot(), caller=manager)
        now.set(BEGINS)
        booking.check_in(made.id, caller=manager)
        now.set(ENDS)
        booking.check_out(made.id, caller=manager)
        note = "" if minutes is None else "没有用上"
        booking.confirm_usage(made.id, caller=bookkeeper, minutes=minutes, note=note)
        booking.agree(made.id, caller=manager)
        before_settling()
        booking.settle(
            made.id,
            caller=bookkeeper,
            settlement=Settlement.PAID if minutes is None else Settlement.NOTHING_DUE,
            settled_on=USED_ON,
            reference="回单 1",
        )
        return savings.find_line(("reservation", made.id))

    return do


def of(*organisations):
    return [Party(each.uscc, each.name) for each in organisations]


def declared(*organisations, caller, since=date(2026, 1, 1), **given):
    return service.declare(of(*organisations), caller=caller, source=SOURCE, since=since, **given)


def test_the_quote_says_so_before_anything_is_booked(instrument, company, owner, manager, admin):
    before = booking.quote(instrument.id, slot(), caller=manager).quote
    declared(company, owner, caller=admin)

    after = booking.quote(instrument.id, slot(), caller=manager).quote

    assert (before.no_baseline, after.no_baseline) == (None, NoBaseline.RELATED)
    assert after.price == before.price
    assert (after.baseline, after.saving) == (None, None)


def test_a_settled_use_between_related_saves_nothing_and_says_why(company, owner, admin, settle):
    declared(company, owner, caller=admin)

    line = settle()

    assert (line.baseline_minor, line.not_counted) == (None, NotCounted.RELATED)
    assert line.saved.minor == 0
    assert line.price_minor == 28800


def test_what_was_declared_after_the_booking_counts_on_the_day_of_the_use(
    company, owner, admin, settle
):
    line = settle(before_settling=lambda: declared(company, owner, caller=admin))

    assert line.not_counted is NotCounted.RELATED


@pytest.mark.parametrize(
    ("since", "until", "is_left_out"),
    [
        pytest.param(date(2026, 1, 1), None, True, id="still"),
        pytest.param(date(2026, 1, 1), date(2026, 11, 25), True, id="last-day-is-the-use"),
        pytest.param(date(2026, 1, 1), date(2026, 11, 24), False, id="ended-the-day-before"),
    ],
)
def test_it_holds_from_day_to_day(company, owner, admin, settle, since, until, is_left_out):
    group = declared(company, owner, caller=admin, since=since)
    if until:
        service.end(group.id, caller=admin, until=until)

    assert queries.are_related(company.id, owner.id, USED_ON) is is_left_out
    assert (settle().not_counted is NotCounted.RELATED) is is_left_out


def test_groups_do_not_reach_through_one_another(company, owner, admin):
    between = make_organisation()
    declared(company, between, caller=admin)
    declared(between, owner, caller=admin)

    assert queries.are_related(company.id, between.id, USED_ON)
    assert not queries.are_related(company.id, owner.id, USED_ON)


def test_the_same_organisation_is_related_to_itself(company):
    assert queries.are_related(company.id, company.id, USED_ON)


def test_an_organisation_that_joins_later_is_known_by_its_code(owner, admin):
    uscc = make_uscc()
    service.declare(
        [Party(uscc, "株洲新材料有限公司"), *of(owner)],
        caller=admin,
        source=SOURCE,
        since=date(2026, 1, 1),
    )

    joined = make_organisation(uscc=uscc)

    assert queries.are_related(joined.id, owner.id, USED_ON)


def test_what_was_counted_before_it_was_known_is_taken_out_by_a_correction(
    company, owner, admin, settle
):
    line = settle()
    assert line.saved.minor == 7200

    declared(company, owner, caller=admin, since=date(2026, 11, 1))

    [correction] = savings.corrections(line)
    assert (correction.reason, correction.note) == (Reason.RELATED, SOURCE)
    assert savings.stands(line).saved == 0
    assert savings.find_line(("reservation", line.subject_id)).saved.minor == 7200


def test_what_was_counted_before_they_were_related_stays(company, owner, admin, settle, now):
    line = settle()
    now.set(ENDS + timedelta(days=2))

    declared(company, owner, caller=admin, since=date(2026, 11, 26))

    assert savings.corrections(line) == []


def test_a_manager_declares_of_their_own_organisation(company, owner, manager):
    group = declared(owner, caller=manager, organisation_id=company.id)

    assert [each.uscc for each in group.members] == [company.uscc, owner.uscc]
    assert queries.are_related(owner.id, company.id, USED_ON)
    with pytest.raises(AlreadyRelated):
        declared(owner, caller=manager, organisation_id=company.id)


def test_nobody_else_may(company, owner, manager):
    with pytest.raises(NotAllowed):
        declared(company, owner, caller=manager)
    with pytest.raises(NotAllowed):
        declared(owner, caller=make_caller(company), organisation_id=company.id)
    with pytest.raises(NotAllowed):
        declared(company, caller=manager, organisation_id=owner.id)


def test_the_other_side_sees_that_it_is_in_a_group_and_not_in_whose(
    company, owner, manager, bookkeeper, admin
):
    group = declared(owner, caller=manager, organisation_id=company.id)

    assert queries.get_group(group.id, caller=admin).id == group.id
    with pytest.raises(NotFound):
        queries.get_group(group.id, caller=bookkeeper)
    assert queries.list_groups(caller=bookkeeper, limit=10, cursor=None).items == []
    assert queries.count_by_others(owner.id, day=clock.today()) == 1
    assert queries.count_by_others(company.id, day=clock.today()) == 0


def test_it_ends_today_at_the_earliest_and_once(company, owner, admin, manager):
    group = declared(company, owner, caller=admin)
    with pytest.raises(InvalidField):
        service.end(group.id, caller=admin, until=clock.today() - timedelta(days=1))
    with pytest.raises(NotFound):
        service.end(group.id, caller=manager, until=clock.today())

    service.end(group.id, caller=admin, until=clock.today())

    assert queries.are_related(company.id, owner.id, clock.today())
    assert not queries.are_related(company.id, owner.id, clock.today() + timedelta(days=1))


def test_what_has_ended_cannot_end_again(company, owner, admin, now):
    group = declared(company, owner, caller=admin)
    service.end(group.id, caller=admin, until=clock.today())
    now.set(clock.now() + timedelta(days=1))

    with pytest.raises(WrongState):
        service.end(group.id, caller=admin, until=clock.today())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"since": date(2020, 12, 31)}, "since"),
        ({"since": date(2027, 1, 1)}, "since"),
        ({"source": "  "}, "source"),
        ({"parties": 1}, "uscc"),
        ({"parties": "twice"}, "uscc"),
    ],
)
def test_what_cannot_be_is_refused(company, owner, admin, given, field):
    parties = {1: of(company), "twice": of(company, company)}.get(
        given.pop("parties", None), of(company, owner)
    )
    values = {"source": SOURCE, "since": date(2026, 1, 1)} | given

    with pytest.raises(InvalidField) as refused:
        service.declare(parties, caller=admin, **values)

    assert list(refused.value.details["errors"]) == [field]


def test_a_use_that_came_to_nothing_is_in_nobodys_way(company, owner, admin, settle):
    line = settle(minutes=0)
    assert (line.baseline_minor, line.price_minor) == (0, 0)

    declared(company, owner, caller=admin, since=date(2026, 11, 1))

    assert savings.corrections(line) == []


def test_what_was_taken_out_is_no_longer_among_what_counts(company, owner, admin, manager, settle):
    line = settle()
    declared(company, owner, caller=admin, since=date(2026, 11, 1))

    def listed(only):
        found = savings.list_lines(caller=manager, limit=9, cursor=None, only=only)
        return {each.id for each in found.items}

    assert listed(savings.Only.COUNTED) == set()
    assert line.id in listed(savings.Only.EXCLUDED)
