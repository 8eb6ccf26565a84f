"""The operator's pages: who sees them, what is decided there, and who was faster."""

import re

import pytest
from sqlalchemy import select

from booking.accounts import queries, service
from booking.accounts.errors import LastManager
from booking.accounts.rules import OrganisationKind, Role
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.notices.models import Notice
from tests.accounts.world import set_up
from tests.factories import (
    caller_of,
    make_institution,
    make_organisation,
    make_user,
    sign_in,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
PAGES = ("/admin", "/admin/organisations", "/admin/users")


@pytest.fixture
def platform(session):
    return make_organisation(kind=OrganisationKind.PLATFORM, uscc=None, name="平台运营")


@pytest.fixture
def admin(client, platform):
    """An administrator, signed in."""
    user = make_user(platform, Role.ADMIN, name="陆平", password=PASSWORD)
    sign_in(client, user)
    return user


@pytest.fixture
def lab(session):
    """An institution that waits; its code is of a public institution in Changsha."""
    lab = make_institution(name="长沙市产品质量检验所", uscc="12430100444875350Q", verified_at=None)
    make_user(lab, Role.MANAGER, name="周文斌", password=PASSWORD)
    return lab


@pytest.fixture
def post(client):
    token = re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]

    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


def led_to(answer):
    return answer.status_code, answer.headers.get("Location")


def summary(answer):
    return " ".join(re.findall(r'id="error-summary">(.*?)</div>', answer.text, re.S))


def entries(action):
    return db.session.scalars(select(JournalEntry).filter_by(action=action)).all()


@pytest.mark.parametrize("address", PAGES)
class TestWhoSees:
    def test_who_runs_the_platform(self, client, admin, address):
        assert client.get(address).status_code == 200

    def test_nobody_else(self, client, address):
        sign_in(client, make_user(make_institution(), Role.MANAGER))

        assert client.get(address).status_code == 403

    def test_it_takes_as_many_queries_for_many_as_for_few(self, client, admin, address):
        client.get(address)
        with counted() as few:
            client.get(address)
        for _ in range(12):
            make_user(make_institution(verified_at=None), Role.MANAGER)

        with counted() as many:
            client.get(address)

        assert len(many) == len(few)


class TestOverview:
    def test_shows_what_waits_and_leads_there(self, client, admin, lab):
        page = client.get("/admin").text

        assert "长沙市产品质量检验所" in page
        assert f'href="/admin/organisations/{lab.id}"' in page

    def test_warns_of_years_whose_calendar_is_provisional(self, client, admin):
        assert "2027" in client.get("/admin").text

    def test_the_menu_leads_there_for_admins_only(self, client, admin, lab):
        assert 'href="/admin"' in client.get("/account").text
        sign_in(client, make_user(lab, Role.TESTER))
        assert 'href="/admin"' not in client.get("/account").text


class TestOrganisations:
    def test_lists_who_waits_the_first_to_come_first(self, client, admin, lab):
        later = make_institution(name="株洲检测中心", verified_at=None)
        make_institution(name="早已核验的机构")

        page = client.get("/admin/organisations").text

        assert page.index(lab.name) < page.index(later.name)
        assert "早已核验的机构" not in page

    @pytest.mark.parametrize("q", ["产品质量", "12430100444875350q", "1243010044"])
    def test_finds_by_name_and_code(self, client, admin, lab, q):
        make_institution(name="株洲检测中心", verified_at=None)

        page = client.get(f"/admin/organisations?state=all&q={q}").text

        assert lab.name in page
        assert "株洲检测中心" not in page

    def test_explains_the_credit_code_part_by_part(self, client, admin, lab):
        page = client.get(f"/admin/organisations/{lab.id}").text

        text = re.sub(r"<[^>]+>|\s+", " ", page)
        assert re.search(r"登记管理部门\s+1\s+1\s+机构编制", text)
        assert re.search(r"机构类别\s+2\s+2\s+事业单位", text)
        assert re.search(r"3–8\s+430100\s+湖南省 长沙市", text)
        assert re.search(r"9–17\s+444875350\s+", text)
        assert re.search(r"校验码\s+18\s+Q\s+校验相符", text)

    def test_says_if_the_code_is_of_another_city(self, client, admin, lab):
        assert "不在同一市州" not in client.get(f"/admin/organisations/{lab.id}").text
        lab.region_code = "430200"

        assert "不在同一市州" in client.get(f"/admin/organisations/{lab.id}").text

    def test_verifies_and_tells_the_institution(self, post, admin, lab):
        answer = post(f"/admin/organisations/{lab.id}/verify", version="1")

        assert led_to(answer) == (303, "/admin/organisations")
        assert queries.is_verified(lab.id)
        [notice] = db.session.scalars(select(Notice)).all()
        assert notice.facts["verified"] is True

    def test_sends_back_with_a_reason_and_hears_again_after_a_change(self, post, admin, lab):
        answer = post(
            f"/admin/organisations/{lab.id}/decline", version="1", reason="名称与证书不一致"
        )

        assert led_to(answer) == (303, "/admin/organisations")
        assert (lab.declined_reason, lab.declined_by) == ("名称与证书不一致", admin.id)
        [notice] = db.session.scalars(select(Notice)).all()
        assert (notice.facts["verified"], notice.facts["reason"]) == (False, "名称与证书不一致")
        assert entries("organisation.declined")[0].data == {"reason": "名称与证书不一致"}
        assert queries.count_for_admin().waiting == 0

        zhou = queries.keepers_of(lab)[0]
        service.update_organisation(
            lab.id, {"name": "长沙市质检所"}, caller=caller_of(zhou, (lab, Role.MANAGER))
        )

        assert queries.count_for_admin().waiting == 1

    def test_needs_a_reason_to_send_back(self, post, admin, lab):
        answer = post(f"/admin/organisations/{lab.id}/decline", version="1")

        assert answer.status_code == 422
        assert "请写明原因。" in summary(answer)
        assert lab.declined_at is None

    @pytest.mark.parametrize(
        ("first", "second"), [("verify", "decline"), ("decline", "verify"), ("verify", "verify")]
    )
    def test_the_second_to_decide_reads_who_was_first(
        self, client, post, platform, admin, lab, first, second
    ):
        post(f"/admin/organisations/{lab.id}/{first}", version="1", reason="名称不一致")
        sign_in(client, make_user(platform, Role.ADMIN, name="后到的人"))

        answer = post(f"/admin/organisations/{lab.id}/{second}", version="1", reason="名称不一致")

        assert answer.status_code == 409
        done = "核验通过" if first == "verify" else "退回"
        assert re.search(rf"陆平已于11月23日 周一 09:00{done}，您的操作没有生效", answer.text)
        db.session.refresh(lab)
        assert (lab.verified_at is not None) == (first == "verify")

    def test_a_firm_is_not_verified(self, client, post, admin):
        firm = make_organisation()
        assert "核验通过</button>" not in client.get(f"/admin/organisations/{firm.id}").text

        assert post(f"/admin/organisations/{firm.id}/verify").status_code == 422

    @pytest.mark.parametrize("address", ["/admin/organisations/999999", "/admin/users/999999"])
    def test_what_is_not_there_is_not_found(self, client, admin, address):
        assert client.get(address).status_code == 404


class TestUsers:
    @pytest.fixture
    def he(self, lab):
        return make_user(
            lab,
            Role.TESTER,
            name="何伟",
            email="he@example.cn",
            mobile="13912345678",
            password=PASSWORD,
        )

    @pytest.mark.parametrize("q", ["何", "HE@exam", "139 1234 5678", "1234567"])
    def test_are_found_by_name_address_and_number(self, client, admin, he, q):
        page = client.get("/admin/users", query_string={"q": q}).text

        assert "何伟" in page
        assert "周文斌" not in page
        assert "13912345678" not in page

    def test_nobody_found_is_said(self, client, admin):
        assert "没有找到这样的账号" in client.get("/admin/users?q=nobody-at-all").text

    def test_are_disabled_and_enabled_with_a_reason_that_is_kept(self, client, post, admin, he):
        out = post(f"/admin/users/{he.id}/disable", reason="账号被盗用")
        assert led_to(out) == (303, f"/admin/users/{he.id}")
        assert not he.is_active
        assert "账号被盗用" in client.get(f"/admin/users/{he.id}").text

        back = post(f"/admin/users/{he.id}/enable", reason="已核实本人")

        assert led_to(back) == (303, f"/admin/users/{he.id}")
        assert he.is_active
        assert [each.data["reason"] for each in entries("user.enabled")] == ["已核实本人"]

    def test_twice_is_said(self, post, admin, he):
        post(f"/admin/users/{he.id}/disable", reason="账号被盗用")

        assert post(f"/admin/users/{he.id}/disable", reason="账号被盗用").status_code == 409

    @pytest.mark.parametrize("step", ["disable", "second-factor/reset"])
    def test_need_a_reason(self, post, admin, he, step):
        answer = post(f"/admin/users/{he.id}/{step}", reason="")

        assert answer.status_code == 422
        assert he.is_active

    def test_a_lost_second_factor_is_reset(self, client, post, admin, he):
        assert "重置两步验证" not in client.get(f"/admin/users/{he.id}").text
        set_up(he.id)
        assert "重置两步验证" in client.get(f"/admin/users/{he.id}").text

        answer = post(f"/admin/users/{he.id}/second-factor/reset", reason="本人到场核对")

        assert led_to(answer) == (303, f"/admin/users/{he.id}")
        assert not queries.has_factor(he.id)

    @pytest.mark.parametrize("step", ["disable", "second-factor/reset"])
    def test_are_never_ones_own(self, client, post, admin, step):
        assert "确认停用" not in client.get(f"/admin/users/{admin.id}").text

        answer = post(f"/admin/users/{admin.id}/{step}", reason="试一试看看")

        assert answer.status_code in {409, 422}
        assert admin.is_active

    def test_the_last_administrator_stays(self, platform, admin):
        other = make_user(platform, Role.ADMIN, password=PASSWORD)
        acting = caller_of(admin, (platform, Role.ADMIN))
        admin.is_active = False  # shut out while the request was under way
        db.session.flush()

        with pytest.raises(LastManager):
            service.disable_account(other.id, "账号被盗用", caller=acting)

    def test_who_was_forgotten_stays_so(self, post, admin, he):
        service.erase_person(he)

        answer = post(f"/admin/users/{he.id}/enable", reason="已核实本人")

        assert answer.status_code == 409
        assert not he.is_active
