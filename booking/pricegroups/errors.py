"""What can go wrong with finer customer classes."""

from booking.kernel.errors import Conflict
from booking.kernel.text import N_


class NameTaken(Conflict):
    """The institution has another group of that name at that time."""

    code = "price_group_exists"
    sentence = N_("本机构已有同名的客户类别，请换一个名称。")


class AlreadyAnnounced(Conflict):
    """A version is published that does not hold yet; two cannot follow each other."""

    code = "price_group_announced"
    sentence = N_("已有一版尚未生效，请先撤回那一版。")


class NothingAnnounced(Conflict):
    """There is no version that could be taken back: what holds never changes."""

    code = "price_group_in_force"
    sentence = N_("没有尚未生效的一版。已经生效的不能修改或撤回，只能公布新版。")


class Ended(Conflict):
    """The group gives nothing any more."""

    code = "price_group_ended"
    sentence = N_("这个客户类别已经停用；要重新启用，请先公布新版。")


class AlreadyMember(Conflict):
    """The organisation belongs to it at that time already."""

    code = "price_group_member"
    sentence = N_("该单位在这段时间已属于本类。")
