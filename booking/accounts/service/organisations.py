"""Organisations: registered, changed, verified; what an enterprise declares of itself."""

from dataclasses import dataclass

from booking.accounts import queries, rules
from booking.accounts.errors import OrganisationExists
from booking.accounts.models import EnterpriseDeclaration, Organisation
from booking.accounts.rules import Caller, OrganisationKind, Permission, SizeClass
from booking.journal import service as journal
from booking.kernel import clock, names
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotAllowed, WrongState
from booking.kernel.text import N_
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.reference import queries as reference


@dataclass(frozen=True, kw_only=True)
class NewOrganisation:
    """What an organisation says of itself when it comes; cleaned when it is registered."""

    kind: str
    name: str
    uscc: str | None
    region_code: str | None = None
    address: str = ""
    nrii_code: str | None = None
    industry_code: str | None = None
    size_class: SizeClass | None = None


def register_organisation(new: NewOrganisation, *, by: int | None) -> Organisation:
    """Add an organisation of any kind; raises InvalidField or OrganisationExists.

    Sign-up, commands and demo data come through here; only sign-up limits the kind.
    """
    kind = OrganisationKind(new.kind)
    uscc = names.clean_uscc(new.uscc) if new.uscc else None
    if uscc is None and kind is not OrganisationKind.PLATFORM:
        raise InvalidField("uscc", N_("请填写统一社会信用代码。"))
    rules.check_declaration(kind, new.industry_code, new.size_class)
    _check_region(new.region_code)
    organisation = Organisation(
        kind=kind,
        name=new.name,
        uscc=uscc,
        region_code=new.region_code,
        address=new.address,
        nrii_code=new.nrii_code,
        declarations=[],
    )
    with violation_raises("uq_organisations_uscc", OrganisationExists()):
        db.session.add(organisation)
    facts = {"kind": kind, "name": new.name, "uscc": uscc, "region_code": new.region_code}
    _record("organisation.registered", organisation, by, new=facts)
    if new.industry_code and new.size_class:
        _declare(organisation, new.industry_code, new.size_class, by=by)
    return organisation


def update_organisation(
    organisation_id: int,
    changes: dict[str, str | None],
    *,
    caller: Caller,
    version: int | None = None,
) -> Organisation:
    """Change name, address, region or NRII code; raises Stale, NotAllowed or InvalidField.

    The name of a verified institution was part of what was verified: only an administrator
    changes it.
    """
    organisation = lock_managed(organisation_id, caller, or_admin=True)
    organisation.check_version(version)
    _check_region(changes.get("region_code"))
    renames = changes.get("name", organisation.name) != organisation.name
    if renames and organisation.verified_at is not None and not caller.is_admin:
        raise NotAllowed(N_("机构名称已通过核验，如需更名请联系平台管理员。"))
    old = {name: getattr(organisation, name) for name in changes}
    for name, value in changes.items():
        setattr(organisation, name, value)
    # What was sent back waits again once it was changed.
    organisation.declined_at = organisation.declined_by = None
    organisation.touch()
    _record("organisation.changed", organisation, caller.user_id, old=old, new=changes)
    return organisation


def verify_organisation(
    organisation_id: int, *, caller: Caller, version: int | None = None
) -> Organisation:
    """Let an institution publish; raises NotAllowed, Stale, or WrongState if it is verified."""
    organisation = queries.get_organisation(organisation_id, caller=caller, for_update=True)
    rules.require_admin(caller)
    organisation.check_version(version)
    if organisation.kind is not OrganisationKind.INSTITUTION:
        raise InvalidField("kind", N_("只有检验检测机构需要核验。"))
    if organisation.verified_at is not None:
        raise WrongState("verified", "verify")
    organisation.verified_at, organisation.verified_by = clock.now(), caller.user_id
    organisation.declined_at = organisation.declined_by = None
    organisation.touch()
    _record("organisation.verified", organisation, caller.user_id)
    _tell_of_decision(organisation, verified=True)
    return organisation


def decline_verification(
    organisation_id: int, reason: str, *, caller: Caller, version: int | None = None
) -> Organisation:
    """Send an institution's verification back with what is to be put right.

    It waits again once the institution has changed what it says of itself. Raises NotAllowed,
    Stale, or WrongState if it was decided already.
    """
    organisation = queries.get_organisation(organisation_id, caller=caller, for_update=True)
    rules.require_admin(caller)
    organisation.check_version(version)
    if organisation.kind is not OrganisationKind.INSTITUTION:
        raise InvalidField("kind", N_("只有检验检测机构需要核验。"))
    if organisation.verified_at is not None:
        raise WrongState("verified", "decline")
    if organisation.declined_at is not None:
        raise WrongState("declined", "decline")
    organisation.declined_at, organisation.declined_by = clock.now(), caller.user_id
    organisation.declined_reason = reason
    organisation.touch()
    _record("organisation.declined", organisation, caller.user_id, reason=reason)
    _tell_of_decision(organisation, verified=False, reason=reason)
    return organisation


def _tell_of_decision(organisation: Organisation, *, verified: bool, reason: str = "") -> None:
    managers = Permission.MANAGE_ORGANISATION.value
    notices.post(
        Kind.VERIFICATION,
        ("organisation", organisation.id),
        to=[To(Side.SELF, organisation_id=organisation.id, permission=managers)],
        facts={"organisation": organisation.name, "verified": verified, "reason": reason},
    )


def declare_enterprise(
    organisation_id: int,
    *,
    industry_code: str,
    size_class: SizeClass,
    caller: Caller,
    version: int | None = None,
) -> Organisation:
    """Add today's declaration of industry and size; earlier ones stay as they were."""
    organisation = lock_managed(organisation_id, caller)
    organisation.check_version(version)
    rules.check_declaration(organisation.kind, industry_code, size_class)
    _declare(organisation, industry_code, size_class, by=caller.user_id)
    organisation.touch()
    return organisation


def lock_managed(organisation_id: int, caller: Caller, *, or_admin: bool = False) -> Organisation:
    """Return the organisation, locked, for somebody who manages it; NotFound for strangers.

    One change of an organisation or its people at a time: the last manager cannot leave twice.
    """
    if not (or_admin and caller.is_admin):
        queries.require_manager(organisation_id, caller)
    return queries.get_organisation(organisation_id, caller=caller, for_update=True)


def _declare(
    organisation: Organisation, industry_code: str, size_class: SizeClass, *, by: int | None
) -> None:
    code = rules.clean_industry(industry_code)
    if reference.find_industry(code[:2]) is None:
        raise rules.unknown_industry()
    declaration = EnterpriseDeclaration(
        industry_code=code,
        size_class=size_class,
        declared_on=clock.today(),
        declared_by=by,
    )
    organisation.declarations.append(declaration)
    db.session.flush()
    new = {"industry_code": declaration.industry_code, "size_class": size_class}
    _record("enterprise.declared", organisation, by, new=new)


def _check_region(code: str | None) -> None:
    if code is not None and not reference.region_exists(code):
        raise InvalidField("region_code", N_("没有这个行政区划代码（GB/T 2260，6 位）。"))


def _record(action: str, organisation: Organisation, by: int | None, **data: object) -> None:
    journal.record(
        action,
        "organisation",
        organisation.id,
        by=by,
        organisation_id=organisation.id,
        **data,
    )
