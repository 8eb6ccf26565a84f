"""Who may register, change, publish and withdraw instruments, and what is kept of it."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from booking.accounts.errors import NotVerified, ScopeMissing
from booking.accounts.rules import Role, Scope
from booking.journal.models import JournalEntry
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.registry import queries, service
from booking.registry.errors import InnerIdTaken, InvalidFields, UnitsPromised
from booking.registry.models import Instrument, Publication
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
NEW = {"inner_id": "SB-1", "name": "电子万能试验机"}


@pytest.fixture
def institution():
    return make_institution(name="湖南省计量检测研究院")


@pytest.fixture
def manager(institution):
    return make_caller(institution, Role.MANAGER)


def entries(session, action):
    return session.scalars(select(JournalEntry).where(JournalEntry.action == action)).all()


def found(q, caller=None):
    return queries.db.session.scalars(queries.matching(q=q, caller=caller)).all()


def test_a_new_instrument_is_a_draft_of_its_institution(manager, institution, session):
    made = service.create_instrument(
        institution.id, NEW | {"worth_wan": Decimal("50.5")}, caller=manager
    )

    assert made.publication is Publication.DRAFT
    assert made.institution_id == institution.id
    assert made.contributed_by == manager.user_id
    [entry] = entries(session, "instrument.registered")
    assert entry.organisation_id == institution.id
    assert entry.data["new"] == NEW | {"worth_wan": "50.5"}


def test_without_an_institution_it_is_the_one_the_caller_manages(manager, institution):
    assert service.create_instrument(None, NEW, caller=manager).institution_id == institution.id


def test_who_manages_two_institutions_must_say_which(institution):
    other, user = make_institution(), make_user()
    both = caller_of(user, (institution, Role.MANAGER), (other, Role.MANAGER))

    with pytest.raises(InvalidField) as refused:
        service.create_instrument(None, NEW, caller=both)

    assert set(refused.value.details["errors"]) == {"institution_id"}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TESTER, Role.FINANCE])
def test_only_managers_register(institution, role):
    with pytest.raises(NotAllowed):
        service.create_instrument(institution.id, NEW, caller=make_caller(institution, role))


def test_nobody_registers_for_another_institution(manager):
    with pytest.raises(NotAllowed):
        service.create_instrument(make_institution().id, NEW, caller=manager)


def test_an_enterprise_registers_nothing():
    firm = make_organisation()

    with pytest.raises(NotAllowed):
        service.create_instrument(firm.id, NEW, caller=make_caller(firm, Role.MANAGER))


def test_a_token_needs_the_scope(institution):
    reader = make_caller(institution, Role.MANAGER, scopes=frozenset({Scope.READ}))

    with pytest.raises(ScopeMissing):
        service.create_instrument(institution.id, NEW, caller=reader)


def test_a_number_is_used_once_by_an_institution(manager, institution):
    service.create_instrument(institution.id, NEW, caller=manager)

    with pytest.raises(InnerIdTaken):
        service.create_instrument(institution.id, NEW, caller=manager)


def test_after_a_taken_number_the_transaction_goes_on(manager, institution, session):
    service.create_instrument(institution.id, NEW, caller=manager)
    other = service.create_instrument(institution.id, NEW | {"inner_id": "SB-2"}, caller=manager)

    with pytest.raises(InnerIdTaken):
        service.update_instrument(other.id, {"inner_id": "SB-1"}, caller=manager)

    session.expire_all()
    assert queries.get_instrument(other.id, caller=manager).inner_id == "SB-2"


def test_two_institutions_may_use_the_same_number(manager, institution):
    other = make_institution()
    service.create_instrument(institution.id, NEW, caller=manager)

    made = service.create_instrument(other.id, NEW, caller=make_caller(other, Role.MANAGER))

    assert made.inner_id == "SB-1"


@pytest.mark.parametrize("field", ["inner_id", "name"])
def test_number_and_name_are_needed(manager, institution, field):
    values = {name: value for name, value in NEW.items() if name != field}

    with pytest.raises(InvalidFields) as refused:
        service.create_instrument(institution.id, values, caller=manager)

    assert set(refused.value.details["errors"]) == {field}


@pytest.mark.parametrize(
    ("field", "code"),
    [("category_code", "020199X"), ("category_code", "029998"), ("region_code", "431400")],
)
def test_codes_must_stand_in_their_lists(manager, institution, field, code):
    with pytest.raises((InvalidField, InvalidFields)) as refused:
        service.create_instrument(institution.id, NEW | {field: code}, caller=manager)

    assert set(refused.value.details["errors"]) == {field}


def test_drafts_are_hidden_from_everybody_else(manager, institution):
    draft = service.create_instrument(institution.id, NEW, caller=manager)

    for stranger in (None, make_caller(), make_caller(make_institution(), Role.MANAGER)):
        with pytest.raises(NotFound):
            queries.get_instrument(draft.id, caller=stranger)
    assert queries.get_instrument(draft.id, caller=make_caller(institution, Role.TESTER))


@pytest.mark.parametrize(
    "act",
    [
        lambda id, who: service.update_instrument(id, {"name": "x"}, caller=who),
        lambda id, who: service.publish(id, caller=who),
        lambda id, who: service.withdraw(id, caller=who),
    ],
)
def test_nobody_touches_what_is_not_theirs(act, institution):
    published = make_instrument(institution=institution)
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)
    stranger = make_caller(make_institution(), Role.MANAGER)

    with pytest.raises(NotAllowed):
        act(published.id, stranger)
    with pytest.raises(NotFound):
        act(draft.id, stranger)
    with pytest.raises(NotAllowed):
        act(draft.id, make_caller(institution, Role.OPERATOR))


def test_a_change_keeps_old_and_new(manager, institution, session):
    made = make_instrument(institution=institution, worth_wan=Decimal("10.00"))

    changed = service.update_instrument(
        made.id,
        {"worth_wan": Decimal("12.5"), "commissioned_on": date(2024, 5, 1), "name": made.name},
        caller=manager,
        version=1,
    )

    assert changed.version == 2
    [entry] = entries(session, "instrument.changed")
    assert entry.data["old"] == {"worth_wan": "10.00", "commissioned_on": None}
    assert entry.data["new"] == {"worth_wan": "12.5", "commissioned_on": "2024-05-01"}


def test_a_change_of_nothing_is_none(manager, institution, session):
    made = make_instrument(institution=institution, model="CMT5105")

    same = service.update_instrument(made.id, {"model": "CMT5105"}, caller=manager)

    assert same.version == 1
    assert entries(session, "instrument.changed") == []


def test_an_older_version_is_stale(manager, institution):
    made = make_instrument(institution=institution, version=3)

    for act in (service.publish, service.withdraw):
        with pytest.raises(Stale):
            act(made.id, caller=manager, version=2)
    with pytest.raises(Stale):
        service.update_instrument(made.id, {"name": "x"}, caller=manager, version=2)


def test_what_cannot_be_is_refused_on_change_too(manager, institution):
    made = make_instrument(institution=institution)

    with pytest.raises(InvalidFields):
        service.update_instrument(made.id, {"units": 100}, caller=manager)
    with pytest.raises(InvalidField):
        service.update_instrument(made.id, {"region_code": "431400"}, caller=manager)


def test_units_grow_but_do_not_shrink_once_published(manager, institution):
    draft = make_instrument(institution=institution, units=3, publication=Publication.DRAFT)
    service.update_instrument(draft.id, {"units": 2}, caller=manager)
    service.publish(draft.id, caller=manager)
    service.withdraw(draft.id, caller=manager)

    with pytest.raises(UnitsPromised):
        service.update_instrument(draft.id, {"units": 1}, caller=manager)
    assert service.update_instrument(draft.id, {"units": 4}, caller=manager).units == 4


def test_publishing_shows_it_to_everybody(manager, institution, session, now):
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)

    published = service.publish(draft.id, caller=manager)

    assert published.published_at == now.at
    assert queries.get_instrument(draft.id, caller=None).version == 2
    [entry] = entries(session, "instrument.published")
    assert entry.data == {
        "old": {"publication": "draft"},
        "new": {"publication": "published"},
    }


def test_an_institution_publishes_only_when_verified():
    institution = make_institution(verified_at=None)
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)

    with pytest.raises(NotVerified):
        service.publish(draft.id, caller=make_caller(institution, Role.MANAGER))


def test_withdrawing_hides_it_and_publishing_brings_it_back(manager, institution):
    made = make_instrument(institution=institution)

    service.withdraw(made.id, caller=manager)
    with pytest.raises(NotFound):
        queries.get_instrument(made.id, caller=None)
    service.publish(made.id, caller=manager)

    assert queries.get_instrument(made.id, caller=None).publication is Publication.PUBLISHED


def test_moves_that_do_not_exist_are_refused(manager, institution):
    published = make_instrument(institution=institution)
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)

    with pytest.raises(WrongState):
        service.publish(published.id, caller=manager)
    with pytest.raises(WrongState):
        service.withdraw(draft.id, caller=manager)


def test_a_new_instrument_is_found_by_its_names_and_those_behind_its_codes(manager, institution):
    values = {"category_code": "010101", "region_code": "430104", "standards": ["GB/T 228.1-2021"]}
    made = service.create_instrument(institution.id, NEW | values, caller=manager)

    for typed in ("万能试验", "dzwn", "透射电镜", "岳麓区", "计量检测", "228.1", "SB-1", "jljc"):
        assert found(typed, manager) == [made], typed


def test_after_a_change_it_is_found_by_what_it_is_called_now(manager, institution):
    made = service.create_instrument(institution.id, NEW, caller=manager)

    service.update_instrument(made.id, {"name": "盐雾试验箱"}, caller=manager)

    assert found("盐雾", manager) == [made]
    assert found("万能", manager) == []


def test_reindexing_writes_what_creating_would_have(manager, institution, session):
    values = {"category_code": "010101", "region_code": "430104", "model": "CMT"}
    made = service.create_instrument(institution.id, NEW | values, caller=manager)
    wanted = (made.search_text, made.search_tokens, made.name_pinyin)
    others = [make_instrument(institution=institution) for _ in range(3)]
    session.execute(update(Instrument).values(search_text="", search_tokens=[], name_pinyin=""))

    assert service.reindex(batch=2) == 4

    session.expire_all()
    assert (made.search_text, made.search_tokens, made.name_pinyin) == wanted
    assert {each.id for each in found("万能试验机")} == {each.id for each in others}
    assert made.version == 1
