"""The tables in `data/` as they are read: one class per file, one object per row."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, TypeVar, get_type_hints

Row = TypeVar("Row")


@dataclass(frozen=True)
class Institution:
    """Who runs sites."""

    login: str
    name: str
    region: str
    address: str
    manager: str


@dataclass(frozen=True)
class Authority:
    """Who looks after the service."""

    login: str
    name: str
    kind: str
    role: str
    region: str
    uscc_prefix: str
    contact: str


@dataclass(frozen=True)
class Firm:
    """A customer: an enterprise, or research if it declares no industry."""

    login: str
    name: str
    region: str
    industry: str
    size: str
    contact: str
    needs: tuple[str, ...]
    bookings: int
    logs_in: bool


@dataclass(frozen=True)
class Site:
    """Where instruments stand."""

    site: str
    institution: str
    region: str
    street: str
    department: str
    phone: str


@dataclass(frozen=True)
class Instrument:
    """One entry of the registry; `number` counts from 1 in the order of the table."""

    number: int
    site: str
    category: str
    name: str
    model: str
    maker: str
    price: Decimal
    sme: int
    units: int
    week: str
    terms: str
    state: str
    worth: Decimal
    since: int
    standards: tuple[str, ...]
    technical: str
    functions: str


@dataclass(frozen=True)
class Arranged:
    """A booking made by hand; `cancelled` says why it was given up, if it was."""

    login: str
    instrument: int
    day: int
    start: str
    hours: Decimal
    purpose: str
    cancelled: str


@dataclass(frozen=True)
class Stop:
    """A time at which an instrument is not to be had."""

    instrument: int
    day: int
    start: str
    hours: Decimal
    kind: str
    reason: str


@dataclass(frozen=True)
class Colleague:
    """Somebody whom a manager invited, and what became of that."""

    organisation: str
    login: str
    mobile: str
    name: str
    roles: tuple[str, ...]
    days: int
    joined: bool
    disabled: int


@cache
def colleagues() -> list[Colleague]:
    """Return the managers' colleagues."""
    return _table(Colleague, "people")


@cache
def institutions() -> list[Institution]:
    """Return the institutions."""
    return _table(Institution, "institutions")


@cache
def authorities() -> list[Authority]:
    """Return the province's office and the service window."""
    return _table(Authority, "authorities")


@cache
def firms() -> list[Firm]:
    """Return the customers."""
    return _table(Firm, "firms")


@cache
def sites() -> dict[str, Site]:
    """Return the sites by their short names."""
    return {site.site: site for site in _table(Site, "sites")}


@cache
def instruments() -> list[Instrument]:
    """Return the instruments in the order in which they are registered."""
    return _table(Instrument, "instruments")


@cache
def arranged() -> list[Arranged]:
    """Return the bookings made by hand."""
    return _table(Arranged, "story")


@cache
def stops() -> list[Stop]:
    """Return the closures."""
    return _table(Stop, "closures")


@cache
def purposes(category: str) -> list[str]:
    """Return what is written into bookings of such an instrument: of the nearest category."""
    rows = [row for row in _rows("purposes") if category.startswith(row["category"])]
    nearest = max(len(row["category"]) for row in rows)
    return [row["purpose"] for row in rows if len(row["category"]) == nearest]


def _list(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(";")) if cell else ()


_READ: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    bool: bool,
    Decimal: Decimal,
    tuple[str, ...]: _list,
}


def _table(kind: type[Row], name: str) -> list[Row]:
    """Return a table's rows as objects, each cell read as its field's type."""
    types = get_type_hints(kind)
    return [
        kind(**{field: _READ[wanted](row[field]) for field, wanted in types.items()})
        for row in _rows(name)
    ]


def _rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows below the headings, each with its `number` from 1."""
    source = resources.files("booking.demo").joinpath("data", f"{name}.csv")
    with source.open(encoding="utf-8") as lines:
        table = csv.DictReader(line for line in lines if not line.startswith("#"))
        for number, row in enumerate(table, start=1):
            yield row | {"number": str(number)}
