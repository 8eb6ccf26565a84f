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
        page.locator("form[action$='/reserve'] button[type=submit]").click()
        page.wait_for_url(re.compile(r"/made$"))
    taken["confirm"] = picture(page)

    assert tuple(taken) == NAMES
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in taken.items():
        assert 5_000 < len(content) <= MOST_BYTES, name
        (folder / f"{name}-{SIZES[width]}.webp").write_bytes(content)


def test_the_readme_shows_every_picture_and_no_other():
    kept = {path.name for path in (ROOT / "docs" / "screenshots").iterdir()}
    shown = re.findall(r'docs/screenshots/([\w.-]+)"', Path(ROOT / "README.md").read_text("utf-8"))

    assert kept == set(shown) == {f"{n}-{size}.webp" for n in NAMES for size in SIZES.values()}


def picture(page):
    """Return what the window shows, once nothing moves any more."""
    page.wait_for_load_state("networkidle")
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    asked = {"format": "webp", "quality": 80}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    return base64.b64decode(shot["data"])
