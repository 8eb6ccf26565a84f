"""What can go wrong with accounts."""

from booking.kernel.errors import Conflict, NotAllowed, RuleViolation
from booking.kernel.text import N_


class ScopeMissing(NotAllowed):
    """The token is not allowed to do this, whoever holds it."""

    code = "not_allowed"

    def __init__(self, scope: str) -> None:
        super().__init__(N_("此令牌没有“%(scope)s”范围。", scope=scope), scope=scope)


class OrganisationExists(Conflict):
    """The credit code is already registered."""

    code = "organisation_exists"
    sentence = N_("该统一社会信用代码已注册。请联系本单位管理员邀请您加入。")


class LoginTaken(Conflict):
    """The e-mail or mobile number already belongs to somebody."""

    code = "login_taken"
    sentence = N_("该邮箱或手机号已注册，请直接登录。")


class WrongPassword(RuleViolation):
    """One message for an unknown name and for a wrong password."""

    code = "wrong_login"
    sentence = N_("账号或密码不正确。")


class NotVerified(RuleViolation):
    """An institution publishes only after an administrator has verified it."""

    code = "institution_not_verified"
    sentence = N_("机构尚未通过平台核验，核验后方可发布仪器。")


class WhichOrganisation(RuleViolation):
    """The caller acts for several organisations and did not say for which."""

    code = "which_organisation"
    sentence = N_("您属于多个单位，请指明为哪个单位办理（organisation_id）。")


class PersonsNotServed(RuleViolation):
    """Private persons are not served, and are told so (domain §9.17: organisations only)."""

    code = "persons_not_served"
    sentence = N_(
        "平台服务于企业、高校院所和检验检测机构，暂不面向个人。"
        "如您经营个体工商户，请用营业执照上的统一社会信用代码以企业身份注册。"
    )


class SignInNeeded(NotAllowed):
    """A token cannot manage tokens, sessions or the password."""

    code = "sign_in_needed"
    sentence = N_("令牌不能管理令牌、会话和密码，请用账号和密码登录后操作。")


class LastManager(Conflict):
    """Somebody must be left who can let others in."""

    code = "last_manager"
    sentence = N_("这是最后一位管理员。请先指定另一位，再更改。")


class OwnAccount(Conflict):
    """Nobody shuts themselves out by mistake."""

    code = "own_account"
    sentence = N_("不能停用自己的账号。如要离开本单位，请在“账号与安全”中办理。")


class BelongsElsewhere(Conflict):
    """An account that works for several organisations is no single one's to shut."""

    code = "belongs_elsewhere"
    sentence = N_("此人还属于其他单位，不能停用其账号。您可以将其移出本单位。")


class AlreadyIn(Conflict):
    """Who has a password needs no invitation."""

    code = "already_in"
    sentence = N_("此人已设置密码，不需要再邀请。忘记密码可在登录页重设。")


class InvitationUnusable(RuleViolation):
    """Unknown, used or too old: not told apart."""

    code = "invitation_unusable"
    sentence = N_("邀请已失效，请联系本单位管理员重新邀请。")
