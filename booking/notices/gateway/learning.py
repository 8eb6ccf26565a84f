"""Letters about authorisations to operate, and the training that leads there."""

from collections.abc import Iterator
from datetime import date, datetime

from flask_babel import gettext, pgettext

from booking.kernel import formats
from booking.kernel.timeslot import TimeSlot
from booking.notices.gateway.letter import Facts, Letter, url


def authorisation(facts: Facts) -> Letter:
    """Return the letter that says what became of a request, a grant or a seat."""
    at_owner = facts["path"].startswith("/institution")
    return Letter(
        subject=_subject(facts),
        sentence=_sentence(facts),
        why=gettext("您收到这条通知，因为它涉及您机构的仪器。")
        if at_owner
        else gettext("您收到这条通知，因为它涉及您的上机授权。"),
        rows=[(label, value) for label, value in _rows(facts) if value],
        button=(gettext("上机授权") if at_owner else gettext("我的上机授权"), url(facts["path"])),
    )


def _what(facts: Facts) -> str:
    what = str(facts["what"])
    if what.isascii() and what.isdigit():
        return str(gettext("同类仪器（%(code)s）", code=what))
    return what or str(gettext("本机构全部仪器"))


def _subject(facts: Facts) -> str:
    event, what = facts["event"], {"what": _what(facts)}
    if event in {"signed_up", "called_off", "failed"}:
        day = {"day": formats.day(datetime.fromisoformat(facts["starts_at"]))}
        words = {
            "signed_up": gettext("已报名培训：%(day)s", **day),
            "called_off": gettext("培训取消：%(day)s", **day),
            "failed": gettext("培训考核未通过：%(day)s", **day),
        }
        return str(words[event])
    words = {
        "requested": gettext("申请上机授权：%(what)s", **what),
        "invited": gettext("请参加培训：%(what)s", **what),
        "granted": gettext("已授权上机：%(what)s", **what),
        "refused": gettext("未获上机授权：%(what)s", **what),
        "suspended": gettext("上机授权已暂停：%(what)s", **what),
        "restored": gettext("上机授权已恢复：%(what)s", **what),
        "ending": gettext("上机授权即将到期：%(what)s", **what),
    }
    return str(words[event])


def _sentence(facts: Facts) -> str:
    who = {"person": str(facts["person"])}
    words = {
        "requested": gettext("%(person)s申请自主上机，请安排培训、授权或退回。", **who),
        "invited": gettext("机构为您安排了培训考核，请按时参加。"),
        "granted": gettext("您可以自主上机了，预约时选“自主上机”。"),
        "refused": gettext("机构没有同意您的申请。仍可选“机组协助”预约。"),
        "suspended": gettext("机构暂停了您的上机授权。以后的预约请改为“机组协助”或联系机构。"),
        "restored": gettext("机构恢复了您的上机授权。"),
        "ending": gettext("还有 %(days)s 天到期，请提前申请续期。", days=facts.get("days", "")),
        "signed_up": gettext("名额已为您保留，请按时参加。"),
        "called_off": gettext("机构取消了这次培训，可报名其他场次。"),
        "failed": gettext("可再次报名培训，或选“机组协助”预约。"),
    }
    return str(words[facts["event"]])


def _rows(facts: Facts) -> Iterator[tuple[str, str]]:
    event = facts["event"]
    if event not in {"signed_up", "called_off", "failed"}:
        yield pgettext("letter", "仪器"), _what(facts)
    yield gettext("机构"), facts["institution"]
    if event == "requested":
        yield gettext("申请人"), facts["person"]
        yield gettext("客户单位"), facts.get("organisation", "")
        yield gettext("说明"), facts.get("note", "")
    if facts.get("starts_at"):
        ends = (datetime.fromisoformat(facts[end]) for end in ("starts_at", "ends_at"))
        yield pgettext("letter", "时间"), formats.slot(TimeSlot(*ends))
        yield gettext("地点"), facts["location"]
        yield gettext("说明"), facts["note"]
    if facts.get("valid_until"):
        yield gettext("有效期至"), formats.iso_day(date.fromisoformat(facts["valid_until"]))
    yield gettext("原因"), facts.get("reason", "")
