"""Packages and prepaid hours in a real browser: without flaw, and booking with what was bought."""

import os
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROWEST, NOW, flaws, log_in, scrolls_sideways

LAB, FIRM = "lab@demo.example", "firm@demo.example"
PAGES = [
    (LAB, "/institution/packages"),
    (LAB, "/institution/packages/new"),
    (FIRM, "/prepaid"),
    (FIRM, "/prepaid/1"),
    (LAB, "/prepaid/1"),
]


def _shoot(page, name):
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_pages_have_no_flaw_and_never_scroll_sideways(visit, width, language, who, path):
    page = visit(width, language)
    log_in(page, who)
    page.goto(path)

    _shoot(page, f"{who[:3]}{path.replace('/', '-')}-{width}-{language}")
    assert flaws(page) == {}
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert not scrolls_sideways(page)


def test_a_firm_books_with_the_hours_it_bought_and_gives_them_back(visit, width):
    page = visit(width)
    log_in(page, FIRM)
    page.goto("/prepaid/1")
    before = page.get_by_role("heading", level=1).inner_text()
    friday = (NOW + timedelta(days=4)).date()  # while it can still be given back
    page.goto(f"/instruments/1?minutes=60&day={friday}")
    chosen = page.locator("input[name=prepaid][type=radio]:not([value='0'])").first
    chosen.check()
    expect(page.locator("#confirm")).to_contain_text("还需支付")
    page.wait_for_url(re.compile("prepaid=1"))
    _shoot(page, f"panel-{width}")
    assert flaws(page) == {}

    page.get_by_role("button", name="确认预约").click()
    page.wait_for_url(re.compile(r"/made|/reservations/"))
    number = re.search(r"/reservations/(\d+)", page.url)[1]
    page.goto(f"/reservations/{number}")
    expect(page.get_by_text("查看预付机时")).to_be_visible()
    _shoot(page, f"reservation-{width}")
    assert flaws(page) == {}
    page.goto("/prepaid/1")
    assert page.get_by_role("heading", level=1).inner_text() != before
    expect(page.get_by_role("link", name=f"R-{int(number):06d}")).to_be_visible()

    page.goto(f"/reservations/{number}/cancel")
    page.get_by_role("button", name="取消预约").click()
    page.goto("/prepaid/1")
    expect(page.get_by_role("heading", level=1)).to_have_text(before)


def test_what_cannot_be_published_is_said_with_the_focus(visit, width):
    page = visit(width)
    log_in(page, LAB)
    page.goto("/institution/packages/new")
    page.get_by_label("名称").fill("太贵的包")
    page.get_by_label("小时数").fill("10")
    page.get_by_label("总价（元）").fill("99990")
    page.get_by_role("button", name="公布", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("高于")
    page.wait_for_function("'errorSummary' in document.activeElement.dataset")
    expect(page.get_by_label("名称")).to_have_value("太贵的包")
    assert flaws(page) == {}
