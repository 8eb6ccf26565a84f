"""Letters and calendar entries of what waits for approval, through to how it ended."""

import pytest
from flask_babel import force_locale
from icalendar import Calendar

from booking.notices.rules import Kind, Side
from tests.notices.test_gateway import FACTS, MOVED, entry_of, letter, mail_of

pytestmark = pytest.mark.usefixtures("session", "use_mail")

ASKED = FACTS | {"approval_rules": "always", "expires_at": "2026-11-24T04:00:00+00:00"}
APPROVED = FACTS | {"sequence": 1, "note": "请带夹具", "expires_at": None}
DECLINED = ASKED | {"sequence": 1, "note": "没有夹具"}
EXPIRED = ASKED | {"sequence": 1}
ENDS = [(Kind.APPROVED, APPROVED), (Kind.DECLINED, DECLINED), (Kind.EXPIRED, EXPIRED)]


@pytest.fixture(autouse=True)
def _in_chinese(session):
    with force_locale("zh_Hans_CN"):
        yield


def entry(kind, facts, side=Side.CUSTOMER):
    calendar = Calendar.from_ical(entry_of(mail_of(kind, side, facts)))
    (event,) = calendar.events
    return str(calendar["METHOD"]), str(event["STATUS"]), int(event["SEQUENCE"]), str(event["UID"])


def test_the_owner_is_led_to_a_page_where_it_is_decided():
    found = letter(Kind.REQUEST, Side.OWNER, ASKED)

    assert found.subject == "待您审批：电子万能试验机，11月25日 周三 10:00–12:00"
    assert found.button is not None
    assert found.button[1].endswith("/institution/approvals/7")
    assert ("答复期限", "11月24日 周二 12:00") in found.rows


def test_the_firm_is_told_what_waits_and_until_when():
    found = letter(Kind.REQUEST, Side.CUSTOMER, ASKED)

    assert found.subject == "已提交，待机构审批：电子万能试验机，11月25日 周三 10:00–12:00"
    assert found.button is not None
    assert found.button[1].endswith("/reservations/7")
    assert "不收费" in "".join(found.steps)


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        (Kind.APPROVED, APPROVED, "请带夹具"),
        (Kind.DECLINED, DECLINED, "没有夹具"),
        (Kind.EXPIRED, EXPIRED, "没有在期限内答复"),
    ],
)
def test_the_firm_is_told_how_it_ended(kind, facts, said):
    found = letter(kind, Side.CUSTOMER, facts)

    assert said in "".join([found.sentence, *(value for _, value in found.rows)])


def test_a_calendar_follows_from_asked_to_any_end():
    assert entry(Kind.REQUEST, ASKED)[:3] == ("REQUEST", "TENTATIVE", 0)
    assert entry(Kind.APPROVED, APPROVED)[:3] == ("REQUEST", "CONFIRMED", 1)
    assert entry(Kind.DECLINED, DECLINED)[:3] == ("CANCEL", "CANCELLED", 1)
    assert entry(Kind.EXPIRED, EXPIRED)[:3] == ("CANCEL", "CANCELLED", 1)
    assert len({entry(kind, facts)[3] for kind, facts in [(Kind.REQUEST, ASKED), *ENDS]}) == 1


def test_moved_to_a_slot_that_needs_approval_it_is_tentative_again():
    moved = MOVED | {"expires_at": ASKED["expires_at"], "approval_rules": "always"}

    assert entry(Kind.CHANGE, moved)[:3] == ("REQUEST", "TENTATIVE", 1)
    assert "新时段须机构批准" in letter(Kind.CHANGE, Side.CUSTOMER, moved).sentence
    button = letter(Kind.CHANGE, Side.OWNER, moved).button
    assert button is not None
    assert button[1].endswith("/institution/approvals/7")


def test_the_time_to_answer_is_on_the_labs_wall():
    rows = dict(letter(Kind.REQUEST, Side.OWNER, ASKED | {"zone": "Asia/Urumqi"}).rows)

    assert rows["答复期限"].endswith("10:00")
