"""The approvals inbox, deciding from it, what the firm sees, and the rule's editor."""

import re

import pytest

from booking.accounts.rules import Role
from booking.availability import queries as availability
from booking.availability.rules import ApprovalMode, ApprovalRule
from booking.kernel.money import Money
from booking.reservations import service
from booking.reservations.models import ReservationStatus
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
S = ReservationStatus
INBOX = "/institution/approvals"


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def operator(client, institution):
    user = make_user(institution, Role.OPERATOR, name="周工")
    sign_in(client, user)
    return user


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, schedule={"approval_mode": ApprovalMode.ALWAYS})


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def buyer(firm):
    return make_user(firm, name="李明")


@pytest.fixture
def asked(instrument, firm, buyer):
    caller = caller_of(buyer, (firm, Role.MEMBER))
    return service.reserve(instrument.id, slot(), caller=caller, purpose="拉伸试验")


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1]).split())


def send(client, address, **given):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(INBOX).text)
    return client.post(address, data=given | {"form_token": token[1] if token else ""})


def test_the_inbox_shows_what_helps_to_decide(client, operator, asked):
    page = words(client.get(INBOX))

    for told in (
        "长沙精工机械有限公司",
        "李明",
        "拉伸试验",
        "288.00",
        "使用 0 次",
        "11月23日 周一 17:00",
    ):
        assert told in page
    assert "审批 1" in page


def test_one_tap_approves_and_the_next_one_is_shown(client, operator, asked, instrument):
    other = service.reserve(instrument.id, slot(slot().ends_at), caller=make_caller())

    answer = send(client, f"{INBOX}/{asked.id}/approve", version=1, note="请带夹具")

    assert (answer.status_code, asked.status) == (303, S.CONFIRMED)
    page = client.get(answer.headers["Location"])
    assert "已批准" in words(page)
    assert f"{INBOX}/{other.id}/approve" in page.text


def test_declining_needs_a_reason_and_keeps_the_page(client, operator, asked):
    refused = send(client, f"{INBOX}/{asked.id}/decline", version=1)

    assert (refused.status_code, asked.status) == (422, S.TENTATIVE)
    assert "请写明原因" in words(refused)

    assert send(client, f"{INBOX}/{asked.id}/decline", reason="没有夹具").status_code == 303
    assert (asked.status, asked.decision_note) == (S.DECLINED, "没有夹具")


def test_the_address_in_the_mail_decides_nothing_by_itself(client, operator, asked):
    page = client.get(f"{INBOX}/{asked.id}")

    assert (page.status_code, asked.status) == (200, S.TENTATIVE)
    assert client.get(f"{INBOX}/{asked.id}/approve").status_code == 405


def test_who_comes_second_is_told_who_was_first(client, operator, institution, asked):
    service.approve(asked.id, caller=caller_of(operator, (institution, Role.OPERATOR)))

    late = send(client, f"{INBOX}/{asked.id}/approve", version=1)

    assert late.status_code == 409
    assert "由周工批准" in words(client.get(f"{INBOX}/{asked.id}"))


def test_what_cannot_be_approved_now_says_why(client, session, operator, asked, instrument):
    instrument.calibrated_until = slot().starts_at.date().replace(day=20)
    session.flush()

    assert "校准" in words(client.get(INBOX))
    assert send(client, f"{INBOX}/{asked.id}/approve", version=1).status_code == 422
    assert asked.status is S.TENTATIVE


def test_a_hold_that_is_over_offers_no_button(client, operator, asked, now):
    now.set(asked.expires_at)

    page = client.get(f"{INBOX}/{asked.id}")

    assert "已过答复期限" in words(page)
    assert f"{INBOX}/{asked.id}/approve" not in page.text


def test_what_is_another_institutions_is_not_there(client, asked):
    sign_in(client, make_user(make_institution(), Role.OPERATOR))

    assert client.get(f"{INBOX}/{asked.id}").status_code == 404
    assert "没有等您审批" in words(client.get(INBOX))


def test_the_firm_cannot_reach_the_inbox(client, asked, buyer):
    sign_in(client, buyer)

    assert client.get(INBOX).status_code == 403
    assert client.get(f"{INBOX}/{asked.id}").status_code == 404


def test_finance_sees_what_waits_and_has_no_button(client, institution, asked):
    sign_in(client, make_user(institution, Role.FINANCE))

    page = client.get(INBOX)

    assert "长沙精工机械有限公司" in page.text
    assert f"{INBOX}/{asked.id}/approve" not in page.text


def test_the_firm_sees_that_it_needs_approval_before_and_after(client, buyer, instrument, asked):
    sign_in(client, buyer)

    before = words(client.get(f"/instruments/{instrument.id}?start=2026-11-26T10:00"))
    made = words(client.get(f"/reservations/{asked.id}/made"))
    shown = words(client.get(f"/reservations/{asked.id}"))

    assert "需机构审批" in before
    assert "提交审批" in before
    assert "已提交，待机构审批（最迟" in made
    assert "时段保留到" in shown
    assert "可以随时改期或取消" in shown


def test_the_firm_reads_why_it_was_declined(client, buyer, institution, asked):
    operator = make_caller(institution, Role.OPERATOR)
    service.decline(asked.id, caller=operator, reason="没有夹具")
    sign_in(client, buyer)

    page = words(client.get(f"/reservations/{asked.id}"))

    assert "未获批准" in page
    assert "没有夹具" in page


def test_moving_says_that_it_needs_approval_again(client, buyer, institution, asked):
    service.approve(asked.id, caller=make_caller(institution, Role.OPERATOR))
    sign_in(client, buyer)

    assert "改期后须机构重新审批" in words(client.get(f"/reservations/{asked.id}/move"))


class TestRule:
    def address(self, instrument) -> str:
        return f"/institution/instruments/{instrument.id}/approval"

    def rule(self, instrument) -> ApprovalRule:
        return availability.get_schedule(instrument).schedule.approval

    def test_it_is_set_as_typed(self, client, operator, instrument):
        given = {"mode": "first_time", "over_minutes": "480", "over_price": "￥5,000"}

        answer = send(client, self.address(instrument), hold_working_hours="16", **given)

        assert answer.status_code == 303
        wanted = ApprovalRule(ApprovalMode.FIRST_TIME, 480, Money.of(5000), 16)
        assert self.rule(instrument) == wanted
        assert "5,000.00" in words(client.get(self.address(instrument)))

    def test_what_cannot_be_meant_stands_beside_its_field(self, client, operator, instrument):
        answer = send(client, self.address(instrument), mode="always", hold_working_hours="x")

        assert answer.status_code == 422
        assert 'id="f-hold_working_hours-error"' in answer.text

    def test_an_older_version_is_refused(self, client, operator, instrument):
        given = {"mode": "none", "hold_working_hours": "8", "version": "7"}

        assert send(client, self.address(instrument), **given).status_code == 409
        assert self.rule(instrument).mode is ApprovalMode.ALWAYS

    def test_without_hours_there_is_nothing_to_approve(self, client, operator, institution):
        closed = make_instrument(institution=institution, schedule=None)

        assert "先设置开放时间" in words(client.get(self.address(closed)))

    def test_others_instruments_are_not_there(self, client, operator):
        assert client.get(self.address(make_instrument())).status_code == 404
