"""Files as people upload them, good and bad, made on the spot."""

import io
import struct
import zipfile
import zlib

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00" + b"\x00" * 200


def picture(size=(640, 480), kind="PNG", colour=(20, 120, 130), **given):
    """A picture of one colour."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, kind, **given)
    return target.getvalue()


def huge_png(width=60_000, height=50_000):
    """A PNG of 3 gigapixels that says so in 69 bytes and has none of them."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def workbook(*more, main="xl/workbook.xml"):
    """The parts of a workbook; `more` are (name, content)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("[Content_Types].xml", b"<Types/>"), (main, b"<x/>"), *more):
            archive.writestr(name, content)
    return target.getvalue()
