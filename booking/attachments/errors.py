"""What can go wrong with photos and documents."""

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_


class AlreadyAttached(Conflict):
    """The instrument has this very content already."""

    code = "already_attached"
    sentence = N_("这台仪器已有内容完全相同的文件。")


class AttachmentsFull(RuleViolation):
    """It has as many as it may."""

    code = "attachments_full"

    def __init__(self, *, most: int) -> None:
        super().__init__(N_("最多 %(most)s 个，请先删除不用的。", most=most), most=most)
