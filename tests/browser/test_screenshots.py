"""The README's pictures, taken from the program itself: `make screenshots` keeps them.

Without `BOOKING_SCREENSHOTS` they are taken and thrown away, so that taking them never rots.
"""

import base64
import os
import re
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, ROOT, log_in

MOST_BYTES = 150_000
FOUND = "/instruments?q=dzwn&minutes=120"
SLOT = "/instruments/1?minutes=120"
NAMES = ("home", "results", "instrument", "confirm")
CONSOLE = ("today", "instruments", "import")
TABLE = """所属单位仪器编号,仪器设备名称,规格型号,生产制造商,方法标准
CS-101,落锤冲击试验机,LC-300,长春试验机,GB/T 14152-2001
CS-102,热变形维卡温度测定仪,HDT-3,承德精密,GB/T 1633-2000
CS-103,氧指数测定仪,JF-3,南京江宁,GB/T 2406.2-2009
"""
SIZES = {PHONE: "phone", DESKTOP: "desktop"}


@pytest.fixture
def folder(tmp_path):
    wanted = os.environ.get("BOOKING_SCREENSHOTS")
    return ROOT / wanted if wanted else tmp_path


@pytest.mark.parametrize("width", SIZES)
def test_pictures_are_taken_and_small(visit, folder, width):
    page = visit(width)
    taken = {}
    page.goto("/")
    taken["home"] = picture(page)
    log_in(page)
    page.goto(FOUND)
    taken["results"] = picture(page)
    page.goto(SLOT)
    taken["instrument"] = picture(page)
    if width == PHONE:
        page.locator(".bottom-bar a").tap()
        page.get_by_role("dialog").wait_for()
    else:
        page.locator("form[action$='/reserve'] .btn-primary[type=submit]").click()
        page.wait_for_url(re.compile(r"/made$"))
    taken["confirm"] = picture(page)

    assert tuple(taken) == NAMES
    keep(folder, {f"{name}-{SIZES[width]}": content for name, content in taken.items()})


def test_pictures_of_the_console_are_taken_and_small(visit, folder):
    page = visit(DESKTOP)
    log_in(page, "lab@demo.example")
    taken = {}
    page.goto("/institution/today")
    taken["today"] = picture(page)
    page.goto("/institution/instruments")
    taken["instruments"] = picture(page)
    page.goto("/institution/imports")
    file = {"name": "新购仪器.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    page.locator("#f-file").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("heading", name="检查通过，还没有写入").wait_for()
    taken["import"] = picture(page)

    assert tuple(taken) == CONSOLE
    keep(folder, taken)


def test_the_readme_shows_every_picture_and_no_other():
    kept = {path.name for path in (ROOT / "docs" / "screenshots").iterdir()}
    shown = re.findall(r'docs/screenshots/([\w.-]+)"', Path(ROOT / "README.md").read_text("utf-8"))

    of_sizes = {f"{name}-{size}.webp" for name in NAMES for size in SIZES.values()}
    assert kept == set(shown) == of_sizes | {f"{name}.webp" for name in CONSOLE}


def keep(folder, taken):
    """Write the pictures down, none of them large."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in taken.items():
        assert 5_000 < len(content) <= MOST_BYTES, name
        (folder / f"{name}.webp").write_bytes(content)


def picture(page):
    """Return what the window shows, once nothing moves any more."""
    page.wait_for_load_state("networkidle")
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    asked = {"format": "webp", "quality": 80}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    return base64.b64decode(shot["data"])
