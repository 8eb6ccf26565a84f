"""From the front page to a booked slot: a phone's taps, the keyboard alone, and without script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    DESKTOP,
    PHONE,
    flaws,
    log_in,
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

    page.get_by_role("combobox").tap()
    page.keyboard.type("dzwn")
    page.get_by_role("option", name=re.compile("电子万能试验机")).first.tap()
    page.locator(".starts a").last.tap()
    page.get_by_role("link", name="核对并预约").tap()
    page.get_by_role("dialog").get_by_role("button", name="确认预约").tap()

    page.wait_for_url(re.compile(r"/reservations/\d+/made"))
    expect(page.get_by_role("status")).to_contain_text("预约成功")


def test_suggestions_are_chosen_with_the_arrows_and_left_with_escape(visit, width, language):
    page = visit(width, language)
    page.goto("/")
    field = page.locator("#q")
    field.focus()
    page.keyboard.type("dzwn")
    expect(page.get_by_role("option").first).to_be_visible()

    assert flaws(page) == {}
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "q-option-1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_value("dzwn")
    page.keyboard.press("End")
    page.keyboard.type("s")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instruments\?q="))


def test_nothing_lies_over_a_day_that_can_be_chosen(firm):
    firm.goto("/instruments/1?minutes=120&view=list")
    days = [chip.bounding_box() for chip in firm.locator(".day-chip").all()]
    steps = [link.bounding_box() for link in firm.locator(".week-links a").all()]

    assert len(days) == 7
    assert steps
    assert not [(day, step) for day in days for step in steps if overlap(day, step)]


def overlap(one, other):
    across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
    down = one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]
    return across and down


def test_the_sheet_holds_what_was_typed_and_gives_it_back(visit, language):
    page = visit(PHONE, language)
    log_in(page)
    page.goto("/instruments/1?minutes=120")
    opener = page.locator(".bottom-bar a")
    opener.tap()
    sheet = page.get_by_role("dialog")
    sheet.locator("#purpose").fill("原材料拉伸试验")

    assert flaws(page) == {}
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    expect(page.locator("#confirm #purpose")).to_have_value("原材料拉伸试验")


def test_a_click_in_the_week_chooses_a_slot_and_asks_for_its_price(visit):
    page = visit(DESKTOP)
    log_in(page)
    page.goto("/instruments/1?minutes=60")
    page.locator("#purpose").fill("来料检验")
    before = page.locator("form[method=post] input[name=start]").input_value()
    last_free = page.locator(".slot-calendar .ec-bg-event.free").last
    box = last_free.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 2)

    expect(page.locator("form[method=post] input[name=start]")).not_to_have_value(before)
    expect(page.locator(".slot-calendar .sel")).to_contain_text("144.00")
    expect(page.locator("#purpose")).to_have_value("来料检验")
    page.get_by_role("button", name="确认预约").click()
    page.wait_for_url(re.compile(r"/reservations/\d+/made"))


def test_a_click_outside_the_free_time_says_why_nothing_happens(visit):
    page = visit(DESKTOP)
    page.goto("/instruments/1?minutes=60")
    page.locator(".calendar-foot").scroll_into_view_if_needed()
    day = page.locator(".slot-calendar .ec-body .ec-day").last.bounding_box()
    page.mouse.click(day["x"] + 10, day["y"] + day["height"] - 3)

    expect(page.locator("[data-calendar-said]")).to_contain_text("在绿色的时间里选")


def test_the_list_is_a_press_away_from_the_week_for_the_keyboard(visit):
    page = visit(DESKTOP)
    log_in(page)
    page.goto("/instruments/2?minutes=120")
    page.get_by_role("link", name="列表选择").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("view=list"))
    chosen = page.locator("form[method=post] input[name=start]")
    before = chosen.input_value()
    start = page.locator(".start input:checked")
    start.focus()
    page.keyboard.press("ArrowRight")

    expect(chosen).not_to_have_value(before)
    expect(page.locator(".start input:checked")).to_be_focused()
    page.get_by_role("button", name="确认预约").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/reservations/\d+/made"))


def test_the_week_opens_on_a_phone_too(visit, language):
    page = visit(PHONE, language)
    page.goto("/instruments/1?view=week")

    expect(page.locator(".slot-calendar .ec-bg-event.free").first).to_be_visible()
    assert flaws(page) == {}


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
    page.goto("/instruments/1?minutes=120&view=list")
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


def test_who_logs_in_from_the_sheet_finds_it_open_again(visit):
    page = visit(PHONE)
    page.goto("/instruments/1?minutes=120")
    page.get_by_role("link", name="核对并预约").tap()
    sheet = page.get_by_role("dialog")
    sheet.locator("#purpose").fill("原材料拉伸试验")
    sheet.get_by_role("button", name="登录后预约").tap()
    page.locator("button.choice-card").first.tap()

    expect(page.get_by_role("dialog").locator("#purpose")).to_have_value("原材料拉伸试验")
    page.get_by_role("dialog").get_by_role("button", name="确认预约").tap()
    page.wait_for_url(re.compile(r"/reservations/\d+/made"))


def test_a_booking_is_cancelled_and_said_so(firm):
    firm.goto("/reservations")
    firm.get_by_role("link", name="查看预约").click()
    firm.get_by_role("link", name="取消预约").click()
    firm.get_by_role("button", name="取消预约").click()

    expect(firm.get_by_role("status").or_(firm.get_by_role("alert")).first).to_be_visible()
