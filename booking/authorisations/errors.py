"""What can go wrong with authorisations and training."""

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_


class AlreadyAsked(Conflict):
    """The person has asked already, and has no answer yet."""

    code = "already_asked"
    sentence = N_("您已经申请过，机构还没有答复。")


class SessionFull(Conflict):
    """All seats of the training session are taken."""

    code = "session_full"
    sentence = N_("这次培训的名额已满，请选择其他场次。")


class AlreadySignedUp(Conflict):
    """The person has a seat in the session already."""

    code = "already_signed_up"
    sentence = N_("已经报名了这次培训。")


class NotAuthorised(RuleViolation):
    """Whoever is to operate the instrument has no authorisation that holds."""

    code = "not_authorised"
    sentence = N_("您的上机授权已失效，不能自行开始使用。请联系机构的操作人员。")
