"""Generated requests over the whole API: never a 5xx, and every answer as documented."""

import contextlib
import itertools
import os
from collections import Counter
from datetime import timedelta

import pytest
import schemathesis
from flask import request
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from booking.accounts.models import Membership, User
from booking.accounts.rules import OrganisationKind, Role
from booking.app import create_app
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.examples import Examples
from tests.factories import (
    bearer,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
)

pytestmark = [pytest.mark.fuzz, pytest.mark.service]

HOUR = timedelta(hours=1)
AIMED = 3  # ids that addresses are aimed at
# What no pattern says of them: generated ones are nearly always refused.
SENSIBLE = {
    "per_hour": {"amount": "288.00", "currency": "CNY"},
    "discount_percent": "12.5",
    "discount_reason": "新开放",
}
EXAMPLES = 12  # per operation: the whole stays within a minute
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}}
)


@pytest.fixture
def world(server, template, tmp_path):
    """An application on its own database, with an instrument and somebody who may do all."""
    name = f"fuzz_{os.getpid()}"  # of this worker
    url = server.clone(name, template)
    app = create_app("testing", DATABASE_URL=url, DATA_DIR=tmp_path)
    app.answered = Counter()
    app.after_request(lambda answer: counted(app.answered, answer))
    with app.app_context():
        institution = make_institution()
        # Of each the first three may be spoilt by what is done to them; the rest stays sound.
        for _ in range(2 * AIMED):
            make_instrument(institution=institution)
        for _ in range(AIMED):
            make_user(institution, Role.OPERATOR)
        user = make_user(institution, Role.MANAGER)
        for kind, role in (
            (OrganisationKind.ENTERPRISE, Role.MANAGER),
            (OrganisationKind.PLATFORM, Role.ADMIN),
        ):
            seat = make_organisation(kind=kind)
            db.session.add(Membership(user_id=user.id, organisation_id=seat.id, role=role))
        db.session.commit()
        user_id = user.id
    yield app, user_id
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    server.drop(name)


def counted(answers, answer):
    answers[request.endpoint, answer.status_code // 100] += 1
    return answer


@pytest.fixture
def api(world):
    """The schema as the program itself serves it."""
    app, user_id = world
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=CONFIG)

    @schema.auth()
    class FreshToken:
        """A new token for each case: the one before may just have been revoked by it."""

        def get(self, _case, _context):
            with app.app_context():
                headers = bearer(db.session.get_one(User, user_id))
                db.session.commit()
            return headers

        def set(self, case, data, _context):
            case.headers.update(data)

    return schema


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_the_api_answers_generated_requests_as_documented(api, world, mode, subtests):
    if mode is schemathesis.GenerationMode.POSITIVE:
        steer(api)
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered_as_documented(case):
            # Rules across fields refuse what each field's own schema allows: that is no fault.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        with subtests.test(operation.label), nothing_to_spoil(mode):
            answered_as_documented()
    if mode is schemathesis.GenerationMode.POSITIVE:
        done = {endpoint for endpoint, hundreds in world[0].answered if hundreds == 2}
        assert {"reservations.create", "tariffs.publish"} <= done


PER_HOUR = {"amount": "180.00", "currency": "CNY"}


def steer(api):
    """Aim most of the ids and times at what is there: random ones never meet anything."""
    keys = itertools.count()

    @api.hook
    def map_path_parameters(_context, path_parameters):
        return aimed(path_parameters) if path_parameters else path_parameters

    @api.hook
    def map_headers(_context, headers):
        # Generated keys are short, and so the same again and again.
        if headers and len(headers.get("Idempotency-Key", "")) % 4:
            headers["Idempotency-Key"] += f"-{next(keys)}"
        return headers

    @api.hook
    def map_body(_context, body):
        if not isinstance(body, dict):
            return body
        if "customer_class" in body and "starts_at" not in body and len(repr(body)) % 4:
            # Of a price's many fields few combinations make one.
            body = {"customer_class": body["customer_class"], "per_hour": PER_HOUR}
        return aimed(body)


def aimed(given):
    found = dict(given)
    for name, value in given.items():
        if name.endswith("_id") and isinstance(value, int) and value % 4:
            found[name] = 1 + value % AIMED
        if name in SENSIBLE and len(repr(value)) % 4:
            found[name] = SENSIBLE[name]
    if {"starts_at", "ends_at"} <= set(found):
        number = sum(map(ord, f"{found['starts_at']}{found['ends_at']}"))
        if number % 4:
            start = Examples({"components": {"schemas": {}}}, today=clock.today()).start
            start += timedelta(hours=number % 6)
            found |= {"starts_at": start.isoformat(), "ends_at": (start + HOUR).isoformat()}
            if "instrument_id" in found:
                found["instrument_id"] = AIMED + 1 + number % AIMED
                found["organisation_id"] = 1 + number % 2
    return found


def nothing_to_spoil(mode):
    """Without parameters and body there is no wrong request to generate."""
    if mode is schemathesis.GenerationMode.NEGATIVE:
        return contextlib.suppress(Unsatisfiable)
    return contextlib.nullcontext()
