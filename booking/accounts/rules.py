"""Who may do what, and what may be declared, asked for and given. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from booking.accounts.errors import (
    PersonsNotServed,
    ScopeMissing,
    SignInNeeded,
    WhichOrganisation,
)
from booking.kernel.errors import InvalidField, NotAllowed
from booking.kernel.text import N_


class OrganisationKind(StrEnum):
    """What an organisation is to the platform."""

    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    RESEARCH = "research"
    AUTHORITY = "authority"
    WINDOW = "window"
    PLATFORM = "platform"


class SizeClass(StrEnum):
    """工信部联企业〔2011〕300号, and the two kinds counted with small firms (domain §4.4)."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    SOLE_TRADER = "sole_trader"
    COOPERATIVE = "cooperative"


class CustomerClass(StrEnum):
    """Whose price applies."""

    SME = "sme"
    LARGE = "large"
    RESEARCH = "research"
    INTERNAL = "internal"


class Role(StrEnum):
    """What a person is in an organisation."""

    MEMBER = "member"
    MANAGER = "manager"
    OPERATOR = "operator"
    TESTER = "tester"
    CHECKER = "checker"
    SIGNATORY = "signatory"
    FINANCE = "finance"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"
    CLERK = "clerk"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may be used for, within what its user may do."""

    READ = "read"
    RESERVATIONS = "reservations"
    INSTRUMENTS = "instruments"
    ORGANISATION = "organisation"
    ADMIN = "admin"


class Awaits(StrEnum):
    """What a session still lacks before it opens anything."""

    CODE = "code"  # of the second factor
    SETUP = "setup"  # a second factor, which the person's roles need


class Permission(StrEnum):
    """What can be done to an organisation's things."""

    RESERVE = "reserve"  # as a customer, for the organisation
    SEE_CUSTOMER_SIDE = "see_customer_side"  # all reservations the organisation made
    CHANGE_CUSTOMER_SIDE = "change_customer_side"  # move and cancel them, whoever made them
    SEE_OWNER_SIDE = "see_owner_side"  # all reservations on the organisation's instruments
    RUN_INSTRUMENTS = "run_instruments"  # hours, closures, the day's work
    MANAGE_INSTRUMENTS = "manage_instruments"  # register, price, publish, import
    KEEP_BOOKS = "keep_books"  # payments on account, settlement, corrections of savings
    MANAGE_ORGANISATION = "manage_organisation"  # people, feeds, facts about itself
    VERIFY = "verify"  # platform only
    REFERENCE = "reference"  # platform only: calendar days and code lists


ROLES: dict[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.ENTERPRISE: frozenset({Role.MEMBER, Role.MANAGER}),
    OrganisationKind.RESEARCH: frozenset({Role.MEMBER, Role.MANAGER}),
    OrganisationKind.INSTITUTION: frozenset(
        {Role.OPERATOR, Role.TESTER, Role.CHECKER, Role.SIGNATORY, Role.FINANCE, Role.MANAGER}
    ),
    OrganisationKind.AUTHORITY: frozenset({Role.COUNTY, Role.CITY, Role.PROVINCE}),
    OrganisationKind.WINDOW: frozenset({Role.CLERK, Role.MANAGER}),
    OrganisationKind.PLATFORM: frozenset({Role.ADMIN}),
}

_BUY = frozenset({Permission.RESERVE})
_BUY_ALL = _BUY | {
    Permission.SEE_CUSTOMER_SIDE,
    Permission.CHANGE_CUSTOMER_SIDE,
    Permission.MANAGE_ORGANISATION,
}
_OPERATE = frozenset({Permission.RUN_INSTRUMENTS, Permission.SEE_OWNER_SIDE, Permission.RESERVE})

PERMISSIONS: dict[tuple[OrganisationKind, Role], frozenset[Permission]] = {
    (OrganisationKind.ENTERPRISE, Role.MEMBER): _BUY,
    (OrganisationKind.ENTERPRISE, Role.MANAGER): _BUY_ALL,
    (OrganisationKind.RESEARCH, Role.MEMBER): _BUY,
    (OrganisationKind.RESEARCH, Role.MANAGER): _BUY_ALL,
    (OrganisationKind.INSTITUTION, Role.OPERATOR): _OPERATE,
    (OrganisationKind.INSTITUTION, Role.TESTER): _BUY,
    (OrganisationKind.INSTITUTION, Role.CHECKER): _BUY,
    (OrganisationKind.INSTITUTION, Role.SIGNATORY): _BUY,
    (OrganisationKind.INSTITUTION, Role.FINANCE): frozenset(
        {Permission.SEE_CUSTOMER_SIDE, Permission.SEE_OWNER_SIDE, Permission.KEEP_BOOKS}
    ),
    (OrganisationKind.INSTITUTION, Role.MANAGER): _BUY_ALL
    | _OPERATE
    | {Permission.MANAGE_INSTRUMENTS, Permission.KEEP_BOOKS},
    (OrganisationKind.WINDOW, Role.MANAGER): frozenset({Permission.MANAGE_ORGANISATION}),
    (OrganisationKind.PLATFORM, Role.ADMIN): frozenset(
        {Permission.VERIFY, Permission.REFERENCE, Permission.MANAGE_ORGANISATION}
    ),
}

SCOPE_FOR: dict[Permission, Scope] = {
    Permission.RESERVE: Scope.RESERVATIONS,
    Permission.SEE_CUSTOMER_SIDE: Scope.READ,
    Permission.CHANGE_CUSTOMER_SIDE: Scope.RESERVATIONS,
    Permission.SEE_OWNER_SIDE: Scope.READ,
    Permission.RUN_INSTRUMENTS: Scope.INSTRUMENTS,
    Permission.MANAGE_INSTRUMENTS: Scope.INSTRUMENTS,
    Permission.KEEP_BOOKS: Scope.ORGANISATION,
    Permission.MANAGE_ORGANISATION: Scope.ORGANISATION,
    Permission.VERIFY: Scope.ADMIN,
    Permission.REFERENCE: Scope.ADMIN,
}

SELF_SIGN_UP = frozenset(
    {OrganisationKind.ENTERPRISE, OrganisationKind.RESEARCH, OrganisationKind.INSTITUTION}
)
BUYERS = SELF_SIGN_UP
# 市场主体: only what they save counts (domain §4.4). 事业单位 that test for a living compete there.
MARKET_ENTITIES = frozenset({OrganisationKind.ENTERPRISE, OrganisationKind.INSTITUTION})
# Counted with the enterprises, shown apart (domain §9.18).
SMALLEST = frozenset({SizeClass.SOLE_TRADER, SizeClass.COOPERATIVE})

# Who holds the keys to many others' bookings proves twice who they are.
NEED_SECOND_FACTOR = frozenset(
    {(OrganisationKind.INSTITUTION, Role.MANAGER), (OrganisationKind.PLATFORM, Role.ADMIN)}
)
SECOND_STEP_MINUTES = 15
RECOVERY_CODES = 10

FREE_FAILURES_PER_NAME = 5
# A whole firm may sit behind one address.
FREE_FAILURES_PER_ADDRESS = 50
LONGEST_TOKEN_DAYS, DEFAULT_TOKEN_DAYS = 366, 90
INVITATION_DAYS, RESET_HOURS = 14, 24
FREE_RESETS_PER_NAME, FREE_RESETS_PER_ADDRESS = 3, 20
# The text is texts/purpose_notice.*.md; a change of the text is a new version.
PURPOSE_NOTICE = "2026-11"


@dataclass(frozen=True)
class Seat:
    """A current membership, with what the rules need of the organisation."""

    organisation_id: int
    kind: OrganisationKind
    role: Role


@dataclass(frozen=True)
class Caller:
    """Who is asking: the person, the seats held, and what the token or session allows."""

    user_id: int
    name: str
    locale: str = "zh_Hans_CN"
    seats: tuple[Seat, ...] = ()
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))
    session_id: int | None = None
    token_id: int | None = None

    def organisations_with(self, permission: Permission) -> frozenset[int]:
        """Return the organisations for which the caller may do this."""
        if SCOPE_FOR[permission] not in self.scopes:
            return frozenset()
        return frozenset(
            seat.organisation_id
            for seat in self.seats
            if permission in PERMISSIONS.get((seat.kind, seat.role), frozenset())
        )

    @property
    def organisations(self) -> frozenset[int]:
        """Return the organisations the caller belongs to."""
        return frozenset(seat.organisation_id for seat in self.seats)

    def may(self, permission: Permission, organisation_id: int) -> bool:
        """Tell whether the caller may do this for that organisation."""
        return organisation_id in self.organisations_with(permission)

    @property
    def is_admin(self) -> bool:
        """Tell whether the caller runs the platform."""
        return bool(self.organisations_with(Permission.VERIFY))


def require(caller: Caller, permission: Permission, organisation_id: int) -> None:
    """Raise NotAllowed (or ScopeMissing) unless the caller may do this for the organisation."""
    require_scope(caller, SCOPE_FOR[permission])
    if not caller.may(permission, organisation_id):
        raise NotAllowed


def require_admin(caller: Caller, permission: Permission = Permission.VERIFY) -> None:
    """Raise NotAllowed (or ScopeMissing) unless the caller runs the platform."""
    require_scope(caller, SCOPE_FOR[permission])
    if not caller.organisations_with(permission):
        raise NotAllowed


def require_scope(caller: Caller, scope: Scope) -> None:
    """Raise ScopeMissing unless the caller's token covers the scope."""
    if scope not in caller.scopes:
        raise ScopeMissing(scope)


def acting_for(caller: Caller, wanted: int | None) -> int:
    """Return the organisation the caller buys for.

    Raises WhichOrganisation if there are several and none was named, NotAllowed if there is none.
    """
    if wanted is not None:
        require(caller, Permission.RESERVE, wanted)
        return wanted
    require_scope(caller, SCOPE_FOR[Permission.RESERVE])
    found = caller.organisations_with(Permission.RESERVE)
    if not found:
        raise NotAllowed(N_("您的账号不能代表任何单位预约。"))
    if len(found) > 1:
        raise WhichOrganisation(organisations=sorted(found))
    return next(iter(found))


def customer_class(
    *,
    kind: OrganisationKind,
    size_class: SizeClass | None,
    is_owner: bool,
) -> CustomerClass:
    """Return whose price applies to an organisation at an instrument's owner.

    An enterprise without a declaration pays as a large one until it declares its size; an
    institution that buys from another counts as a large customer (domain §4.4).
    """
    if is_owner:
        return CustomerClass.INTERNAL
    if kind is OrganisationKind.RESEARCH:
        return CustomerClass.RESEARCH
    if kind is OrganisationKind.ENTERPRISE and size_class not in {None, SizeClass.LARGE}:
        return CustomerClass.SME
    return CustomerClass.LARGE


def needs_second_factor(seats: Collection[Seat]) -> bool:
    """Tell whether one of the seats asks for a second factor at log-in."""
    return any((seat.kind, seat.role) in NEED_SECOND_FACTOR for seat in seats)


def pseudonym(user_id: int) -> str:
    """Return the name under which records of a person who was forgotten are kept."""
    return f"已注销用户 {user_id:06d}"


def keeper_role(kind: OrganisationKind) -> Role | None:
    """Return the role that lets others in, of which one must be left; None if there is none."""
    return next((role for role in (Role.MANAGER, Role.ADMIN) if role in ROLES[kind]), None)


def check_roles(roles: Collection[Role], kind: OrganisationKind) -> None:
    """Raise InvalidField unless all the roles exist in such an organisation, and there is one."""
    if not roles:
        raise InvalidField("roles", N_("请至少选择一个角色。"))
    if unknown := sorted(set(roles) - ROLES[kind]):
        raise InvalidField(
            "roles",
            N_(
                "本单位没有这些角色：%(unknown)s。可选：%(known)s。",
                unknown="、".join(unknown),
                known="、".join(sorted(ROLES[kind])),
            ),
        )


def require_signed_in(caller: Caller) -> None:
    """Raise SignInNeeded for tokens: a leaked one must not outlive itself or take the account."""
    if caller.session_id is None:
        raise SignInNeeded


def sign_up_kind(kind: str) -> OrganisationKind:
    """Return the kind if it may sign up by itself; PersonsNotServed, or InvalidField saying why."""
    if kind == "person":
        raise PersonsNotServed
    if kind not in set(OrganisationKind):
        raise InvalidField("kind", N_("请选择企业、高校院所或检验检测机构。"))
    if kind not in SELF_SIGN_UP:
        raise InvalidField("kind", N_("主管部门、服务窗口由平台管理员开通，不能自行注册。"))
    return OrganisationKind(kind)


def check_declaration(
    kind: OrganisationKind, industry_code: str | None, size_class: SizeClass | None
) -> None:
    """Raise InvalidField unless an enterprise, and nobody else, declares industry and size.

    The size class needs industry, staff and revenue (工信部联企业〔2011〕300号, domain §8): the
    enterprise applies it to itself, we keep what it said and when.
    """
    given = {"industry_code": industry_code, "size_class": size_class}
    for name, value in given.items():
        if kind is OrganisationKind.ENTERPRISE and value is None:
            raise InvalidField(name, N_("企业须声明所属行业和规模类型。"))
        if kind is not OrganisationKind.ENTERPRISE and value is not None:
            raise InvalidField(name, N_("只有企业需要声明行业和规模类型。"))


def clean_industry(code: str) -> str:
    """Return a GB/T 4754 division (2 digits), group (3) or class (4), or raise InvalidField.

    The section's letter in front is dropped: the division already says it. Whether there is such
    a division is for the code list to say.
    """
    found = re.fullmatch(r"[A-T]?([0-9]{2,4})", code.strip().upper())
    if not found:
        raise unknown_industry()
    return found[1]


def unknown_industry() -> InvalidField:
    """Return the refusal of what is no industry."""
    reason = N_("行业代码应为 GB/T 4754 的 2 到 4 位数字，例如 34 通用设备制造业。")
    return InvalidField("industry_code", reason)


def check_notice(accepted: str | None) -> None:
    """Raise InvalidField unless the purpose notice in force was accepted (domain §8)."""
    if accepted != PURPOSE_NOTICE:
        raise InvalidField(
            "purpose_notice_accepted",
            N_(
                "请先阅读并同意个人信息使用说明，填写其版本号 %(version)s。",
                version=PURPOSE_NOTICE,
            ),
        )


def check_scopes(caller: Caller, scopes: Collection[Scope]) -> None:
    """Raise InvalidField or ScopeMissing unless such a token gives no more than the caller has."""
    if not scopes:
        raise InvalidField("scopes", N_("请至少选择一个范围。"))
    for scope in sorted(scopes):
        require_scope(caller, scope)
