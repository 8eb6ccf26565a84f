"""What saves nothing whatever its price: statutory tests, who is no market entity, passed on."""

from datetime import date, timedelta

import pytest

from booking.accounts.rules import CustomerClass, OrganisationKind, Role, SizeClass
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, WrongState
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.reservations import queries, service
from booking.reservations.models import FeeEnd, Reservation, Settlement
from booking.reservations.rules import PassedOn, PassThrough
from booking.savings import queries as savings
from booking.savings import service as ledger
from booking.savings.rules import NotCounted, Reason, out_of_scope
from booking.tariffs.rules import Fee, NoBaseline, Terms, outside_of
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
WEDNESDAY = date(2026, 11, 25)
PAID = {"settlement": FeeEnd.PAID, "settled_on": WEDNESDAY, "reference": "回单 9"}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def lab(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def firm(session):
    return make_caller(role=Role.MANAGER)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *savings.breaches()] == []


@pytest.fixture
def use(now, instrument):
    def do(caller, **given):
        made = service.reserve(instrument.id, slot(), caller=caller, **given)
        now.set(BEGINS)
        service.check_in(made.id, caller=caller)
        now.set(ENDS)
        service.check_out(made.id, caller=caller)
        return made.id

    return do


@pytest.fixture
def settle(lab):
    def do(used_id, firm, **given):
        service.agree(used_id, caller=firm)
        values = {"settlement": Settlement.PAID, "settled_on": WEDNESDAY, "reference": "回单 1"}
        service.settle(used_id, caller=lab, **(values | given))
        return savings.find_line(("reservation", used_id))

    return do


class TestStatutory:
    def test_the_firm_says_so_and_the_quote_answers(self, instrument, firm):
        offer = service.quote(instrument.id, slot(), caller=firm, is_statutory=True)

        assert offer.is_statutory
        assert offer.quote.no_baseline is NoBaseline.STATUTORY
        assert (offer.quote.price, offer.quote.saving) == (Money(28800), None)

    def test_what_the_firm_booked_so_saves_nothing(self, use, settle, firm, lab):
        used = use(firm, is_statutory=True)
        service.confirm_usage(used, caller=lab)

        line = settle(used, firm)

        assert (line.not_counted, line.saved.minor) == (NotCounted.STATUTORY, 0)

    def test_it_stays_so_when_it_is_moved(self, instrument, firm):
        made = service.reserve(instrument.id, slot(), caller=firm, is_statutory=True)

        later = slot(BEGINS + timedelta(hours=3))
        moved = service.move(made.id, later, caller=firm)

        assert (moved.is_statutory, moved.baseline_minor) == (True, None)

    def test_the_operator_says_so_with_a_note_and_the_firm_sees_it(self, use, settle, firm, lab):
        used = use(firm)
        with pytest.raises(InvalidField):
            service.confirm_usage(used, caller=lab, is_statutory=True)

        done = service.confirm_usage(used, caller=lab, is_statutory=True, note="监督抽查任务书 12")

        assert (done.use.not_counted, done.use.baseline_minor) == (NotCounted.STATUTORY, None)
        assert done.saving is None
        assert settle(used, firm).not_counted is NotCounted.STATUTORY

    def test_an_objection_can_take_it_back(self, use, settle, firm, lab):
        used = use(firm)
        service.confirm_usage(used, caller=lab, is_statutory=True, note="监督抽查")
        service.object_to(used, caller=firm, reason="是自检，不是抽查")

        service.confirm_usage(used, caller=lab, is_statutory=False, note="核对委托单，确为自检")

        assert settle(used, firm).saved == Money(7200)

    def test_found_out_later_it_leaves_the_sums_by_a_correction(self, use, settle, firm, lab):
        used = use(firm)
        service.confirm_usage(used, caller=lab)
        line = settle(used, firm)

        ledger.correct(line.id, Reason.STATUTORY, caller=lab, note="监督抽查任务书 12")

        totals = savings.totals(caller=firm)
        assert (totals.saved.minor, totals.counted, totals.services) == (0, 0, 1)
        assert totals.excluded == 1
        with pytest.raises(InvalidField):
            ledger.correct(line.id, Reason.STATUTORY, caller=lab, note="又一次")


class TestWhoCounts:
    @pytest.mark.parametrize(
        "kind", [OrganisationKind.RESEARCH, OrganisationKind.AUTHORITY, OrganisationKind.WINDOW]
    )
    def test_no_market_entity(self, kind):
        assert outside_of(is_market_entity=False) is NoBaseline.NOT_AN_ENTERPRISE, (
            "the quote says so"
        )
        found = out_of_scope(
            CustomerClass.LARGE, is_market_entity=False, is_statutory=False, is_related=False
        )
        assert found is NotCounted.NOT_AN_ENTERPRISE

    def test_research_is_left_out_with_its_reason(self, use, settle, lab):
        university = make_organisation(kind=OrganisationKind.RESEARCH)
        professor = make_caller(university, Role.MANAGER)
        used = use(professor)
        service.confirm_usage(used, caller=lab)

        assert settle(used, professor).not_counted is NotCounted.NOT_AN_ENTERPRISE

    @pytest.mark.parametrize(
        ("size", "apart"),
        [
            (SizeClass.SOLE_TRADER, (1, 7200)),
            (SizeClass.COOPERATIVE, (1, 7200)),
            (SizeClass.SMALL, (0, 0)),
        ],
    )
    def test_the_smallest_count_and_are_shown_apart(self, use, settle, lab, size, apart):
        trader = make_caller(make_organisation(size_class=size), Role.MANAGER)
        used = use(trader)
        service.confirm_usage(used, caller=lab)

        assert settle(used, trader).size_class is size
        totals = savings.totals(caller=trader)
        assert totals.saved.minor == 7200
        assert (totals.smallest, totals.smallest_saved.minor) == apart


class TestPassedOn:
    RUSH = PassedOn(PassThrough.RUSH, 24000)

    def test_it_is_due_and_saves_nothing(self, use, settle, firm, lab):
        used = use(firm)
        done = service.confirm_usage(used, caller=lab, passed_on=[self.RUSH], note="加急单")

        assert (done.due, done.saving) == (Money(52800), Money(7200))
        assert settle(used, firm).saved == Money(7200)

    def test_it_needs_a_note_and_each_kind_once(self, use, firm, lab):
        used = use(firm)
        for given in ({}, {"note": "x", "passed_on": [self.RUSH, self.RUSH]}):
            with pytest.raises(InvalidField):
                service.confirm_usage(used, caller=lab, **({"passed_on": [self.RUSH]} | given))
        wrong = [PassedOn(PassThrough.RUSH, 0)]
        with pytest.raises(InvalidField):
            service.confirm_usage(used, caller=lab, passed_on=wrong, note="x")

    def test_a_free_use_with_something_passed_on_is_not_nothing_due(self, use, settle, lab, owner):
        own = make_caller(owner, Role.MANAGER)
        used = use(own)
        done = service.confirm_usage(used, caller=lab, minutes=0, passed_on=[self.RUSH], note="x")

        assert done.due == Money(24000)
        with pytest.raises(InvalidField):
            settle(used, own, settlement=Settlement.NOTHING_DUE, reference="")


class TestFees:
    @pytest.fixture
    def missed(self, owner, firm, lab, now):
        instrument = make_instrument(institution=owner, price=None)
        terms = Terms(no_show=Fee(percent=50))
        make_price(instrument, kept_terms=terms.plain())
        made = service.reserve(instrument.id, slot(), caller=firm)
        now.set(BEGINS + timedelta(minutes=45))
        service.no_show(made.id, caller=lab)
        return made.id

    def test_it_is_paid_once_and_saves_nothing(self, missed, lab, firm, session):
        done = service.settle_fee(missed, caller=lab, **PAID)

        assert (done.status, done.fee) == ("no_show", Money(14400))
        assert queries.get_reservation(missed, caller=firm).fee_settlement.reference == "回单 9"
        assert savings.find_line(("reservation", missed)) is None
        told = session.query(Notice).filter_by(kind=Kind.FEE, subject_id=missed).count()
        assert told == 1
        with pytest.raises(WrongState):
            service.settle_fee(missed, caller=lab, **PAID)

    def test_waiving_needs_a_reason(self, missed, lab):
        waived = {"settlement": FeeEnd.WAIVED, "settled_on": WEDNESDAY}
        with pytest.raises(InvalidField):
            service.settle_fee(missed, caller=lab, **waived)

        done = service.settle_fee(missed, caller=lab, reason="停电，非企业原因", **waived)

        assert done.fee_settlement.settlement is FeeEnd.WAIVED

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"reference": ""}, "reference"),
            ({"settled_on": WEDNESDAY + timedelta(days=1)}, "settled_on"),
            ({"settled_on": date(2026, 1, 1)}, "settled_on"),
        ],
    )
    def test_what_cannot_be_is_refused(self, missed, lab, given, field):
        with pytest.raises(InvalidField) as refused:
            service.settle_fee(missed, caller=lab, **(PAID | given))

        assert list(refused.value.details["errors"]) == [field]

    def test_only_the_owners_finance_does(self, missed, owner, firm):
        with pytest.raises(NotAllowed):
            service.settle_fee(missed, caller=firm, **PAID)
        with pytest.raises(NotAllowed):
            service.settle_fee(missed, caller=make_caller(owner, Role.OPERATOR), **PAID)
        stranger = make_caller(make_institution(), Role.FINANCE)
        with pytest.raises(NotFound):
            service.settle_fee(missed, caller=stranger, **PAID)

    def test_without_a_fee_there_is_nothing_to_settle(self, instrument, firm, lab):
        made = service.reserve(instrument.id, slot(), caller=firm)
        service.cancel(made.id, caller=firm)

        with pytest.raises(WrongState):
            service.settle_fee(made.id, caller=lab, **PAID)


def test_verify_finds_a_statutory_saving_and_a_fee_of_nothing(use, firm, lab, session):
    used = use(firm)
    service.confirm_usage(used, caller=lab)
    found = session.get_one(Reservation, used)
    found.is_statutory = True
    session.flush()

    assert [each for each in queries.breaches() if "法定检验" in each]
    found.is_statutory = False
    session.flush()
