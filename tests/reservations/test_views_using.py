"""The pages of the day and of settling: who sees which button, and nothing typed is lost."""

import re

import pytest

from booking.accounts.rules import Role
from booking.reservations import queries, service
from booking.reservations.models import ReservationStatus
from booking.reservations.rules import PassedOn, PassThrough
from booking.savings import queries as savings
from tests.conftest import Client
from tests.factories import (
    caller_of,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at


class Side:
    """Somebody with a browser of their own."""

    def __init__(self, app, organisation, role):
        self.user = make_user(organisation, role)
        self.caller = caller_of(self.user, (organisation, role))
        self.client = Client(app, app.response_class, use_cookies=True)

    def get(self, path, **options):
        sign_in(self.client, self.user)  # anew: the clock jumps further than a session lasts
        return self.client.get(path, **options)

    def post(self, path, page, **fields):
        """Post what the page's form of that address would send, and follow."""
        shown = self.get(page)
        form = re.search(rf'action="{re.escape(path)}".*?</form>', shown.text, re.DOTALL)
        assert form, f"no form for {path}"
        hidden = dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form[0]))
        return self.client.post(path, data=hidden | fields, follow_redirects=True)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, phone="0731-88886666")


@pytest.fixture
def firm(app, session):
    return Side(app, make_organisation(name="长沙精工机械有限公司"), Role.MEMBER)


@pytest.fixture
def lab(app, owner):
    return Side(app, owner, Role.MANAGER)


@pytest.fixture
def reserved(instrument, firm):
    return service.reserve(instrument.id, slot(), caller=firm.caller)


@pytest.fixture
def page(reserved):
    return f"/reservations/{reserved.id}"


def has(shown, words):
    return words in re.sub(r"<[^>]+>", " ", shown.text)


def test_the_code_on_the_instrument_leads_to_the_own_reservation(reserved, instrument, firm, now):
    code = f"/instruments/{instrument.id}/check-in"
    assert has(firm.get(code), "您现在没有可以开始的预约")
    now.set(BEGINS)

    assert firm.get(code).headers["Location"] == f"/reservations/{reserved.id}/use"


def test_who_has_no_reservation_is_led_to_the_free_time(instrument, app, now):
    stranger = Side(app, make_organisation(), Role.MEMBER)
    shown = stranger.get(f"/instruments/{instrument.id}/check-in")

    assert has(shown, "您在这台仪器上没有预约")
    assert f'href="/instruments/{instrument.id}"' in shown.text


def test_the_code_asks_who_has_not_signed_in(instrument, client):
    answer = client.get(f"/instruments/{instrument.id}/check-in")

    assert answer.status_code == 401
    assert f'value="/instruments/{instrument.id}/check-in"' in answer.text


def test_one_screen_with_one_button(reserved, page, firm, now):
    early = firm.get(f"{page}/use")
    assert has(early, "11月25日 周三 09:45 起可以开始使用")
    assert has(early, "0731-88886666")
    now.set(BEGINS)
    begun = firm.post(f"{page}/check-in", f"{page}/use")
    assert has(begun, "已开始使用。")
    now.set(ENDS)
    ended = firm.post(f"{page}/check-out", f"{page}/use")

    assert has(ended, "使用已结束。机构核定用时后")
    assert "<form" not in ended.text.split("<main", 1)[1].split("</main>")[0]


def test_what_was_pressed_without_network_counts_from_then(reserved, page, firm, now):
    now.set(BEGINS)
    pressed = BEGINS.isoformat()
    shown = firm.get(f"{page}/use")
    assert "data-pressed-at" in shown.text
    now.set(ENDS - (ENDS - BEGINS) / 2)
    firm.post(f"{page}/check-in", f"{page}/use", at=pressed)

    use = queries.get_reservation(reserved.id, caller=firm.caller).use
    assert use.started_at == BEGINS


def test_a_second_press_says_what_stands(reserved, page, firm, now):
    now.set(BEGINS)
    shown = firm.get(f"{page}/use").text
    token = re.search(r'name="form_token"\s+value="([^"]+)"', shown)[1]
    service.check_in(reserved.id, caller=firm.caller)
    answer = firm.client.post(f"{page}/check-in", data={"form_token": token})

    assert answer.status_code == 409
    assert "结束使用" in answer.text


def use_it(reserved, firm, now):
    now.set(BEGINS)
    service.check_in(reserved.id, caller=firm.caller)
    now.set(ENDS)
    service.check_out(reserved.id, caller=firm.caller)


def test_the_whole_way_to_a_counted_saving(reserved, page, firm, lab, now):
    use_it(reserved, firm, now)
    asked = lab.get(page)
    assert has(asked, "按实际使用时间进位为 2 小时，应付 288.00 元")
    wrong = lab.post(f"{page}/confirm-usage", page, minutes="90", note="")
    assert wrong.status_code == 422
    assert 'value="90"' in wrong.text
    assert has(wrong, "请写明原因")
    confirmed = lab.post(f"{page}/confirm-usage", page, minutes="90", note="预热不计")
    assert has(confirmed, "已核定，并通知企业核对。")

    checked = firm.get(page)
    assert has(checked, "216.00")
    assert has(checked, "预热不计")
    assert has(firm.post(f"{page}/agree", page), "待机构结算")
    lost = lab.post(f"{page}/settle", page, settlement="paid", settled_on="2026-11-25")
    assert lost.status_code == 422
    assert has(lost, "请填写回单号")
    settled = lab.post(
        f"{page}/settle", page, settlement="paid", settled_on="2026-11-25", reference="回单 17"
    )
    assert has(settled, "已为企业节约")
    line = savings.find_line(("reservation", reserved.id))
    assert f'href="/savings/{line.id}"' in settled.text
    shown = firm.get(f"/savings/{line.id}")
    assert has(shown, "54.00 元")
    assert has(shown, "回单 17")
    assert has(shown, "180.00 元/小时")
    ledger = firm.get("/savings")
    assert has(ledger, "54.00 元")
    assert has(ledger, "次计入")


def test_an_objection_is_answered(reserved, page, firm, lab, now):
    use_it(reserved, firm, now)
    service.confirm_usage(reserved.id, caller=lab.caller)
    empty = firm.post(f"{page}/object", page, reason="")
    assert empty.status_code == 422
    assert has(empty, "请写明哪里不对。")
    assert has(firm.post(f"{page}/object", page, reason="少用半小时"), "异议待机构答复")
    asked = lab.get(page)
    assert has(asked, "企业有异议，待您答复")
    assert has(asked, "少用半小时")
    lab.post(f"{page}/confirm-usage", page, minutes="90", note="已核对")

    assert has(firm.get(page), "待您核对费用")


def test_a_no_show_is_recorded(reserved, page, firm, lab, now):
    now.set(BEGINS)
    assert f'action="{page}/no-show"' not in lab.get(page).text
    now.set(ENDS)
    assert f'action="{page}/no-show"' not in firm.get(page).text
    shown = lab.post(f"{page}/no-show", page, note="电话无人接听")

    assert has(shown, "爽约")
    assert has(shown, "不计费用")
    found = queries.get_reservation(reserved.id, caller=firm.caller)
    assert found.status is ReservationStatus.NO_SHOW


def test_the_label_is_the_owners(instrument, firm, lab):
    label = f"/institution/instruments/{instrument.id}/label"

    assert f"/instruments/{instrument.id}/check-in" in lab.get(label).text
    assert firm.get(label).status_code == 404


def test_an_empty_ledger_says_what_counts_and_when(firm):
    shown = firm.get("/savings")

    assert has(shown, "这一年还没有计入的节约")
    assert has(firm.get("/savings?year=2025"), "2025 年")
    for nonsense in ("1", "99999", "x", "2035"):
        assert has(firm.get(f"/savings?year={nonsense}"), "2026 年")
    assert firm.get("/savings?cursor=!!").status_code == 200
    assert firm.get("/savings/9").status_code == 404


def test_the_list_shows_what_is_due_for_the_use_and_nothing_where_nobody_came(
    reserved, instrument, firm, lab, now
):
    missed = service.reserve(instrument.id, slot(ENDS), caller=firm.caller)
    use_it(reserved, firm, now)
    service.confirm_usage(reserved.id, caller=lab.caller, minutes=90, note="预热不计")
    now.set(ENDS + (ENDS - BEGINS))
    service.no_show(missed.id, caller=lab.caller)

    shown = firm.get("/reservations?view=all")

    assert has(shown, "216.00")
    assert has(shown, "54.00")
    assert not has(shown, "288.00")


def test_what_is_passed_on_stands_in_the_answer_to_an_objection(reserved, page, firm, lab, now):
    use_it(reserved, firm, now)
    charge = PassedOn(PassThrough.CONSUMABLES, 20000)
    service.confirm_usage(reserved.id, caller=lab.caller, passed_on=[charge], note="标样")
    firm.post(f"{page}/object", page, reason="少用半小时")

    shown = lab.get(page).text

    assert re.search(r'name="consumables"\s+value="200.00"', shown)
    assert re.search(r'name="rush"\s+value=""', shown)
