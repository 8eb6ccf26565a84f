"""What firms bought, and every minute that came to it or left it; rows are only ever added."""

from datetime import date, timedelta

from booking.accounts import queries as accounts
from booking.accounts.rules import Caller, Permission, require
from booking.availability.rules import length
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.names import clean_uscc
from booking.kernel.text import N_
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.packages import queries, rules
from booking.packages.errors import AlreadyRecorded, NotEnoughLeft, NotSold
from booking.packages.models import ONE_REFERENCE, HourPackage, PrepaidBalance, PrepaidEntry
from booking.packages.rules import HOUR, EntryKind


def record_purchase(
    package_id: int, *, caller: Caller, uscc: str, paid_on: date, reference: str
) -> PrepaidBalance:
    """Record as the institution's finance that a firm paid for a package.

    The money went to the institution (domain §9.11); `reference` is the transfer's. Raises
    NotFound, NotAllowed, NotSold, AlreadyRecorded, or InvalidField.
    """
    package = queries.get_package(package_id, for_update=True)
    if package.institution_id not in caller.organisations:
        raise NotFound
    require(caller, Permission.KEEP_BOOKS, package.institution_id)
    if package.withdrawn_at is not None:
        raise NotSold
    valid_until = rules.valid_until(paid_on, package.valid_months)
    _check_paid_on(paid_on, valid_until)
    balance = PrepaidBalance(
        package_id=package.id,
        package=package,
        institution_id=package.institution_id,
        organisation_id=_buyer(uscc, package),
        minutes=package.hours * HOUR,
        left_minutes=0,
        paid_on=paid_on,
        valid_until=valid_until,
        reference=reference,
        recorded_by=caller.user_id,
    )
    with violation_raises(ONE_REFERENCE, AlreadyRecorded(reference)):
        db.session.add(balance)
    _enter(balance, EntryKind.BOUGHT, balance.minutes, by=caller.user_id)
    return balance


def correct(balance_id: int, *, caller: Caller, minutes: int, reason: str) -> PrepaidBalance:
    """Add to a balance, or take from it, with a reason that the firm sees; e.g. a refund.

    Raises NotFound, NotAllowed, InvalidField, or NotEnoughLeft.
    """
    balance = queries.get_balance(balance_id, caller=caller, for_update=True)
    require(caller, Permission.KEEP_BOOKS, balance.institution_id)
    if minutes == 0:
        raise InvalidField("minutes", N_("请填写增加或减少多少，减少写负数。"))
    if not reason:
        raise InvalidField("reason", N_("请写明原因，企业会看到。"))
    if minutes > 0 and balance.valid_until < clock.today():
        raise InvalidField(
            "minutes",
            N_("余额已于 %(day)s 到期，不能再增加。", day=balance.valid_until.isoformat()),
        )
    _enter(balance, EntryKind.CORRECTED, minutes, by=caller.user_id, reason=reason)
    return balance


def hold(balance: PrepaidBalance, reservation_id: int, minutes: int, *, by: int | None) -> None:
    """Take minutes of a locked balance for a reservation; raises NotEnoughLeft."""
    if minutes:
        _enter(balance, EntryKind.HELD, minutes, by=by, reservation_id=reservation_id)


def use(balance: PrepaidBalance, reservation_id: int, minutes: int, *, by: int | None) -> None:
    """Take for a confirmed use what it came to, and give the rest back; again, to correct it."""
    release(balance, reservation_id, by=by)
    if minutes:
        _enter(balance, EntryKind.USED, minutes, by=by, reservation_id=reservation_id)


def release(balance: PrepaidBalance, reservation_id: int, *, by: int | None) -> None:
    """Give back to a locked balance whatever is held or used for a reservation."""
    if taken := queries.taken_for(balance.id, reservation_id):
        _enter(balance, EntryKind.RELEASED, taken, by=by, reservation_id=reservation_id)


def expire() -> int:
    """Take what is left of balances that have ended; returns of how many.

    What a reservation holds stays with it; what comes back later expires the next day.
    """
    today, done = clock.today(), 0
    for ended in queries.ending(today, within=-1):
        balance = queries.lock(ended.id)
        if balance is None or not balance.left_minutes or not balance.has_ended(today):
            continue
        _enter(balance, EntryKind.EXPIRED, balance.left_minutes, by=None)
        done += 1
    return done


def remind() -> int:
    """Remind firms of hours that end in 30 and 7 days, each once; returns how many are new."""
    today = clock.today()
    return sum(_remind(each, today) for each in queries.ending(today))


def _remind(balance: PrepaidBalance, today: date) -> bool:
    days = rules.due_reminder(balance.valid_until, today=today)
    if days is None:
        return False
    to = To(
        Side.CUSTOMER,
        organisation_id=balance.organisation_id,
        permission=Permission.RESERVE.value,
    )
    return notices.post(
        Kind.EXPIRY,
        ("prepaid_balance", balance.id),
        to=[to],
        facts={
            "what": balance.package.name,
            "number": balance.number,
            "organisation": balance.organisation.name,
            "institution": balance.institution.name,
            "left_minutes": balance.left_minutes,
            "expires_on": balance.valid_until,
            "days": (balance.valid_until - today).days,
            "path": f"/prepaid/{balance.id}",
        },
        key=f"expiry:prepaid:{balance.id}:{balance.valid_until}:{days}",
    )


def _check_paid_on(paid_on: date, valid_until: date) -> None:
    if paid_on > clock.today():
        raise InvalidField("paid_on", N_("不能填写将来的日期。"))
    if paid_on < clock.today() - timedelta(days=rules.LONGEST_AGO_DAYS):
        raise InvalidField("paid_on", N_("日期太早，请核对。"))
    if valid_until < clock.today():
        raise InvalidField(
            "paid_on",
            N_(
                "从这一天起算，有效期到 %(day)s 已经结束，企业无法使用。请核对付款日期。",
                day=valid_until.isoformat(),
            ),
        )


def _buyer(uscc: str, package: HourPackage) -> int:
    """Return the firm of this code, if it is one the package is for; raises InvalidField."""
    code = clean_uscc(uscc)
    try:
        firm = accounts.organisation_by_uscc(code)
    except NotFound:
        raise InvalidField(
            "uscc", N_("平台上没有这个统一社会信用代码的单位，请让企业先注册。")
        ) from None
    if firm.id == package.institution_id:
        raise InvalidField("uscc", N_("这是本机构自己的代码。"))
    if queries.class_of(firm) is not package.customer_class:
        raise InvalidField("uscc", N_("“%(firm)s”不属于这个机时包所售的客户类别。", firm=firm.name))
    return firm.id


def _enter(
    balance: PrepaidBalance,
    kind: EntryKind,
    minutes: int,
    *,
    by: int | None,
    reservation_id: int | None = None,
    reason: str = "",
) -> None:
    """Add an entry to a balance that nobody else changes meanwhile; the database adds up."""
    signed = rules.signed(kind, minutes)
    if balance.left_minutes + signed < 0:
        raise NotEnoughLeft(length(balance.left_minutes), left_minutes=balance.left_minutes)
    db.session.add(
        PrepaidEntry(
            balance_id=balance.id,
            kind=kind,
            minutes=signed,
            reservation_id=reservation_id,
            reason=reason,
            by=by,
        )
    )
    db.session.flush()
    db.session.refresh(balance, ["left_minutes"])
    journal.record(
        f"prepaid.{kind}",
        "prepaid_balance",
        balance.id,
        by=by,
        organisation_id=balance.organisation_id,
        new={"left_minutes": balance.left_minutes},
        minutes=signed,
        reservation_id=reservation_id,
        reason=reason,
    )
