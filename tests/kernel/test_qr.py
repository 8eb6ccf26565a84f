"""QR codes: the path draws exactly the modules, with the quiet zone around them."""

import re

import segno
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.qr import QUIET_ZONE, qr_code


def drawn(code):
    """The dark modules the path covers."""
    return {
        (int(x) + step, int(y))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", code.path)
        for step in range(int(length))
    }


@given(st.from_regex(r"https://[a-z]{1,20}[.]cn/[a-z0-9/]{0,40}", fullmatch=True))
def test_the_path_is_the_code(address):
    code = qr_code(address)
    rows = list(segno.make_qr(address, error="m").matrix_iter(border=QUIET_ZONE))

    assert code.side == len(rows)
    assert drawn(code) == {
        (x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    }


def test_the_zone_around_it_is_quiet():
    code = qr_code("https://lab.example.cn/instruments/1")
    inner = range(QUIET_ZONE, code.side - QUIET_ZONE)

    assert all(x in inner and y in inner for x, y in drawn(code))
