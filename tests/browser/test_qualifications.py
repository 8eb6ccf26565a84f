"""Certificates and calibrations in a real browser: without flaw, and what firms see of them."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROWEST, flaws, log_in, scrolls_sideways

LAB = "lab@demo.example"
OWN = "/institution/instruments/12/calibrations"
PAGES = ["/institution/certificates", "/institution/certificates/1", OWN]


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_flaw_and_never_scroll_sideways(visit, width, language, path):
    page = visit(width, language)
    log_in(page, LAB)
    page.goto(path)

    assert flaws(page) == {}
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert not scrolls_sideways(page)


def test_what_is_missing_is_said_with_the_focus_and_without_flaw(visit, width):
    page = visit(width)
    log_in(page, LAB)
    page.goto(OWN)
    page.get_by_label("证书编号").fill("LX-2026-9")
    page.get_by_role("button", name="登记", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("请填写检定或校准机构")
    page.wait_for_function("'errorSummary' in document.activeElement.dataset")
    expect(page.get_by_label("证书编号")).to_have_value("LX-2026-9")
    assert flaws(page) == {}


def test_an_instruments_page_shows_what_it_is_qualified_for(visit, width, language):
    page = visit(width, language)
    page.goto("/instruments/12")
    expect(page.locator("#qualifications")).to_be_visible()
    assert flaws(page) == {}
