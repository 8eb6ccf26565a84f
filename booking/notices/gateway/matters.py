"""Letters about accounts, institutions and certificates."""

from datetime import date, datetime
from urllib.parse import quote

from flask_babel import gettext, pgettext

from booking.kernel import formats
from booking.kernel.passwords import derived_secret
from booking.notices.gateway.learning import authorisation
from booking.notices.gateway.letter import Facts, Letter, url
from booking.notices.gateway.queueing import waiting
from booking.notices.rules import Kind


def invitation(facts: Facts) -> Letter:
    """Return the letter with which somebody sets their first password."""
    organisation = facts["organisation"]
    return Letter(
        subject=gettext("邀请您加入%(organisation)s", organisation=organisation),
        sentence=gettext(
            "%(inviter)s邀请您代表%(organisation)s使用仪器共享服务，请先设置密码。",
            inviter=facts["inviter"],
            organisation=organisation,
        ),
        why=gettext("您收到这封邮件，因为有人用您的邮箱邀请您。"),
        steps=[_valid(facts), gettext("不认识邀请人的话，不必理会这封邮件。")],
        button=(gettext("设置密码"), _door(facts)),
        optional=False,
    )


def reset(facts: Facts) -> Letter:
    """Return the letter with which somebody sets a new password."""
    return Letter(
        subject=gettext("重设您的密码"),
        sentence=gettext("有人申请为您的账号重设密码。"),
        why=gettext("您收到这封邮件，因为有人在登录页填写了您的邮箱。"),
        steps=[_valid(facts), gettext("不是您本人申请的话，不必理会，密码不会改变。")],
        button=(gettext("设置新密码"), _door(facts)),
        optional=False,
    )


def _valid(facts: Facts) -> str:
    until = formats.moment(datetime.fromisoformat(facts["until"]))
    return str(gettext("链接在 %(moment)s 前有效，只能用一次。", moment=until))


def _door(facts: Facts) -> str:
    """Return the address with the secret, which is nowhere kept but in the mail itself."""
    return url(f"/invitation?invitation={quote(derived_secret(facts['nonce']))}")


def verification(facts: Facts) -> Letter:
    """Return the letter that says how the verification of an institution ended."""
    organisation, why = facts["organisation"], gettext("您收到这条通知，因为您是本单位的管理员。")
    if facts["verified"]:
        return Letter(
            subject=gettext("已通过核验：%(organisation)s", organisation=organisation),
            sentence=gettext("现在可以发布仪器，企业即可找到并预约。"),
            why=why,
            button=(gettext("我的仪器"), url("/institution/instruments")),
        )
    return Letter(
        subject=gettext("未通过核验：%(organisation)s", organisation=organisation),
        sentence=gettext("请按下面的原因更正单位信息，平台会再次核验。"),
        why=why,
        rows=[(gettext("原因"), facts["reason"])],
        button=(gettext("账号与安全"), url("/account")),
    )


def _named(what: str) -> str:
    """Return what ends in the reader's language; words of the owner's own stand as they are."""
    words = {
        "cma": gettext("CMA 资质认定证书"),
        "cnas": gettext("CNAS 认可证书"),
        "verification": gettext("检定证书"),
        "calibration": gettext("校准证书"),
    }
    return str(words.get(what, what))


def expiry(facts: Facts) -> Letter:
    """Return the letter that reminds of the end of a certificate, or of hours bought beforehand."""
    if "left_minutes" in facts:
        return _hours_ending(facts)
    what = _named(facts["what"])
    day = formats.day(date.fromisoformat(facts["expires_on"]))
    rows = [
        (gettext("证书"), what),
        (gettext("证书编号"), facts["number"]),
        (pgettext("letter", "仪器"), facts.get("instrument", "")),
        (gettext("机构"), facts["organisation"]),
        (gettext("到期日"), formats.iso_day(date.fromisoformat(facts["expires_on"]))),
    ]
    return Letter(
        subject=gettext("即将到期：%(what)s，%(day)s", what=what, day=day),
        sentence=gettext("还有 %(days)s 天到期，请及时续期并更新证书。", days=facts["days"]),
        why=gettext("您收到这条通知，因为您管理本单位的仪器。"),
        rows=[(label, value) for label, value in rows if value],
        button=(gettext("查看证书"), url(facts["path"])),
    )


def _hours_ending(facts: Facts) -> Letter:
    day, left = date.fromisoformat(facts["expires_on"]), formats.length(facts["left_minutes"])
    rows = [
        (gettext("机时包"), facts["what"]),
        (gettext("编号"), facts["number"]),
        (gettext("机构"), facts["institution"]),
        (gettext("余"), left),
        (gettext("到期日"), formats.iso_day(day)),
    ]
    return Letter(
        subject=gettext("预付机时即将到期：余 %(left)s，%(day)s", left=left, day=formats.day(day)),
        sentence=gettext("还有 %(days)s 天到期，到期后余额作废，请及时预约。", days=facts["days"]),
        why=gettext("您收到这条通知，因为您的单位购买了预付机时。"),
        rows=rows,
        button=(gettext("查看预付机时"), url(facts["path"])),
    )


def security(facts: Facts) -> Letter:
    """Return the letter that tells what was changed about how one gets in."""
    changed = {
        "password_changed": gettext("您的密码已更改"),
        "factor_reset": gettext("您的两步验证已由平台重置"),
        "factor_dropped": gettext("您的两步验证已关闭"),
    }[facts["what"]]
    at = formats.moment(datetime.fromisoformat(facts["at"]))
    return Letter(
        subject=changed,
        sentence=gettext("%(moment)s 起生效，其他设备已退出登录。", moment=at)
        if facts["what"] != "factor_dropped"
        else gettext("%(moment)s 起生效。", moment=at),
        why=gettext("您收到这条通知，因为登录您账号的方式变了。"),
        steps=[gettext("不是您本人办理的话，请立即重设密码，并联系平台。")],
        button=(gettext("账号与安全"), url("/account")),
        optional=False,
    )


WORDS = {
    Kind.INVITATION: invitation,
    Kind.RESET: reset,
    Kind.VERIFICATION: verification,
    Kind.EXPIRY: expiry,
    Kind.AUTHORISATION: authorisation,
    Kind.SECURITY: security,
    Kind.WAITING: waiting,
}
