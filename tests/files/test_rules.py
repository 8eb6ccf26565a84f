"""What a file is by its content, and what it may be called."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.files import rules
from booking.files.errors import (
    EmptyFile,
    FileTooLarge,
    Locked,
    NameContradicts,
    UnknownKind,
    Unreadable,
)
from booking.files.rules import DOCUMENTS, PICTURES, MediaType
from tests.uploaded import PDF, PROGRAM, picture, workbook


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, MediaType.PDF),
        (picture(), MediaType.PNG),
        (picture(kind="JPEG"), MediaType.JPEG),
        (picture(kind="WEBP"), MediaType.WEBP),
        (workbook(), MediaType.XLSX),
        (workbook(main="word/document.xml"), MediaType.DOCX),
        (workbook(main="other.xml"), None),
        (PROGRAM, None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", None),
        (b"<!DOCTYPE html><script>alert(1)</script>", None),
        (b"GIF89a", None),
        (b"#!/bin/sh\nexit\n" + PDF, None),
        (b"\xef\xbb\xbf\r\n" + PDF, MediaType.PDF),
    ],
    ids=[
        "pdf",
        "png",
        "jpeg",
        "webp",
        "xlsx",
        "docx",
        "zip",
        "exe",
        "svg",
        "html",
        "gif",
        "sh-pdf",
        "bom-pdf",
    ],
)
def test_the_content_says_what_it_is(content, kind):
    assert rules.kind_of(content) is kind


def test_an_executable_named_png_is_no_picture():
    with pytest.raises(UnknownKind) as refused:
        rules.check_kind(PROGRAM, "photo.png", PICTURES)

    assert refused.value.details["kinds"] == "PNG、JPG、WEBP"


def test_a_pdf_named_xlsx_is_refused_with_both_kinds():
    with pytest.raises(NameContradicts) as refused:
        rules.check_kind(PDF, "校准证书.xlsx", DOCUMENTS)

    assert refused.value.details == {"said": "XLSX", "found": "PDF"}


def test_a_picture_may_be_named_as_another_and_without_ending():
    assert rules.check_kind(picture(kind="JPEG"), "IMG_1.PNG", PICTURES) is MediaType.JPEG
    assert rules.check_kind(picture(), "扫描件", PICTURES) is MediaType.PNG


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (PDF[:-6], Unreadable),
        (workbook()[:60], Unreadable),
        (workbook(("xl/vbaProject.bin", b"x")), Locked),
        (workbook(("xl/big.xml", b"0" * (rules.MOST_UNPACKED + 1))), Locked),
        (workbook(*((f"p{n}", b"") for n in range(rules.MOST_PARTS))), Locked),
    ],
    ids=["cut-pdf", "cut-zip", "macros", "bomb", "many-parts"],
)
def test_what_is_damaged_or_hides_something_is_refused(content, error):
    with pytest.raises(error):
        rules.kind_of(content)


def test_sizes_have_a_floor_and_a_ceiling():
    with pytest.raises(EmptyFile):
        rules.check_size(0)
    with pytest.raises(FileTooLarge):
        rules.check_size(rules.MOST_BYTES + 1)
    rules.check_size(rules.MOST_BYTES)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("校准证书 2026.pdf", "校准证书 2026.pdf"),
        ("C:\\Users\\李\\证书.PDF", "证书.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("证书\r\nSet-Cookie: a=b.pdf", "证书Set-Cookie_ a=b.pdf"),
        ("\u202egnp.exe", "gnp.exe.pdf"),
        ("...", "file.pdf"),
        ("扫描.jpeg", "扫描.pdf"),
        ("很" * 300 + ".pdf", "很" * 115 + ".pdf"),
    ],
)
def test_names_lose_folders_breaks_and_wrong_endings(given_name, expected):
    assert rules.clean_name(given_name, MediaType.PDF) == expected


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_can_be_saved(name):
    clean = rules.clean_name(name, MediaType.PNG)

    assert clean.endswith(".png")
    assert 5 <= len(clean) <= rules.LONGEST_NAME
    assert clean.isprintable()
    assert not set(clean) & set('<>:"/\\|?*')


@given(st.binary(max_size=2000))
def test_no_content_makes_it_stumble(content):
    with contextlib.suppress(Unreadable, Locked):
        rules.kind_of(b"PK\x03\x04" + content)
