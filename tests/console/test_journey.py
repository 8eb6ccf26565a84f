"""As a new institution would: 200 instruments in, hours, price, a visit, a day closed."""

import io
import re

import pytest
from sqlalchemy import func, select

from booking.accounts.rules import Role
from booking.kernel.workbooks import write_workbook
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.registry.models import Instrument
from booking.registry.service.formats import NRII
from booking.reservations import service as reservations
from tests.factories import (
    make_caller,
    make_institution,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "08:00-18:00")
TERMS = {"grid_minutes": "30", "shortest_minutes": "60", "longest_minutes": "480",
         "lead_minutes": "120", "horizon_days": "60", "change_until_minutes": "1440",
         "buffer_before_minutes": "0", "buffer_after_minutes": "0"}  # fmt: skip


def workbook(count):
    header = [column.heading for column in NRII.columns]
    cells = {
        "所属单位仪器编号": "N-{n:03}",
        "仪器设备名称": "电子万能试验机 {n}",
        "原值(万元)": "60",
    }
    file = io.BytesIO()
    rows = ([cells.get(heading, "").format(n=n) for heading in header] for n in range(count))
    write_workbook(file, "仪器", header, rows)
    return file.getvalue()


def test_an_institution_puts_its_instruments_to_work(client, session):
    institution = make_institution(name="新来的检测院")
    sign_in(client, make_user(institution, Role.MANAGER))

    def post(address, page, **given):
        shown = client.get(page).text
        token = re.search(r'name="form_token"\s+value="([^"]+)"', shown)[1]
        once = re.search(r'name="once"\s+value="([^"]+)"', shown)
        sent = {"form_token": token, "once": once[1] if once else ""}
        return client.post(address, data=sent | given)

    # In: uploaded, looked through, imported.
    imports = "/institution/imports"
    place = post(imports, imports, file=(io.BytesIO(workbook(200)), "仪器.xlsx")).headers[
        "Location"
    ]
    assert post(f"{place}/run", place).status_code == 303
    assert session.scalar(select(func.count()).select_from(Instrument)) == 200

    # Hours and price for whatever lacks them.
    bulk = "/institution/instruments/bulk"
    for doing, given in (
        ("hours", WEEK | TERMS),
        ("price", {"classes": ["sme", "large"], "per_hour": "180", "discount_percent": "20"}),
    ):
        page = f"{bulk}?do={doing}&all=1&lacking={doing}"
        done = post(bulk, page, do=doing, all="1", lacking=doing, **given)
        assert done.status_code == 303
        listed = client.get(f"/institution/instruments?lacking={doing}").text
        assert "没有符合条件的仪器" in listed

    # A visit, on the board.
    firm = make_organisation(name="长沙精工机械")
    instrument = session.scalars(select(Instrument).where(Instrument.inner_id == "N-007")).one()
    made = reservations.reserve(instrument.id, slot(), caller=make_caller(firm), purpose="拉伸")
    board = client.get("/institution/today?day=2026-11-25").text
    assert "长沙精工机械" in board
    assert "200 台仪器，到访 1 次" in board

    # The day is closed: the firm is named first, then told.
    closures = f"/institution/instruments/{instrument.id}/closures"
    given = {
        "kind": "maintenance",
        "starts_at": "2026-11-25T08:00",
        "ends_at": "2026-11-25T18:00",
        "reason": "主轴更换",
    }
    asked = post(closures, closures, **given)
    assert asked.status_code == 409
    assert "长沙精工机械" in asked.text
    assert post(closures, closures, **given, cancel=str(made.id)).status_code == 303
    board = client.get("/institution/today?day=2026-11-25").text
    assert "主轴更换" in board
    assert "到访 0 次，停用 1 台" in board
    told = select(Notice).where(Notice.kind == Kind.CANCELLATION, Notice.subject_id == made.id)
    assert session.scalars(told).one().facts["reason"] == "主轴更换"
