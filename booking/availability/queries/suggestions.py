"""What a search box offers while somebody types: names, classes and method standards that exist."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from booking.kernel.db import db
from booking.reference.models import Category
from booking.registry import queries as registry
from booking.registry.models import Instrument, Publication
from booking.registry.rules import query_tokens, query_words, squash

NAMES, CLASSES, STANDARDS, NEAR = 6, 3, 3, 3
_PUBLISHED = Instrument.publication == Publication.PUBLISHED


@dataclass(frozen=True)
class Suggestion:
    """What may be meant, and how many published instruments it would find."""

    words: str
    count: int
    code: str = ""  # of a class


@dataclass(frozen=True)
class Suggestions:
    """At most six names, three classes and three standards, best first."""

    names: Sequence[Suggestion] = ()
    classes: Sequence[Suggestion] = ()
    standards: Sequence[Suggestion] = ()


def suggest(q: str) -> Suggestions:
    """Return what the beginning of a word may mean to somebody who looks for an instrument.

    Only of what is published, so it tells nobody what an institution has not shown.
    """
    if not squash(q):
        return Suggestions()
    return Suggestions(_names(q), _classes(q), _standards(q))


def near_names(q: str) -> list[str]:
    """Return up to 3 published names that share most of what was typed, for a typing error."""
    tokens = sorted({token for word in query_words(q) for token in query_tokens(word)})
    if not tokens:
        return []
    token = func.unnest(Instrument.search_tokens).column_valued("token")
    same = select(func.count()).where(token.in_(tokens))
    shared = same.correlate(Instrument).scalar_subquery()
    query = (
        select(Instrument.name)
        .where(_PUBLISHED, Instrument.search_tokens.overlap(tokens))
        .group_by(Instrument.name)
        .order_by(func.max(shared).desc(), func.count().desc(), Instrument.name)
        .limit(NEAR)
    )
    return list(db.session.scalars(query))


def _names(q: str) -> list[Suggestion]:
    best = func.min(registry.rank(q))
    query = (
        select(Instrument.name, func.count())
        .where(_PUBLISHED, registry.found_by(q))
        .group_by(Instrument.name)
        .order_by(best, func.count().desc(), Instrument.name)
        .limit(NAMES)
    )
    return [Suggestion(name, count) for name, count in db.session.execute(query)]


def _classes(q: str) -> list[Suggestion]:
    query = (
        select(Category.name, Category.code, func.count())
        .join(Instrument, Instrument.category_code == Category.code)
        .where(
            _PUBLISHED,
            Category.scheme == Instrument.category_scheme,
            Category.name.icontains(q, autoescape=True),
        )
        .group_by(Category.name, Category.code)
        .order_by(func.count().desc(), Category.code)
        .limit(CLASSES)
    )
    return [Suggestion(name, count, code) for name, code, count in db.session.execute(query)]


def _standards(q: str) -> list[Suggestion]:
    """Return the standards that hold what was typed, blanks, signs and case aside."""
    named = (
        select(func.unnest(Instrument.standards).label("number"))
        .where(_PUBLISHED, registry.found_by(q))
        .subquery()
    )
    plain = func.regexp_replace(func.lower(named.c.number), "[^a-z0-9]", "", "g")
    query = (
        select(named.c.number, func.count())
        .where(plain.contains(squash(q), autoescape=True))
        .group_by(named.c.number)
        .order_by(func.count().desc(), named.c.number)
        .limit(STANDARDS)
    )
    return [Suggestion(words, count) for words, count in db.session.execute(query)]
