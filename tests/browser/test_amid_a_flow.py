"""Pages that are met only amid a flow: nothing is wrong with them at any size or language."""

from datetime import UTC

import pytest
from playwright.sync_api import expect

from booking.kernel import clock
from booking.kernel.db import db, transaction
from tests import factories
from tests.accounts.world import code_of
from tests.browser.conftest import DESKTOP, NOW, log_in
from tests.browser.every import faults

LAB, PASSWORD = "lab@demo.example", "Lathe-7-quiet"
HEAD = "所属单位仪器编号,仪器设备名称,启用日期,购置说明\n"
STEPS = ("basics", "specs", "hours", "price", "review")


@pytest.fixture
def lab(visit, language):
    page = visit(DESKTOP, language)
    log_in(page, LAB)
    return page


def upload(page, rows):
    """Bring a table in; return the address of the page about it."""
    page.goto("/institution/imports")
    file = {"name": "仪器.csv", "mimeType": "text/csv", "buffer": (HEAD + rows).encode()}
    page.locator("#f-file").set_input_files(file)
    page.locator("form[action='/institution/imports'] button").click()
    page.wait_for_url("**/institution/imports/*")
    return page.url


def test_an_import_with_errors_and_its_list_of_findings(lab):
    address = upload(lab, "YY-1,台式电镜,去年,自购\n,没有编号的仪器,,\n")

    assert faults(lab) == []
    found = lab.request.get(f"{address}/findings.csv")
    assert found.ok
    assert len(found.text().splitlines()) == 3


def test_an_import_that_waits_for_its_word_and_one_that_is_done(lab, language):
    upload(lab, f"YY-{language},台式电镜,2024-05-06,自购\n")
    assert faults(lab) == []

    lab.set_viewport_size({"width": DESKTOP, "height": 900})
    lab.locator("form[action$='/run'] button").click()
    expect(lab.get_by_role("status").first).to_be_visible()
    assert faults(lab) == []


def test_each_step_of_writing_up_an_instrument_empty_and_with_errors(lab):
    lab.goto("/institution/instruments/new")
    lab.locator("form[action='/institution/instruments/new'] button").click()
    lab.wait_for_url("**/basics")
    draft = lab.url.removesuffix("/basics")
    found = looked_at(lab, draft, STEPS)

    lab.set_viewport_size({"width": DESKTOP, "height": 900})
    lab.goto(f"{draft}/review")
    lab.locator("button[name=publish]").click()
    expect(lab.get_by_role("alert")).to_be_visible()
    found |= {"refused": wrong} if (wrong := faults(lab)) else {}
    assert found | looked_at(lab, draft, STEPS) == {}


def looked_at(page, draft, steps):
    found = {}
    for step in steps:
        # Scrolled to the errors in a small window, the header would lie over them in a large one.
        page.set_viewport_size({"width": DESKTOP, "height": 900})
        page.goto(f"{draft}/{step}")
        if wrong := faults(page):
            found[step] = wrong
    return found


def test_a_certificate_and_what_is_missing_in_it(lab):
    lab.goto("/institution/certificates/1")
    assert faults(lab) == []

    lab.set_viewport_size({"width": DESKTOP, "height": 900})
    lab.locator("form[action$='/lines'] button[type=submit]").last.click()
    expect(lab.get_by_role("alert")).to_be_visible()
    assert faults(lab) == []


def test_a_certificate_that_is_put_right(lab):
    lab.goto("/institution/certificates/1/edit")
    assert faults(lab) == []

    lab.set_viewport_size({"width": DESKTOP, "height": 900})
    lab.goto("/institution/certificates/1/edit")
    lab.locator("#f-number").fill("")
    lab.locator("form[action$='/edit'] button[type=submit]").click()
    expect(lab.get_by_role("alert")).to_be_visible()
    assert faults(lab) == []


def test_a_line_of_savings_with_its_evidence(lab):
    lab.goto("/savings")
    lab.locator("main a[href^='/savings/']").first.click()
    lab.wait_for_url("**/savings/*")

    assert faults(lab) == []


def test_where_a_second_factor_is_set_up_and_asked_for(program, visit, language):
    with program.app_context(), transaction():
        user = factories.make_user(password=PASSWORD)
    page = visit(DESKTOP, language)
    log_in(page, user.email, PASSWORD)
    page.goto("/account/second-factor")
    page.locator("form[action='/account/second-factor/begin'] button").click()
    page.wait_for_url("**/set-up")
    assert faults(page) == []
    type_code(page, program, user)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert faults(page) == []

    page.context.clear_cookies()
    page.goto("/log-in")
    page.locator("#f-login").fill(user.email)
    page.locator("#f-password").fill(PASSWORD)
    page.locator("#f-password").press("Enter")
    page.wait_for_url("**/log-in/code**")
    assert faults(page) == []


def type_code(page, program, user):
    """Enter what the person's device would show."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        code = code_of(user.id)
        db.session.remove()
    page.locator("#f-code").fill(code)
    page.locator("#f-code").press("Enter")
