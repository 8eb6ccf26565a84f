"""Organisations and their people, registered as they register themselves."""

from stdnum.cn import uscc

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.models import Organisation
from booking.accounts.rules import PURPOSE_NOTICE, Caller, OrganisationKind, Role, SizeClass
from booking.accounts.service import NewOrganisation, NewPerson
from booking.demo import tables
from booking.demo.tables import Authority, Colleague, Firm, Institution

PASSWORD = "demo-xiangjiang"  # noqa: S105 - printed at every start, for demo data only
LOG_INS = {
    "firm@demo.example": "长沙精工机械有限公司（企业）",
    "lab@demo.example": "湖南省计量检测研究院（机构）",
    "province@demo.example": "湖南省市场监督管理局（省局）",
    "window@demo.example": "长沙高新区质量服务窗口（窗口）",
    "admin@demo.example": "平台运营（管理员）",
}
_INSTITUTION, _FIRM = 100, 200  # where the numbers in their credit codes begin
_APPLICANT = 305  # makes an organisation code with the right check digit


def register() -> dict[str, Caller]:
    """Register everybody; returns who may act, by log-in. Institutions come verified."""
    admin = _admin()
    everybody = {"admin": admin}
    for number, institution in enumerate(tables.institutions(), start=_INSTITUTION):
        everybody[institution.login] = _institution(institution, number, admin)
    for number, firm in enumerate(tables.firms(), start=_FIRM):
        everybody[firm.login] = _firm(firm, number)
    for number, authority in enumerate(tables.authorities(), start=1):
        everybody[authority.login] = _authority(authority, number)
    return everybody


def _admin() -> Caller:
    person = NewPerson(name="平台管理员", email=_email("admin"), password=PASSWORD)
    return accounts.caller_of(accounts_service.make_admin(person))


def _institution(row: Institution, number: int, admin: Caller) -> Caller:
    organisation = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.INSTITUTION,
            name=row.name,
            uscc=_code(f"12{row.region}", number),
            region_code=row.region,
            address=row.address,
        ),
        by=None,
    )
    accounts_service.verify_organisation(organisation.id, caller=admin)
    return _person(row.login, row.manager, organisation, Role.MANAGER)


def _firm(row: Firm, number: int) -> Caller:
    is_enterprise = bool(row.industry)
    organisation = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.ENTERPRISE if is_enterprise else OrganisationKind.RESEARCH,
            name=row.name,
            uscc=_code(f"{91 if is_enterprise else 12}{row.region}", number),
            region_code=row.region,
            industry_code=row.industry or None,
            size_class=SizeClass(row.size) if is_enterprise else None,
        ),
        by=None,
    )
    password = PASSWORD if row.logs_in else None
    return _person(row.login, row.contact, organisation, Role.MANAGER, password)


def _authority(row: Authority, number: int) -> Caller:
    organisation = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind(row.kind),
            name=row.name,
            uscc=_code(row.uscc_prefix, number),
            region_code=row.region,
        ),
        by=None,
    )
    return _person(row.login, row.contact, organisation, Role(row.role))


def _person(
    login: str,
    name: str,
    organisation: Organisation,
    role: Role,
    password: str | None = PASSWORD,
) -> Caller:
    user = accounts_service.register_person(
        NewPerson(name=name, email=_email(login), password=password), by=None
    )
    accounts_service.start_memberships(user.id, organisation.id, {role}, by=None)
    return accounts.caller_of(user)


def invite(colleague: Colleague, manager: Caller) -> None:
    """Invite somebody, who then sets a password or does not."""
    (organisation_id,) = manager.organisations
    person = NewPerson(
        name=colleague.name,
        email=_email(colleague.login) if colleague.login else None,
        mobile=colleague.mobile or None,
    )
    roles = [Role(role) for role in colleague.roles]
    made = accounts_service.add_member(organisation_id, person, roles, caller=manager)
    if colleague.joined and made.invitation is not None:
        accounts_service.accept_invitation(
            made.invitation, PASSWORD, purpose_notice_accepted=PURPOSE_NOTICE
        )


def disable(colleague: Colleague, manager: Caller) -> None:
    """Shut somebody out who has left."""
    (organisation_id,) = manager.organisations
    user = accounts.user_by_login(_email(colleague.login))
    assert user is not None, "invited before"  # noqa: S101
    accounts_service.disable_member(organisation_id, user.id, caller=manager)


def apply_for_verification() -> None:
    """Sign an institution up that nobody has looked at yet."""
    accounts_service.sign_up(
        NewOrganisation(
            kind=OrganisationKind.INSTITUTION,
            name="岳阳市建材产品质量检验所",
            uscc=_code("12430600", _APPLICANT),
            region_code="430600",
            address="岳阳市岳阳楼区示例路 6 号",
        ),
        NewPerson(name="许立新", email=_email("lab13"), password=PASSWORD),
        purpose_notice_accepted=PURPOSE_NOTICE,
    )


def _email(login: str) -> str:
    return f"{login}@demo.example"


def _code(prefix: str, number: int) -> str:
    """Return a valid credit code that no real organisation has: its subject code says DEM0."""
    body = f"{prefix}DEM0{number:05d}"
    return body + str(uscc.calc_check_digit(body))
