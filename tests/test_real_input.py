"""Two thousand real instruments: imported, found, one of them opened, booked and subscribed to."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from booking.accounts.rules import Role
from booking.registry.cli import cli
from tests.factories import bearer, make_institution, make_organisation, make_user

pytestmark = [pytest.mark.service, pytest.mark.real]

REAL = Path(__file__).parent / "data" / "uniquip-2000.csv"
API = "/api/v1"
NINE_TO_SIX = [{"opens": "09:00", "closes": "18:00"}]


@pytest.fixture
def institution(session):
    return make_institution(name="湖南省科研设施共享中心")


@pytest.fixture
def imported(app, institution):
    words = ["instruments", str(REAL), "--institution", institution.uscc]
    done = CliRunner().invoke(cli.commands["import"], words, obj=ScriptInfo(create_app=lambda: app))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def rows():
    with REAL.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def search(client, **query):
    answer = client.get(f"{API}/instruments", query_string={"limit": 200} | query)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_all_of_it_is_found_then_one_is_opened_booked_and_subscribed_to(
    client, institution, imported, rows, address, reader
):
    assert "共 2000 行：新增 2000，更改 0，未变 0，新增的已公开。" in imported

    found, cursor = [], None
    while cursor is not None or not found:
        page = search(client, institution=institution.id, **({"cursor": cursor} if cursor else {}))
        found, cursor = found + page["items"], page["next_cursor"]
    assert {each["inner_id"] for each in found} == {row["ID"] for row in rows}
    for row in rows[::40]:
        name = " ".join(row["Name"].split())
        hits = [each["inner_id"] for each in search(client, q=name)["items"]]
        assert row["ID"] in hits, name

    operator = bearer(make_user(institution, Role.MANAGER))
    firm = bearer(make_user(make_organisation(), Role.MANAGER))
    wanted = next(each for each in found if each["sharing_mode"] == "external")
    path = f"{API}/instruments/{wanted['id']}"
    slot = {
        "instrument_id": wanted["id"],
        "starts_at": "2026-11-25T10:00:00+08:00",
        "ends_at": "2026-11-25T12:00:00+08:00",
    }
    refused = client.post(f"{API}/reservations", json=slot, headers=firm)
    assert {broken["rule"] for broken in refused.json["violations"]} == {"not_open", "no_price"}
    assert "这台仪器尚未开放在线预约。" in [b["detail"] for b in refused.json["violations"]]

    week = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), NINE_TO_SIX)
    opened = client.put(f"{path}/schedule", json={"week": week}, headers=operator)
    assert opened.status_code == 200, opened.json
    price = {"customer_class": "sme", "per_hour": {"amount": "288.00", "currency": "CNY"}}
    assert client.post(f"{path}/prices", json=price, headers=operator).status_code == 201

    booked = client.post(f"{API}/reservations", json=slot, headers=firm)
    assert booked.status_code == 201, booked.json
    assert booked.json["price"] == {"amount": "576.00", "currency": "CNY"}

    feed = client.post(f"{API}/calendar-feeds", json={"kind": "user"}, headers=firm)
    url = feed.json["url"].partition("/calendars/")[2]
    (event,) = reader.sync(f"{address}/calendars/{url}")
    assert "BEGIN:VEVENT" in event
    assert reader.agenda() == [f"2026-11-25 10:00-12:00 {wanted['name']} CONFIRMED"]


def test_what_is_shared_inside_only_is_found_and_not_bookable(client, imported, rows):
    inside = next(row for row in rows if row["Service Level"] == "internal only")
    name = " ".join(inside["Name"].split())
    found = next(
        each for each in search(client, q=name)["items"] if each["inner_id"] == inside["ID"]
    )
    firm = bearer(make_user(make_organisation(), Role.MANAGER))

    quote = client.post(
        f"{API}/quotes",
        json={
            "instrument_id": found["id"],
            "starts_at": "2026-11-25T10:00:00+08:00",
            "ends_at": "2026-11-25T12:00:00+08:00",
        },
        headers=firm,
    )

    assert found["sharing_mode"] == "internal"
    assert "sharing_mode" in {broken["rule"] for broken in quote.json["violations"]}
