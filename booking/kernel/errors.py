"""The four kinds of business "no"; what they mean over HTTP is known to kernel.http only."""

from typing import Any, ClassVar

from booking.kernel.text import N_, Text


class DomainError(Exception):
    """A refusal with a stable code, a sentence for people and machine-readable details."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[Text] = N_("无法完成此操作。")

    def __init__(self, message: Text | None = None, **details: Any) -> None:
        self.message = message or self.sentence
        self.details = details
        super().__init__(str(self.message))


class NotFound(DomainError):
    """It does not exist, or the caller may not see it: the two are not told apart."""

    code = "not_found"
    sentence = N_("没有找到，或您无权查看。")


class NotAllowed(DomainError):
    """The caller can see it but may not do this."""

    code = "not_allowed"
    sentence = N_("您没有进行此操作的权限。")


class Conflict(DomainError):
    """The world has moved on: taken, stale, in another state."""

    code = "conflict"
    sentence = N_("内容已被他人更改，请查看最新状态。")


class RuleViolation(DomainError):
    """Well-formed, but a rule of the field or of the owner says no."""

    code = "rule_violation"
    sentence = N_("不符合规则。")


class Stale(Conflict):
    """The caller has seen an older version than the one that stands."""

    code = "stale"

    def __init__(self, *, version: int) -> None:
        super().__init__(N_("内容已被他人更改，请刷新后再试。"), version=version)


class WrongState(Conflict):
    """The thing is in a state from which this move does not exist."""

    code = "wrong_state"

    def __init__(self, state: str, action: str) -> None:
        super().__init__(
            N_("当前状态为“%(state)s”，不能进行“%(action)s”。", state=state, action=action),
            state=state,
            action=action,
        )


class InvalidField(RuleViolation):
    """One field of otherwise well-formed input cannot be used; the reason stands beside it."""

    code = "validation_failed"

    def __init__(self, field: str, reason: Text) -> None:
        super().__init__(N_("有内容需要修改。"), errors={field: [reason]})


class UnreadableFile(RuleViolation):
    """An uploaded file is not of a kind we read, broken, or bigger than we take."""

    code = "unreadable_file"
    sentence = N_("无法读取这个文件。")
