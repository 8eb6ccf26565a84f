"""What a search box offers while somebody types: names, classes and method standards that exist."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from booking.kernel.db import db
from booking.reference.models import Category
from booking.registry import queries as registry
from booking.registry.models import Instrument, Publication
from booking.registry.rules import query_tokens, query_words, squash

NAMES, CLASSES, STANDARDS, NEAR = 6, 3, 3, 3
TYPED, COMMON = 24, 300  # n-grams compared; rows after which one is common, or enough are near
_PUBLISHED = Instrument.publication == Publication.PUBLISHED
# To count what thousands of rows share would take a second, so the index chooses some first.
_NEAR = text("""
WITH known AS MATERIALIZED (
    SELECT token, count FROM unnest(CAST(:tokens AS varchar[])) AS token
     CROSS JOIN LATERAL (SELECT count(*) FROM (
        SELECT FROM instruments
         WHERE publication = 'published' AND search_tokens @> ARRAY[token] LIMIT :most
     ) AS hit) AS hits
     WHERE count > 0
), chosen AS (
    (SELECT id, name, search_text FROM instruments
      WHERE publication = 'published' AND EXISTS (SELECT FROM known)
        AND search_tokens @> ARRAY(SELECT token FROM known) LIMIT :most)
    UNION ALL
    (SELECT id, name, search_text FROM instruments
      WHERE publication = 'published'
        AND search_tokens && ARRAY(SELECT token FROM known ORDER BY count, token LIMIT 3)
      LIMIT :most)
)
SELECT name FROM chosen CROSS JOIN LATERAL (
    SELECT count(*) AS shared, count(*) FILTER (WHERE strpos(lower(name), token) > 0) AS in_name
      FROM known WHERE strpos(search_text, token) > 0
) AS compared
 GROUP BY name
 ORDER BY max(shared) DESC, max(in_name) DESC, count(DISTINCT id) DESC, name LIMIT :near
""")


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
    """Return up to 3 published names that share most of what was typed, for a typing error.

    Looked at are those with all n-grams that anybody has, and with the rarest of them.
    """
    tokens = sorted({token for word in query_words(q) for token in query_tokens(word)})
    if not tokens:
        return []
    return list(db.session.scalars(_NEAR, {"tokens": tokens[:TYPED], "most": COMMON, "near": NEAR}))


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
