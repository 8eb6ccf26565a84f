"""Letters about the waiting list: what is held for whom until when, and what no longer is."""

from datetime import datetime

from flask_babel import gettext, pgettext

from booking.kernel import formats
from booking.kernel.timeslot import TimeSlot
from booking.notices.gateway.letter import Facts, Letter, url


def waiting(facts: Facts) -> Letter:
    """Return the letter that says what became of a place on the waiting list."""
    event, starts, ends = (facts[name] for name in ("event", "starts_at", "ends_at"))
    slot = TimeSlot(datetime.fromisoformat(starts), datetime.fromisoformat(ends))
    rows = [
        (pgettext("letter", "仪器"), facts["instrument"]),
        (gettext("机构"), facts["institution"]),
        (pgettext("letter", "时间"), formats.slot(slot)),
    ]
    if event == "offered":
        until = formats.moment(datetime.fromisoformat(facts["answer_by"]))
        rows.append((gettext("请在此之前确认"), until))
    return Letter(
        subject=_subject(event, facts["instrument"]),
        sentence=_sentence(event),
        why=gettext("您收到这条通知，因为您单位在候补这台仪器。"),
        rows=rows,
        button=(
            gettext("确认或放弃") if event == "offered" else gettext("我的候补"),
            url(facts["path"]),
        ),
    )


def _subject(event: str, instrument: str) -> str:
    words = {
        "offered": gettext("候补到位，待您确认：%(instrument)s", instrument=instrument),
        "withdrawn": gettext("为您保留的时段已收回：%(instrument)s", instrument=instrument),
        "lapsed": gettext("候补逾期未确认：%(instrument)s", instrument=instrument),
        "over": gettext("候补结束：%(instrument)s", instrument=instrument),
    }
    return str(words[event])


def _sentence(event: str) -> str:
    words = {
        "offered": gettext("有空档了，时段已为您保留。逾期未确认会让给下一位。"),
        "withdrawn": gettext("机构停用了这段时间。您仍在原来的位置候补，有空档会再通知您。"),
        "lapsed": gettext("您没有在期限内确认，时段已让给下一位。需要的话请重新候补。"),
        "over": gettext("您希望的时间里没有等到空档。可以换个时间重新候补。"),
    }
    return str(words[event])
