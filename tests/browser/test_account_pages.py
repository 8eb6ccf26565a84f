"""Log in, sign up, change the language: by mouse, by keyboard, without script, on any width."""

import re

from playwright.sync_api import expect

from booking import demo
from tests.browser.conftest import (
    PHONE,
    flaws,
    focused,
    log_in,
    scrolls_sideways,
)
from tests.factories import make_uscc


def fill_in(page, **changes):
    """Fill the sign-up form of an enterprise as somebody would."""
    given = {
        "uscc": make_uscc(),
        "name": "湘潭新材料科技有限公司",
        "manager_name": "李明",
        "email": f"li{make_uscc().lower()}@example.cn",
        "password": "Lathe-7-quiet",
        **changes,
    }
    for name, value in given.items():
        page.locator(f"#f-{name}").fill(value)
    page.locator("#f-region_code").select_option("430300")
    page.locator("#f-industry_code").select_option("34")
    page.locator("#f-size_class").select_option("small")
    return given


def test_a_firm_signs_up_and_stands_in_its_account(visit, width, language):
    page = visit(width, language)
    page.goto("/log-in")
    page.get_by_role("link", name=re.compile("为本单位注册|Sign up your organisation")).click()
    page.get_by_role("link", name=re.compile("^(企业|Enterprise)")).click()
    given = fill_in(page)
    page.locator("#f-purpose_notice_accepted").check()
    page.get_by_role("button", name=re.compile("^(注册|Sign up)$")).click()

    page.wait_for_url("**/account")
    expect(page.get_by_role("status").first).to_contain_text(re.compile("注册成功|Signed up"))
    expect(page.get_by_role("heading", name=given["name"])).to_be_visible()


def test_a_wrong_code_is_named_before_and_after_sending_and_nothing_is_lost(visit, width):
    page = visit(width)
    page.goto("/sign-up?kind=enterprise")
    fill_in(page, uscc="91350100M000100Y44")

    # As typed: checked when the field is left.
    expect(page.locator("#f-uscc-error")).to_contain_text("第 18 位校验不符")
    page.locator("#f-purpose_notice_accepted").check()
    page.get_by_role("button", name="注册", exact=True).click()

    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("有 1 处需要修改")
    expect(page).to_have_title(re.compile("^错误："))
    summary.get_by_role("link").click()
    expect(page.locator("#f-uscc")).to_be_focused()
    expect(page.locator("#f-uscc")).to_have_value("91350100M000100Y44")
    expect(page.locator("#f-uscc")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-name")).to_have_value("湘潭新材料科技有限公司")
    expect(page.locator("#f-industry_code")).to_have_value("34")
    expect(page.locator("#f-password")).to_have_value("")
    assert flaws(page) == {}


def test_a_demo_log_in_is_one_press(visit, width):
    page = visit(width)
    page.goto("/log-in")
    page.get_by_role("button", name=re.compile("lab@demo.example")).click()

    page.wait_for_url(re.compile("/institution/"))
    page.goto("/account")
    expect(page.get_by_text("lab@demo.example")).to_be_visible()


def test_a_guarded_page_asks_on_the_spot_and_goes_on(visit):
    page = visit()
    page.goto("/account/tokens")
    page.locator("#f-login").fill("firm@demo.example")
    page.locator("#f-password").fill(demo.PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()

    page.wait_for_url("**/account/tokens")


def test_the_language_changes_and_stays(visit, width):
    page = visit(width)
    page.goto("/log-in")
    page.locator("footer").get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    assert page.locator("html").get_attribute("lang") == "en"

    page.goto("/sign-up")
    expect(page.get_by_role("heading", level=1)).to_contain_text("organisation")
    page.locator("footer").get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("您为哪类单位注册？")


def test_the_browser_decides_the_first_language(visit):
    page = visit(language="en")
    page.goto("/")

    assert page.locator("html").get_attribute("lang") == "en"


def test_logging_in_and_out_by_keyboard_alone(visit):
    page = visit()
    page.goto("/log-in")
    page.keyboard.press("Tab")
    assert focused(page) == "跳到正文"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "f-login"
    page.keyboard.type("firm@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type(demo.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard")

    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.menu > summary')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("details.menu")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("details.menu")).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim() === '退出登录'"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/log-in")
    expect(page.get_by_role("status").first).to_contain_text("您已退出登录。")


def test_the_focus_is_always_to_be_seen(visit, width):
    page = visit(width)
    page.goto("/sign-up?kind=enterprise")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement !== document.body"):
        seen = page.evaluate(
            "(() => { const e = document.activeElement, r = e.getBoundingClientRect(),"
            " s = getComputedStyle(e), head = document.querySelector('.site-header');"
            " const ring = parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none';"
            " const clear = head.contains(e) || e.matches('.skip') ||"
            " r.top >= head.getBoundingClientRect().bottom - 1;"
            " return [ring, clear && r.top < innerHeight, e.outerHTML.slice(0, 90)] })()"
        )
        assert seen[:2] == [True, True], seen[2]
        page.keyboard.press("Tab")


def test_everything_works_without_script(visit, width):
    page = visit(width, script=False)
    page.goto("/sign-up?kind=enterprise")
    given = fill_in(page, uscc="nonsense")
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page.locator("#f-uscc-error")).to_contain_text("应为 18 位")
    expect(page.locator("#f-purpose_notice_accepted-error")).to_contain_text("请阅读并同意")

    page.locator("#f-uscc").fill(make_uscc())
    page.locator("#f-password").fill("Lathe-7-quiet")
    page.locator("#f-purpose_notice_accepted").check()
    page.get_by_role("button", name="注册", exact=True).click()
    page.wait_for_url("**/account")
    expect(page.get_by_text(given["email"]).first).to_be_visible()
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/log-in")


def test_a_second_press_sends_nothing_twice(visit):
    page = visit()
    log_in(page)
    page.goto("/account/tokens")
    page.locator("#f-name").fill("产线A")
    page.locator("#f-scopes").check()
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_role("button", name="新建令牌").dblclick()
    expect(page.get_by_role("heading", name="新令牌，只显示这一次")).to_be_visible()

    assert sent.count("POST") == 1


def test_the_password_can_be_looked_at(visit):
    page = visit()
    page.goto("/log-in")
    page.locator("#f-password").fill("Lathe-7-quiet")
    page.get_by_role("button", name="显示").click()
    expect(page.locator("#f-password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="隐藏").click()
    expect(page.locator("#f-password")).to_have_attribute("type", "password")


def test_a_lost_network_is_said_and_taken_back(visit):
    page = visit()
    page.goto("/log-in", wait_until="networkidle")
    page.context.set_offline(True)
    expect(page.locator("[data-offline]")).to_have_text("网络已断开，已填内容保留在此页。")
    page.context.set_offline(False)
    expect(page.locator("[data-offline]")).to_be_hidden()


def test_axe_finds_nothing_in_the_open_menu(visit, width, language):
    page = visit(width, language)
    log_in(page)
    page.goto("/account")
    page.locator(".menu > summary").click()

    assert flaws(page) == {}
    assert not scrolls_sideways(page)


def test_larger_text_cuts_nothing_off(visit):
    page = visit(PHONE, "en")
    for address in ("/sign-up?kind=enterprise", "/log-in"):
        page.goto(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert not scrolls_sideways(page), address
