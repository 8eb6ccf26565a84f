"""QR codes as one SVG path: level M with a quiet zone of 4, for screens and 15 mm prints."""

from dataclasses import dataclass

import segno

QUIET_ZONE = 4


@dataclass(frozen=True)
class QrCode:
    """A code as an SVG draws it: its side in modules and the path of the dark ones."""

    side: int
    path: str


def qr_code(address: str) -> QrCode:
    """Return the code of an address; it holds nothing else, least of all personal data."""
    code = segno.make_qr(address, error="m")
    rows = [list(row) for row in code.matrix_iter(border=QUIET_ZONE)]
    path = "".join(
        f"M{start} {y}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _runs(row)
    )
    return QrCode(side=len(rows), path=path)


def _runs(row: list[int]) -> list[tuple[int, int]]:
    """Return where dark modules begin and how many follow each other."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
