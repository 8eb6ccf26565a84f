"""Calendar text as other people's parsers and the standard read it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from booking.kernel import ical
from booking.kernel.timeslot import TimeSlot

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
SLOT = TimeSlot(NOON, NOON + timedelta(hours=2))
CHINESE = st.text("电子万能试验机湖南省长沙市，。；：“”（）·𠮷 a1;,\\:\"'\n\t", max_size=200)


def make_event(**given):
    return ical.CalendarEvent(
        **{
            "uid": "5f0c2c9e-0000-5000-8000-000000000001",
            "slot": SLOT,
            "summary": "电子万能试验机",
            "status": "CONFIRMED",
            "sequence": 0,
            "created_at": NOON - timedelta(days=2),
            "modified_at": NOON - timedelta(days=1),
        }
        | given
    )


def calendar_of(*events, **head):
    head.setdefault("name", "仪器预约")
    return ical.calendar_text(ical.CalendarHead(**head), [ical.event_text(e) for e in events])


def assert_folded_by_octets(text):
    raw = text.encode()
    assert raw.endswith(b"\r\n")
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # a cut character would not be UTF-8
        assert b"\n" not in line
        assert b"\r" not in line
        assert not any(byte < 32 and byte != 9 for byte in line)


def test_a_calendar_says_what_readers_ask_and_has_no_uid_of_its_own():
    text = calendar_of(make_event(), name="一号；机,a;b", color="teal", description="说\n明")

    parsed = Calendar.from_ical(text)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in text
    assert "\r\nX-PUBLISHED-TTL:PT1H\r\n" in text
    assert "\r\nNAME:一号；机\\,a\\;b\r\nX-WR-CALNAME:一号；机\\,a\\;b\r\n" in text
    assert parsed["COLOR"] == "teal"
    assert parsed["DESCRIPTION"] == "说 明"
    assert "UID" not in parsed
    assert "METHOD" not in parsed
    assert parsed.errors == []


def test_a_calendar_may_name_its_method():
    assert "\r\nMETHOD:PUBLISH\r\n" in calendar_of(method="PUBLISH")


def test_an_event_is_in_utc_and_its_text_is_stable():
    event = make_event(sequence=3, location="长沙", contact="王工", url="http://a.example/1;2,3")

    text = ical.event_text(event)
    assert "\r\nDTSTART:20261125T040000Z\r\nDTEND:20261125T060000Z\r\n" in text
    assert "\r\nDTSTAMP:20261124T040000Z\r\n" in text
    assert "\r\nLAST-MODIFIED:20261124T040000Z\r\n" in text
    assert "\r\nSEQUENCE:3\r\n" in text
    assert "\r\nURL:http://a.example/1;2,3\r\n" in text
    assert "DESCRIPTION" not in text
    assert text == ical.event_text(event)


@pytest.mark.parametrize(
    ("status", "transparency"),
    [("CONFIRMED", "OPAQUE"), ("TENTATIVE", "OPAQUE"), ("CANCELLED", "TRANSPARENT")],
)
def test_what_was_cancelled_takes_no_time(status, transparency):
    text = ical.event_text(make_event(status=status))

    assert f"\r\nSTATUS:{status}\r\nTRANSP:{transparency}\r\n" in text


@given(name=CHINESE, place=CHINESE, note=CHINESE)
def test_lines_are_folded_by_octets_and_values_come_back(name, place, note):
    event = make_event(summary=name, location=place, description=note)
    text = calendar_of(event, name=name, description=place)

    assert_folded_by_octets(text)
    parsed = Calendar.from_ical(text).walk("VEVENT")[0]
    assert parsed.errors == []
    assert parsed["SUMMARY"] == name.replace("\n", " ")
    assert parsed.get("LOCATION", "") == place.replace("\n", " ")
    assert parsed.get("DESCRIPTION", "") == note


@given(st.text(max_size=120))
def test_no_text_whatever_breaks_a_calendar_for_those_who_split_lines(text):
    whole = calendar_of(make_event(summary=text, description=text, contact=text), name=text)

    assert_folded_by_octets(whole)
    # vdirsyncer cuts by str.splitlines(), which knows ten line breaks.
    assert whole.splitlines() == whole.removesuffix("\r\n").split("\r\n")
    assert len(Calendar.from_ical(whole).walk("VEVENT")) == 1


def test_free_busy_tells_taken_from_closed():
    window = TimeSlot(NOON, NOON + timedelta(days=1))
    later = TimeSlot(NOON + timedelta(hours=6), NOON + timedelta(hours=8))

    text = ical.free_busy_text(
        window,
        uid="x",
        stamped_at=NOON,
        url="http://a.example/freebusy.ics",
        busy=[SLOT],
        closed=[later],
    )

    whole = ical.calendar_text(ical.CalendarHead(name="一号机"), [text])
    assert_folded_by_octets(whole)
    found = Calendar.from_ical(whole).walk("VFREEBUSY")[0]
    assert found.errors == []
    assert (found["DTSTART"].dt, found["DTEND"].dt) == (window.starts_at, window.ends_at)
    assert [(p.params["FBTYPE"], p.start, p.end) for p in found["FREEBUSY"]] == [
        ("BUSY", SLOT.starts_at, SLOT.ends_at),
        ("BUSY-UNAVAILABLE", later.starts_at, later.ends_at),
    ]


def test_an_opaque_id_is_stable_and_nobodys_guess():
    one = ical.opaque_uid("parties:reservation:1", key="k")

    assert one == ical.opaque_uid("parties:reservation:1", key="k")
    assert one != ical.opaque_uid("parties:reservation:2", key="k")
    assert one != ical.opaque_uid("parties:reservation:1", key="other")
    assert str(UUID(one)) == one


def test_a_mails_calendar_asks_nobody_to_look_again():
    text = ical.calendar_text(ical.CalendarHead(name="", method="REQUEST", refresh=None), [])

    assert "METHOD:REQUEST" in text
    assert "REFRESH" not in text
    assert "PUBLISHED-TTL" not in text


def test_who_sends_and_who_takes_part_stand_in_the_event():
    event = make_event(
        organizer=ical.Party("仪器共享", "no-reply@example.cn"),
        attendee=ical.Party("李明\r\nX:1", "li@example.cn"),
    )

    (found,) = Calendar.from_ical(calendar_of(event)).events
    assert found["ORGANIZER"] == "mailto:no-reply@example.cn"
    assert found["ATTENDEE"] == "mailto:li@example.cn"
    assert dict(found["ATTENDEE"].params) == {
        "CN": "李明 X:1", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE",
    }  # fmt: skip
