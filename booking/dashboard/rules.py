"""How a year of months is drawn: columns from zero, with a scale people can read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, TOP, BASE = 340, 14, 140  # of the drawing; its labels need what is below the base
_LEFT, _GAP = 4, 0.32
_STEPS = (1, 2, 5)
_MOST_LINES = 4


@dataclass(frozen=True)
class Column:
    """A month's column; one below zero hangs under the line."""

    month: int
    minor: int
    x: float
    y: float
    width: float
    height: float
    is_most: bool

    @property
    def middle(self) -> float:
        """Return where its label stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Plot:
    """The columns, where zero is, and the lines with the amounts they stand for."""

    columns: tuple[Column, ...]
    zero: float
    ticks: tuple[tuple[float, int], ...]


def plot(months: Sequence[int]) -> Plot:
    """Return the drawing of the year's monthly amounts so far, in 分; its scale has a zero."""
    most, least = max([0, *months]), min([0, *months])
    step = _step(max(most, -least))
    top, bottom = max(-(-most // step) * step, step), least // step * step

    def at(minor: int) -> float:
        return round(TOP + (BASE - TOP) * (top - minor) / (top - bottom), 1)

    place = (WIDTH - 2 * _LEFT) / 12
    columns = tuple(
        Column(
            month=number,
            minor=minor,
            x=round(_LEFT + (number - 1) * place + place * _GAP / 2, 1),
            y=min(at(minor), at(0)),
            width=round(place * (1 - _GAP), 1),
            height=round(abs(at(minor) - at(0)), 1),
            is_most=minor == most > 0,
        )
        for number, minor in enumerate(months, 1)
    )
    ticks = tuple((at(minor), minor) for minor in range(bottom, top + 1, step))
    return Plot(columns, at(0), ticks)


def _step(most: int) -> int:
    """Return the smallest of 1, 2, 5 × 10ⁿ yuan of which at most four reach the most."""
    unit = 100
    while True:
        for factor in _STEPS:
            if most <= _MOST_LINES * factor * unit:
                return factor * unit
        unit *= 10
