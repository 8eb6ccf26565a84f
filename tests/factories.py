"""Builders with defaults: a test names only what it is about."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import select
from stdnum.cn import uscc as uscc_number

from booking.accounts.models import (
    ApiToken,
    EnterpriseDeclaration,
    LoginSession,
    Membership,
    Organisation,
    User,
)
from booking.accounts.rules import (
    Caller,
    CustomerClass,
    OrganisationKind,
    Role,
    Scope,
    Seat,
    SizeClass,
)
from booking.availability.models import OpeningHours, Schedule
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.passwords import digest, hash_password
from booking.kernel.timeslot import TimeSlot
from booking.packages import service as packages
from booking.packages.models import HourPackage, PrepaidBalance
from booking.registry.models import Instrument, Publication
from booking.tariffs.models import Price

_next = count(1)

# Wednesday 10:00-12:00 in Shanghai of the frozen week.
WEDNESDAY_10 = datetime.fromisoformat("2026-11-25T10:00:00+08:00")


def slot(start: datetime = WEDNESDAY_10, *, hours: float = 2) -> TimeSlot:
    """A slot that a default instrument accepts."""
    return TimeSlot(start, start + timedelta(hours=hours))


def make_uscc() -> str:
    """A valid credit code nobody else has."""
    number = f"91430100MA{next(_next):07d}"
    return number + uscc_number.calc_check_digit(number)


def make_organisation(**given: Any) -> Organisation:
    """An organisation; an enterprise unless told otherwise, institutions come verified."""
    size = given.pop("size_class", SizeClass.SMALL)
    kind = given.setdefault("kind", OrganisationKind.ENTERPRISE)
    given.setdefault("uscc", make_uscc())
    given.setdefault("name", f"长沙精工机械有限公司 {next(_next)}")
    given.setdefault("region_code", "430100")
    if kind is OrganisationKind.INSTITUTION:
        given.setdefault("verified_at", clock.now())
    organisation = _add(Organisation(**given))
    if kind is OrganisationKind.ENTERPRISE and size is not None:
        _add(
            EnterpriseDeclaration(
                organisation_id=organisation.id,
                industry_code="34",
                size_class=size,
                declared_on=date(2026, 1, 1),
            )
        )
    return organisation


def make_institution(**given: Any) -> Organisation:
    """A verified institution."""
    given.setdefault("name", f"湖南省检测研究院 {next(_next)}")
    return make_organisation(kind=OrganisationKind.INSTITUTION, **given)


def make_user(
    organisation: Organisation | None = None, role: Role = Role.MEMBER, **given: Any
) -> User:
    """A user, with a seat in the organisation if one is given."""
    password = given.pop("password", None)
    given.setdefault("email", f"user{next(_next)}@example.cn")
    given.setdefault("name", "李明")
    user = _add(User(password_hash=hash_password(password) if password else None, **given))
    if organisation is not None:
        _add(Membership(user_id=user.id, organisation_id=organisation.id, role=role))
    return user


def make_caller(
    organisation: Organisation | None = None, role: Role = Role.MEMBER, **given: Any
) -> Caller:
    """A caller who really exists in the database; a firm's member by default."""
    organisation = organisation or make_organisation()
    user = make_user(organisation, role)
    return caller_of(user, (organisation, role), **given)


def caller_of(user: User, *seats: tuple[Organisation, Role], **given: Any) -> Caller:
    """The caller a request of this user would have."""
    return Caller(
        user_id=user.id,
        name=user.name,
        seats=tuple(Seat(held.id, held.kind, role) for held, role in seats),
        **given,
    )


def make_admin() -> Caller:
    """A platform administrator."""
    platform = make_organisation(kind=OrganisationKind.PLATFORM, uscc=None, name="平台运营")
    return make_caller(platform, Role.ADMIN)


def bearer(user: User, *scopes: Scope) -> dict[str, str]:
    """Request headers with a fresh token of the user; all scopes unless some are named."""
    secret = f"test-{next(_next)}"
    _add(
        ApiToken(
            user_id=user.id,
            digest=digest(secret),
            scopes=[scope.value for scope in scopes or Scope],
            expires_at=clock.now() + timedelta(days=30),
        )
    )
    return {"Authorization": f"Bearer {secret}"}


def sign_in(client: Any, user: User) -> LoginSession:
    """A session of the user in the client's cookie jar."""
    secret = f"session-{next(_next)}"
    session: LoginSession = _add(
        LoginSession(
            user_id=user.id,
            digest=digest(secret),
            expires_at=clock.now() + timedelta(hours=12),
        )
    )
    client.set_cookie("booking_session", secret)
    return session


def make_instrument(**given: Any) -> Instrument:
    """A published instrument, open Monday to Friday 8:00-18:00, 180.00/h less 20 % for sme.

    `schedule` and `hours` change its policy and opening times, None leaves them out; `price`
    is the list price per hour in 分 for every class, None leaves it without one.
    """
    schedule: dict[str, Any] | None = given.pop("schedule", {})
    hours = given.pop("hours", {day: [(480, 1080)] for day in range(5)})
    price = given.pop("price", 18000)
    published_at = given.pop("price_published_at", clock.now() - timedelta(days=90))
    institution = given.pop("institution", None) or make_institution()
    given.setdefault("institution_id", institution.id)
    given.setdefault("inner_id", f"SB-{next(_next):05d}")
    given.setdefault("name", "电子万能试验机")
    given.setdefault("category_code", "020101")
    given.setdefault("region_code", "430100")
    given.setdefault("publication", Publication.PUBLISHED)
    instrument = _add(Instrument(**given))
    if schedule is not None:
        _add(Schedule(instrument_id=instrument.id, **schedule))
        for weekday, intervals in hours.items():
            for opens, closes in intervals:
                _add(
                    OpeningHours(
                        instrument_id=instrument.id,
                        weekday=weekday,
                        opens_minute=opens,
                        closes_minute=closes,
                    )
                )
    if price is not None:
        for customer_class in CustomerClass:
            make_price(instrument, customer_class, per_hour_minor=price, published_at=published_at)
    return instrument


def make_price(
    instrument: Instrument, customer_class: CustomerClass = CustomerClass.SME, **given: Any
) -> Price:
    """A current price version; 20 % off for small firms."""
    given.setdefault("per_hour_minor", 18000)
    given.setdefault(
        "discount_percent", Decimal(20) if customer_class is CustomerClass.SME else Decimal(0)
    )
    return _add(Price(instrument_id=instrument.id, customer_class=customer_class, **given))


def prices_up() -> None:
    """Twice the price of everything from now on, as new versions."""
    for price in db.session.scalars(select(Price).where(Price.superseded_at.is_(None))).all():
        price.superseded_at = clock.now()
        db.session.flush()
        make_price(
            db.session.get_one(Instrument, price.instrument_id),
            price.customer_class,
            per_hour_minor=2 * price.per_hour_minor,
            discount_percent=price.discount_percent,
        )


def _add(row: Any) -> Any:
    db.session.add(row)
    db.session.flush()
    return row


def make_package(institution: Organisation, **given: Any) -> HourPackage:
    """20 hours for 2,400.00 (120.00/h) to small firms, for all instruments, a year."""
    given.setdefault("name", "20 小时机时包")
    given.setdefault("customer_class", CustomerClass.SME)
    given.setdefault("instrument_ids", [])
    given.setdefault("category_code", "")
    given.setdefault("hours", 20)
    given.setdefault("price_minor", 12000 * given["hours"])
    given.setdefault("valid_months", 12)
    given.setdefault("conditions", "")
    given.setdefault("published_by", 1)
    return _add(HourPackage(institution_id=institution.id, **given))


def make_balance(package: HourPackage, firm: Organisation | int, **given: Any) -> PrepaidBalance:
    """What a firm bought of it today, as finance recorded it."""
    owner = db.session.get_one(Organisation, package.institution_id)
    if isinstance(firm, int):
        firm = db.session.get_one(Organisation, firm)
    given.setdefault("paid_on", clock.today())
    given.setdefault("reference", f"HD{next(_next):08d}")
    return packages.record_purchase(
        package.id, caller=make_caller(owner, Role.FINANCE), uscc=firm.uscc, **given
    )
