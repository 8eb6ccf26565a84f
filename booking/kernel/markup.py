"""Looking through foreign XML before a parser that keeps everything in memory meets it."""

from typing import IO
from xml.parsers import expat

MOST_ELEMENTS = 10_000_000
MOST_KEPT = 200_000  # siblings outside the rows of a table, or inside one of them
DEEPEST = 100
_CHUNK = 1 << 18
# Containers of which readers let go one by one.
_LET_GO = frozenset({"row", "si"})


class MarkupRefused(ValueError):
    """It declares entities, or has more of something than any honest document."""


class _Survey:
    """Counts while the parser passes by."""

    def __init__(self) -> None:
        self.elements = self.kept = self.depth = 0
        self.inside = self.within = 0  # how deep in a container that is let go, and its size

    def start(self, name: str, _: object) -> None:
        self.depth += 1
        self.elements += 1
        if self.inside or name.rpartition(":")[2] in _LET_GO:
            self.inside += 1
            self.within += 1
        else:
            self.kept += 1
        if self.elements > MOST_ELEMENTS or self.depth > DEEPEST:
            raise MarkupRefused
        if max(self.kept, self.within) > MOST_KEPT:
            raise MarkupRefused

    def end(self, _: str) -> None:
        self.depth -= 1
        if self.inside:
            self.inside -= 1
            self.within = self.within if self.inside else 0


def _refuse(*_: object) -> None:
    raise MarkupRefused


def survey(file: IO[bytes]) -> None:
    """Raise MarkupRefused, or ExpatError (a ValueError here), at what no parser should be given."""
    seen = _Survey()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise ValueError(str(exc)) from exc
