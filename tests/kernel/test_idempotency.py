"""The same key never acts twice: replay, mismatch, in flight, races, failures, strangers."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import jsonify, request
from sqlalchemy import func, select

from booking.app import create_app
from booking.kernel import idempotency
from booking.kernel.db import db
from booking.kernel.idempotency import StoredAnswer, forget_old_answers
from booking.reservations.models import Reservation
from tests.factories import (
    bearer,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)

pytestmark = pytest.mark.service
ADDRESS = "/api/v1/reservations"


def body_for(instrument, **given):
    wanted = slot()
    return {
        "instrument_id": instrument.id,
        "starts_at": wanted.starts_at.isoformat(),
        "ends_at": wanted.ends_at.isoformat(),
        **given,
    }


@pytest.fixture
def firm(session):
    organisation = make_organisation()
    return bearer(make_user(organisation))


def post(client, body, headers, key="k-1"):
    return client.post(ADDRESS, json=body, headers=headers | {"Idempotency-Key": key})


def count():
    return db.session.scalar(select(func.count()).select_from(Reservation))


def test_the_same_key_and_body_replay_the_stored_answer(client, firm):
    body = body_for(make_instrument())

    first = post(client, body, firm)
    again = post(client, body, firm)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert count() == 1


def test_order_and_spacing_of_the_body_make_no_difference(client, firm):
    body = body_for(make_instrument())
    post(client, body, firm)

    again = post(client, dict(reversed(body.items())), firm)

    assert again.status_code == 201
    assert count() == 1


def test_the_same_key_with_another_body_is_refused(client, firm):
    instrument = make_instrument()
    post(client, body_for(instrument), firm)

    other = post(client, body_for(instrument, purpose="另一用途"), firm)

    assert other.status_code == 422
    assert other.get_json()["code"] == "idempotency_mismatch"
    assert count() == 1


def test_the_same_key_at_another_address_is_refused(client, firm):
    made = post(client, body_for(make_instrument()), firm).get_json()

    cancelled = client.post(
        f"{ADDRESS}/{made['id']}/cancel", json={}, headers=firm | {"Idempotency-Key": "k-1"}
    )

    assert cancelled.get_json()["code"] == "idempotency_mismatch"


def test_two_callers_may_use_the_same_key(client, firm):
    other = bearer(make_user(make_organisation()))

    first = post(client, body_for(make_instrument()), firm)
    second = post(client, body_for(make_instrument()), other)

    assert (first.status_code, second.status_code) == (201, 201)
    assert count() == 2


def test_a_failure_is_not_stored(client, firm):
    instrument = make_instrument()
    bad = post(client, body_for(instrument, instrument_id=999_999_999), firm)
    assert bad.status_code in {404, 422}

    good = post(client, body_for(instrument), firm)

    assert good.status_code == 201


def test_after_24_hours_the_key_is_free_again(client, firm, now):
    instrument = make_instrument()
    post(client, body_for(instrument), firm)
    now.advance(hours=24)
    later = slot().widened(before_minutes=-120, after_minutes=120)
    body = body_for(
        instrument, starts_at=later.starts_at.isoformat(), ends_at=later.ends_at.isoformat()
    )

    again = post(client, body, firm)

    assert again.status_code == 201
    assert count() == 2


def test_just_before_24_hours_it_is_not(client, firm, now):
    body = body_for(make_instrument())
    post(client, body, firm)
    now.advance(hours=23, minutes=59)

    assert post(client, body, firm).headers["Idempotent-Replayed"] == "true"


def test_old_answers_are_forgotten(client, firm, now):
    post(client, body_for(make_instrument()), firm)

    assert forget_old_answers() == 0
    now.advance(hours=24)
    assert forget_old_answers() == 1
    assert db.session.scalar(select(func.count()).select_from(StoredAnswer)) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "键", "a\tb"])
def test_a_key_that_is_no_key_is_named(client, firm, key):
    answer = post(client, body_for(make_instrument()), firm, key=key.encode().decode("latin-1"))

    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["Idempotency-Key"]
    assert count() == 0


def test_without_a_key_nothing_is_stored(client, firm):
    client.post(ADDRESS, json=body_for(make_instrument()), headers=firm)

    assert db.session.scalar(select(func.count()).select_from(StoredAnswer)) == 0


@pytest.fixture
def slow(scratch_url):
    """An application of its own whose one idempotent view waits until it is told to go on."""
    app = create_app("testing", DATABASE_URL=scratch_url)
    started, go_on, ran = threading.Event(), threading.Event(), []

    @app.post("/api/slow")
    @idempotency.idempotent
    def slow_view():
        ran.append(request.get_json())
        started.set()
        go_on.wait(10)
        return jsonify(times=len(ran)), 201

    app.slow = started, go_on, ran
    yield app
    with app.app_context():
        db.engine.dispose()


def call(app, body=None):
    return app.test_client().post("/api/slow", json=body or {}, headers={"Idempotency-Key": "same"})


def test_a_key_in_flight_is_409_and_afterwards_replays(slow):
    started, go_on, ran = slow.slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(call, slow)
        assert started.wait(10)

        meanwhile = call(slow)
        go_on.set()

        assert meanwhile.status_code == 409
        assert meanwhile.get_json()["code"] == "idempotency_in_flight"
        assert first.result().status_code == 201
    assert call(slow).headers["Idempotent-Replayed"] == "true"
    assert len(ran) == 1


def test_a_lost_race_replays_the_winners_answer(slow, monkeypatch):
    _, go_on, _ = slow.slow
    go_on.set()
    call(slow)
    really = idempotency._look_up
    looks = []

    def looked_too_early(key):
        looks.append(key)
        return None if len(looks) == 1 else really(key)

    monkeypatch.setattr(idempotency, "_look_up", looked_too_early)
    second = call(slow)

    assert second.status_code == 201
    assert second.get_json() == {"times": 1}
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(looks) == 2


def test_strangers_do_not_share_keys(slow):
    _, go_on, ran = slow.slow
    go_on.set()

    answers = [call(slow, {"who": "a"}), call(slow, {"who": "b"}), call(slow, {"who": "a"})]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert ran == [{"who": "a"}, {"who": "b"}]
