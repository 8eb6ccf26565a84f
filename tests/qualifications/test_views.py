"""The pages of certificates and calibrations, and what firms see of them."""

import io
import re
from datetime import date

import pytest

from booking.accounts.rules import Role
from booking.kernel import workbooks
from booking.qualifications import queries, service
from booking.qualifications.rules import CalibrationKind, Line, Scheme
from tests.factories import caller_of, make_institution, make_instrument, make_user, sign_in
from tests.uploaded import PDF, PROGRAM

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "files")]
CERTIFICATES = "/institution/certificates"


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, standards=["GB/T 228.1-2021"])


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER, name="周文斌")
    sign_in(client, user)
    return caller_of(user, (institution, Role.MANAGER))


def post(client, page, address="", files=None, **given):
    shown = client.get(page).text
    data = {"form_token": re.search(r'name="form_token"\s+value="([^"]+)"', shown)[1]}
    if once := re.search(r'name="once"\s+value="([^"]+)"', shown):
        data["once"] = once[1]
    for name, (content, called) in (files or {}).items():
        data[name] = (io.BytesIO(content), called)
    return client.post(
        page + address, data=data | given, content_type="multipart/form-data" if files else None
    )


CMA = {
    "scheme": "cma",
    "number": "231812345678",
    "issuer": "湖南省市场监督管理局",
    "valid_from": "2023-05-01",
    "valid_until": "2029-04-30",
}
CALIBRATED = {
    "kind": "calibration",
    "number": "LX-2026-0318",
    "agency": "湖南省计量检测研究院",
    "performed_on": "2026-03-15",
    "valid_until": "2027-03-14",
    "result": "passed",
}


def certified(institution, manager, scheme=Scheme.CMA):
    return service.add_certificate(
        institution.id,
        scheme,
        "231812345678",
        issuer="湖南省市场监督管理局",
        valid_from=date(2023, 5, 1),
        valid_until=date(2029, 4, 30),
        caller=manager,
    )


def test_a_certificate_is_added_with_its_file(client, manager, institution):
    answer = post(client, CERTIFICATES, files={"file": (PDF, "资质证书.pdf")}, **CMA)

    assert answer.status_code == 303
    [(made, _)] = queries.certificates_of(institution.id)
    page = client.get(answer.headers["Location"]).text
    assert "资质证书.pdf" in page
    assert client.get(f"/certificates/{made.id}/file").data == PDF
    assert made.number in client.get(CERTIFICATES).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": "123"}, "number"),
        ({"issuer": ""}, "issuer"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
        ({"valid_from": "昨天"}, "valid_from"),
    ],
)
def test_what_is_wrong_with_a_certificate_stands_beside_its_field(
    client, manager, institution, wrong, field
):
    answer = post(client, CERTIFICATES, **CMA | wrong)

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert queries.certificates_of(institution.id) == []


def test_a_file_that_is_refused_keeps_what_was_typed(client, manager, institution):
    answer = post(client, CERTIFICATES, files={"file": (PROGRAM, "证书.pdf")}, **CMA)

    assert answer.status_code == 422
    assert 'href="#f-file"' in answer.text
    assert 'value="231812345678"' in answer.text
    assert queries.certificates_of(institution.id) == []


def test_scope_lines_by_hand_and_by_workbook(client, manager, institution):
    certificate = certified(institution, manager)
    page = f"{CERTIFICATES}/{certificate.id}"
    post(client, page, "/lines", product="金属材料", parameter="硬度", standard="GB/T 230.1-2018")
    assert "GB/T 230.1-2018" in client.get(page).text
    template = client.get(f"{CERTIFICATES}/scope-template.xlsx")
    assert template.headers["Content-Disposition"].startswith("attachment;")

    answer = post(client, page, "/scope", files={"table": (template.data, "范围.xlsx")})

    assert answer.status_code == 303
    shown = client.get(page).text
    assert "抗拉强度" in shown
    assert "GB/T 230.1-2018" not in shown
    [line], _ = queries.lines_of(certificate.id, limit=5)
    post(client, page, f"/lines/{line.id}/remove")
    assert queries.lines_of(certificate.id, limit=5)[1] == 0


def test_a_table_that_cannot_be_used_says_which_rows(client, manager, institution):
    certificate = certified(institution, manager)
    target = io.BytesIO()
    workbooks.write_workbook(target, "x", ["参数", "标准"], [["硬度", ""]])
    page = f"{CERTIFICATES}/{certificate.id}"

    answer = post(client, page, "/scope", files={"table": (target.getvalue(), "a.xlsx")})
    nothing = post(client, page, "/scope", files={"table": (b"", "")})
    program = post(client, page, "/scope", files={"table": (PROGRAM, "a.xlsx")})

    assert "第 2 行" in answer.text
    assert [each.status_code for each in (answer, nothing, program)] == [422] * 3


def test_a_certificate_is_withdrawn(client, manager, institution):
    certificate = certified(institution, manager)
    post(client, f"{CERTIFICATES}/{certificate.id}", "/withdraw")

    assert "已作废" in client.get(CERTIFICATES).text


def test_a_certificate_is_put_right_and_keeps_its_file_and_scope(client, manager, institution):
    post(client, CERTIFICATES, files={"file": (PDF, "资质证书.pdf")}, **CMA)
    [(made, _)] = queries.certificates_of(institution.id)
    page = f"{CERTIFICATES}/{made.id}"
    post(client, page, "/lines", parameter="硬度", standard="GB/T 230.1-2018")
    right = {name: value for name, value in CMA.items() if name != "scheme"}

    answer = post(client, f"{page}/edit", **right | {"number": "231812345679", "version": "1"})

    shown = client.get(answer.headers["Location"]).text
    assert "证书已更改。" in shown
    assert "231812345679" in shown
    assert "GB/T 230.1-2018" in shown
    assert client.get(f"/certificates/{made.id}/file").data == PDF


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"number": "123"}, 422, 'href="#f-number"'),
        ({"valid_until": "2020-01-01"}, 422, 'href="#f-valid_until"'),
        ({"version": "7"}, 409, "内容已被他人更改"),
    ],
)
def test_what_is_wrong_when_it_is_put_right_is_said_and_kept(
    client, manager, institution, wrong, status, said
):
    page = f"{CERTIFICATES}/{certified(institution, manager).id}"
    right = {name: value for name, value in CMA.items() if name != "scheme"}

    answer = post(client, f"{page}/edit", **right | {"issuer": "省局", "version": "1"} | wrong)

    assert answer.status_code == status
    assert said in answer.text
    assert 'value="省局"' in answer.text
    assert "湖南省市场监督管理局" in client.get(page).text


def test_others_certificates_are_not_found_and_operators_have_no_page(
    client, manager, institution, instrument
):
    certificate = certified(institution, manager)
    sign_in(client, make_user(make_institution(), Role.MANAGER))
    assert client.get(f"{CERTIFICATES}/{certificate.id}").status_code == 404
    page = f"/institution/instruments/{instrument.id}/calibrations"
    assert client.get(page).status_code == 404

    sign_in(client, make_user(institution, Role.OPERATOR))
    assert client.get(CERTIFICATES).status_code == 403
    assert client.get(page).status_code == 403


def test_a_calibration_is_recorded_shown_and_withdrawn(client, manager, institution, instrument):
    page = f"/institution/instruments/{instrument.id}/calibrations"
    answer = post(client, page, files={"file": (PDF, "校准证书.pdf")}, **CALIBRATED)
    assert answer.status_code == 303
    [made] = queries.calibrations_of(instrument.id)
    assert "有效至 2027-03-14" in client.get(page).text
    assert client.get(f"/instruments/{instrument.id}/calibrations/{made.id}/file").data == PDF

    empty = post(client, page, f"/{made.id}/withdraw", reason="")
    assert 'href="#f-reason"' in empty.text
    post(client, page, f"/{made.id}/withdraw", reason="录错仪器")
    assert "作废：录错仪器" in client.get(page).text
    assert instrument.calibrated_until is None


def test_pressed_twice_it_is_recorded_once(client, manager, instrument):
    page = f"/institution/instruments/{instrument.id}/calibrations"
    shown = client.get(page).text
    data = CALIBRATED | {
        name: re.search(rf'name="{name}"\s+value="([^"]+)"', shown)[1]
        for name in ("form_token", "once")
    }

    client.post(page, data=data)
    client.post(page, data=data)

    assert len(queries.calibrations_of(instrument.id)) == 1


def test_an_ended_calibration_is_extended_by_name_on_its_page(
    client, manager, institution, instrument
):
    page = f"/institution/instruments/{instrument.id}/calibrations"
    post(client, page, **CALIBRATED | {"valid_until": "2026-11-20"})
    [made] = queries.calibrations_of(instrument.id)
    assert "校准已到期，企业不能预约" in client.get(page).text
    assert "校准已于 2026-11-20 到期" in client.get(f"/instruments/{instrument.id}").text

    early = post(client, page, f"/{made.id}/extend", until="2026-11-01", extension_reason="核查")
    assert 'href="#f-until"' in early.text
    post(client, page, f"/{made.id}/extend", until="2026-12-20", extension_reason="期间核查 HC-7")
    assert "周文斌 登记延用至 2026-12-20：期间核查 HC-7" in client.get(page).text
    public = client.get(f"/instruments/{instrument.id}").text
    assert "周文斌 登记延用至 2026-12-20" in public
    post(client, page, f"/{made.id}/revoke")
    client.get(page)
    assert "登记延用（由登记人负责）" in client.get(page).text


def test_firms_see_what_holds_on_row_and_page(client, manager, institution, instrument):
    certificate = certified(institution, manager)
    line = Line("金属材料", "抗拉强度", "GB/T 228.1-2021", "≤100 kN")
    service.add_line(certificate.id, line, caller=manager)
    service.record_calibration(
        instrument.id,
        CalibrationKind.VERIFICATION,
        number="JD-1",
        agency="省计量院",
        performed_on=date(2025, 12, 6),
        valid_until=date(2026, 12, 5),
        caller=manager,
    )
    client.delete_cookie("booking_session")

    row = client.get("/instruments").text
    page = client.get(f"/instruments/{instrument.id}").text

    assert "检定 12 天后到期" in row
    assert ">CMA<" in re.sub(r"<svg.*?</svg>|\s", "", row, flags=re.S)
    assert "CMA 资质项目" in page
    assert "本仪器的标准在能力范围内" in page
    assert "JD-1" in page


def test_english_pages_are_english(client, manager, institution, instrument):
    certificate = certified(institution, manager)
    for page in (
        CERTIFICATES,
        f"{CERTIFICATES}/{certificate.id}",
        f"/institution/instruments/{instrument.id}/calibrations",
    ):
        shown = client.get(f"{page}?lang=en").text
        heading = re.search(r"<h1>(.*?)</h1>", shown, re.S)[1]
        assert not re.search(r"[\u4e00-\u9fff]", heading)
