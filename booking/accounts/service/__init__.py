"""Use cases of accounts, one module for each kind of thing. Never commits."""

from booking.accounts.service.invitations import accept_invitation, invite, send_reset
from booking.accounts.service.logins import (
    admit_password,
    admit_reset,
    admit_sign_in,
    change_password,
    end_all_sessions,
    end_session,
    log_in,
)
from booking.accounts.service.members import (
    Invited,
    add_member,
    change_roles,
    disable_member,
    enable_member,
    end_membership,
    invite_again,
    move_member,
)
from booking.accounts.service.organisations import (
    NewOrganisation,
    declare_enterprise,
    register_organisation,
    update_organisation,
    verify_organisation,
)
from booking.accounts.service.people import (
    NewPerson,
    SignedUp,
    choose_language,
    disable_user,
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
    "admit_reset",
    "admit_sign_in",
    "change_password",
    "change_roles",
    "choose_language",
    "create_token",
    "declare_enterprise",
    "disable_member",
    "disable_user",
    "enable_member",
    "end_all_sessions",
    "end_membership",
    "end_session",
    "forget_ended",
    "invite",
    "invite_again",
    "issue_token",
    "log_in",
    "make_admin",
    "move_member",
    "register_organisation",
    "register_person",
    "revoke_token",
    "send_reset",
    "sign_up",
    "start_memberships",
    "update_organisation",
    "verify_organisation",
]
