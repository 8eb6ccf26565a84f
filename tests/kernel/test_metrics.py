"""Figures for Prometheus: who may read them, what they count, and that processes count together."""

import os
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from booking.accounts.rules import OrganisationKind, Role, Scope
from booking.kernel import clock, jobruns
from booking.kernel.metrics import FOLDER, Metrics, _Read
from tests.factories import bearer, make_institution, make_organisation, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

HERE = {"base_url": "http://127.0.0.1:8000"}
ELSEWHERE = {"base_url": "https://booking.example.cn"}


def read(answer) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


class TestWhoMayRead:
    def test_a_program_on_this_machine(self, client):
        answer = client.get("/metrics", **HERE)

        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain; version=")

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"])
    def test_nobody_whom_a_proxy_passes_on(self, client, name):
        headers = {name: "127.0.0.1", "Accept": "text/plain"}

        assert client.get("/metrics", headers=headers, **HERE).status_code == 401

    def test_nobody_by_another_name_or_from_another_machine(self, client):
        assert client.get("/metrics", **ELSEWHERE).status_code == 401
        there = {"REMOTE_ADDR": "192.0.2.7"}
        assert client.get("/metrics", environ_base=there, **HERE).status_code == 401

    def test_an_administrators_token(self, client):
        platform = make_organisation(kind=OrganisationKind.PLATFORM, uscc=None)
        admin = make_user(platform, Role.ADMIN)

        token = bearer(admin, Scope.ADMIN)
        narrow = bearer(admin, Scope.READ)
        other = bearer(make_user(make_institution(), Role.MANAGER))

        assert client.get("/metrics", headers=token, **ELSEWHERE).status_code == 200
        assert client.get("/metrics", headers=narrow, **ELSEWHERE).status_code == 403
        assert client.get("/metrics", headers=other, **ELSEWHERE).status_code == 403


class TestFigures:
    def test_requests_by_endpoint_and_answer(self, client):
        before = read(client.get("/metrics", **HERE))
        for _ in range(3):
            client.get("/healthz")
        client.get("/nowhere-at-all")

        after = read(client.get("/metrics", **HERE))

        def grown(*key: str) -> float:
            return after.get(key, 0) - before.get(key, 0)

        assert grown("booking_requests_total", "healthz", "GET", "200") == 3
        assert grown("booking_requests_total", "none", "GET", "404") == 1
        assert grown("booking_request_seconds_count", "healthz") == 3
        assert grown("booking_request_seconds_bucket", "healthz", "+Inf") == 3

    def test_odd_methods_make_no_series_of_their_own(self, client):
        client.open("/healthz", method="BREW")

        assert not any("BREW" in key for key in read(client.get("/metrics", **HERE)))

    def test_jobs_and_the_outbox(self, client, now):
        due = clock.now()
        run_id = jobruns.claim("journal-seal", due)
        now.advance(seconds=4)
        jobruns.finish(run_id, succeeded=False, detail="no")

        found = read(client.get("/metrics", **HERE))

        assert found["booking_database_up",] == 1
        assert found["booking_job_last_run_seconds", "journal-seal"] == 4
        assert found["booking_job_last_run_succeeded", "journal-seal"] == 0
        assert found["booking_outbox_mails", "dead"] == 0
        assert found["booking_outbox_oldest_seconds",] == 0

    def test_a_database_that_does_not_answer_is_one_of_them(self, session):
        def broken():
            raise OperationalError("SELECT", {}, Exception("gone"))

        [family] = _Read([broken]).collect()

        assert [(sample.name, sample.value) for sample in family.samples] == [
            ("booking_database_up", 0)
        ]


COUNTING = """
from booking.app import create_app
app = create_app("testing")
client = app.test_client()
for _ in range(5):
    client.get("/healthz")
print(client.get("/metrics", base_url="http://127.0.0.1:8000").get_data(as_text=True))
"""


def test_processes_that_serve_together_count_together(database_url, tmp_path):
    environment = os.environ | {FOLDER: str(tmp_path), "DATABASE_URL": database_url}
    command = [sys.executable, "-c", COUNTING]

    texts = [
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout
        for _ in range(2)
    ]

    wanted = 'booking_requests_total{endpoint="healthz",method="GET",status="200"}'
    counts = [
        float(line.rpartition(" ")[2])
        for text in texts
        for line in text.splitlines()
        if line.startswith(wanted)
    ]
    assert counts == [5, 10]


def test_alone_it_counts_alone():
    assert FOLDER not in os.environ
    one, other = Metrics([]), Metrics([])

    one.requests.labels("x", "GET", "200").inc()

    assert b'endpoint="x"' in one.text()
    assert b'endpoint="x"' not in other.text()
