"""Contributing one instrument in steps: kept as typed, all errors at once, all or nothing."""

import re

import pytest
from sqlalchemy import func, select

from booking.accounts.rules import CustomerClass, Role
from booking.availability import queries as availability
from booking.console.models import InstrumentDraft
from booking.registry.models import Instrument, Publication
from booking.tariffs import queries as tariffs
from tests.factories import make_institution, make_instrument, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

NEW = "/institution/instruments/new"
HOURS = {"monday": "08:30-12:00", "grid_minutes": "30", "shortest_minutes": "60",
         "longest_minutes": "480", "lead_minutes": "0", "horizon_days": "30",
         "change_until_minutes": "60", "buffer_before_minutes": "0",
         "buffer_after_minutes": "0"}  # fmt: skip


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def token_of(page):
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


@pytest.fixture
def draft(client, manager):
    """The address of a draft just begun, without its step."""
    answer = client.post(NEW, data={"form_token": token_of(client.get(NEW))})
    assert answer.headers["Location"].endswith("/basics")
    return answer.headers["Location"].removesuffix("/basics")


def send(client, draft, step, **given):
    page = client.get(f"{draft}/{'review' if step in {'finish', 'drop'} else step}")
    return client.post(f"{draft}/{step}", data={"form_token": token_of(page)} | given)


def test_an_instrument_is_contributed_in_steps_and_published(client, session, draft):
    first = send(client, draft, "basics", name="光谱仪", inner_id="A-1", worth_wan="52.8 万元")
    send(client, draft, "specs", technical="波长 200 nm", standards="GB/T 1-2020；GB/T 2-2020")
    send(client, draft, "hours", **HOURS)
    send(client, draft, "price", classes=["sme", "large"], per_hour="￥180")
    review = client.get(f"{draft}/review").text
    done = send(client, draft, "finish", publish="1")

    assert first.headers["Location"] == f"{draft}/specs"
    assert all(words in review for words in ("光谱仪", "波长 200 nm", "08:30-12:00", "￥180"))
    assert done.status_code == 303
    made = session.scalars(select(Instrument)).one()
    assert made.publication is Publication.PUBLISHED
    assert made.standards == ["GB/T 1-2020", "GB/T 2-2020"]
    assert str(made.worth_wan) == "52.80"
    assert availability.get_schedule(made).week == {0: [(510, 720)]}
    assert tariffs.find_current(made.id, CustomerClass.SME).per_hour_minor == 18000
    assert session.scalar(select(func.count()).select_from(InstrumentDraft)) == 0


def test_one_that_has_no_name_yet_is_offered_to_go_on_with(client, draft):
    page = client.get(NEW)

    assert page.status_code == 200
    assert "还没有名称的仪器" in page.text


def test_hours_and_price_may_come_later(client, session, draft):
    send(client, draft, "basics", name="光谱仪", inner_id="A-1")

    assert send(client, draft, "finish", keep="1").status_code == 303
    made = session.scalars(select(Instrument)).one()
    assert made.publication is Publication.DRAFT
    assert availability.find_schedule(made) is None


def test_all_that_is_wrong_is_said_at_once_with_the_way_to_it(client, session, draft):
    send(client, draft, "basics", name="", worth_wan="贵", email="nobody")
    send(client, draft, "hours", **HOURS | {"monday": "八点"})
    send(client, draft, "price", per_hour="180")

    answer = send(client, draft, "finish", publish="1")

    assert answer.status_code == 422
    for name, step in (
        ("name", "basics"),
        ("inner_id", "basics"),
        ("worth_wan", "basics"),
        ("monday", "hours"),
        ("classes", "price"),
    ):
        assert f'href="{draft}/{step}#f-{name}"' in answer.text
    page = client.get(f"{draft}/basics").text
    assert 'value="贵"' in page
    assert "请填写仪器名称。" in page
    assert session.scalar(select(func.count()).select_from(Instrument)) == 0


def test_a_number_that_is_taken_changes_nothing(client, session, institution, draft):
    make_instrument(institution=institution, inner_id="A-1")
    send(client, draft, "basics", name="光谱仪", inner_id="A-1")

    answer = send(client, draft, "finish", publish="1")

    assert answer.status_code == 409
    assert "本单位已有编号为“A-1”的仪器" in answer.text
    assert session.scalar(select(func.count()).select_from(Instrument)) == 1


def test_going_back_keeps_what_was_typed_even_if_wrong(client, draft):
    answer = send(client, draft, "specs", technical="x" * 900, back="1")

    assert answer.headers["Location"] == f"{draft}/basics"
    assert "x" * 900 in client.get(f"{draft}/specs").text


def test_saving_by_itself_only_says_when(client, draft):
    answer = send(client, draft, "basics", name="光谱仪", autosave="1")

    assert answer.status_code == 200
    assert answer.text == "已保存 09:00"
    assert "光谱仪" in client.get(NEW).text


def test_a_draft_is_thrown_away(client, session, draft):
    assert send(client, draft, "drop").status_code == 303
    assert client.get(f"{draft}/basics").status_code == 404


def test_nobody_else_sees_a_draft(client, institution, draft):
    for other in (
        make_user(institution, Role.MANAGER),
        make_user(make_institution(), Role.MANAGER),
    ):
        sign_in(client, other)
        assert client.get(f"{draft}/basics").status_code == 404
    sign_in(client, make_user(institution, Role.OPERATOR))
    assert client.get(NEW).status_code == 403


def test_unknown_steps_are_not_found(client, draft):
    assert client.get(f"{draft}/nowhere").status_code == 404


def test_an_instrument_is_changed_and_what_is_wrong_stays_as_typed(
    client, session, institution, manager
):
    instrument = make_instrument(institution=institution, name="光谱仪", inner_id="A-1")
    address = f"/institution/instruments/{instrument.id}/edit"

    def change(**given):
        shown = client.get(address)
        data = {
            "form_token": token_of(shown),
            "version": re.search(r'name="version"\s+value="([^"]*)"', shown.text)[1],
            "name": "光谱仪",
            "inner_id": "A-1",
        }
        return client.post(address, data=data | given)

    done = change(name="直读光谱仪", customs_supervised="1", customs_declaration="1" * 18)
    wrong = change(customs_declaration="12", worth_wan="贵")
    stale = change(name="旧", version="1")

    session.refresh(instrument)
    assert done.status_code == 303
    assert (instrument.name, instrument.customs_supervised) == ("直读光谱仪", True)
    assert wrong.status_code == 422
    assert 'value="贵"' in wrong.text
    assert stale.status_code == 409


def test_other_peoples_instruments_are_not_found(client, manager):
    other = make_instrument()

    assert client.get(f"/institution/instruments/{other.id}/edit").status_code == 404
