"""What can go wrong with declarations of related organisations."""

from booking.kernel.errors import Conflict
from booking.kernel.text import N_


class AlreadyRelated(Conflict):
    """The two are declared as related already."""

    code = "already_related"

    def __init__(self) -> None:
        super().__init__(N_("您已声明过与这个单位的关联关系。"))
