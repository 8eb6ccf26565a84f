"""What goes wrong between looking and booking: what the person reads, and that nothing is lost."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from booking.accounts.rules import Role
from booking.kernel.db import db, transaction
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument, Publication
from booking.reservations import service
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, flaws, log_in

MADE = re.compile(r"/reservations/\d+/made$")
PURPOSE = "原材料拉伸试验"
# Requests that were made to fail are no fault of the page.
NETWORK = r"^failed: |ERR_|htmx:"


@pytest.fixture
def instrument(program):
    """An instrument of this test's own, which nobody finds afterwards."""
    with program.app_context(), transaction():
        made = factories.make_instrument(name="疲劳试验机", region_code="430100")
    yield made.id
    with program.app_context(), transaction():
        gone = update(Instrument).where(Instrument.id == made.id)
        db.session.execute(gone.values(publication=Publication.WITHDRAWN))


@pytest.fixture
def look(visit, instrument):
    """A function that opens a slot of it as the firm, the purpose typed, ready to confirm."""

    def opened(width=DESKTOP, language="zh-CN", **given):
        page = visit(width, language, **given)
        log_in(page)
        page.goto(f"/instruments/{instrument}?minutes=120")
        if width == PHONE and given.get("script", True):
            page.locator(".bottom-bar a").tap()
        page.locator("#purpose").fill(PURPOSE)
        return page

    return opened


def confirm(page):
    page.locator("form[action$='/reserve'] .btn-primary[type=submit]").click()


def chosen(page):
    """The start that the page would book."""
    return page.locator("form[action$='/reserve'] input[name=start]").input_value()


def taken_by_another(program, instrument, start):
    """Somebody else takes the two hours."""
    at = datetime.fromisoformat(f"{start}+08:00")
    with program.app_context(), transaction():
        other = factories.make_caller(factories.make_organisation(), Role.MEMBER)
        service.reserve(instrument, TimeSlot(at, at + timedelta(hours=2)), caller=other)


def test_a_slot_taken_meanwhile_is_said_with_what_is_free_and_one_press_takes_that(
    look, program, instrument, width
):
    page = look(width)
    before = chosen(page)
    taken_by_another(program, instrument, before)
    confirm(page)

    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("这个时段刚被约走。")
    expect(alert).to_contain_text("最近的空档")
    page.wait_for_function("'errorSummary' in document.activeElement.dataset")
    expect(page.locator("#purpose")).to_have_value(PURPOSE)
    assert flaws(page) == {}
    alert.get_by_role("link").first.click()
    page.wait_for_url(re.compile("start="))
    assert chosen(page) != before
    expect(page.locator("#purpose")).to_have_value(PURPOSE)


def test_a_session_that_ended_on_the_sheet_comes_back_to_the_same_slot(look, width):
    page = look(width)
    before = chosen(page)
    page.context.clear_cookies(name="booking_session")
    confirm(page)

    page.wait_for_url(re.compile("/log-in"))
    page.locator("button.choice-card").first.click()
    page.wait_for_url(re.compile(r"/instruments/\d+\?"))
    assert chosen(page) == before
    expect(page.locator("#purpose")).to_have_value(PURPOSE)


@pytest.mark.parametrize("script", [True, False])
def test_a_form_whose_session_ended_is_sent_once_signed_in_and_confirmed(visit, script):
    page = visit(PHONE, script=script)
    log_in(page, "lab@demo.example")
    page.goto("/institution/instruments/2/hours")
    page.get_by_label("周六").fill("09:00-12:00")
    page.context.clear_cookies(name="booking_session")
    page.get_by_role("button", name="保存开放时间").click()

    expect(page.get_by_text("登录已失效，刚才的操作还没有提交。")).to_be_visible()
    assert not script or flaws(page) == {}
    page.get_by_role("button", name=re.compile("lab@demo.example")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("刚才的操作还没有提交")
    assert not script or flaws(page) == {}
    page.get_by_role("button", name="保存开放时间").click()
    expect(page.get_by_role("status").first).to_contain_text("已保存")
    expect(page.get_by_label("周六")).to_have_value("09:00-12:00")


def test_a_double_tap_books_once(look):
    page = look(PHONE)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.locator("form[action$='/reserve'] .btn-primary[type=submit]").dblclick()
    page.wait_for_url(MADE)

    assert sent.count("POST") == 1


def test_going_back_and_confirming_again_or_reloading_leads_to_the_same_booking(look, width):
    page = look(width)
    confirm(page)
    page.wait_for_url(MADE)
    made = page.url
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("预约成功")

    page.go_back()
    if width == PHONE and not page.get_by_role("dialog").is_visible():
        page.locator(".bottom-bar a").tap()
    confirm(page)
    page.wait_for_url(MADE)
    assert page.url == made


def test_withdrawn_between_look_and_confirm_it_says_so_and_offers_equal_ones(
    look, program, instrument, language
):
    page = look(DESKTOP, language)
    with program.app_context(), transaction():
        gone = update(Instrument).where(Instrument.id == instrument)
        db.session.execute(
            gone.values(publication=Publication.WITHDRAWN, published_at=Instrument.created_at)
        )
    confirm(page)

    said = re.compile("刚才的时段没有预约成功|was not booked")
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.locator("main a[href*='purpose=']").first).to_be_visible()
    assert flaws(page) == {}


def test_a_form_without_its_token_is_shown_again_with_everything(look, width):
    page = look(width)
    before = chosen(page)
    page.locator("form[action$='/reserve'] input[name=form_token]").evaluate("e => e.value = ''")
    confirm(page)

    expect(page.get_by_role("alert").first).to_contain_text("已填内容还在，请再提交一次。")
    expect(page.locator("#purpose")).to_have_value(PURPOSE)
    assert chosen(page) == before
    if width == PHONE:
        page.locator(".bottom-bar a").tap()
    confirm(page)
    page.wait_for_url(MADE)


def test_a_press_without_its_token_leads_back(visit):
    page = visit()
    log_in(page)
    page.goto("/account")
    page.locator("form[action$='/language'] input[name=form_token]").evaluate("e => e.remove()")
    page.locator("form[action$='/language'] button").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("没有执行")
    page.get_by_role("link", name="返回刚才的页面").click()
    page.wait_for_url("**/account")


def test_refused_cookies_are_named_with_the_way_out(visit, width):
    page = visit(width)
    page.route("**/*", without_cookies)
    page.goto("/instruments/1?minutes=120")
    if width == PHONE:
        page.locator(".bottom-bar a").tap()
    page.locator("#purpose").fill(PURPOSE)
    confirm(page)
    page.wait_for_url(re.compile("/log-in"))
    page.locator("button.choice-card").first.click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("浏览器没有保存本站的 Cookie，无法登录和提交。")
    expect(alert).to_contain_text("请在浏览器设置中允许后再试。")
    assert "purpose" in page.locator("input[name=next]").first.input_value()
    page.unroute_all(behavior="ignoreErrors")


def without_cookies(route):
    """Answer as a browser that keeps none."""
    headers = {k: v for k, v in route.request.headers.items() if k != "cookie"}
    answer = route.fetch(headers=headers, max_redirects=0)
    route.request.frame.page.context.clear_cookies()  # fetching kept them
    kept = {k: v for k, v in answer.headers.items() if k != "set-cookie"}
    route.fulfill(response=answer, headers=kept)


class TestNetwork:
    def test_lost_nothing_is_sent_and_everything_stays(self, look, width):
        page = look(width, expects=NETWORK)
        page.context.set_offline(True)
        confirm(page)

        expect(page.locator("[data-offline]")).to_have_text("网络已断开，已填内容保留在此页。")
        expect(page.get_by_role("alert")).to_contain_text("没有提交。已填内容还在")
        expect(page.locator("#purpose")).to_have_value(PURPOSE)
        assert flaws(page) == {}
        page.context.set_offline(False)
        expect(page.locator("[data-offline]")).to_be_hidden()
        confirm(page)
        page.wait_for_url(MADE)

    def test_lost_while_choosing_the_page_says_it_is_as_it_was(self, look):
        page = look(PHONE, expects=NETWORK)
        page.keyboard.press("Escape")
        page.context.set_offline(True)
        page.locator("#minutes-60").check()

        line = page.get_by_role("alert")
        expect(line).to_contain_text("没有更新：网络没有应答。已填内容还在。")
        expect(page.locator(".bottom-bar")).to_contain_text("288.00")
        page.context.set_offline(False)
        line.get_by_role("button", name="再试一次").tap()
        expect(page.locator(".bottom-bar")).to_contain_text("144.00")
        expect(page.locator("#purpose")).to_have_value(PURPOSE)
        page.context.set_offline(True)
        expect(page.locator("[data-offline]")).to_be_visible()  # on the new page too

    def test_lost_on_the_way_the_way_back_leads_to_what_was_typed(self, look):
        page = look(expects=NETWORK)
        before = chosen(page)
        page.route("**/reserve", lambda route: route.abort())
        confirm(page)
        page.wait_for_url(re.compile("chrome-error|reserve"))
        page.go_back()

        expect(page.locator("#purpose")).to_have_value(PURPOSE)
        assert chosen(page) == before
        page.unroute("**/reserve")
        confirm(page)
        page.wait_for_url(MADE)

    def test_a_failing_answer_names_its_number(self, look):
        page = look(expects=NETWORK + "|Status Error Code 503|Failed to load")
        failing = {"status": 503, "headers": {"X-Request-Id": "7f3a7f3a"}, "body": ""}
        page.route(re.compile("minutes=60"), lambda route: route.fulfill(**failing))
        page.get_by_role("link", name="列表选择").click()
        page.wait_for_url(re.compile("view=list"))
        page.locator("#minutes-60").check()

        said = "没有更新。已填内容还在，请再试一次。（编号 7f3a7f3a）"
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.locator("#purpose")).to_have_value(PURPOSE)

    def test_slow_it_is_said_after_eight_seconds_and_can_be_let_go(self, look, width):
        page = look(width)
        page.clock.install()
        # The driver waits for a page that is under way: this form only seems to be.
        page.evaluate(
            "() => { document.addEventListener('submit', e => e.preventDefault(), {once: true});"
            " window.stop = () => { window.stopped = true } }"
        )
        confirm(page)
        expect(page.locator("form [aria-busy=true]")).to_have_text("确认预约")
        page.clock.run_for(7000)
        expect(page.locator(".notice-line")).to_have_count(0)
        page.clock.run_for(1100)

        expect(page.get_by_text("比平时慢，仍在处理。")).to_be_visible()
        page.get_by_role("button", name="停止等待").click()
        page.clock.run_for(100)
        expect(page.get_by_text("可能已经提交，再按一次不会重复。")).to_be_visible()
        assert page.evaluate("window.stopped")
        expect(page.locator("#purpose")).to_have_value(PURPOSE)
        confirm(page)
        page.wait_for_url(MADE)

    def test_a_slow_choice_is_said_too(self, look):
        page = look(expects=NETWORK)
        page.goto(f"{page.url}&view=list")
        page.clock.install()
        page.route(re.compile("minutes=60"), lambda route: None)
        page.locator("#minutes-60").check()
        page.clock.run_for(8100)

        expect(page.get_by_text("比平时慢，仍在处理。")).to_be_visible()
        page.get_by_role("button", name="停止等待").click()
        page.clock.run_for(100)
        expect(page.get_by_text("已停止等待，页面没有更新。")).to_be_visible()
        page.unroute(re.compile("minutes=60"))
        page.get_by_role("button", name="再试一次").click()
        expect(page.locator(".due dd")).to_contain_text("144.00")
