"""Making, listing and revoking feeds over the API."""

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role, Scope
from booking.calendars.models import CalendarFeed
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.idempotency import StoredAnswer
from booking.kernel.passwords import digest
from tests.factories import bearer, make_institution, make_organisation, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

FEEDS = "/api/v1/calendar-feeds"


def secret_of(url):
    return url.rpartition("/")[2].removesuffix(".ics")


def test_a_new_feed_shows_its_address_once_and_keeps_only_the_digest(client):
    user = make_user(make_organisation())
    headers = bearer(user)

    made = client.post(FEEDS, json={"kind": "user", "name": "手机"}, headers=headers)

    assert made.status_code == 201
    assert made.json["url"].startswith("http://127.0.0.1:8000/calendars/feeds/")
    feed = db.session.get_one(CalendarFeed, made.json["id"])
    assert feed.digest == digest(secret_of(made.json["url"]))
    (listed,) = client.get(FEEDS, headers=headers).json["items"]
    assert (listed["name"], listed["organisation"], listed["revoked_at"]) == ("手机", None, None)
    assert "url" not in listed
    assert client.get(f"/calendars/feeds/{secret_of(made.json['url'])}.ics").status_code == 200


def test_a_repeated_request_makes_one_feed_and_the_stored_answer_has_no_secret(client):
    headers = bearer(make_user(make_organisation())) | {"Idempotency-Key": "feed-1"}

    first = client.post(FEEDS, json={"kind": "user"}, headers=headers)
    second = client.post(FEEDS, json={"kind": "user"}, headers=headers)

    assert (second.status_code, second.json["id"], second.json["url"]) == (
        201,
        first.json["id"],
        None,
    )
    stored = db.session.scalars(select(StoredAnswer.body)).all()
    assert stored
    assert not any(secret_of(first.json["url"]) in body for body in stored)


def test_a_manager_makes_the_organisations_feed_and_others_of_it_see_and_end_it(client):
    lab = make_institution(name="湖南省检测研究院")
    maker, other = make_user(lab, Role.MANAGER), make_user(lab, Role.MANAGER)
    operator = make_user(lab, Role.OPERATOR)

    body = {"kind": "institution", "organisation_id": lab.id}
    made = client.post(FEEDS, json=body, headers=bearer(maker))
    address = f"/calendars/feeds/{secret_of(made.json['url'])}.ics"

    assert made.json["organisation"] == {"id": lab.id, "name": "湖南省检测研究院"}
    assert [f["id"] for f in client.get(FEEDS, headers=bearer(other)).json["items"]] == [
        made.json["id"]
    ]
    assert client.get(FEEDS, headers=bearer(operator)).json["items"] == []
    assert client.get(address).status_code == 200
    ended = client.post(f"{FEEDS}/{made.json['id']}/revoke", headers=bearer(other))
    assert ended.json["revoked_at"]
    assert client.get(address).status_code == 404


def test_somebody_elses_feed_is_not_found(client):
    firm = make_organisation()
    owner, stranger = make_user(firm), make_user(make_organisation(), Role.MANAGER)
    manager = make_user(firm, Role.MANAGER)
    made = client.post(FEEDS, json={"kind": "user"}, headers=bearer(owner)).json

    for other in (stranger, manager):
        refused = client.post(f"{FEEDS}/{made['id']}/revoke", headers=bearer(other))
        assert refused.status_code == 404
        assert client.get(FEEDS, headers=bearer(other)).json["items"] == []


def test_revoking_twice_changes_nothing_and_both_changes_are_in_the_journal(client):
    headers = bearer(make_user(make_organisation()))
    made = client.post(FEEDS, json={"kind": "user"}, headers=headers).json

    first = client.post(f"{FEEDS}/{made['id']}/revoke", headers=headers)
    second = client.post(f"{FEEDS}/{made['id']}/revoke", headers=headers)

    assert second.json == first.json
    actions = db.session.scalars(
        select(JournalEntry.action)
        .where(JournalEntry.subject_type == "calendar_feed", JournalEntry.subject_id == made["id"])
        .order_by(JournalEntry.id)
    ).all()
    assert actions == ["calendar_feed.created", "calendar_feed.revoked"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "validation_failed"),
        ({"kind": "planet"}, 422, "validation_failed"),
        ({"kind": "user", "organisation_id": 1}, 422, "validation_failed"),
        ({"kind": "enterprise"}, 422, "validation_failed"),
        ({"kind": "user", "name": "名" * 81}, 422, "validation_failed"),
        ({"kind": "user", "secret": "x"}, 422, "validation_failed"),
        ({"kind": "enterprise", "organisation_id": 2**62}, 403, "not_allowed"),
    ],
)
def test_what_makes_no_feed(client, body, status, code):
    refused = client.post(FEEDS, json=body, headers=bearer(make_user(make_organisation())))

    assert (refused.status_code, refused.json["code"]) == (status, code)


def test_a_reading_token_lists_but_makes_none(client):
    headers = bearer(make_user(make_organisation()), Scope.READ)

    assert client.get(FEEDS, headers=headers).status_code == 200
    assert client.post(FEEDS, json={"kind": "user"}, headers=headers).status_code == 403


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", ""), ("post", "/1/revoke")])
def test_feeds_are_kept_by_those_who_are_signed_in(client, method, path):
    assert getattr(client, method)(FEEDS + path).status_code == 401


def test_feeds_are_listed_in_pages_latest_first(client):
    headers = bearer(make_user(make_organisation()))
    ids = [client.post(FEEDS, json={"kind": "user"}, headers=headers).json["id"] for _ in range(3)]

    first = client.get(f"{FEEDS}?limit=2", headers=headers).json
    rest = client.get(f"{FEEDS}?limit=2&cursor={first['next_cursor']}", headers=headers).json

    assert [feed["id"] for feed in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
