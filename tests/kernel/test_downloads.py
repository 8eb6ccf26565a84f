"""Names and headers of files that go out."""

import io

import pytest

from booking.kernel.downloads import disposition, send


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("manual.pdf", 'attachment; filename="manual.pdf"'),
        (
            "校准证书 2026.pdf",
            "attachment; filename=\"2026.pdf\"; filename*=UTF-8''"
            "%E6%A0%A1%E5%87%86%E8%AF%81%E4%B9%A6%202026.pdf",
        ),
        ("证书.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E8%AF%81%E4%B9%A6.pdf"),
        (
            'a";x=\r\n.pdf',
            "attachment; filename=\"a__x___.pdf\"; filename*=UTF-8''a%22%3Bx%3D%0D%0A.pdf",
        ),
    ],
)
def test_names_travel_in_both_forms(name, header):
    assert disposition(name) == header


def answer(app, headers=None, **given):
    with app.test_request_context(headers=headers or {}):
        response = send(
            io.BytesIO(b"content"),
            name="证书.pdf",
            media_type="application/pdf",
            etag="abc",
            size=7,
            **given,
        )
        return response, b"".join(response.iter_encoded()) if response.status_code == 200 else b""


def test_a_file_is_never_run_or_guessed_at(app):
    response, body = answer(app)

    assert body == b"content"
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Content-Length"] == "7"


def test_who_has_it_is_told_so(app):
    response, _ = answer(app, {"If-None-Match": '"abc"'}, is_shown=True, seconds=60)

    assert response.status_code == 304
    assert response.headers["Cache-Control"] == "private, max-age=60"
