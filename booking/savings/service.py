"""Writing lines of savings and correcting them: rows are only ever added. Never commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from booking.accounts.rules import Caller, CustomerClass, Permission, SizeClass, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.savings import queries, rules
from booking.savings.models import SavingsLine
from booking.savings.rules import Amounts, NotCounted, Reason, Service, Unit


@dataclass(frozen=True)
class Settled:
    """A service that is confirmed and settled, as far as the ledger needs it."""

    service: Service
    subject: tuple[str, int]
    number: str
    organisation_id: int
    institution_id: int
    instrument_id: int | None
    user_id: int
    customer_class: CustomerClass
    unit: Unit
    amounts: Amounts
    baseline_rank: int | None
    counted_on: date
    settled_on: date
    evidence: Mapping[str, Any]
    currency: str = "CNY"
    size_class: SizeClass | None = None
    outside: NotCounted | None = None  # of the method, whatever its price


def write_line(settled: Settled, *, by: int | None) -> SavingsLine:
    """Write the line of a settled service; what saves nothing has one too, with the reason.

    Raises InvalidField if the amounts are a mistake.
    """
    rules.check(settled.amounts, settled.baseline_rank)
    subject_type, subject_id = settled.subject
    line = SavingsLine(
        service=settled.service,
        subject_type=subject_type,
        subject_id=subject_id,
        number=settled.number,
        organisation_id=settled.organisation_id,
        institution_id=settled.institution_id,
        instrument_id=settled.instrument_id,
        user_id=settled.user_id,
        customer_class=settled.customer_class,
        size_class=settled.size_class,
        unit=settled.unit,
        currency=settled.currency,
        baseline_rank=settled.baseline_rank,
        not_counted=_why_not_counted(settled),
        counted_on=settled.counted_on,
        settled_on=settled.settled_on,
        evidence=dict(settled.evidence),
        written_by=by,
        **_columns(settled.amounts),
    )
    return _add(line, by)


def _why_not_counted(settled: Settled) -> NotCounted | None:
    if settled.amounts.baseline is not None:
        return None
    return settled.outside or NotCounted.NO_BASELINE


def correct(
    line_id: int,
    reason: Reason,
    *,
    caller: Caller,
    amount: int = 0,
    quantity: int = 0,
    note: str,
    evidence: Mapping[str, Any] | None = None,
) -> SavingsLine:
    """Add a signed line that corrects another, by the institution's bookkeeper.

    `amount` is in 分. Raises NotFound, NotAllowed, or InvalidField for what cannot be.
    """
    line = queries.get_line(line_id, caller=caller, for_update=True)
    require(caller, Permission.KEEP_BOOKS, line.institution_id)
    if line.corrects_id is not None:
        line = queries.get_line(line.corrects_id, caller=caller, for_update=True)
    change = rules.correction(queries.stands(line), reason, amount=amount, quantity=quantity)
    return _corrected(line, reason, change, by=caller.user_id, note=note, evidence=evidence)


def exclude(line_id: int, reason: Reason, *, by: int | None, note: str) -> SavingsLine:
    """Take a line out of the sums because it was found out of scope; whoever said so decided."""
    line = queries.lock_line(line_id)
    change = rules.correction(queries.stands(line), reason)
    return _corrected(line, reason, change, by=by, note=note)


def _corrected(
    line: SavingsLine,
    reason: Reason,
    change: Amounts,
    *,
    by: int | None,
    note: str,
    evidence: Mapping[str, Any] | None = None,
) -> SavingsLine:
    stands = queries.stands(line)
    rules.check(stands.plus(change), line.baseline_rank)
    today = clock.today()
    copied = {name: getattr(line, name) for name in _COPIED}
    corrected = SavingsLine(
        **copied,
        # A subsidy counts in the period in which it moved, a refund where the service does.
        counted_on=today if reason in rules.SUBSIDIES else line.counted_on,
        settled_on=today,
        corrects_id=line.id,
        reason=reason,
        note=note,
        evidence=dict(evidence or {}),
        written_by=by,
        **_columns(change),
    )
    return _add(corrected, by)


_COPIED = (
    "service",
    "subject_type",
    "subject_id",
    "number",
    "organisation_id",
    "institution_id",
    "instrument_id",
    "user_id",
    "customer_class",
    "size_class",
    "unit",
    "currency",
    "baseline_rank",
    "not_counted",
)


def _columns(amounts: Amounts) -> dict[str, Any]:
    return {
        "quantity": amounts.quantity,
        "baseline_minor": amounts.baseline,
        "price_minor": amounts.price,
        "cash_minor": amounts.cash,
        "relief_minor": amounts.relief,
        "subsidy_minor": amounts.subsidy,
    }


def _add(line: SavingsLine, by: int | None) -> SavingsLine:
    db.session.add(line)
    db.session.flush()
    facts = _columns(line.amounts) | {
        "corrects_id": line.corrects_id,
        "reason": line.reason,
        "not_counted": line.not_counted,
        "counted_on": line.counted_on.isoformat(),
        "settled_on": line.settled_on.isoformat(),
        "method": line.method,
    }
    journal.record(
        "savings.corrected" if line.corrects_id else "savings.written",
        "savings_line",
        line.id,
        by=by,
        organisation_id=line.organisation_id,
        new=facts,
        note=line.note,
    )
    return line
