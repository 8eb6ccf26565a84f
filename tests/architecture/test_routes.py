"""Every address asks who is there, unless it stands on this short list."""

import pytest

PUBLIC = {
    # The process and what people read.
    "GET /",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",  # asks itself: a program on this machine, or an administrator's token
    "GET /static/<path:filename>",
    "GET /api/docs",
    "GET /api/v1/openapi.json",
    # Before anybody has an account.
    "GET /api/v1/purpose-notice",
    "POST /api/v1/sign-ups",
    "POST /api/v1/sessions",
    "POST /api/v1/invitations",
    # The same on pages.
    "GET /log-in",
    "POST /log-in",
    "GET /log-in/code",
    "POST /log-in/code",
    "POST /log-out",
    "GET /sign-up",
    "POST /sign-up",
    "GET /sign-up/checks/<string:field>",
    "GET /invitation",
    "POST /invitation",
    "GET /password/forgotten",
    "POST /password/forgotten",
    "GET /purpose-notice",
    "GET /shortcuts",
    "POST /shortcuts",
    # Looking around; who reserves is asked for a log-in there and comes back to what was chosen.
    "GET /instruments",
    "GET /instruments/suggestions",
    "GET /instruments/<id:instrument_id>",
    "POST /instruments/<id:instrument_id>/reserve",
    "GET /instruments/<id:instrument_id>/photos",
    "GET /instruments/<id:instrument_id>/attachments/<id:attachment_id>",
    "GET /api/v1/instruments/<id:instrument_id>/attachments",
    "GET /certificates/<id:certificate_id>/file",
    "GET /api/v1/instruments/<id:instrument_id>/qualifications",
    # Code lists and what institutions must publish.
    "GET /api/v1/regions",
    "GET /api/v1/regions/<string:code>",
    "GET /api/v1/categories",
    "GET /api/v1/industries",
    "GET /api/v1/calendar-days",
    "GET /api/v1/instruments/<id:instrument_id>",
    "GET /api/v1/instruments/<id:instrument_id>/prices",
    "GET /api/v1/instruments/<id:instrument_id>/prices/history",
    "GET /api/v1/instruments/<id:instrument_id>/packages",
    "GET /api/v1/institutions/<id:institution_id>/packages",
    "GET /api/v1/packages/<id:package_id>",
    "GET /api/v1/instruments/<id:instrument_id>/schedule",
    "GET /api/v1/instruments/<id:instrument_id>/policy",
    "GET /api/v1/instruments/<id:instrument_id>/approval",
    "GET /api/v1/instruments/<id:instrument_id>/operation",
    "GET /api/v1/instruments/<id:instrument_id>/availability",
    "GET /api/v1/free-slots",
    "GET /api/v1/instruments",
    # Calendars: programs subscribe without signing in; personal ones by their secret.
    "GET /calendars/instruments/<id:instrument_id>",
    "GET /calendars/instruments/<id:instrument_id>.ics",
    "GET /calendars/instruments/<id:instrument_id>/freebusy.ics",
    "GET /calendars/feeds/<string(length=43):secret>.ics",
}


def routes(app):
    return [
        (f"{method} {rule.rule}", app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]


def test_every_route_needs_a_login_or_is_on_the_list(app):
    unguarded = {name for name, view in routes(app) if not getattr(view, "needs_login", False)}

    assert unguarded == PUBLIC


def test_the_mark_of_a_guarded_view_is_no_lie(app):
    for name, view in routes(app):
        if getattr(view, "needs_login", False):
            method, _, rule = name.partition(" ")
            address = rule
            for kind in ("<id:", "<string:", "<path:", "<"):
                while kind in address:
                    before, _, rest = address.partition(kind)
                    address = before + "1" + rest.partition(">")[2]
            answer = app.test_client().open(address, method=method, json={})
            assert answer.status_code == 401, name


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_that_changes_things_is_a_get(app, method):
    for rule in app.url_map.iter_rules():
        if method in rule.methods:
            assert "GET" not in rule.methods, rule


def test_every_post_that_creates_takes_an_idempotency_key(app):
    without = {
        name
        for name, view in routes(app)
        if name.startswith("POST /api/v1/") and not getattr(view, "takes_idempotency_key", False)
    }

    assert without <= NEEDS_NO_KEY


# They create nothing, or repeating them is harmless, or the answer is a secret of its own.
NEEDS_NO_KEY = {
    "POST /api/v1/instruments/<id:instrument_id>/policy-check",
    "POST /api/v1/sessions",
    "POST /api/v1/me/password",
    "POST /api/v1/invitations",
    "POST /api/v1/organisations/<id:organisation_id>/verify",
    "POST /api/v1/instruments/<id:instrument_id>/prices/preview",
    "POST /api/v1/quotes",
    "POST /api/v1/reservation-groups/preview",
    "POST /api/v1/series/preview",
    "POST /api/v1/organisations/<id:organisation_id>/members/<id:user_id>/disable",
    "POST /api/v1/organisations/<id:organisation_id>/members/<id:user_id>/enable",
    "POST /api/v1/organisations/<id:organisation_id>/members/<id:user_id>/move",
}
