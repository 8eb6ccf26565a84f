"""REST for instruments: wiring, status, what strangers see, and bad input."""

import pytest

from booking.accounts.rules import Role, Scope
from booking.registry.models import Publication
from tests.factories import make_institution, make_instrument, make_organisation, make_user
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
INSTRUMENTS = "/api/v1/instruments"
FULL = {
    "inner_id": "SB-2024-0017",
    "name": "微机控制电子万能试验机",
    "english_name": "Universal testing machine",
    "category_code": "010101",
    "instrument_type": "special",
    "source": "purchased",
    "worth": {"amount": "86.5", "unit": "万元"},
    "funds": ["local", "own"],
    "nation": "中国",
    "manufacturer": "深圳三思",
    "model": "CMT5105",
    "commissioned_on": "2024-03-01",
    "subjects": ["430"],
    "technical": "最大试验力 100 kN\n准确度 0.5 级",
    "service_url": "https://lab.example.cn/17",
    "standards": ["GB/T 228.1-2021"],
    "region_code": "430104",
    "street": "麓山南路 1 号",
    "contact": "李工",
    "phone": "0731-88881234",
    "email": "lab@example.cn",
    "postal_code": "410083",
    "customs_supervised": True,
    "customs_declaration": "531620241164000123",
    "customs_item": "01",
    "customs_released_on": "2024-02-01",
    "rated_hours": 1200,
    "units": 2,
    "time_zone": "Asia/Shanghai",
}


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(institution, bearer):
    return bearer(make_user(institution, Role.MANAGER))


def test_an_institution_registers_publishes_and_everybody_reads(client, institution, manager):
    made = client.post(INSTRUMENTS, json=FULL, headers=manager)

    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert client.get(address).status_code == 404
    assert client.get(address, headers=manager).status_code == 200
    published = client.post(f"{address}/publish", json={"version": 1}, headers=manager)
    assert published.status_code == 200
    shown = client.get(address).get_json()
    assert shown | {"phone": FULL["phone"]} == published.get_json()
    codes = {"category_code", "region_code"}
    expected = {name: value for name, value in FULL.items() if name not in codes}
    assert {name: shown[name] for name in expected} == expected | {
        "worth": {"amount": "86.50", "unit": "万元"},
        "phone": "073****1234",
    }
    assert shown["institution"] == {
        "id": institution.id,
        "name": institution.name,
        "uscc": institution.uscc,
    }
    assert shown["category"] == {"scheme": "nrii", "code": "010101", "name": "透射电镜"}
    assert shown["region"] == {"code": "430104", "name": "湖南省 长沙市 岳麓区"}
    assert shown["nrii_required"] is True
    assert (shown["publication"], shown["version"]) == ("published", 2)


def test_the_least_is_a_number_and_a_name(client, manager):
    made = client.post(INSTRUMENTS, json={"inner_id": "1", "name": "机"}, headers=manager)

    shown = made.get_json()
    assert made.status_code == 201
    assert shown["category"]["code"] == "990000"
    assert shown["worth"] is None
    assert shown["region"] is None
    assert shown["nrii_required"] is False


def test_a_repeated_key_registers_once(client, manager):
    headers = manager | {"Idempotency-Key": "once"}

    first = client.post(INSTRUMENTS, json=FULL, headers=headers)
    second = client.post(INSTRUMENTS, json=FULL, headers=headers)

    assert first.get_json() == second.get_json()
    again = client.post(INSTRUMENTS, json=FULL, headers=manager)
    assert (again.status_code, again.get_json()["code"]) == (409, "inner_id_taken")


def test_a_change_leaves_the_rest(client, institution, manager):
    made = make_instrument(institution=institution, model="CMT5105", region_code="430100")
    address = f"{INSTRUMENTS}/{made.id}"

    answer = client.patch(
        address, json={"region_code": None, "name": "拉力机", "version": 1}, headers=manager
    )

    shown = answer.get_json()
    assert answer.status_code == 200
    assert (shown["name"], shown["model"], shown["region"]) == ("拉力机", "CMT5105", None)
    stale = client.patch(address, json={"name": "x", "version": 1}, headers=manager)
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale")


def test_withdrawing_takes_it_out_of_sight(client, institution, manager):
    address = f"{INSTRUMENTS}/{make_instrument(institution=institution).id}"

    answer = client.post(f"{address}/withdraw", headers=manager)

    assert answer.get_json()["publication"] == "withdrawn"
    assert client.get(address).status_code == 404


def test_an_institution_nobody_verified_cannot_publish(client, bearer):
    institution = make_institution(verified_at=None)
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)
    headers = bearer(make_user(institution, Role.MANAGER))

    answer = client.post(f"{INSTRUMENTS}/{draft.id}/publish", headers=headers)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "institution_not_verified")


def test_strangers_change_nothing(client, institution, bearer):
    published = f"{INSTRUMENTS}/{make_instrument(institution=institution).id}"
    draft = make_instrument(institution=institution, publication=Publication.DRAFT)
    firm = bearer(make_user(make_organisation(), Role.MANAGER))

    assert client.post(INSTRUMENTS, json=FULL, headers=firm).status_code == 403
    assert client.patch(published, json={"name": "x"}, headers=firm).status_code == 403
    assert client.post(f"{published}/withdraw", headers=firm).status_code == 403
    hidden = f"{INSTRUMENTS}/{draft.id}"
    assert client.get(hidden, headers=firm).status_code == 404
    assert client.patch(hidden, json={"name": "x"}, headers=firm).status_code == 404
    assert client.post(f"{hidden}/publish", headers=firm).status_code == 404


def test_a_token_to_read_does_not_write(client, institution, bearer):
    reader = bearer(make_user(institution, Role.MANAGER), Scope.READ)

    answer = client.post(INSTRUMENTS, json=FULL, headers=reader)

    assert (answer.status_code, answer.get_json()["scope"]) == (403, "instruments")


@pytest.mark.parametrize("phone", ["", "8888123", "0731-88881234"])
def test_a_phone_is_shown_whole_only_to_who_is_signed_in(client, bearer, phone):
    address = f"{INSTRUMENTS}/{make_instrument(phone=phone).id}"
    firm = bearer(make_user(make_organisation()))

    assert client.get(address, headers=firm).get_json()["phone"] == phone
    assert (client.get(address).get_json()["phone"] == phone) is (phone == "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "机" * 101),
        ("name", "机" * 10_000),
        ("name", " " * 10),
        ("name", "试验\u0000机"),
        ("name", "试验\n机"),
        ("name", "试验\u0085机"),
        ("name", None),
        ("name", 5),
        ("inner_id", ""),
        ("inner_id", "x" * 10_000),
        ("technical", "技" * 501),
        ("technical", "技\u0007"),
        ("contact", "李" * 21),
        ("category_code", "0101"),
        ("category_code", "019998"),
        ("category_code", None),
        ("region_code", "431400"),
        ("region_code", ""),
        ("email", "nobody"),
        ("service_url", "javascript:alert(1)"),
        ("service_url", "//lab.example.cn"),
        ("postal_code", "41008"),
        ("time_zone", "Asia/Changsha"),
        ("time_zone", ""),
        ("units", 0),
        ("units", 100),
        ("units", "2"),
        ("units", True),
        ("rated_hours", -1),
        ("worth", {"amount": "-1"}),
        ("worth", {"amount": "1e5"}),
        ("worth", {"amount": "99999999999"}),
        ("worth", {"amount": "1", "unit": "元"}),
        ("worth", 86.5),
        ("worth", {}),
        ("funds", ["gifts"]),
        ("funds", ["own"] * 5),
        ("subjects", ["材料"]),
        ("subjects", ["430"] * 5),
        ("standards", ["GB"] * 21),
        ("standards", ["G" * 61]),
        ("standards", [""]),
        ("standards", "GB/T 228.1"),
        ("commissioned_on", "2024-02-30"),
        ("commissioned_on", "9999-12-31"),
        ("customs_declaration", "12345"),
        ("customs_item", "1"),
        ("customs_supervised", "yes"),
        ("running_state", "broken"),
        ("sharing_mode", None),
        ("publication", "published"),
        ("institution", 1),
        ("search_text", "x"),
        ("id", 1),
    ],
)
def test_a_field_that_cannot_be_used_is_named(client, institution, manager, field, value):
    made = make_instrument(institution=institution)
    least = {"inner_id": "1", "name": "机"}

    for answer in (
        client.post(INSTRUMENTS, json=least | {field: value}, headers=manager),
        client.patch(f"{INSTRUMENTS}/{made.id}", json={field: value}, headers=manager),
    ):
        body = answer.get_json()
        assert (answer.status_code, body["code"]) == (422, "validation_failed"), body
        assert list(body["errors"]) == [field]
    assert made.version == 1


def test_a_change_of_nothing_is_refused(client, institution, manager):
    address = f"{INSTRUMENTS}/{make_instrument(institution=institution).id}"

    assert client.patch(address, json={"version": 1}, headers=manager).status_code == 422


@pytest.mark.parametrize("id", ["0", "-1", "x", "9" * 30, "1.5"])
def test_what_is_no_id_is_404(client, id):
    assert client.get(f"{INSTRUMENTS}/{id}").status_code == 404


def test_showing_one_takes_three_queries(client):
    address = f"{INSTRUMENTS}/{make_instrument().id}"

    with counted() as statements:
        assert client.get(address).status_code == 200

    assert len(statements) == 3
