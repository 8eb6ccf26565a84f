"""An institution's own pages in a real browser: its list, opening hours and closures."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NOW, flaws, focused, log_in

HOME = "/institution/instruments"
LAB = "lab@demo.example"


@pytest.fixture
def lab(visit, width):
    page = visit(width)
    log_in(page, LAB)
    return page


def test_hours_that_cannot_be_are_shown_with_the_focus_and_without_flaw(lab):
    lab.goto(f"{HOME}/1/hours")
    lab.get_by_label("周三").fill("八点")
    lab.get_by_role("button", name="保存开放时间").click()

    expect(lab.get_by_role("alert")).to_contain_text("没有看懂“八点”")
    expect(lab).to_have_title("错误：开放时间 · 仪器共享")
    expect(lab.locator("[data-error-summary]")).to_be_focused()
    expect(lab.get_by_label("周三")).to_have_value("八点")
    assert flaws(lab) == {}
    lab.get_by_role("alert").get_by_role("link").click()
    assert focused(lab) == "f-wednesday"


def test_a_closure_is_made_and_lifted_without_script(visit, width):
    page = visit(width, script=False)
    log_in(page, LAB)
    page.goto(f"{HOME}/1/closures")
    # Each width on a night of its own, when nobody has booked.
    begins = (NOW + timedelta(days=30 + width % 7)).replace(hour=23, minute=0)
    page.get_by_label("停用原因").select_option("calibration")
    page.get_by_label("开始").fill(f"{begins:%Y-%m-%dT%H:%M}")
    page.get_by_label("结束").fill(f"{begins + timedelta(minutes=30):%Y-%m-%dT%H:%M}")
    page.get_by_label("说明").fill("夜间校准")
    page.get_by_role("button", name="停用", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("已停用")
    row = page.get_by_role("listitem").filter(has_text="夜间校准")
    row.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("已解除停用")
    expect(page.get_by_text("夜间校准")).to_have_count(0)


def test_a_closure_over_reservations_names_them_without_flaw(lab):
    lab.goto(f"{HOME}/1/closures")
    lab.get_by_label("开始").fill(f"{NOW - timedelta(days=20):%Y-%m-%dT%H:%M}")
    lab.get_by_label("结束").fill(f"{NOW + timedelta(days=40):%Y-%m-%dT%H:%M}")
    lab.get_by_label("说明").fill("大修")
    lab.get_by_role("button", name="停用", exact=True).click()

    expect(lab.get_by_role("alert")).to_contain_text("个预约")
    expect(lab.get_by_role("checkbox").first).to_be_visible()
    expect(lab.get_by_label("说明")).to_have_value("大修")
    assert flaws(lab) == {}


def test_withdrawing_and_publishing_leave_from_the_list(lab):
    lab.goto(HOME)
    first = lab.get_by_role("button", name="撤回：").last
    name = first.get_attribute("aria-label").removeprefix("撤回：")
    first.click()

    expect(lab.get_by_role("status")).to_contain_text(f"“{name}”已撤回")
    lab.get_by_role("button", name=f"发布：{name}").first.click()
    expect(lab.get_by_role("status")).to_contain_text(f"“{name}”已发布")


def test_the_day_is_brought_up_to_date_and_stays_as_it_was_left(lab, width):
    lab.clock.install(time=NOW)
    lab.goto("/institution/today")
    lab.locator(".twin summary").click()
    row = lab.locator("#twin-rows th a").nth(3)
    row.focus()
    # Marked by hand, they show whether they were made anew.
    lab.evaluate(
        "for (const id of ['board-live', 'arrivals-live', 'twin-rows'])"
        " document.getElementById(id).dataset.old = ''"
    )
    name = row.inner_text()
    with lab.expect_response("**/institution/today?*"):
        lab.clock.run_for(121_000)

    expect(lab.locator("[data-old]")).to_have_count(0)
    expect(lab.locator(".twin")).to_have_attribute("open", "")
    assert lab.evaluate("document.activeElement.textContent") == name


def test_only_people_of_an_institution_find_the_way_there(visit, lab):
    firm = visit()
    log_in(firm)
    for page in (lab, firm):
        page.goto("/account")

    assert lab.locator(f"a[href='{HOME}']").count() > 0
    assert firm.locator(f"a[href='{HOME}']").count() == 0


def test_a_price_is_tried_in_place_and_what_is_wrong_has_the_focus(lab):
    lab.goto(f"{HOME}/3/prices")
    lab.get_by_label("公示价（元）").fill("500")
    lab.get_by_role("button", name="试算这个时段").click()

    expect(lab.locator("#preview")).to_contain_text("公示价 500.00 元/小时 × 2 小时")
    expect(lab.get_by_label("公示价（元）")).to_have_value("500")
    assert flaws(lab) == {}
    lab.get_by_label("公示价（元）").fill("很多")
    lab.get_by_role("button", name="试算这个时段").click()
    expect(lab.get_by_role("alert")).to_contain_text("请填写金额")
    # The focus moves once the answer has settled in the page.
    lab.wait_for_function("'errorSummary' in document.activeElement.dataset")
