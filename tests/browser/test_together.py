"""Booking several at once and a series, as people do: gather, look, skip or shift, confirm."""

import re

from tests.browser.conftest import NARROWEST, flaws, log_in, scrolls_sideways


def ready(page):
    """No fault that tools find, and nothing beside the window, even a narrow one."""
    assert flaws(page) == {}
    wide = page.viewport_size
    page.set_viewport_size({"width": NARROWEST, "height": 800})
    assert not scrolls_sideways(page)
    page.set_viewport_size(wide)


def test_two_instruments_are_confirmed_at_once(visit, width, tmp_path):
    page = visit(width, script=False)
    log_in(page)
    for number in (2, 3):
        page.goto(f"/instruments/{number}?minutes=120&assisted=1")
        page.get_by_role("button", name="加入清单").click()
    page.screenshot(path=tmp_path / "basket.png", full_page=True)
    assert page.get_by_role("heading", name="共 2 项").count() == 1

    page.get_by_role("button", name="移除第 2 项").click()
    page.get_by_role("button", name="确认全部").click()

    assert re.search(r"/reservations/groups/\d+$", page.url)
    page.screenshot(path=tmp_path / "group.png", full_page=True)


def test_a_series_is_looked_at_and_confirmed(visit, width, tmp_path):
    page = visit(width)
    log_in(page)
    page.goto("/instruments/4?minutes=120&assisted=1")
    page.screenshot(path=tmp_path / "panel.png", full_page=True)
    page.goto(page.locator("a[href*='/series?']").first.get_attribute("href"))
    page.get_by_label("共几次").fill("9")
    page.get_by_role("button", name="查看各次时间").click()
    page.get_by_role("heading", name="共 9 次").wait_for()
    ready(page)
    page.screenshot(path=tmp_path / "series.png", full_page=True)

    page.get_by_role("button", name="确认全部").click()
    page.locator("main a[href^='/reservations/']").nth(1).click()

    page.get_by_role("link", name="取消预约").click()
    assert page.get_by_text("这一个和以后的").count() == 1
    page.screenshot(path=tmp_path / "cancel.png", full_page=True)
    ready(page)
    page.goto("/reservations/basket")
    ready(page)
