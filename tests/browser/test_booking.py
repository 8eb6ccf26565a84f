"""From the front page to a booked slot: a phone's taps, the keyboard alone, and without script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    DESKTOP,
    NARROWEST,
    PHONE,
    flaws,
    log_in,
    scrolls_sideways,
)


@pytest.fixture
def firm(visit, width):
    page = visit(width)
    log_in(page)
    return page


def test_a_slot_is_booked_in_few_taps(visit):
    page = visit(PHONE)
    log_in(page)
    page.goto("/")

    page.get_by_role("searchbox").tap()
    page.keyboard.type("dzwn")
    page.keyboard.press("Enter")
    page.locator(".starts a").last.tap()
    page.get_by_role("link", name="核对并预约").tap()
    page.get_by_role("button", name="确认预约").tap()

    page.wait_for_url(re.compile(r"/reservations/\d+/made"))
    expect(page.get_by_role("status")).to_contain_text("预约成功")


def test_without_script_the_same_slot_can_be_chosen_and_booked(visit, width):
    page = visit(width, script=False)
    log_in(page)
    page.goto("/instruments?region=4302")
    page.get_by_role("link", name=re.compile("^(选时段|电子)")).first.click()

    page.locator("#minutes-60").check()
    page.get_by_role("button", name="更新可约时间").click()
    page.locator(".start input").last.check()
    page.get_by_role("button", name="选这个时间").click()
    page.locator("#purpose").fill("无脚本预约")
    page.get_by_role("button", name="确认预约").click()

    page.wait_for_url(re.compile(r"/reservations/\d+/made"))
    expect(page.get_by_text("无脚本预约")).to_be_visible()


def test_choosing_a_length_or_start_asks_for_the_price_anew_wherever_it_stands(visit, width):
    page = visit(width)
    page.goto("/instruments/1?minutes=120")
    page.locator("#minutes-60").check()

    expect(page.locator(".price-panel .due dd")).to_contain_text("144.00")
    expect(page.locator(".bottom-bar")).to_contain_text("144.00")
    page.locator(".start input").last.check()
    chosen = page.locator(".start label").last.inner_text()
    expect(page.locator(".price-panel .field-grid")).to_contain_text(chosen)
    expect(page.locator(".bottom-bar .hint")).to_contain_text(chosen)


def test_a_slot_is_booked_by_keyboard_alone(visit):
    page = visit(DESKTOP)
    log_in(page)
    page.goto("/instruments/2")
    page.locator("#purpose").focus()
    page.keyboard.type("键盘预约")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/reservations/\d+/made"))


def test_who_is_not_signed_in_comes_back_to_the_slot_with_the_purpose(visit, width):
    page = visit(width)
    page.goto("/instruments/1?minutes=120")
    start = page.locator("form[method=post] input[name=start]").input_value()
    page.locator("#purpose").fill("原材料拉伸试验")
    page.get_by_role("button", name="登录后预约").click()
    page.locator("button.choice-card").first.click()

    page.wait_for_url(re.compile(r"/instruments/1\?"))
    expect(page.locator("#purpose")).to_have_value("原材料拉伸试验")
    assert page.locator("form[method=post] input[name=start]").input_value() == start


def test_a_booking_is_cancelled_and_said_so(firm):
    firm.goto("/reservations")
    firm.get_by_role("link", name="查看预约").click()
    firm.get_by_role("link", name="取消预约").click()
    firm.get_by_role("button", name="取消预约").click()

    expect(firm.get_by_role("status").or_(firm.get_by_role("alert")).first).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/instruments", "/instruments?q=zzzz", "/instruments/1", "/reservations"]
)
def test_pages_have_no_flaw_and_never_scroll_sideways(visit, width, language, path):
    page = visit(width, language)
    if path == "/reservations":
        log_in(page)
    page.goto(path)

    assert flaws(page) == {}
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert not scrolls_sideways(page)
