"""Use cases of accounts, one module for each kind of thing. Never commits."""

from booking.accounts.service.logins import (
    admit_password,
    admit_sign_in,
    change_password,
    end_all_sessions,
    end_session,
    log_in,
)
from booking.accounts.service.organisations import (
    NewOrganisation,
    declare_enterprise,
    register_organisation,
    update_organisation,
    verify_organisation,
)
from booking.accounts.service.people import (
    Invited,
    NewPerson,
    SignedUp,
    accept_invitation,
    add_member,
    change_roles,
    disable_user,
    end_membership,
    invite,
    make_admin,
    register_person,
    sign_up,
    start_memberships,
)
from booking.accounts.service.tokens import create_token, forget_ended, issue_token, revoke_token

__all__ = [
    "Invited",
    "NewOrganisation",
    "NewPerson",
    "SignedUp",
    "accept_invitation",
    "add_member",
    "admit_password",
    "admit_sign_in",
    "change_password",
    "change_roles",
    "create_token",
    "declare_enterprise",
    "disable_user",
    "end_all_sessions",
    "end_membership",
    "end_session",
    "forget_ended",
    "invite",
    "issue_token",
    "log_in",
    "make_admin",
    "register_organisation",
    "register_person",
    "revoke_token",
    "sign_up",
    "start_memberships",
    "update_organisation",
    "verify_organisation",
]
