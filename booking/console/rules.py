"""How a day is laid out on a board: hours across, what overlaps below each other. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from booking.availability.rules import DAY_MINUTES, Span

AXIS = (8 * 60, 18 * 60)  # shown in any case


@dataclass(frozen=True)
class Axis:
    """The hours a board shows, in minutes since midnight of its day."""

    starts: int = AXIS[0]
    ends: int = AXIS[1]

    def place(self, span: Span) -> tuple[float, float] | None:
        """Return where a span begins and how wide it is, in percent; None if out of sight."""
        low, high = max(span[0], self.starts), min(span[1], self.ends)
        if low >= high:
            return None
        length = self.ends - self.starts
        return round(100 * (low - self.starts) / length, 2), round(100 * (high - low) / length, 2)

    @property
    def hours(self) -> Sequence[tuple[int, float]]:
        """Return each full hour but the last with its place, every other one if there are many."""
        count = (self.ends - self.starts) // 60
        step = 60 if count <= 12 else 120
        return [
            (minute // 60, round(100 * (minute - self.starts) / (60 * count), 2))
            for minute in range(self.starts, self.ends, step)
        ]


def axis_over(spans: Iterable[Span]) -> Axis:
    """Return the hours that show all the spans, in full hours within the day."""
    low, high = AXIS
    for start, end in spans:
        low, high = min(low, start), max(high, end)
    return Axis(max(low, 0) // 60 * 60, -(-min(high, DAY_MINUTES) // 60) * 60)


def lanes(spans: Sequence[Span]) -> list[int]:
    """Return for each span the first lane in which it overlaps nothing; they come by start."""
    ends: list[int] = []
    found = []
    for start, end in spans:
        lane = next((n for n, until in enumerate(ends) if until <= start), len(ends))
        if lane == len(ends):
            ends.append(end)
        else:
            ends[lane] = end
        found.append(lane)
    return found
