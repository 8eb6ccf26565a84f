"""The API's wiring for qualifications."""

import pytest

from booking.accounts.rules import Role
from tests.factories import make_institution, make_instrument, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def headers(bearer, institution):
    return bearer(make_user(institution, Role.MANAGER))


def test_a_calibration_is_recorded_read_and_withdrawn(client, headers, institution):
    instrument = make_instrument(institution=institution)
    address = f"/api/v1/instruments/{instrument.id}"
    body = {
        "kind": "verification",
        "number": "JD-1",
        "agency": "省计量院",
        "performed_on": "2026-03-15",
        "valid_until": "2027-03-14",
    }
    made = client.post(f"{address}/calibrations", json=body, headers=headers)
    assert made.status_code == 201, made.text

    shown = client.get(f"{address}/qualifications").json
    gone = client.post(
        f"{address}/calibrations/{made.json['id']}/withdraw",
        json={"reason": "误录"},
        headers=headers,
    )

    assert shown["verified_until"] == "2027-03-14"
    assert shown["calibrations"] == [made.json]
    assert gone.json["is_withdrawn"] is True
    assert client.get(f"{address}/qualifications").json["verified_until"] is None


def test_strangers_record_nothing(client, bearer, institution):
    instrument = make_instrument(institution=institution)
    body = {"kind": "calibration", "number": "1", "agency": "x", "performed_on": "2026-03-15"}
    address = f"/api/v1/instruments/{instrument.id}/calibrations"

    assert client.post(address, json=body, headers=bearer(make_user())).status_code == 403
    assert client.post(address, json=body).status_code == 401
