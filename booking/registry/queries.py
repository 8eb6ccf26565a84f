"""Reads for the registry: what a caller may see, and how instruments are found."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    any_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import joinedload, load_only

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller
from booking.kernel import driver
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.reference import queries as reference
from booking.registry.models import Instrument, Publication
from booking.registry.rules import code_range, query_tokens, query_words, squash

# What lists show: a third of the columns, so that a page of them costs a third.
LISTED = (
    load_only(
        Instrument.inner_id,
        Instrument.name,
        Instrument.english_name,
        Instrument.category_scheme,
        Instrument.category_code,
        Instrument.region_code,
        Instrument.place,
        Instrument.manufacturer,
        Instrument.model,
        Instrument.standards,
        Instrument.worth_wan,
        Instrument.running_state,
        Instrument.sharing_mode,
        Instrument.publication,
        Instrument.verified_until,
        Instrument.calibrated_until,
        Instrument.units,
        Instrument.time_zone,
        Instrument.version,
    ),
    joinedload(Instrument.institution, innerjoin=True).load_only(
        Organisation.name, Organisation.uscc
    ),
)
_CATEGORY_NAMES = """
SELECT code, name FROM categories
 WHERE scheme = %(scheme)s AND (%(codes)s::text[] IS NULL OR code = ANY(%(codes)s::text[]))
"""
# Built once: every page and request about an instrument begins with it.
_ONE = (
    select(Instrument)
    .options(joinedload(Instrument.institution, innerjoin=True))
    .where(
        Instrument.id == bindparam("id"),
        or_(
            Instrument.publication == Publication.PUBLISHED,
            Instrument.institution_id == any_(bindparam("institutions", type_=ARRAY(BigInteger))),
        ),
    )
)
# Not the key: reservations that refer to the instrument go on being made.
_ONE_LOCKED = _ONE.with_for_update(of=Instrument, key_share=True).execution_options(
    populate_existing=True
)


def visible_to(caller: Caller | None) -> Select[Instrument]:
    """Return the instruments the caller may see: what is published, and their own institution's."""
    published = Instrument.publication == Publication.PUBLISHED
    if caller is None or not caller.organisations:
        return select(Instrument).where(published)
    return select(Instrument).where(
        or_(published, Instrument.institution_id.in_(caller.organisations))
    )


def get_instrument(
    instrument_id: int, *, caller: Caller | None, for_update: bool = False
) -> Instrument:
    """Return the instrument with its institution, or raise NotFound; `for_update` locks it."""
    institutions = list(caller.organisations) if caller else []
    found = db.session.scalar(
        _ONE_LOCKED if for_update else _ONE, {"id": instrument_id, "institutions": institutions}
    )
    if found is None:
        raise NotFound
    return found


def lock_instruments(ids: Collection[int], *, caller: Caller) -> Sequence[Instrument]:
    """Return those of the instruments that the caller may see, locked in the order of ids.

    Two who lock some of the same never wait in a circle, nor for who locks one alone.
    """
    query = (
        visible_to(caller)
        .where(Instrument.id.in_(ids))
        .order_by(Instrument.id)
        .with_for_update(of=Instrument, key_share=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def find_withdrawn(instrument_id: int) -> Instrument | None:
    """Return an instrument that everybody could see until it was withdrawn, or None."""
    return db.session.scalar(
        select(Instrument)
        .options(*LISTED)
        .where(
            Instrument.id == instrument_id,
            Instrument.publication == Publication.WITHDRAWN,
            Instrument.published_at.is_not(None),
        )
    )


def matching(
    *,
    caller: Caller | None,
    q: str | None = None,
    category: str | None = None,
    regions: Sequence[str] = (),
    institution_id: int | None = None,
) -> Select[Instrument]:
    """Return what the caller may see of it, in no order yet.

    `category` and each of `regions` are beginnings of codes (`code_range`); how `q` is
    understood: `found_by`.
    """
    query = visible_to(caller)
    if q is not None:
        query = query.where(found_by(q))
    if category is not None:
        query = query.where(in_category(category))
    if regions:
        query = query.where(or_(*map(in_region, regions)))
    if institution_id is not None:
        query = query.where(Instrument.institution_id == institution_id)
    return query


def found_by(q: str) -> ColumnElement[bool]:
    """Return the condition that every word typed stands somewhere in the index.

    Nothing typed finds all; punctuation alone is no word and finds nothing.
    """
    words = query_words(q)
    if not words:
        return false() if q.strip() else Instrument.id.is_not(None)
    tokens = sorted({token for word in words for token in query_tokens(word)})
    # The index narrows it down to rows with all n-grams; the text says whether they adjoin.
    return and_(
        Instrument.search_tokens.contains(tokens),
        *(Instrument.search_text.contains(word, autoescape=True) for word in words),
    )


def rank(q: str | None) -> ColumnElement[int]:
    """Return how near the name is to what was typed: 0 equal, 1 begins so, 2 contains, 3 rest."""
    typed = squash(q or "")
    if not typed:
        return literal(0)
    name = func.split_part(Instrument.search_text, " ", 2)
    return case(
        (name == typed, 0),
        (name.startswith(typed, autoescape=True), 1),
        (name.contains(typed, autoescape=True), 2),
        else_=3,
    )


def in_category(code: str) -> ColumnElement[bool]:
    """Return the condition for a class or a whole branch: 0101 and 010100 mean the same."""
    return Instrument.category_code.between(*code_range(code))


def publisher_name(institution_id: int) -> str | None:
    """Return the name of an institution that has published instruments, of nobody else."""
    return db.session.scalar(
        select(Organisation.name).where(
            Organisation.id == institution_id,
            exists().where(
                Instrument.institution_id == Organisation.id,
                Instrument.publication == Publication.PUBLISHED,
            ),
        )
    )


def in_region(code: str) -> ColumnElement[bool]:
    """Return the condition for a region with all below it: 4301 and 430100 mean the same."""
    return Instrument.region_code.between(*code_range(code))


@dataclass(frozen=True)
class Described:
    """An instrument with the names behind its codes; `sees_phone`: whether the reader may."""

    instrument: Instrument
    category: str | None
    region: str | None
    sees_phone: bool

    @property
    def address(self) -> str:
        """Return where it stands, without words of its own where its institution does.

        A street that names its city needs no region before it.
        """
        place, street = self.region or self.instrument.place, self.instrument.street
        if not (self.instrument.place or street) and self.instrument.institution.address:
            return self.instrument.institution.address
        if place and street.startswith(place.rpartition(" ")[2]):
            return street
        return " ".join(filter(None, (place, street)))


def described(instruments: Collection[Instrument], *, caller: Caller | None) -> list[Described]:
    """Return the instruments in their order with the names of codes, in two queries."""
    categories = category_names({each.category_code for each in instruments})
    regions = reference.region_names({each.region_code for each in instruments if each.region_code})
    return [
        Described(
            each,
            category=categories.get(each.category_code),
            region=regions.get(each.region_code) if each.region_code else None,
            sees_phone=caller is not None,
        )
        for each in instruments
    ]


def instrument_names(ids: Collection[int]) -> dict[int, str]:
    """Return the names of instruments that others can find, by id."""
    rows = db.session.execute(
        select(Instrument.id, Instrument.name).where(
            Instrument.id.in_(ids), Instrument.publication == Publication.PUBLISHED
        )
    )
    return dict(rows.all())


def institutions_of(ids: Collection[int]) -> dict[int, int]:
    """Return whose the instruments are, by id."""
    query = select(Instrument.id, Instrument.institution_id).where(Instrument.id.in_(ids))
    return {row.id: row.institution_id for row in db.session.execute(query)}


def category_names(codes: Iterable[str] | None, scheme: str = "nrii") -> dict[str, str]:
    """Return the names by code (None: of all), in one query; unknown codes are left out."""
    asked = None if codes is None else list(codes)
    return dict(driver.rows(_CATEGORY_NAMES, {"scheme": scheme, "codes": asked}))
