"""What the letters say of prepaid hours."""

from booking.notices.gateway import matters
from booking.notices.rules import Kind
from tests.factories import make_institution, make_organisation, make_package


def test_the_reminder_says_what_is_left_and_leads_there(app, session):
    package = make_package(make_institution(), name="力学试验 20 小时")
    facts = {
        "what": package.name,
        "number": "YF-000001",
        "organisation": make_organisation().name,
        "institution": "湖南省计量检测研究院",
        "left_minutes": 990,
        "expires_on": "2026-12-20",
        "days": 27,
        "path": "/prepaid/1",
    }
    with app.test_request_context():
        letter = matters.WORDS[Kind.EXPIRY](facts)

    assert "16 小时 30 分" in letter.subject
    assert ("编号", "YF-000001") in letter.rows
    assert letter.button[1].endswith("/prepaid/1")
