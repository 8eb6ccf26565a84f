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


class CodeNeeded(RuleViolation):
    """The password was right; the account also asks for a code."""

    code = "second_factor_needed"
    sentence = N_("此账号已开启两步验证，请同时提供验证码（code）。")


class SetupNeeded(RuleViolation):
    """The person's roles ask for a second factor, which is set up on the pages."""

    code = "second_factor_setup_needed"
    sentence = N_("您的角色需要两步验证，请先在网页上登录并完成设置。")


class WrongCode(RuleViolation):
    """Wrong, out of date or used before: not told apart."""

    code = "wrong_code"
    sentence = N_("验证码不正确，或已经用过。请等下一个验证码再试。")


class StepOver(Conflict):
    """Too much time went by since the password, or it was another browser."""

    code = "second_step_over"
    sentence = N_("验证超时，请重新输入账号和密码。")


class FactorNeeded(Conflict):
    """Somebody with such a role cannot switch the second factor off."""

    code = "second_factor_required"
    sentence = N_("您的角色必须使用两步验证，不能关闭。")


class AlreadyErased(Conflict):
    """The person was forgotten before; there is nothing left to forget."""

    code = "already_erased"
    sentence = N_("该账号的个人信息已删除。")
