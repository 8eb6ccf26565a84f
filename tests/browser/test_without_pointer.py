"""From search to booked, moved and cancelled without a pointer; and without any script."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, focused, log_in

MADE = re.compile(r"/reservations/\d+/made$")
MOST_TABS, MOST_TAPS = 8, 5
SEEN = """() => {
  const e = document.activeElement;
  if (e === document.body) return '';
  const field = e.closest('.field-grid > *, .search-box');
  const label = e.nextElementSibling?.matches('label') ? e.nextElementSibling : null;
  return [e, field, label].filter(Boolean).some(each => {
    const s = getComputedStyle(each);
    return parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none';
  }) ? '' : e.outerHTML.slice(0, 120);
}"""


class Keys:
    """Somebody at a keyboard, who counts and always sees where they are."""

    def __init__(self, page):
        self.page = page
        self.tabs = 0

    def tab_to(self, place, most=30):
        """Press Tab until the focus is there."""
        self.page.wait_for_load_state()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            self.tabs += 1
            assert self.page.evaluate(SEEN) == ""
            if place.evaluate("e => e === document.activeElement"):
                return
        raise AssertionError(f"not reached: {place}; at {focused(self.page)}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def keys(visit):
    page = visit(DESKTOP)
    log_in(page)
    return Keys(page)


def test_from_the_front_page_to_booked_by_keyboard_alone(keys):
    page = keys.page
    page.goto("/")
    keys.tab_to(page.locator(".skip").first, most=1)
    keys.press("Enter")
    keys.tab_to(page.get_by_role("combobox"), most=1)
    page.keyboard.type("dzwn")
    expect(page.get_by_role("option").first).to_be_visible()
    keys.press("ArrowDown", "Enter")
    page.wait_for_url(re.compile(r"/instruments\?"))
    keys.tab_to(page.locator(".starts a").first, most=60)
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/instruments/\d+\?.*start="))

    keys.tabs = 0
    keys.tab_to(page.locator(".skip", has_text="跳到预约"), most=2)
    keys.press("Enter")
    keys.tab_to(page.locator("#pick-start"))
    before = page.locator("#pick-start").input_value()
    keys.press("ArrowDown")
    expect(page.locator("form[method=post] input[name=start]")).not_to_have_value(before)
    expect(page.locator("#pick-start")).to_be_focused()
    keys.tab_to(page.locator("#purpose"))
    page.keyboard.type("键盘预约")
    keys.press("Enter")
    page.wait_for_url(MADE)
    assert keys.tabs <= MOST_TABS


def test_a_list_of_slots_is_gone_through_with_the_arrows(keys):
    page = keys.page
    page.goto("/instruments/2?minutes=120&view=list")
    keys.tab_to(page.locator(".length input:checked, input[name=minutes]:checked").first)
    keys.press("ArrowLeft")
    expect(page.locator("#minutes-60")).to_be_checked()
    page.wait_for_url("**minutes=60**")
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    expect(page.locator("#minutes-60")).to_be_focused()
    keys.tab_to(page.locator(".start input:checked"))
    before = page.locator("form[method=post] input[name=start]").input_value()
    keys.press("ArrowRight")

    expect(page.locator("form[method=post] input[name=start]")).not_to_have_value(before)


def test_a_booking_is_moved_and_cancelled_by_keyboard_alone(keys):
    page = keys.page
    page.goto("/instruments/3?minutes=60")
    page.locator("#purpose").focus()
    keys.press("Enter")
    page.wait_for_url(MADE)
    keys.tab_to(page.get_by_role("link", name="查看预约"))
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/reservations/\d+$"))
    keys.tab_to(page.get_by_role("link", name="改期"))
    keys.press("Enter")
    page.wait_for_url("**/move")
    keys.tab_to(page.locator(".start input").first)
    keys.press("Space", "ArrowRight")
    keys.tab_to(page.get_by_role("button", name="确认改期"), most=200)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("已改期")

    keys.tab_to(page.get_by_role("link", name="取消预约"))
    keys.press("Enter")
    page.wait_for_url("**/cancel")
    keys.tab_to(page.get_by_role("button", name="取消预约"))
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("预约已取消")


def test_single_keys_search_and_go_through_the_days_board_until_switched_off(visit):
    page = visit(DESKTOP)
    page.goto("/instruments")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("1/2")
    expect(page.locator("#q")).to_have_value("1/2")
    log_in(page, "lab@demo.example")
    page.goto("/institution/today")
    page.get_by_text("列表：每台仪器的安排").click()
    rows = page.locator("[data-steps] th a")

    page.locator(".arrivals .what a").last.focus()
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.first).to_be_focused()

    page.goto("/shortcuts")
    page.locator("#shortcuts-off").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status").first).to_contain_text("快捷键已关闭")
    page.goto("/instruments")
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()


def test_from_the_front_page_to_booked_in_few_taps(visit):
    page = visit(PHONE)
    log_in(page)
    page.goto("/")
    taps = []
    page.expose_function("tapped", lambda: taps.append(1))
    page.context.add_init_script("addEventListener('click', e => e.isTrusted && tapped(), true)")
    page.reload()

    page.get_by_role("combobox").tap()
    page.keyboard.type("dzwn")
    page.get_by_role("option").first.tap()
    page.locator(".starts a").last.tap()
    page.get_by_role("link", name="核对并预约").tap()
    page.get_by_role("dialog").get_by_role("button", name="确认预约").tap()

    page.wait_for_url(MADE)
    expect(page.get_by_role("heading", level=1)).to_have_text("预约成功")
    assert 0 < len(taps) <= MOST_TAPS


def test_without_script_found_booked_moved_and_cancelled(visit, width):
    page = visit(width, script=False)
    log_in(page)
    page.goto("/")
    page.locator("#q").fill("光谱")
    page.locator(".search-box button[type=submit]").click()
    page.locator(".starts a").last.click()
    # Far enough ahead that it may still be moved, at whatever hour this runs.
    page.goto(re.sub(r"start=(\d{4}-\d\d-\d\d)", _a_week_later, page.url))
    page.locator("#purpose").fill("无脚本")
    page.get_by_role("button", name="确认预约").click()
    page.wait_for_url(MADE)

    page.get_by_role("link", name="查看预约").click()
    page.get_by_role("link", name="改期").click()
    page.locator(".start input").last.check()
    page.get_by_role("button", name="确认改期").click()
    expect(page.get_by_role("status").first).to_contain_text("已改期")
    page.get_by_role("link", name="取消预约").click()
    page.get_by_role("button", name="取消预约").click()
    expect(page.get_by_role("status").first).to_contain_text("预约已取消")


def _a_week_later(found: re.Match[str]) -> str:
    return f"start={date.fromisoformat(found[1]) + timedelta(days=7)}"


@pytest.mark.parametrize(
    "slot",
    [
        "start=yesterday&minutes=120",
        "start=2026-13-45T99:99&minutes=60",
        "start=1999-01-01T08:00&minutes=60",
        "start=9999-12-31T23:59&minutes=999999",
        "start=&minutes=-5&from=never",
        "start=2026-11-25T03:07&minutes=7",
    ],
)
def test_an_address_with_a_nonsense_slot_shows_what_can_be_booked(visit, slot):
    page = visit(PHONE)
    log_in(page)
    page.goto(f"/instruments/2?{slot}")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name=re.compile("核对并预约|无法预约")).tap()
    button = page.get_by_role("dialog").locator(".btn-primary[type=submit]")
    # Either a time that can be booked, or why this one cannot.
    expect(button).to_have_text(re.compile("确认预约|无法预约：[1-9]"))
