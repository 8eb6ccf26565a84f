"""The pages: adding several at once, what is wrong with one, order, and what everybody sees."""

import io
import re

import pytest

from booking.accounts.rules import Role
from booking.attachments import queries
from booking.attachments.rules import AttachmentKind
from tests.factories import make_institution, make_instrument, make_user, sign_in
from tests.uploaded import PDF, PROGRAM, picture

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, name="电子万能试验机")


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def page_of(instrument):
    return f"/institution/instruments/{instrument.id}/attachments"


def token(client, instrument):
    page = client.get(page_of(instrument))
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


def upload(client, instrument, *files, field="photos", **given):
    data = {
        "form_token": token(client, instrument),
        field: [(io.BytesIO(content), name) for name, content in files],
    }
    return client.post(page_of(instrument), data=data | given, content_type="multipart/form-data")


def post_large(client, instrument):
    """Post 2 MB as one file; by hand, for the test client would leave a temporary file open."""
    head = b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a.png"\r\n\r\n'
    body = head + b"0" * 2**21 + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    return client.post(page_of(instrument), data=body, content_type=kind)


def photos(instrument):
    return queries.of_kind(instrument.id, AttachmentKind.PHOTO)


def press(client, instrument, attachment, action="", **given):
    data = {"form_token": token(client, instrument)} | given
    return client.post(f"{page_of(instrument)}/{attachment.id}{action}", data=data)


def test_several_photos_are_added_at_once(client, instrument, manager):
    answer = upload(client, instrument, ("a.png", picture()), ("b.jpg", picture((9, 9), "JPEG")))

    assert answer.status_code == 303
    assert [each.name for each in photos(instrument)] == ["a.jpg", "b.jpg"]
    assert "已添加文件：2 个。" in client.get(page_of(instrument)).text


def test_what_is_wrong_with_one_keeps_no_other_from_being_added(client, instrument, manager):
    answer = upload(client, instrument, ("a.png", picture()), ("b.png", PROGRAM), ("c.png", b""))

    assert answer.status_code == 422
    assert "b.png：文件内容不是可接受的类型" in answer.text
    assert "c.png：文件是空的" in answer.text
    assert [each.name for each in photos(instrument)] == ["a.jpg"]


def test_nothing_chosen_is_said(client, instrument, manager):
    answer = client.post(
        page_of(instrument),
        data={
            "form_token": token(client, instrument),
            "add_documents": "1",
            "documents": (io.BytesIO(b""), ""),
        },
        content_type="multipart/form-data",
    )

    assert answer.status_code == 422
    assert 'href="#f-documents"' in answer.text


def test_a_form_that_is_too_large_comes_back_with_the_reason(
    client, instrument, manager, monkeypatch
):
    monkeypatch.setattr("booking.kernel.uploads.MOST_BYTES", 2**20)
    answer = post_large(client, instrument)

    assert "合计不能超过 1 MB" in answer.text
    assert answer.status_code == 422


def test_without_the_forms_token_nothing_is_added(client, instrument, manager):
    token(client, instrument)
    answer = upload(client, instrument, ("a.png", picture()), form_token="other")

    assert answer.status_code == 403
    assert not photos(instrument)


def test_words_order_and_removal(client, instrument, manager):
    upload(client, instrument, ("a.png", picture()), ("b.png", picture((9, 9))))
    first, second = photos(instrument)

    press(client, instrument, first, caption="正面")
    press(client, instrument, second, "/move", to="front")
    assert [each.caption or each.name for each in photos(instrument)] == ["b.jpg", "正面"]
    press(client, instrument, second, "/move", to="back")
    press(client, instrument, second, "/remove")

    assert [each.caption for each in photos(instrument)] == ["正面"]


def test_words_that_are_too_long_stay_in_their_field(client, instrument, manager):
    upload(client, instrument, ("a.png", picture()))
    answer = press(client, instrument, photos(instrument)[0], caption="长" * 81)

    assert answer.status_code == 422
    assert "长" * 81 in answer.text


def test_everybody_sees_photos_on_row_page_and_gallery(client, instrument, manager, institution):
    upload(client, instrument, ("a.png", picture()), ("b.png", picture((9, 9))))
    press(client, instrument, photos(instrument)[0], caption="正面")
    upload(client, instrument, ("须知.pdf", PDF), field="documents")
    client.delete_cookie("booking_session")
    address = f"/instruments/{instrument.id}"

    row, page, gallery = (
        client.get(path).text for path in ("/instruments", address, f"{address}/photos")
    )

    assert f'src="{address}/attachments/' in row
    assert f'href="{address}/photos"' in page
    assert "2 张" in page
    assert "须知.pdf" in page
    assert 'alt="正面"' in gallery


def test_without_photos_there_is_a_drawing_and_an_empty_gallery(client, instrument):
    assert 'class="machine"' in client.get("/instruments").text
    assert "还没有照片" in client.get(f"/instruments/{instrument.id}/photos").text


def test_a_photo_may_be_kept_while_its_address_is_the_same(client, instrument, manager):
    upload(client, instrument, ("a.png", picture()))
    page = client.get(f"/instruments/{instrument.id}/photos").text
    address = re.search(r'<img src="([^"]+)"', page)[1].replace("&amp;", "&")

    assert client.get(address).headers["Cache-Control"] == "private, max-age=86400"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TESTER])
def test_only_managers_have_the_page(client, instrument, institution, role):
    sign_in(client, make_user(institution, role))

    assert client.get(page_of(instrument)).status_code == 403


def test_others_instruments_are_not_found(client, instrument):
    sign_in(client, make_user(make_institution(), Role.MANAGER))

    assert client.get(page_of(instrument)).status_code == 404


def test_signed_out_with_a_large_form_one_is_asked_to_sign_in(client, instrument):
    answer = post_large(client, instrument)

    assert answer.status_code == 401
    assert 'name="password"' in answer.text
