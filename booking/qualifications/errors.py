"""What can go wrong with certificates and calibrations."""

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_


class NumberTaken(Conflict):
    """The certificate is there already."""

    code = "certificate_taken"
    sentence = N_("已有同一编号、同一生效日期的证书。续期请填写新的有效期。")


class NothingToExtend(RuleViolation):
    """Only an expired calibration is extended; a verification never is."""

    code = "nothing_to_extend"
    sentence = N_("只有合格的校准到期后可以登记延用；检定到期须重新检定。")


class UnusableScope(RuleViolation):
    """Rows of the table cannot be used; none was taken."""

    code = "unusable_scope"

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        super().__init__(
            N_(
                "有 %(count)s 行缺少标准（方法）或内容过长，没有导入任何一行：第 %(rows)s 行。",
                count=len(rows),
                rows="、".join(str(number) for number, _ in rows[:10]),
            ),
            rows=[{"row": number, "column": column} for number, column in rows[:200]],
        )
