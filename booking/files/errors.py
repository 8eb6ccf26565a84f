"""Why a file is not taken."""

from booking.kernel.errors import RuleViolation
from booking.kernel.text import N_


class FileRefused(RuleViolation):
    """The file cannot be kept."""

    code = "file_refused"
    sentence = N_("不能保存这个文件。")


class EmptyFile(FileRefused):
    """There is nothing in it."""

    code = "file_empty"
    sentence = N_("文件是空的（0 字节），请重新选择。")


class FileTooLarge(FileRefused):
    """It has more bytes than may be."""

    code = "file_too_large"

    def __init__(self, *, most_bytes: int) -> None:
        super().__init__(
            N_("文件超过 %(limit)s MB，请压缩或拆分后再上传。", limit=most_bytes // 2**20),
            most_bytes=most_bytes,
        )


class UnknownKind(FileRefused):
    """What is in it is none of the kinds taken, whatever its name says."""

    code = "file_kind"

    def __init__(self, kinds: str) -> None:
        super().__init__(
            N_("文件内容不是可接受的类型（%(kinds)s），扩展名不作数。", kinds=kinds), kinds=kinds
        )


class NameContradicts(FileRefused):
    """Its name says another kind than its content."""

    code = "file_name"

    def __init__(self, *, said: str, found: str) -> None:
        super().__init__(
            N_(
                "文件名的扩展名是 %(said)s，内容却是 %(found)s，请核对是不是选错了文件。",
                said=said,
                found=found,
            ),
            said=said,
            found=found,
        )


class TooManyPixels(FileRefused):
    """The picture would need too much room once unpacked."""

    code = "file_pixels"

    def __init__(self, *, width: int, height: int, most_pixels: int) -> None:
        super().__init__(
            N_(
                "图片有 %(width)s × %(height)s 像素，多于 %(limit)s 像素，请缩小后再上传。",
                width=width,
                height=height,
                limit=f"{most_pixels:,}",
            ),
            width=width,
            height=height,
        )


class Unreadable(FileRefused):
    """It begins like a known kind but is damaged or cut short."""

    code = "file_damaged"
    sentence = N_("文件已损坏或不完整，无法读取。请在本机确认能打开后再上传。")


class Locked(FileRefused):
    """It carries a program, a password, or unpacks to far more than it is."""

    code = "file_unsafe"
    sentence = N_("文件带有宏、密码或异常压缩的内容，不能接收。请另存为普通文件后再上传。")
