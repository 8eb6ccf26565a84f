"""Which files are taken, what they are by their content, and how they are called. Pure."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Collection
from enum import StrEnum
from pathlib import PurePosixPath, PureWindowsPath

from booking.files.errors import (
    EmptyFile,
    FileTooLarge,
    Locked,
    NameContradicts,
    UnknownKind,
    Unreadable,
)

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 60_000_000
LONGEST_NAME = 120
MOST_PARTS, MOST_UNPACKED = 5_000, 200 * 2**20
# The end of a zip archive: where its list of parts is counted, before anybody reads the list.
_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535


class MediaType(StrEnum):
    """The kinds of files that are taken."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


PICTURES = frozenset({MediaType.PNG, MediaType.JPEG, MediaType.WEBP})
DOCUMENTS = frozenset(MediaType)
SCANS = PICTURES | {MediaType.PDF}
ENDINGS = {
    MediaType.PDF: "pdf",
    MediaType.PNG: "png",
    MediaType.JPEG: "jpg",
    MediaType.WEBP: "webp",
    MediaType.XLSX: "xlsx",
    MediaType.DOCX: "docx",
}
_SAME = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg"}
_MAIN_PART = {"xl/workbook.xml": MediaType.XLSX, "word/document.xml": MediaType.DOCX}
_PROGRAMS = ("vbaproject.bin", "activex", "oleobject")


def kinds_in_words(kinds: Collection[MediaType]) -> str:
    """Return the kinds as people call them: `PDF、PNG`."""
    return "、".join(ENDINGS[kind].upper() for kind in MediaType if kind in kinds)


def check_size(size: int) -> None:
    """Raise EmptyFile or FileTooLarge."""
    if not size:
        raise EmptyFile
    if size > MOST_BYTES:
        raise FileTooLarge(most_bytes=MOST_BYTES)


def check_kind(content: bytes, name: str, kinds: Collection[MediaType]) -> MediaType:
    """Return what the content is, or raise UnknownKind, NameContradicts, Unreadable or Locked.

    A name with no ending, or one nobody knows, says nothing; a picture may be called as another.
    """
    found = kind_of(content)
    if found is None or found not in kinds:
        raise UnknownKind(kinds_in_words(kinds))
    said = ending_of(name)
    known = {ending: kind for kind, ending in ENDINGS.items()}
    if said in known and known[said] is not found and not {known[said], found} <= PICTURES:
        raise NameContradicts(said=said.upper(), found=ENDINGS[found].upper())
    return found


def kind_of(content: bytes) -> MediaType | None:
    """Return what the content is by its first bytes, or by its parts if it is an archive.

    Raises Unreadable for a broken archive, Locked for one that hides something.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return MediaType.WEBP
    # Readers also find the mark further down; so would something that is a program as well.
    if content[:16].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise Unreadable
        return MediaType.PDF
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    return None


def _kind_of_archive(content: bytes) -> MediaType | None:
    _check_list(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as exc:
        raise Unreadable from exc
    names = {part.filename for part in parts}
    found = next((kind for main, kind in _MAIN_PART.items() if main in names), None)
    if found is None or "[Content_Types].xml" not in names:
        return None
    hides = any(word in name.lower() for name in names for word in _PROGRAMS)
    unpacked = sum(part.file_size for part in parts)
    if hides or unpacked > MOST_UNPACKED or any(part.flag_bits & 1 for part in parts):
        raise Locked
    return found


def _check_list(content: bytes) -> None:
    """Refuse an archive of absurdly many parts: reading their list alone would take seconds."""
    end = content.rfind(_END, -(_END_SIZE + _LONGEST_COMMENT))
    if end < 0 or len(content) < end + _END_SIZE:
        raise Unreadable
    parts = int.from_bytes(content[end + 10 : end + 12], "little")
    listed = int.from_bytes(content[end + 12 : end + 16], "little")
    if parts > MOST_PARTS or listed > len(content):
        raise Locked


def ending_of(name: str) -> str:
    """Return what the name ends in, as we write it: `jpg` for `SCAN.JPEG`."""
    _, dot, ending = name.rpartition(".")
    ending = ending.strip().lower() if dot else ""
    return _SAME.get(ending, ending)


def clean_name(given: str, kind: MediaType, *, otherwise: str = "file") -> str:
    """Return the name for a download: no folders, nothing invisible, the ending of its content.

    Marks that turn the direction of writing are dropped: they make `gpj.exe` look like a picture.
    """
    last = PureWindowsPath(PurePosixPath(given).name).name
    plain = unicodedata.normalize("NFC", last)
    plain = "".join(
        " " if char.isspace() and char not in "\r\n" else char
        for char in plain
        if char.isprintable() or (char.isspace() and char not in "\r\n")
    )
    plain = re.sub(r'[<>:"/\\|?*]', "_", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    is_ending = dot and (_SAME.get(ending.lower(), ending.lower()) in ENDINGS.values())
    stem = (stem if is_ending else plain).rstrip(" .")[: LONGEST_NAME - 5] or otherwise
    return f"{stem}.{ENDINGS[kind]}"
