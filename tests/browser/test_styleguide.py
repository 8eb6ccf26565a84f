"""Every component in every state: reachable, readable, usable by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROWEST, PHONE, flaws, scrolls_sideways


@pytest.fixture
def guide(visit):
    """A function that opens the page with every component."""

    def opened(*args, **kwargs):
        page = visit(*args, **kwargs)
        page.goto("/styleguide")
        return page

    return opened


def test_axe_finds_nothing(guide, width, language):
    page = guide(width, language)

    assert flaws(page) == {}


def test_axe_finds_nothing_in_an_open_sheet_and_open_details(guide, width):
    page = guide(width)
    page.evaluate("document.querySelectorAll('main details').forEach(e => { e.open = true })")
    assert flaws(page) == {}
    page.locator("[data-sheet=s-sheet]:visible").first.click()
    expect(page.locator("#s-sheet")).to_be_visible()

    assert flaws(page) == {}


@pytest.mark.parametrize("look", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
def test_axe_finds_nothing_in_other_looks(guide, look):
    assert flaws(guide(PHONE, **look)) == {}


def test_nothing_scrolls_sideways_at_320(guide, language):
    assert not scrolls_sideways(guide(NARROWEST, language))


def test_text_spacing_loses_nothing(guide):
    page = guide(PHONE)
    page.evaluate(
        "for (const e of document.querySelectorAll('*')) {"
        " e.style.lineHeight = '1.5'; e.style.letterSpacing = '0.12em';"
        " e.style.wordSpacing = '0.16em' }"
    )

    assert not scrolls_sideways(page)


def test_a_sheet_takes_the_focus_and_gives_it_back(guide, width):
    page = guide(width)
    opener = page.locator("[data-sheet=s-sheet]:visible").first
    opener.focus()
    page.keyboard.press("Enter")
    sheet = page.locator("#s-sheet")
    expect(sheet).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    expect(opener).to_be_focused()


def test_suggestions_are_chosen_by_arrows(guide):
    page = guide()
    field = page.locator("#q")
    field.press_sequentially("拉")
    first = page.get_by_role("option").first
    expect(first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    assert flaws(page) == {}

    field.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", first.get_attribute("id"))
    field.press("ArrowUp")
    expect(first).to_have_attribute("aria-selected", "false")
    field.press("Escape")
    expect(first).to_be_hidden()
    expect(field).to_be_focused()


def test_nothing_found_shows_no_list(guide):
    page = guide()
    with page.expect_response("**/styleguide/suggestions**"):
        page.locator("#q").press_sequentially("none")

    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_toast_leaves_when_told(guide):
    page = guide()
    page.locator(".toast [data-close]").click()

    expect(page.locator(".toast")).to_have_count(0)


def test_icons_and_styles_are_there(guide):
    page = guide()

    assert page.evaluate("document.querySelector('main .btn .icon use').getBBox().width") > 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 247, 248)"


def test_built_files_are_kept_for_ever_and_come_compressed(guide):
    page = guide()
    address = page.locator("link[rel=stylesheet]").get_attribute("href")
    answer = page.request.get(address, headers={"Accept-Encoding": "br"})

    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_print_shows_the_content_alone(guide):
    page = guide()
    page.emulate_media(media="print")

    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
