"""What can go wrong with instruments."""

from collections.abc import Mapping, Sequence

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_, Text


class InvalidFields(RuleViolation):
    """Several fields cannot be used; each reason stands beside its field."""

    code = "validation_failed"

    def __init__(self, errors: Mapping[str, Sequence[Text]]) -> None:
        super().__init__(
            N_("有内容需要修改。"),
            errors={name: list(reasons) for name, reasons in errors.items()},
        )


class InnerIdTaken(Conflict):
    """The institution already has an instrument with this number."""

    code = "inner_id_taken"

    def __init__(self, inner_id: str) -> None:
        super().__init__(
            N_("本单位已有编号为“%(inner_id)s”的仪器，请换一个编号。", inner_id=inner_id),
            inner_id=inner_id,
        )


class UnitsPromised(Conflict):
    """Once published, every unit may have been promised to somebody."""

    code = "units_promised"
    sentence = N_("仪器发布过，每一台都可能已有预约，不能减少台数。请为停用的那一台登记停用时间。")
