"""A new institution's first afternoon, as its manager, an administrator and a firm live it."""

import base64
import io
import re
from datetime import UTC, timedelta

import pytest
from playwright.sync_api import expect

from booking.kernel import totp
from booking.kernel.workbooks import MIME, write_workbook
from tests.browser.conftest import DESKTOP, NOW, PHONE, flaws, log_in
from tests.factories import make_uscc

HOW_MANY = 200
# Twenty minutes at half a minute each; every page that is opened or answers a form counts.
MOST_PAGES = 40
NAME, MAIL, PASSWORD = "湘潭韶峰检测中心", "shaofeng@example.cn", "Lathe-7-quiet"
KIND, PURPOSE = "韶峰落锤冲击试验机", "管材落锤冲击"
HEADINGS = (
    "所属单位仪器编号",
    "仪器设备名称",
    "规格型号",
    "生产制造商",
    "行政区划代码",
    "方法标准",
)
# A Tuesday, when it is open.
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def manager(visit):
    """The new manager at a desk, and how many pages were looked at."""
    page = visit(DESKTOP)
    page.set_default_timeout(30_000)  # a price for 200 instruments is 800 entries in the journal
    page.seen = []
    page.on("framenavigated", lambda frame: page.seen.append(frame.url))
    return page


@pytest.fixture
def admin(visit):
    page = visit(DESKTOP)
    log_in(page, "admin@demo.example")
    return page


@pytest.fixture
def firm(visit):
    page = visit(PHONE)
    log_in(page)
    return page


def test_from_sign_up_to_a_day_closed_for_maintenance(manager, admin, firm, work):
    sign_up(manager)
    set_up_the_second_factor(manager)
    verify(admin)
    import_instruments(manager)
    set_hours_and_price(manager)
    add_a_certificate(manager)
    number = book(firm)
    find_on_the_board(manager, number)
    work()
    read_the_mail(manager, number)
    close_the_day(manager, number)
    work()
    expect_the_cancellation(firm, number)

    assert len(manager.seen) <= MOST_PAGES, manager.seen


def sign_up(page):
    page.goto("/")
    page.get_by_role("link", name="为本单位注册").click()
    page.get_by_role("link", name=re.compile("检验检测机构")).click()
    for name, value in {
        "uscc": make_uscc(),
        "name": NAME,
        "address": "湘潭市岳塘区芙蓉大道 88 号",
        "manager_name": "周敏",
        "email": MAIL,
        "password": PASSWORD,
    }.items():
        page.locator(f"#f-{name}").fill(value)
    page.locator("#f-region_code").select_option("430300")
    page.locator("#f-purpose_notice_accepted").check()
    at(page, "sign-up")
    page.get_by_role("button", name="注册", exact=True).click()


def set_up_the_second_factor(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("设置两步验证")
    at(page, "second-factor")
    key = base64.b32decode(page.locator(".copyable code").inner_text().replace(" ", ""))
    page.locator("#f-code").fill(totp.code_at(key, totp.step_at(NOW.astimezone(UTC))))
    page.get_by_role("button", name="启用并登录").click()
    expect(page.get_by_role("heading", name="请保存恢复码")).to_be_visible()
    at(page, "recovery-codes")
    page.get_by_role("link", name="已保存，继续").click()
    expect(page.get_by_text("待平台核验")).to_be_visible()
    at(page, "account")


def verify(page):
    page.goto("/admin")
    page.get_by_role("link", name="核验", exact=True).click()
    at(page, "to-verify")
    page.get_by_role("link", name=NAME).click()
    at(page, "organisation")
    page.get_by_role("button", name="核验通过").click()
    expect(page.get_by_role("status").first).to_contain_text("核验")


def import_instruments(page):
    page.goto("/account")
    page.get_by_role("link", name="登记和管理仪器").click()
    at(page, "no-instruments")
    page.get_by_role("link", name="导入仪器").click()
    at(page, "imports")
    page.locator("#f-file").set_input_files(
        {"name": "韶峰仪器.xlsx", "mimeType": MIME, "buffer": table_of_instruments()}
    )
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("heading", name="检查通过，还没有写入")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"{HOW_MANY} 台")
    at(page, "rehearsed")
    page.get_by_role("button", name="全部导入").click()
    expect(page.get_by_role("status").first).to_contain_text(f"新增 {HOW_MANY} 台")
    at(page, "imported")


def table_of_instruments():
    rows = (
        (f"SF-{n:03}", f"{KIND} {n:03}", f"LC-{300 + n}", "长春试验机", "430300", "GB/T 14152-2001")
        for n in range(1, HOW_MANY + 1)
    )
    with io.BytesIO() as book:
        write_workbook(book, "仪器", HEADINGS, rows)
        return book.getvalue()


def set_hours_and_price(page):
    page.get_by_role("link", name="还没有开放时间的仪器").click()
    at(page, "without-hours")
    page.get_by_label("不论勾选").check()
    page.get_by_role("button", name="设置开放时间").click()
    for day in ("周一", "周二", "周三", "周四", "周五"):
        page.get_by_label(day, exact=True).fill("08:30-17:30")
    at(page, "hours")
    page.get_by_role("button", name=re.compile("^设置开放时间")).click()
    expect(page.get_by_role("status").first).to_contain_text(f"{HOW_MANY} 台")

    page.get_by_label("不论勾选").check()
    page.get_by_role("button", name="设置价格").click()
    for box in page.locator("input[name=classes]").all():
        box.check()
    page.locator("#f-per_hour").fill("120")
    page.locator("#f-discount_percent").fill("20")
    page.locator("#f-discount_reason").fill("开放共享办法")
    at(page, "price")
    page.get_by_role("button", name=re.compile("^设置价格")).click()
    expect(page.get_by_role("status").first).to_contain_text(f"{HOW_MANY} 台")
    at(page, "instruments")


def add_a_certificate(page):
    page.get_by_role("navigation", name="机构工作台").get_by_role("link", name="资质").click()
    at(page, "certificates")
    page.locator("#f-scheme").select_option("cnas")
    page.locator("#f-number").fill("CNAS L20268")
    page.locator("#f-issuer").fill("中国合格评定国家认可委员会")
    page.locator("#f-valid_from").fill(f"{NOW - timedelta(days=30):%Y-%m-%d}")
    page.locator("#f-valid_until").fill(f"{NOW + timedelta(days=1000):%Y-%m-%d}")
    page.get_by_role("button", name="添加证书").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CNAS L20268")
    page.locator("#f-parameter").fill("落锤冲击")
    page.locator("#f-standard").fill("GB/T 14152-2001")
    at(page, "certificate")
    page.get_by_role("button", name="添加一行").click()
    expect(page.get_by_role("cell", name="GB/T 14152-2001", exact=True)).to_be_visible()


def book(page):
    """Find one of them on a phone, book it for tomorrow, return the reservation's number."""
    page.goto("/")
    page.get_by_role("combobox").fill(f"{KIND} 001")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instruments\?q="))
    at(page, "found")
    page.locator(f".strip a[href*='{TOMORROW:%Y-%m-%d}']").first.tap()
    page.wait_for_url(re.compile(r"/instruments/\d+\?"))
    at(page, "slot")
    page.get_by_role("link", name="核对并预约").tap()
    sheet = page.get_by_role("dialog")
    sheet.locator("#purpose").fill(PURPOSE)
    at(page, "sheet")
    sheet.get_by_role("button", name="确认预约").tap()
    page.wait_for_url(re.compile(r"/made$"))
    at(page, "made")
    said = page.get_by_role("status").inner_text()
    return re.search(r"R-\d+", said).group()


def find_on_the_board(page, number):
    page.get_by_role("navigation", name="机构工作台").get_by_role("link", name="今日").click()
    page.get_by_role("link", name="后一天").click()
    visit = page.get_by_role("listitem").filter(has_text=PURPOSE)
    expect(visit).to_contain_text(f"{KIND} 001")
    at(page, "board")
    visit.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(number)
    at(page, "reservation")


def read_the_mail(page, number):
    """Both get one: the institution hears who comes, the firm's holds the calendar entry."""
    page.get_by_role("link", name=re.compile("^通知")).first.click()
    expect(page.locator("main")).to_contain_text(f"{KIND} 001")
    at(page, "inbox")
    page.goto("/demo/mail")
    of_booking = page.get_by_role("listitem").filter(has_text=f"{KIND} 001")
    expect(of_booking.filter(has_text="firm@demo.example")).to_have_count(1)
    of_booking.filter(has_text=MAIL).get_by_role("link").click()
    expect(page.locator("pre")).to_contain_text(number)
    at(page, "mail")
    entry = page.request.get(page.get_by_role("link", name="日历事件").get_attribute("href")).text()
    assert "METHOD:REQUEST" in entry.replace("\r\n ", "")
    assert f"DTSTART:{TOMORROW:%Y%m%d}" in re.sub(r";TZID=[^:]*", "", entry)


def close_the_day(page, number):
    page.goto("/institution/instruments")
    page.get_by_label("名称、型号或编号").fill("SF-001")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name=re.compile("^停用时段")).click()
    page.get_by_label("停用原因").select_option("maintenance")
    page.get_by_label("开始").fill(f"{TOMORROW:%Y-%m-%d}T00:00")
    page.get_by_label("结束").fill(f"{TOMORROW + timedelta(days=1):%Y-%m-%d}T00:00")
    page.get_by_label("说明").fill("更换锤体")
    page.get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("1 个预约")
    page.get_by_label(re.compile(number)).check()
    page.get_by_text("预览将发给企业的邮件").click()
    expect(page.locator(".letter")).to_contain_text("已取消")
    at(page, "closure")
    page.get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("已停用")
    at(page, "closed")


def expect_the_cancellation(page, number):
    page.goto("/inbox")
    expect(page.locator("main")).to_contain_text("已取消")
    at(page, "cancelled")
    page.goto("/demo/mail")
    told = page.get_by_role("listitem").filter(has_text="已取消").filter(has_text=f"{KIND} 001")
    told.filter(has_text="firm@demo.example").get_by_role("link").click()
    expect(page.locator("pre")).to_contain_text(number)
    entry = page.request.get(page.get_by_role("link", name="日历事件").get_attribute("href")).text()
    assert "METHOD:CANCEL" in entry


def at(page, step):
    """Look at the page as it stands amid the flow."""
    assert flaws(page) == {}, step
