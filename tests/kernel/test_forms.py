"""What forms bring, what is wrong with it, and where they may lead."""

import pytest
from flask import session
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.kernel import forms
from booking.kernel.errors import Conflict, InvalidField
from booking.kernel.forms import WHOLE, Form, FormSchema
from booking.kernel.http import TooManyRequests
from booking.kernel.schema import Line
from booking.kernel.text import N_

HOME = "/home"


class NameForm(FormSchema):
    """A form with one field."""

    required = {"name": N_("请填写密码。")}  # noqa: RUF012 - as in the schemas of features
    name = Line(required=True, max_length=5)


@pytest.fixture
def posted(app):
    """A function that reads a posted form of a visit with a token."""

    def read(**fields):
        with app.test_request_context(
            method="POST", data=fields, headers={"Cookie": "booking_visit=x"}
        ):
            session["seed"] = "seed"
            sent = MultiDict(fields) | {forms.TOKEN: forms.token()}
        with app.test_request_context(
            method="POST", data=sent, headers={"Cookie": "booking_visit=x"}
        ):
            session["seed"] = "seed"
            return forms.read(NameForm)

    return read


def test_a_good_form_is_understood(posted):
    form = posted(name=" Li ", button="x")

    assert (form.errors, form.data, form.status) == ({}, {"name": "Li"}, 200)


def test_what_was_left_empty_is_asked_for(posted):
    for fields in ({}, {"name": ""}, {"name": "  "}):
        assert posted(**fields).errors == {"name": ["请填写密码。"]}


def test_what_is_too_long_is_kept_and_named(posted):
    form = posted(name="too long")

    assert form.status == 422
    assert form.value("name") == "too long"
    assert "长度不能超过 5" in form.errors["name"][0]


def test_a_form_of_another_visit_is_not_taken(app):
    with app.test_request_context(
        method="POST",
        data={"name": "Li", forms.TOKEN: "0" * 64},
        headers={"Cookie": "booking_visit=x"},
    ):
        form = forms.read(NameForm)

    assert form.status == 403
    assert list(form.errors) == [WHOLE]


@pytest.mark.parametrize("sent", ["", "ü", "0" * 64])
def test_no_other_token_passes(app, sent):
    with (
        app.test_request_context(
            method="POST", data={forms.TOKEN: sent}, headers={"Cookie": "booking_visit=x"}
        ),
        pytest.raises(forms.FormExpired),
    ):
        forms.check_token()


def test_two_visits_have_two_tokens(app):
    with app.test_request_context():
        first = forms.token()
        assert forms.token() == first
    with app.test_request_context():
        assert forms.token() != first


def test_a_key_counts_once(app):
    with app.test_request_context(method="POST", data={"once": "a"}):
        assert not forms.came_before()
        assert forms.came_before()


def test_only_the_last_keys_are_remembered(app):
    for key in "abcdefghij":
        with app.test_request_context(method="POST", data={"once": key}):
            session["seen"] = list("0123456789")
            assert not forms.came_before()
            assert len(session["seen"]) == forms.REMEMBERED


def test_refusals_come_to_their_fields(app):
    form = Form()
    with app.test_request_context():
        with form.refusals():
            raise InvalidField("name", N_("请填写密码。"))
        form.refuse_field("other", Conflict())
        form.refuse(ValidationError({"list": {0: ["a", "b"]}}))

    assert form.errors["name"] == ["请填写密码。"]
    assert form.errors["other"] == ["内容已被他人更改，请查看最新状态。"]
    assert form.errors["list"] == ["a", "b"]


def test_a_wait_is_handed_on(app):
    form = Form()
    with app.test_request_context():
        form.refuse(TooManyRequests(retry_after=60))

    answer = forms.answer(form, "page")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")


@pytest.mark.parametrize("address", ["/", "/account", "/instruments/3?day=2026-11-25#top"])
def test_own_addresses_are_followed(app, address):
    with app.test_request_context(query_string={"next": address}):
        assert forms.safe_next(HOME) == address


@pytest.mark.parametrize(
    "address",
    [
        "", "account", "//evil.example", "/\\evil.example", "\\\\evil", "https://evil.example",
        "javascript:alert(1)", "/a\nb", "/\t/evil.example", "/" + "a" * 2000, "///evil.example",
    ],
)  # fmt: skip
def test_no_other_address_is(app, address):
    with app.test_request_context(query_string={"next": address}):
        assert forms.safe_next(HOME) == HOME


@given(st.text(alphabet="/\\:.@ae \t\n%?#[]", max_size=12))
def test_whatever_comes_stays_on_this_site(app, address):
    with app.test_request_context(query_string={"next": address}):
        target = forms.safe_next(HOME)

    assert target[0] == "/"
    assert target[1:2] not in {"/", "\\"}
    assert "\\" not in target
