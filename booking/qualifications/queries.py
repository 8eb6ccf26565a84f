"""Reads for certificates and calibrations."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import joinedload, selectinload

from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, Permission
from booking.kernel import driver
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.qualifications import rules
from booking.qualifications.models import Calibration, Certificate, Extension, ScopeLine
from booking.qualifications.rules import CalibrationKind, Scheme
from booking.registry import queries as registry
from booking.registry.models import Instrument, Publication

_IN_SCOPE = """
SELECT c.institution_id, c.scheme, array_agg(DISTINCT key)
  FROM certificates c
  JOIN scope_lines s ON s.certificate_id = c.id
 CROSS JOIN unnest(s.standard_keys) key
 WHERE c.institution_id = ANY(%(institutions)s) AND c.withdrawn_at IS NULL
   AND c.valid_from <= %(today)s AND c.valid_until >= %(today)s
   AND key = ANY(%(keys)s::text[])
 GROUP BY c.institution_id, c.scheme
"""


def schemes_of(instruments: Collection[Instrument], *, today: date) -> dict[int, list[Scheme]]:
    """Return under which valid certificates' scope each instrument's standards fall, by its id.

    One statement, whatever the number; instruments that name no standard fall under none.
    """
    keys = {each.id: set(_keys(each)) for each in instruments}
    every = sorted(set().union(*keys.values())) if keys else []
    if not every:
        return {}
    rows = driver.rows(
        _IN_SCOPE,
        {
            "institutions": sorted({each.institution_id for each in instruments}),
            "keys": every,
            "today": today,
        },
    )
    found: dict[int, list[Scheme]] = defaultdict(list)
    for institution_id, scheme, covered in sorted(rows, key=lambda row: str(row[1])):
        for each in instruments:
            if each.institution_id == institution_id and keys[each.id] & set(covered):
                found[each.id].append(Scheme(scheme))
    return dict(found)


def _keys(instrument: Instrument) -> list[str]:
    return [key for standard in instrument.standards for key in rules.standard_keys(standard)]


@dataclass(frozen=True)
class Covering:
    """A valid certificate with the lines of its scope that name an instrument's standards."""

    certificate: Certificate
    lines: Sequence[ScopeLine]


def covering(instrument: Instrument, *, today: date) -> list[Covering]:
    """Return the valid certificates of the instrument's institution and what of them it meets."""
    keys = _keys(instrument)
    meets = ScopeLine.standard_keys.overlap(keys) if keys else text("false")
    rows = db.session.execute(
        select(Certificate, ScopeLine)
        .outerjoin(ScopeLine, (ScopeLine.certificate_id == Certificate.id) & meets)
        .where(
            Certificate.institution_id == instrument.institution_id,
            Certificate.withdrawn_at.is_(None),
            Certificate.valid_from <= today,
            Certificate.valid_until >= today,
        )
        .order_by(Certificate.scheme, Certificate.number, ScopeLine.place)
    )
    found: dict[int, tuple[Certificate, list[ScopeLine]]] = {}
    for certificate, line in rows:
        _, lines = found.setdefault(certificate.id, (certificate, []))
        if line is not None:
            lines.append(line)
    return [Covering(certificate, lines) for certificate, lines in found.values()]


def certificates_of(institution_id: int) -> Sequence[tuple[Certificate, int]]:
    """Return an institution's certificates with the number of their lines, latest end first."""
    lines = (
        select(func.count())
        .where(ScopeLine.certificate_id == Certificate.id)
        .correlate(Certificate)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Certificate, lines)
        .options(joinedload(Certificate.file))
        .where(Certificate.institution_id == institution_id)
        .order_by(
            Certificate.withdrawn_at.is_not(None),
            Certificate.valid_until.desc(),
            Certificate.id.desc(),
        )
    )
    return [(certificate, count or 0) for certificate, count in rows]


def get_certificate(
    certificate_id: int, *, caller: Caller | None, for_update: bool = False
) -> Certificate:
    """Return a certificate for the institution's people, or for everybody once it publishes.

    Raises NotFound.
    """
    own = caller.organisations if caller else frozenset()
    publishes = exists().where(
        Instrument.institution_id == Certificate.institution_id,
        Instrument.publication == Publication.PUBLISHED,
    )
    query = (
        select(Certificate)
        .options(joinedload(Certificate.file))
        .where(
            Certificate.id == certificate_id,
            or_(
                Certificate.institution_id.in_(own), Certificate.withdrawn_at.is_(None) & publishes
            ),
        )
    )
    if for_update:
        query = query.with_for_update(of=Certificate).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def lines_of(certificate_id: int, *, limit: int, skip: int = 0) -> tuple[Sequence[ScopeLine], int]:
    """Return lines of a certificate's scope in order, and how many there are in all."""
    of_it = ScopeLine.certificate_id == certificate_id
    total = db.session.scalar(select(func.count()).select_from(ScopeLine).where(of_it)) or 0
    page = select(ScopeLine).where(of_it).order_by(ScopeLine.place, ScopeLine.id)
    return db.session.scalars(page.limit(limit).offset(skip)).all(), total


def calibrations_of(instrument_id: int) -> Sequence[Calibration]:
    """Return an instrument's verifications and calibrations, latest first."""
    return db.session.scalars(
        select(Calibration)
        .options(joinedload(Calibration.file), selectinload(Calibration.extensions))
        .where(Calibration.instrument_id == instrument_id)
        .order_by(Calibration.performed_on.desc(), Calibration.id.desc())
    ).all()


def get_calibration(
    instrument_id: int, calibration_id: int, *, caller: Caller | None, for_update: bool = False
) -> Calibration:
    """Return one of an instrument the caller may see; raises NotFound."""
    visible = registry.visible_to(caller).with_only_columns(Instrument.id)
    query = (
        select(Calibration)
        .options(joinedload(Calibration.file), selectinload(Calibration.extensions))
        .where(
            Calibration.id == calibration_id,
            Calibration.instrument_id == instrument_id,
            Calibration.instrument_id.in_(visible),
        )
    )
    if for_update:
        query = query.with_for_update(of=Calibration).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def current(records: Sequence[Calibration]) -> Mapping[CalibrationKind, Calibration]:
    """Return the one of each kind that counts; what was withdrawn does not."""
    found = {}
    for kind in CalibrationKind:
        of_kind = [each for each in records if each.kind is kind and each.withdrawn_at is None]
        last = rules.latest(of_kind)
        if isinstance(last, Calibration):
            found[kind] = last
    return found


def extension_of(calibration: Calibration | None) -> Extension | None:
    """Return the extension that reaches furthest, if any holds."""
    holding = [
        each for each in (calibration.extensions if calibration else ()) if each.revoked_at is None
    ]
    return max(holding, key=lambda each: (each.until, each.id), default=None)


def until(records: Sequence[Calibration], kind: CalibrationKind) -> date | None:
    """Return the last day on which an instrument may be used by its records of a kind."""
    last = current(records).get(kind)
    extension = extension_of(last)
    return rules.usable_until(last, extension.until if extension else None)


@dataclass(frozen=True)
class Ending:
    """Something whose end is near, with what a reminder says of it."""

    kind: str
    id: int
    institution_id: int
    organisation: str
    number: str
    expires_on: date
    instrument_id: int | None = None
    instrument: str = ""


def ending(today: date) -> Iterator[Ending]:
    """Yield certificates and calibrations that count and end within the longest reminder."""
    last = date.fromordinal(today.toordinal() + max(rules.REMIND_DAYS))
    yield from _ending_certificates(today, last)
    yield from _ending_calibrations(today, last)


def _ending_certificates(today: date, last: date) -> Iterator[Ending]:
    renewed = _renewed()
    for found, organisation in db.session.execute(
        select(Certificate, Organisation.name)
        .join(Organisation, Organisation.id == Certificate.institution_id)
        .where(
            Certificate.withdrawn_at.is_(None),
            Certificate.valid_until.between(today, last),
            ~renewed,
        )
        .order_by(Certificate.id)
    ):
        yield Ending(
            found.scheme.value,
            found.id,
            found.institution_id,
            organisation,
            found.number,
            found.valid_until,
        )


def _renewed() -> ColumnElement[bool]:
    later = Certificate.__table__.alias("later")
    return exists().where(
        later.c.institution_id == Certificate.institution_id,
        later.c.scheme == Certificate.scheme,
        later.c.withdrawn_at.is_(None),
        later.c.valid_until > Certificate.valid_until,
    )


def _newest() -> Select[int]:
    return (
        select(Calibration.id)
        .ext(distinct_on(Calibration.instrument_id, Calibration.kind))
        .where(Calibration.withdrawn_at.is_(None))
        .order_by(
            Calibration.instrument_id,
            Calibration.kind,
            Calibration.performed_on.desc(),
            Calibration.id.desc(),
        )
    )


def _ending_calibrations(today: date, last: date) -> Iterator[Ending]:
    for found, instrument, organisation in db.session.execute(
        select(Calibration, Instrument, Organisation.name)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(Organisation, Organisation.id == Instrument.institution_id)
        .options(*registry.LISTED[:1])
        .where(Calibration.id.in_(_newest()), Calibration.valid_until.between(today, last))
        .order_by(Calibration.id)
    ):
        yield Ending(
            found.kind.value,
            found.id,
            instrument.institution_id,
            organisation,
            found.number,
            found.valid_until or last,
            instrument.id,
            instrument.name,
        )


_IDS = bindparam("ids", type_=ARRAY(BigInteger))


def breaches() -> Iterator[str]:
    """Yield one sentence for each instrument whose fitness is not what its records say."""
    limited = select(Calibration.instrument_id).distinct()
    instruments = db.session.execute(
        select(Instrument.id, Instrument.verified_until, Instrument.calibrated_until)
        .where(
            or_(
                Instrument.id.in_(limited),
                Instrument.verified_until.is_not(None),
                Instrument.calibrated_until.is_not(None),
            )
        )
        .order_by(Instrument.id)
    ).all()
    records: dict[int, list[Calibration]] = defaultdict(list)
    for each in db.session.scalars(
        select(Calibration)
        .options(selectinload(Calibration.extensions))
        .where(Calibration.instrument_id == func.any(_IDS)),
        {"ids": [row.id for row in instruments]},
    ):
        records[each.instrument_id].append(each)
    for instrument_id, verified, calibrated in instruments:
        said = (
            until(records[instrument_id], CalibrationKind.VERIFICATION),
            until(records[instrument_id], CalibrationKind.CALIBRATION),
        )
        if said != (verified, calibrated):
            yield f"仪器 {instrument_id} 的可用期限与检定、校准记录不符。"


def may_manage(caller: Caller, institution_id: int) -> bool:
    """Tell whether the caller looks after the institution's certificates."""
    return caller.may(Permission.MANAGE_INSTRUMENTS, institution_id)
