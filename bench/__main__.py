"""Run all benchmarks: `python -m bench [--large] [NAME …]`."""

import sys

from bench import board, contested, feeds, importing, lighthouse, outbox, pricing, reserve, search

ALL = {
    "reserve": reserve,
    "contested": contested,
    "search": search,
    "feeds": feeds,
    "lighthouse": lighthouse,
    "outbox": outbox,
    "board": board,
    "importing": importing,
    "pricing": pricing,
}


def main() -> None:
    """Run those named, or all; `--large` adds five million occupancies to the search."""
    names = [name for name in sys.argv[1:] if not name.startswith("-")] or list(ALL)
    for name in names:
        ALL[name].run(large="--large" in sys.argv)


if __name__ == "__main__":
    main()
