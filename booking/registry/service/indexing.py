"""Keeping the search index of instruments: on each change, and of all rows at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import InstrumentedAttribute

from booking.accounts.models import Organisation
from booking.kernel.db import db
from booking.reference import queries as reference
from booking.registry import gateway, queries, rules
from booking.registry.models import Instrument

_NAMED = ("name", "english_name")
_CODED = ("model", "inner_id")
_DESCRIBED = ("manufacturer", "functions", "technical", "service_content", "place", "department")
_READ = [
    getattr(Instrument, name)
    for name in ("id", "category_code", "region_code", "standards", *_NAMED, *_CODED, *_DESCRIBED)
]
# The n-grams hold no blanks, so one text carries a row's and arrays need not be of one length.
_STORE = text("""
UPDATE instruments i
   SET search_text = v.words, search_tokens = string_to_array(v.tokens, ' ')::varchar[],
       name_pinyin = v.pinyin
  FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[]), CAST(:tokens AS text[]),
              CAST(:pinyin AS text[])) AS v(id, words, tokens, pinyin)
 WHERE i.id = v.id AND (i.search_text <> v.words OR i.name_pinyin <> v.pinyin
    OR i.search_tokens <> string_to_array(v.tokens, ' ')::varchar[])
""")


def indexed(
    values: Mapping[str, Any], *, category: str, institution: str, region: str = ""
) -> dict[str, Any]:
    """Return `search_text`, `search_tokens` and `name_pinyin` of an instrument with these values.

    `category`, `institution` and `region` are names, as people type them.
    """
    names = [*(values.get(name) or "" for name in _NAMED), category]
    also = rules.aliases_of(names, gateway.aliases())
    found = rules.index(
        named=[*names, institution, region, *also],
        coded=[*(values.get(name) or "" for name in _CODED), *(values.get("standards") or ())],
        described=[values.get(name) or "" for name in _DESCRIBED],
    )
    return {
        "search_text": found.text,
        "search_tokens": list(found.tokens),
        "name_pinyin": rules.name_pinyin(values["name"]),
    }


def indexed_values(instrument: Instrument) -> dict[str, Any]:
    """Return what an instrument is found by, and the codes of its category and region."""
    return {column.key: getattr(instrument, column.key) for column in _READ}


def index_instrument(instrument: Instrument) -> None:
    """Write the index of an instrument whose institution is loaded."""
    region = instrument.region_code
    for name, value in indexed(
        indexed_values(instrument),
        category=queries.category_names([instrument.category_code]).get(
            instrument.category_code, ""
        ),
        institution=instrument.institution.name,
        region=(reference.region_name(region) if region else None) or "",
    ).items():
        setattr(instrument, name, value)


def reindex(*, batch: int = 500) -> int:
    """Write the index of every instrument, in the caller's transaction; returns how many.

    For after a change of names it is made from, or of how it is made.
    """
    categories = queries.category_names(_codes(Instrument.category_code))
    regions = reference.region_names(_codes(Instrument.region_code))
    done, last = 0, 0
    while rows := _batch(last, batch):
        found = [
            indexed(
                row,
                category=categories.get(row["category_code"], ""),
                institution=row["institution"],
                region=regions.get(row["region_code"], ""),
            )
            for row in rows
        ]
        db.session.execute(
            _STORE,
            {
                "ids": [row["id"] for row in rows],
                "words": [each["search_text"] for each in found],
                "tokens": [" ".join(each["search_tokens"]) for each in found],
                "pinyin": [each["name_pinyin"] for each in found],
            },
        )
        done, last = done + len(rows), rows[-1]["id"]
    return done


def _codes(column: InstrumentedAttribute[Any]) -> list[str]:
    return list(db.session.scalars(select(column).distinct().where(column.is_not(None))))


def _batch(after: int, size: int) -> Sequence[Mapping[str, Any]]:
    """Return the next rows, locked: what changes meanwhile must not get an older index."""
    query = (
        select(*_READ, Organisation.name.label("institution"))
        .join(Organisation, Organisation.id == Instrument.institution_id)
        .where(Instrument.id > after)
        .order_by(Instrument.id)
        .limit(size)
        .with_for_update(of=Instrument, key_share=True)
    )
    return [row._asdict() for row in db.session.execute(query)]
