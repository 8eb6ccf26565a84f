"""Photos and documents in a real browser: without flaw, without script, and what firms see."""

from datetime import UTC

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from booking.accounts import queries as accounts
from booking.attachments.models import Attachment
from booking.attachments.rules import AttachmentKind
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry.models import Instrument
from tests.browser.conftest import NARROWEST, NOW, flaws, log_in, scrolls_sideways
from tests.uploaded import PDF, PROGRAM, picture

LAB = "lab@demo.example"
OWN = "/institution/instruments/2/attachments"


@pytest.fixture
def without_photos(program):
    """An instrument of the lab to which the demo gave no photo."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        seats = accounts.caller_of(accounts.user_by_login(LAB)).organisations
        has_one = select(Attachment.instrument_id).where(Attachment.kind == AttachmentKind.PHOTO)
        found = db.session.scalar(
            select(Instrument.id)
            .where(Instrument.institution_id.in_(seats), Instrument.id.not_in(has_one))
            .order_by(Instrument.id)
        )
        db.session.remove()
    return found


def chosen(name, content):
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def test_the_page_has_no_flaw_and_never_scrolls_sideways(visit, width, language):
    page = visit(width, language)
    log_in(page, LAB)
    page.goto(OWN)

    assert flaws(page) == {}
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert not scrolls_sideways(page)


def test_photos_are_added_worded_ordered_seen_and_taken_off_without_script(
    visit, width, without_photos
):
    own = f"/institution/instruments/{without_photos}/attachments"
    page = visit(width, script=False)
    log_in(page, LAB)
    page.goto(own)
    page.locator("#f-photos").set_input_files(
        [
            chosen("正面.png", picture((800, 600), colour=(width % 256, 90, 90))),
            chosen("背面.jpg", picture((600, 800), "JPEG", colour=(20, width % 256, 90))),
        ]
    )
    page.get_by_role("button", name="上传照片").click()
    expect(page.get_by_role("status")).to_contain_text("已添加文件：2 个")
    page.get_by_label("照片说明").first.fill("正面，带高温炉")
    page.get_by_role("button", name="保存说明：正面.jpg").click()
    page.get_by_role("button", name="前移：背面.jpg").click()
    expect(page.locator("main img").first).to_have_attribute("alt", "照片 1：背面.jpg")

    page.goto(f"/instruments/{without_photos}/photos")
    expect(page.locator("main img")).to_have_count(2)
    expect(page.get_by_text("正面，带高温炉")).to_be_visible()
    page.goto(own)
    for name in ("背面.jpg", "正面，带高温炉"):
        item = page.get_by_role("listitem").filter(
            has=page.get_by_role("button", name=f"保存说明：{name}")
        )
        item.locator("summary").click()
        item.get_by_role("button", name="确认删除").click()
        expect(page.get_by_role("status")).to_contain_text(f"已删除“{name}”")


def test_what_is_wrong_is_said_with_the_focus_and_without_flaw(visit, width):
    page = visit(width)
    log_in(page, LAB)
    page.goto(OWN)
    page.locator("#f-documents").set_input_files(
        [
            chosen("photo.png", PROGRAM),
            chosen(f"须知{width}.pdf", PDF[:-6] + str(width).encode() + PDF[-7:]),
        ]
    )
    page.get_by_role("button", name="上传文件").click()

    expect(page.get_by_role("alert")).to_contain_text("photo.png：文件内容不是可接受的类型")
    page.wait_for_function("'errorSummary' in document.activeElement.dataset")
    assert flaws(page) == {}
    item = (
        page.get_by_role("listitem")
        .filter(has_text=f"须知{width}.pdf")
        .or_(
            page.get_by_role("listitem").filter(
                has=page.get_by_role("button", name=f"保存说明：须知{width}.pdf")
            )
        )
    )
    item.first.locator("summary").click()
    item.first.get_by_role("button", name="确认删除").click()
    expect(page.get_by_role("status")).to_contain_text("已删除")


@pytest.mark.parametrize("path", ["/instruments/3/photos"])
def test_a_gallery_without_photos_has_no_flaw(visit, width, language, path):
    page = visit(width, language)
    page.goto(path)

    assert flaws(page) == {}
