"""The API's wiring: the body is the file, its address gives it back."""

import io

import pytest
from PIL import Image

from booking.accounts.rules import Role
from tests.factories import make_institution, make_instrument, make_user
from tests.uploaded import PDF, PROGRAM, huge_png, picture

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution)


@pytest.fixture
def headers(bearer, institution):
    return bearer(make_user(institution, Role.MANAGER))


def post(client, instrument, headers, content, **asked):
    asked = {"kind": "photo", "name": "正面.png"} | asked
    address = f"/api/v1/instruments/{instrument.id}/attachments"
    return client.post(address, query_string=asked, data=content, headers=headers)


def test_a_photo_is_attached_listed_fetched_and_removed(client, instrument, headers):
    made = post(client, instrument, headers, picture((3000, 2000)), caption="正面")
    assert made.status_code == 201, made.text
    address = f"/api/v1/instruments/{instrument.id}/attachments"

    [listed] = client.get(address).json["items"]
    photo, small = client.get(listed["url"]), client.get(listed["small_url"])

    assert listed == made.json
    assert (listed["name"], listed["caption"], listed["width"]) == ("正面.jpg", "正面", 2048)
    assert photo.headers["Content-Type"] == "image/jpeg"
    assert photo.headers["Content-Disposition"].startswith("inline;")
    assert Image.open(io.BytesIO(small.data)).size == (480, 320)
    patched = client.patch(
        f"{address}/{listed['id']}", json={"caption": "背面", "version": 1}, headers=headers
    )
    assert patched.json["caption"] == "背面"
    assert client.delete(f"{address}/{listed['id']}", headers=headers).status_code == 204
    assert client.get(address).json["items"] == []
    assert client.get(listed["url"]).status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "file_empty"),
        (PROGRAM, 422, "file_kind"),
        (huge_png(), 422, "file_pixels"),
        (picture()[:300], 422, "file_damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * (20 * 2**20), 422, "file_too_large"),
        (b"0" * (65 * 2**20), 413, "too_large"),
    ],
    ids=["empty", "executable", "gigapixels", "cut", "over-20-mb", "over-64-mb"],
)
def test_bad_files_get_a_clear_answer(client, instrument, headers, content, status, code):
    answer = post(client, instrument, headers, content)

    assert answer.status_code == status
    assert answer.json["code"] == code
    assert client.get(f"/api/v1/instruments/{instrument.id}/attachments").json["items"] == []


def test_a_document_is_saved_and_never_shown(client, instrument, headers):
    made = post(client, instrument, headers, PDF, kind="document", name="送样须知.pdf").json

    answer = client.get(made["url"])

    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="file.pdf";')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = client.get(made["url"], headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_repeated_upload_is_answered_as_before(client, instrument, headers):
    headers = headers | {"Idempotency-Key": "upload-1"}
    first = post(client, instrument, headers, picture())
    again = post(client, instrument, headers, picture())

    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_is_missing_on_disk_is_not_found(client, instrument, headers, files):
    made = post(client, instrument, headers, picture()).json
    files.remove(made["sha256"])

    assert client.get(made["url"]).status_code == 404
