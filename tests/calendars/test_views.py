"""Calendars at their addresses: who sees what, and when nothing is sent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import func, select

from booking.accounts.models import Membership
from booking.accounts.rules import Role
from booking.availability import service as availability
from booking.availability.models import Closure, OccupancyKind
from booking.availability.rules import ApprovalMode
from booking.calendars import service
from booking.calendars.models import EventText
from booking.calendars.rules import FeedKind
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry.models import Publication
from booking.reservations import service as reservations
from tests.factories import (
    WEDNESDAY_10,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def path_of(url):
    return url.partition("8000")[2] or url


def feed_of(caller, kind=FeedKind.USER, organisation=None):
    organisation_id = organisation.id if organisation else None
    return path_of(service.create_feed(kind, caller=caller, organisation_id=organisation_id).url)


def public(instrument):
    return f"/calendars/instruments/{instrument.id}.ics"


def events_of(answer):
    assert answer.status_code == 200
    calendar = Calendar.from_ical(answer.data)
    found = calendar.walk("VEVENT")
    assert [each.errors for each in found] == [[]] * len(found)
    return found


def titles(answer):
    return [str(each["SUMMARY"]) for each in events_of(answer)]


def close(instrument, closed, *, kind=OccupancyKind.MAINTENANCE, unit=None):
    return availability.close(
        Closure(instrument_id=instrument.id, slot=closed, kind=kind, unit=unit, reason="换夹具"),
        units=instrument.units,
    )


def test_the_public_sees_busy_and_closed_times_of_an_instrument(client):
    instrument = make_instrument(name="电子万能试验机", schedule={"buffer_after_minutes": 30})
    reservations.reserve(instrument.id, slot(), caller=make_caller())
    close(instrument, slot(WEDNESDAY_10 + timedelta(hours=4)))

    answer = client.get(public(instrument))

    found = events_of(answer)
    assert [(str(e["SUMMARY"]), e["DTSTART"].dt, e["DTEND"].dt) for e in found] == [
        # Nobody can have the half hour after it either.
        ("已占用", WEDNESDAY_10, WEDNESDAY_10 + timedelta(hours=2.5)),
        ("停机维护", WEDNESDAY_10 + timedelta(hours=4), WEDNESDAY_10 + timedelta(hours=6)),
    ]
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert Calendar.from_ical(answer.data)["X-WR-CALNAME"].startswith("电子万能试验机 · ")


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.text("客户秘密样品工艺", min_size=6, max_size=20))
def test_the_public_never_sees_customers_purposes_or_prices(client, words):
    firm = make_organisation(name=f"某某{words}公司")
    user = make_user(firm, name=f"张{words}")
    instrument = make_instrument(price=12345)
    reservations.reserve(
        instrument.id, slot(), caller=caller_of(user, (firm, Role.MEMBER)), purpose=f"用途{words}"
    )
    closure = close(instrument, slot(WEDNESDAY_10 + timedelta(hours=4)))
    closure.reason = words

    text = client.get(public(instrument)).data.replace(b"\r\n ", b"").decode()

    for secret in (words, firm.uscc, user.email, "197.52", "246.90", "R-0", "DESCRIPTION"):
        assert secret not in text


def test_public_ids_do_not_lead_to_the_reservation_of_a_feed(client):
    instrument, caller = make_instrument(), make_caller()
    reservations.reserve(instrument.id, slot(), caller=caller)

    own = events_of(client.get(feed_of(caller)))[0]
    seen = events_of(client.get(public(instrument)))[0]

    assert own["UID"] != seen["UID"]


@pytest.mark.parametrize("publication", [Publication.DRAFT, Publication.WITHDRAWN])
@pytest.mark.parametrize(
    "address", ["/calendars/instruments/{}.ics", "/calendars/instruments/{}/freebusy.ics"]
)
def test_an_unpublished_instrument_has_no_calendar(client, publication, address):
    instrument = make_instrument(publication=publication)

    assert client.get(address.format(instrument.id)).status_code == 404


def test_an_instrument_that_takes_no_bookings_says_so(client):
    instrument = make_instrument(schedule=None)

    calendar = Calendar.from_ical(client.get(public(instrument)).data)

    assert calendar["X-WR-CALDESC"] == "这台仪器尚未开放在线预约。"


def test_a_person_sees_their_own_reservations_and_nobody_elses(client):
    firm = make_organisation()
    mine, other = make_user(firm), make_user(firm)
    instrument = make_instrument(name="拉力机", street="长沙市麓谷大道 1 号", contact="王工")
    first = reservations.reserve(
        instrument.id, slot(), caller=caller_of(mine, (firm, Role.MEMBER)), purpose="Q235 拉伸"
    )
    reservations.reserve(
        instrument.id,
        slot(WEDNESDAY_10 + timedelta(hours=4)),
        caller=caller_of(other, (firm, Role.MEMBER)),
    )

    answer = client.get(feed_of(caller_of(mine, (firm, Role.MEMBER))))

    (found,) = events_of(answer)
    assert (str(found["SUMMARY"]), str(found["LOCATION"])) == ("拉力机", "长沙市麓谷大道 1 号")
    assert f"预约编号：{first.number}" in found["DESCRIPTION"]
    assert "用途：Q235 拉伸" in found["DESCRIPTION"]
    assert "金额：288.00 元" in found["DESCRIPTION"]
    assert found["URL"].endswith(f"/reservations/{first.id}")
    assert answer.headers["Cache-Control"] == "private, max-age=300"


def test_an_enterprise_sees_all_its_reservations_and_no_others(client):
    firm = make_organisation()
    boss, member = make_user(firm, Role.MANAGER), make_user(firm)
    instrument = make_instrument(name="拉力机")
    reservations.reserve(instrument.id, slot(), caller=caller_of(member, (firm, Role.MEMBER)))
    reservations.reserve(
        instrument.id, slot(WEDNESDAY_10 + timedelta(hours=4)), caller=make_caller()
    )

    address = feed_of(caller_of(boss, (firm, Role.MANAGER)), FeedKind.ENTERPRISE, firm)

    assert [e["DTSTART"].dt for e in events_of(client.get(address))] == [WEDNESDAY_10]


def test_an_institution_sees_who_comes_and_what_stands_still(client):
    lab, firm = make_institution(), make_organisation(name="长沙精工机械有限公司")
    boss = make_caller(lab, Role.MANAGER)
    instrument = make_instrument(institution=lab, name="拉力机")
    reservations.reserve(instrument.id, slot(), caller=make_caller(firm))
    close(instrument, slot(WEDNESDAY_10 + timedelta(hours=4)))
    foreign = make_instrument()
    reservations.reserve(foreign.id, slot(), caller=make_caller())

    answer = client.get(feed_of(boss, FeedKind.INSTITUTION, lab))

    assert titles(answer) == ["拉力机 · 长沙精工机械有限公司", "停机维护：拉力机"]
    assert "说明：换夹具" in events_of(answer)[1]["DESCRIPTION"]


def test_identical_units_are_told_apart(client):
    instrument = make_instrument(units=2)
    reservations.reserve(instrument.id, slot(), caller=make_caller())
    reservations.reserve(instrument.id, slot(), caller=make_caller())

    assert titles(client.get(public(instrument))) == ["已占用（第 1 台）", "已占用（第 2 台）"]


def test_a_moved_reservation_keeps_its_id_and_counts_up(client, now):
    instrument, caller = make_instrument(), make_caller()
    held = reservations.reserve(instrument.id, slot(), caller=caller)
    before = events_of(client.get(public(instrument)))[0]
    now.advance(hours=1)

    reservations.move(held.id, slot(WEDNESDAY_10 + timedelta(hours=3)), caller=caller)

    after = events_of(client.get(public(instrument)))[0]
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTART"].dt == WEDNESDAY_10 + timedelta(hours=3)
    assert after["LAST-MODIFIED"].dt == before["LAST-MODIFIED"].dt + timedelta(hours=1)


@pytest.mark.parametrize("whose", ["public", "own"])
def test_a_cancelled_reservation_is_shown_as_such_for_30_days(client, now, whose):
    instrument, caller = make_instrument(schedule={"horizon_days": 100}), make_caller()
    far = slot(WEDNESDAY_10 + timedelta(days=56))
    held = reservations.reserve(instrument.id, far, caller=caller)
    address = public(instrument) if whose == "public" else feed_of(caller)
    reservations.cancel(held.id, caller=caller)

    cancelled = client.get(address)
    assert [str(each["STATUS"]) for each in events_of(cancelled)] == ["CANCELLED"]
    now.advance(days=30)
    assert len(events_of(client.get(address))) == 1
    now.advance(days=1)
    gone = client.get(address, headers={"If-None-Match": cancelled.headers["ETag"]})
    assert events_of(gone) == []


def test_an_unanswered_request_is_tentative_then_cancelled(client, now):
    instrument = make_instrument(schedule={"approval_mode": ApprovalMode.ALWAYS})
    caller = make_caller()
    held = reservations.reserve(instrument.id, slot(), caller=caller)
    address = feed_of(caller)
    asked = [(str(e["STATUS"]), e["SEQUENCE"]) for e in events_of(client.get(address))]

    now.set(held.expires_at)
    reservations.expire_holds()

    ended = [(str(e["STATUS"]), e["SEQUENCE"]) for e in events_of(client.get(address))]
    assert (asked, ended) == ([("TENTATIVE", 0)], [("CANCELLED", 1)])


def test_a_closure_lifted_early_ends_then_and_one_lifted_before_is_cancelled(client, now):
    instrument = make_instrument()
    running = close(instrument, slot(now.at - timedelta(hours=1), hours=8))
    coming = close(instrument, slot(WEDNESDAY_10))

    availability.lift(running)
    availability.lift(coming)

    first, second = events_of(client.get(public(instrument)))
    assert (first["STATUS"], first["DTEND"].dt) == ("CONFIRMED", now.at)
    assert (second["STATUS"], second["DTEND"].dt) == ("CANCELLED", slot().ends_at)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")],
)
def test_an_event_leaves_after_90_days_and_who_asks_is_told(client, now, asked, answered):
    instrument = make_instrument(schedule={"horizon_days": 100})
    for start in (WEDNESDAY_10, WEDNESDAY_10 + timedelta(days=56)):
        reservations.reserve(instrument.id, slot(start), caller=make_caller())
    now.set(WEDNESDAY_10 + timedelta(days=89))
    both = client.get(public(instrument))
    assert len(events_of(both)) == 2

    now.set(WEDNESDAY_10 + timedelta(days=92))

    left = client.get(public(instrument), headers={asked: both.headers[answered]})
    assert len(events_of(left)) == 1


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        pytest.param("If-None-Match", "ETag", id="tag"),
        pytest.param("If-Modified-Since", "Last-Modified", id="date"),
    ],
)
def test_nothing_is_sent_again_until_something_changes(client, now, asked, answered):
    instrument, caller = make_instrument(), make_caller()
    held = reservations.reserve(instrument.id, slot(), caller=caller)
    first = client.get(public(instrument))
    now.advance(hours=3)

    same = client.get(public(instrument), headers={asked: first.headers[answered]})
    reservations.cancel(held.id, caller=caller)
    changed = client.get(public(instrument), headers={asked: first.headers[answered]})

    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_a_tag_outweighs_a_date(client):
    instrument = make_instrument()
    first = client.get(public(instrument))

    headers = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}

    assert client.get(public(instrument), headers=headers).status_code == 200


@pytest.mark.parametrize("change", ["instrument", "closure", "reservation"])
def test_whatever_stands_in_a_calendar_changes_its_tag(client, now, change):
    lab = make_institution()
    boss = make_caller(lab, Role.MANAGER)
    instrument = make_instrument(institution=lab, name="旧名")
    reservations.reserve(instrument.id, slot(), caller=make_caller())
    address = feed_of(boss, FeedKind.INSTITUTION, lab)
    before = client.get(address)
    now.advance(hours=1)

    if change == "instrument":
        instrument.name = "新名"
        instrument.touch()
    elif change == "closure":
        close(instrument, slot(WEDNESDAY_10 + timedelta(hours=4)))
    else:
        reservations.reserve(
            instrument.id, slot(WEDNESDAY_10 + timedelta(hours=4)), caller=make_caller()
        )
    db.session.flush()

    after = client.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.last_modified > before.last_modified
    if change == "instrument":
        assert titles(after)[0].startswith("新名")


def test_texts_are_kept_and_only_what_changed_is_built_again(client, monkeypatch):
    instrument, caller = make_instrument(), make_caller()
    for hour in (0, 3, 5):
        held = reservations.reserve(
            instrument.id, slot(WEDNESDAY_10 + timedelta(hours=hour)), caller=caller
        )
    first = client.get(public(instrument)).data
    built = []
    real = service.gateway.ical.event_text
    monkeypatch.setattr(
        service.gateway.ical, "event_text", lambda each: built.append(each) or real(each)
    )

    again = client.get(public(instrument)).data
    assert (again, built) == (first, [])
    reservations.cancel(held.id, caller=caller)
    client.get(public(instrument))

    assert [each.status for each in built] == ["CANCELLED"]


def test_a_feed_costs_the_same_statements_however_long_it_is(client):
    instrument, caller = make_instrument(), make_caller()
    address = feed_of(caller)
    counts = []
    for hour in (0, 2, 4, 6):
        reservations.reserve(
            instrument.id, slot(WEDNESDAY_10 + timedelta(hours=hour)), caller=caller
        )
        with counted() as first:
            client.get(address)
        with counted() as again:
            tag = client.get(address).headers["ETag"]
        with counted() as unchanged:
            client.get(address, headers={"If-None-Match": tag})
        counts.append([len(each) for each in (first, again, unchanged)])

    assert counts[1:] == counts[:-1]
    assert counts[0][2] == 2


def test_the_words_are_in_the_language_asked_for(client):
    instrument = make_instrument(schedule=None)
    chinese = client.get(public(instrument))
    english = client.get(f"{public(instrument)}?lang=en")

    assert chinese.headers["ETag"] != english.headers["ETag"]
    assert client.get(f"{public(instrument)}?lang=xx").headers["ETag"] == chinese.headers["ETag"]


def test_head_answers_like_get_without_a_body(client):
    instrument = make_instrument()
    reservations.reserve(instrument.id, slot(), caller=make_caller())

    got, headed = client.get(public(instrument)), client.head(public(instrument))

    assert headed.data == b""
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Cache-Control"):
        assert headed.headers[name] == got.headers[name]


def test_a_revoked_feed_is_gone_at_once(client):
    caller = make_caller()
    made = service.create_feed(FeedKind.USER, caller=caller)
    first = client.get(path_of(made.url))

    service.revoke_feed(made.feed.id, caller=caller)

    headers = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path_of(made.url), headers=headers).status_code == 404


def test_the_feed_of_a_disabled_user_is_gone(client):
    firm = make_organisation()
    user = make_user(firm)
    address = feed_of(caller_of(user, (firm, Role.MEMBER)))
    assert client.get(address).status_code == 200

    user.is_active = False
    db.session.flush()

    assert client.get(address).status_code == 404


@pytest.mark.parametrize("left", ["nothing", "a lesser seat"])
def test_an_organisations_feed_ends_with_its_makers_seat(client, left):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER)
    address = feed_of(caller_of(user, (firm, Role.MANAGER)), FeedKind.ENTERPRISE, firm)
    assert client.get(address).status_code == 200

    seat = db.session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    seat.ended_at = clock.now()
    if left == "a lesser seat":
        db.session.add(Membership(user_id=user.id, organisation_id=firm.id, role=Role.MEMBER))
    db.session.flush()

    assert client.get(address).status_code == 404


def test_a_person_who_left_a_firm_no_longer_sees_what_they_booked_for_it(client, now):
    firm = make_organisation()
    user = make_user(firm)
    caller = caller_of(user, (firm, Role.MEMBER))
    reservations.reserve(make_instrument().id, slot(), caller=caller)
    address = feed_of(caller)
    before = client.get(address)
    now.advance(hours=1)

    seat = db.session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    seat.ended_at = clock.now()
    db.session.flush()

    after = client.get(address, headers={"If-Modified-Since": before.headers["Last-Modified"]})
    assert events_of(after) == []


@pytest.mark.parametrize(
    "secret", ["A" * 43, "x", "%00" + "A" * 42, "../" + "A" * 40, "' OR 1=1 --", "密" * 43]
)
def test_a_wrong_secret_is_not_found(client, secret):
    feed_of(make_caller())

    assert client.get(f"/calendars/feeds/{secret}.ics").status_code == 404


def test_no_log_holds_the_secret(app, client, capsys, monkeypatch):
    monkeypatch.setitem(app.config, "ACCESS_LOG", True)
    address = feed_of(make_caller())
    secret = address.rpartition("/")[2].removesuffix(".ics")

    client.get(address)
    monkeypatch.setattr(service, "glance", lambda *_, **__: 1 / 0)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    assert client.get(address).status_code == 500

    logged = capsys.readouterr()
    assert "/calendars/feeds/…" in logged.err
    assert secret not in logged.err + logged.out


def test_free_busy_tells_when_all_units_are_taken_and_when_it_is_closed(client):
    instrument = make_instrument(units=2)
    for start in (WEDNESDAY_10, WEDNESDAY_10, WEDNESDAY_10 + timedelta(hours=4)):
        reservations.reserve(instrument.id, slot(start), caller=make_caller())

    answer = client.get(
        f"/calendars/instruments/{instrument.id}/freebusy.ics",
        query_string={"from": "2026-11-25T00:00:00+08:00", "to": "2026-11-26T00:00:00+08:00"},
    )

    (found,) = Calendar.from_ical(answer.data).walk("VFREEBUSY")
    day = datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert found.errors == []
    assert (found["DTSTART"].dt, found["DTEND"].dt) == (day, day + timedelta(days=1))
    assert [(p.params["FBTYPE"], p.start, p.end) for p in found["FREEBUSY"]] == [
        ("BUSY", WEDNESDAY_10, WEDNESDAY_10 + timedelta(hours=2)),
        ("BUSY-UNAVAILABLE", day, day + timedelta(hours=8)),
        ("BUSY-UNAVAILABLE", day + timedelta(hours=18), day + timedelta(days=1)),
    ]


def test_free_busy_of_an_instrument_without_hours_is_never_free(client):
    instrument = make_instrument(schedule=None)

    answer = client.get(f"/calendars/instruments/{instrument.id}/freebusy.ics")

    (found,) = Calendar.from_ical(answer.data).walk("VFREEBUSY")
    period = found["FREEBUSY"]
    assert period.params["FBTYPE"] == "BUSY-UNAVAILABLE"
    assert (period.start, period.end) == (found["DTSTART"].dt, found["DTEND"].dt)


def test_free_busy_that_has_not_changed_is_not_sent_again(client, now):
    instrument = make_instrument()
    address = f"/calendars/instruments/{instrument.id}/freebusy.ics"
    first = client.get(address)
    now.advance(minutes=5)

    headers = {"If-None-Match": first.headers["ETag"]}
    assert client.get(address, headers=headers).status_code == 304
    reservations.reserve(instrument.id, slot(), caller=make_caller())
    assert client.get(address, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-25"}, "from"),
        ({"from": "2026-11-25T00:00:00"}, "from"),
        ({"to": "2026-11-01T00:00:00Z"}, "to"),
        ({"to": "2027-11-01T00:00:00Z"}, "to"),
        ({"from": "0001-01-01T00:00:00Z"}, "from"),
    ],
)
def test_free_busy_names_the_instant_it_cannot_use(client, query, field):
    instrument = make_instrument()

    refused = client.get(
        f"/calendars/instruments/{instrument.id}/freebusy.ics",
        query_string=query,
        headers={"Accept": "application/json"},
    )

    assert refused.status_code == 422
    assert list(refused.json["errors"]) == [field]


def test_texts_no_window_shows_are_forgotten(client, now):
    instrument = make_instrument()
    reservations.reserve(instrument.id, slot(), caller=make_caller())
    client.get(public(instrument))

    assert service.forget_texts() == 0
    now.advance(days=96)
    assert service.forget_texts() == 1
    assert db.session.scalar(select(func.count()).select_from(EventText)) == 0
