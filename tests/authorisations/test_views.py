"""Pages of authorisations: the person's, the institution's, and the choice when booking."""

import re
from datetime import datetime
from io import BytesIO

import pytest

from booking.accounts.rules import Caller, Role
from booking.authorisations import queries, service
from booking.authorisations.rules import Operation, Standing
from booking.kernel.uploads import Upload
from booking.reservations import service as reservations
from tests.factories import (
    caller_of,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)
from tests.uploaded import picture

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]
S = Standing
MINE, THEIRS = "/authorisations", "/institution/authorisations"


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def operator(institution):
    return make_user(institution, Role.OPERATOR, name="周工")


@pytest.fixture
def as_operator(operator, institution):
    return caller_of(operator, (institution, Role.OPERATOR))


@pytest.fixture
def instrument(institution):
    schedule = {"operation": Operation.AUTHORISED}
    return make_instrument(institution=institution, schedule=schedule, name="扫描电镜")


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def li(firm):
    return make_user(firm, name="李明")


@pytest.fixture
def asked(instrument, firm, li):
    return service.request(instrument.id, caller=caller_of(li, (firm, Role.MEMBER)), note="三年")


@pytest.fixture
def offered(institution, instrument, as_operator):
    return service.offer(
        institution.id,
        slot(),
        caller=as_operator,
        instrument_ids=[instrument.id],
        location="培训教室",
        seats=2,
    )


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1]).split())


def send(client, page, address, **given):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(page).text)
    return client.post(address, data=given | {"form_token": token[1] if token else ""})


def test_one_asks_with_evidence_and_sees_it_wait(client, li, instrument):
    sign_in(client, li)
    page = f"/instruments/{instrument.id}/authorisation"

    answer = send(client, page, page, note="三年经验", file=(BytesIO(picture()), "证.png"))

    assert answer.status_code == 303
    shown = client.get(MINE)
    assert "扫描电镜" in words(shown)
    assert "待机构答复" in words(shown)
    evidence = re.search(r'href="(/authorisations/\d+/evidence)"', shown.text)
    assert client.get(evidence[1]).status_code == 200
    assert "您已经申请过" in words(client.get(page))


def test_a_file_that_is_none_keeps_what_was_typed(client, li, instrument):
    sign_in(client, li)
    page = f"/instruments/{instrument.id}/authorisation"

    answer = send(client, page, page, note="三年经验", file=(BytesIO(b"x"), "证.png"))

    assert answer.status_code == 422
    assert "三年经验" in answer.text


def test_evidence_is_not_others(client, session, instrument, li, firm):
    made = service.request(
        instrument.id,
        caller=caller_of(li, (firm, Role.MEMBER)),
        file=Upload("证.png", picture()),
    )
    sign_in(client, make_user(make_organisation()))

    assert client.get(f"{MINE}/{made.id}/evidence").status_code == 404


def test_one_withdraws_signs_up_and_gives_up(client, li, asked, offered):
    sign_in(client, li)

    assert "培训教室" in words(client.get(MINE))
    assert send(client, MINE, f"/training/{offered.id}/sign-up").status_code == 303
    assert "已安排培训" in words(client.get(MINE))
    assert send(client, MINE, f"/training/{offered.id}/give-up").status_code == 303
    assert send(client, MINE, f"{MINE}/{asked.id}/withdraw").status_code == 303
    assert "已撤回" in words(client.get(MINE))


def test_the_institution_grants_with_grounds(client, operator, asked):
    sign_in(client, operator)
    page = f"{THEIRS}/{asked.id}"

    assert "李明" in words(client.get(THEIRS))
    refused = send(client, page, f"{page}/grant", version=1)
    assert (refused.status_code, asked.standing) == (422, S.REQUESTED)
    assert send(client, page, f"{page}/grant", version=1, grounds="上岗证").status_code == 303
    assert asked.standing is S.GRANTED


def test_the_institution_refuses_suspends_and_restores(client, operator, as_operator, asked, firm):
    sign_in(client, operator)
    page = f"{THEIRS}/{asked.id}"

    assert send(client, page, f"{page}/refuse").status_code == 422
    service.grant(asked.id, caller=as_operator, grounds="证")
    assert send(client, page, f"{page}/suspend", reason="违规操作").status_code == 303
    assert "违规操作" in words(client.get(page))
    assert send(client, page, f"{page}/restore").status_code == 303
    assert asked.standing is S.GRANTED


def test_losing_it_shows_the_coming_reservations(client, operator, as_operator, asked, li, firm):
    service.grant(asked.id, caller=as_operator, grounds="证")
    li_ = caller_of(li, (firm, Role.MEMBER))
    made = reservations.reserve(asked.instrument_id, slot(), caller=li_)
    service.suspend(asked.id, caller=as_operator, reason="违规")
    sign_in(client, operator)

    page = client.get(f"{THEIRS}/{asked.id}")

    assert f"/reservations/{made.id}" in page.text
    assert "授权不再有效" in words(page)


def test_training_is_offered_and_assessed(
    client, operator, institution, instrument, asked, li, now
):
    sign_in(client, operator)
    given = {
        "starts_at": "2026-11-25T10:00",
        "ends_at": "2026-11-25T12:00",
        "location": "教室",
        "seats": "2",
        "instrument_ids": str(instrument.id),
    }

    missing = send(client, THEIRS, "/institution/training", **given | {"seats": ""})
    answer = send(client, THEIRS, "/institution/training", **given)
    page = answer.headers["Location"]
    session_id = int(page.rsplit("/", 1)[1])
    invited = send(
        client, THEIRS, f"{THEIRS}/{asked.id}/invite", session=str(session_id), version="1"
    )
    now.set(datetime.fromisoformat("2026-11-25T12:00:00+08:00"))
    sign_in(client, operator)
    [seat] = queries.seats_of(session_id)
    assessed = send(client, page, f"{page}/seats/{seat.id}/assess", result="passed", note="合格")

    assert (missing.status_code, answer.status_code, invited.status_code) == (422, 303, 303)
    assert assessed.status_code == 303
    assert "考核通过" in words(client.get(page))
    assert queries.get_authorisation(asked.id, caller=make_viewer(li)).standing is S.GRANTED


def make_viewer(user):
    return Caller(user_id=user.id, name=user.name)


def test_training_is_called_off_with_a_reason(client, operator, offered):
    sign_in(client, operator)
    page = f"/institution/training/{offered.id}"

    assert send(client, page, f"{page}/cancel").status_code == 422
    assert send(client, page, f"{page}/cancel", reason="讲师生病").status_code == 303
    assert "讲师生病" in words(client.get(page))


def test_others_institutions_see_none_of_it(client, asked, offered):
    sign_in(client, make_user(make_institution(), Role.OPERATOR))

    assert client.get(f"{THEIRS}/{asked.id}").status_code == 404
    assert client.get(f"/institution/training/{offered.id}").status_code == 404
    assert "扫描电镜" not in client.get(THEIRS).text


def test_the_panel_offers_the_choice_and_ways_out(client, li, instrument):
    sign_in(client, li)
    address = f"/instruments/{instrument.id}?start=2026-11-25T10:00&minutes=120"

    alone = client.get(address)
    assisted = client.get(f"{address}&assisted=1")

    assert "您还没有上机授权" in words(alone)
    assert f"/instruments/{instrument.id}/authorisation" in alone.text
    assert "改选机组协助" in words(alone)
    assert "确认预约" in words(assisted)
    assert 'name="assisted" value="1"' in assisted.text


def test_booked_with_assistance_it_says_so(client, li, firm, instrument):
    caller = caller_of(li, (firm, Role.MEMBER))
    made = reservations.reserve(instrument.id, slot(), caller=caller, is_assisted=True)
    sign_in(client, li)

    assert "机组协助" in words(client.get(f"/reservations/{made.id}"))


def test_how_it_is_used_is_set_beside_the_rule_of_approval(client, operator, instrument):
    sign_in(client, operator)
    page = f"/institution/instruments/{instrument.id}/approval"

    assert (
        send(client, page, f"/institution/instruments/{instrument.id}/operation").status_code == 422
    )
    answer = send(
        client,
        page,
        f"/institution/instruments/{instrument.id}/operation",
        operation="assisted_only",
    )
    assert answer.status_code == 303
    assert "只由机组操作" in words(client.get(page))
