"""The people of an organisation and the operator's pages: read by everybody, on any width."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROWEST, PHONE, flaws, log_in, scrolls_sideways

OPERATOR = (
    "/admin",
    "/admin/organisations",
    "/admin/organisations?q=nothing-like-this",
    "/admin/users",
    "/admin/users/2",
    "/admin/jobs",
    "/admin/jobs/reminders",
    "/admin/journal",
    "/admin/journal/seals",
    "/admin/calendar?year=2027",
    "/admin/regions?parent=430000",
    "/admin/categories",
    "/admin/mail",
)
OPENED = "document.querySelectorAll('main details').forEach(each => each.open = true)"


def test_the_operators_pages_have_no_flaw(visit, width, language):
    page = visit(width, language)
    log_in(page, "admin@demo.example")

    for address in OPERATOR:
        page.goto(address)
        page.evaluate(OPENED)
        assert flaws(page) == {}, address


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_nothing_is_wider_than_the_narrowest_phone(visit, language):
    page = visit(NARROWEST, language)
    log_in(page, "admin@demo.example")

    for address in OPERATOR:
        page.goto(address)
        assert not scrolls_sideways(page), address


def test_the_pages_for_people_have_no_flaw(visit, width, language):
    page = visit(width, language)
    log_in(page, "lab@demo.example")

    page.goto("/people")
    assert flaws(page) == {}
    page.locator("table a.btn").nth(1).click()
    page.evaluate(OPENED)
    assert flaws(page) == {}
    page.goto("/account/second-factor")
    assert flaws(page) == {}


def test_a_phone_reaches_every_page_from_the_foot_of_the_screen(visit):
    page = visit(PHONE)
    log_in(page, "admin@demo.example")
    page.goto("/admin")

    page.get_by_text("更多", exact=True).click()
    page.get_by_role("link", name="操作日志").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("操作日志")


def test_somebody_is_invited_disabled_and_let_in_again_without_script(visit):
    page = visit(PHONE, script=False)
    log_in(page, "lab@demo.example")
    page.goto("/people")

    page.get_by_label("姓名").fill("罗敏")
    page.get_by_label("邮箱").fill("luo@example.cn")
    page.get_by_label("检测", exact=False).first.check()
    page.get_by_role("button", name="发出邀请").click()

    expect(page.get_by_role("heading", name="已邀请罗敏")).to_be_visible()
    page.goto("/people")
    page.get_by_role("link", name="更改 罗敏").click()
    page.get_by_text("停用账号", exact=True).click()
    page.get_by_role("button", name="确认停用").click()
    expect(page.get_by_text("账号已停用：")).to_be_visible()
    page.get_by_role("button", name="恢复账号").click()
    expect(page.get_by_text("账号已恢复")).to_be_visible()


def test_a_manager_sets_up_the_second_factor_at_the_log_in(visit):
    page = visit(PHONE)
    page.goto("/log-in")
    page.locator("#f-login").fill("lab02@demo.example")
    page.locator("#f-password").fill("demo-xiangjiang")
    page.locator("form[action='/log-in'] .btn-lg").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("设置两步验证")
    expect(page.get_by_role("img", name="两步验证的二维码")).to_be_visible()
    assert flaws(page) == {}
    page.locator("#f-code").fill("000000")
    page.get_by_role("button", name="启用并登录").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不正确")
    assert flaws(page) == {}
