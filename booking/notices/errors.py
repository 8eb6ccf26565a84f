"""How a mail fails, and what the pages refuse."""

from booking.kernel.errors import Conflict
from booking.kernel.text import N_


class Refused(Exception):
    """The mail server will never take this mail."""


class Postponed(Exception):
    """The mail server does not take this mail now (greylisting, a full mailbox)."""


class Unreachable(Exception):
    """The mail server does not answer, breaks off, or takes nothing from us at all."""


class NothingToRetry(Conflict):
    """The mail is not among those that failed for good."""

    code = "nothing_to_retry"
    sentence = N_("这封邮件不在失败之列，可能已经重新投递。")
