"""The operator's pages for jobs and the journal."""

import re

import pytest
from sqlalchemy import select, text

from booking import scheduler
from booking.accounts.rules import OrganisationKind, Role
from booking.journal import jobs as journal_jobs
from booking.journal import queries as journal
from booking.journal import service as journal_service
from booking.journal.models import JournalEntry
from booking.kernel import clock, jobruns
from booking.kernel.db import db
from booking.kernel.jobruns import JobRequest, JobRun
from tests.factories import make_institution, make_organisation, make_user, sign_in
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PAGES = ("/admin/jobs", "/admin/jobs/journal-seal", "/admin/journal", "/admin/journal/seals")


@pytest.fixture
def admin(client):
    platform = make_organisation(kind=OrganisationKind.PLATFORM, uscc=None, name="平台运营")
    user = make_user(platform, Role.ADMIN, name="陆平", email="lu@example.cn")
    sign_in(client, user)
    return user


@pytest.fixture
def post(client):
    token = re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]

    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


def record(count=1, action="instrument.changed", **given):
    given = {"by": None, "subject_type": "instrument", "subject_id": 1} | given
    for _ in range(count):
        journal_service.record(
            action, given["subject_type"], given["subject_id"], by=given["by"], note="值"
        )


def ran(job="journal-seal", *, succeeded=True, detail="封存日志 3 条", seconds=2, now=None):
    run_id = jobruns.claim(job, clock.now())
    now.advance(seconds=seconds)
    jobruns.finish(run_id, succeeded=succeeded, detail=detail)
    return run_id


def shown(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.parametrize("address", PAGES)
def test_are_for_who_runs_the_platform(client, admin, address):
    assert client.get(address).status_code == 200

    sign_in(client, make_user(make_institution(), Role.MANAGER))

    assert client.get(address).status_code == 403


class TestJobs:
    def test_show_last_run_duration_and_when_next(self, client, admin, now):
        ran(now=now)

        words = shown(client.get("/admin/jobs"))

        assert re.search(
            r"封存日志 journal-seal 11月23日 周一 09:00 成功 2.0 秒 11月24日 周二 00:10", words
        )

    def test_say_if_no_worker_runs(self, client, admin):
        assert "没有 booking worker 在运行" in client.get("/admin/jobs").text

        leader = jobruns.Leadership()
        try:
            assert leader.held()
            assert "没有 booking worker 在运行" not in client.get("/admin/jobs").text
        finally:
            leader.let_go()

    def test_a_failure_is_shown_with_its_reason_and_on_the_overview(self, client, admin, now):
        ran(succeeded=False, detail="LockTimeout: 等待超时", now=now)

        assert "等待超时" in client.get("/admin/jobs/journal-seal").text
        assert "等待超时" in client.get("/admin").text
        now.advance(minutes=1)
        ran(now=now)
        assert "等待超时" not in client.get("/admin").text

    def test_run_now_is_done_by_the_worker_once_however_often_it_was_asked(
        self, client, post, admin
    ):
        for _ in range(2):
            answer = post("/admin/jobs/forget-answers/run")
            assert answer.status_code == 303
        assert "已排队" in client.get("/admin/jobs").text

        outcomes = scheduler.run_asked()

        assert [(done.name, done.succeeded) for done in outcomes] == [("forget-answers", True)]
        assert scheduler.run_asked() == []
        assert "已排队" not in client.get("/admin/jobs").text
        [asked] = db.session.scalars(select(JournalEntry).filter_by(action="job.asked")).all()
        assert (asked.actor_id, asked.data) == (admin.id, {"job": "forget-answers"})

    def test_what_runs_elsewhere_just_now_stays_asked_for(self, post, admin):
        post("/admin/jobs/forget-answers/run")

        with jobruns.alone("forget-answers") as held:
            assert held
            assert scheduler.run_asked() == []

        assert list(jobruns.asked_for()) == ["forget-answers"]

    def test_a_job_that_is_no_more_is_not_waited_for(self, admin):
        jobruns.ask_for("long-gone", by=admin.id)

        assert scheduler.run_asked() == []
        assert jobruns.asked_for() == {}

    @pytest.mark.parametrize("name", ["nothing", "mails"])
    def test_only_jobs_of_the_timetable_are_run_so(self, client, post, admin, name):
        assert client.get(f"/admin/jobs/{name}").status_code == 404
        assert post(f"/admin/jobs/{name}/run").status_code == 404
        assert db.session.scalar(select(JobRequest.id)) is None

    def test_the_list_takes_as_many_queries_for_many_runs(self, client, admin, now):
        client.get("/admin/jobs")
        with counted() as few:
            client.get("/admin/jobs")
        for _ in range(4):
            now.advance(minutes=10)
            for job in scheduler.TIMETABLE:
                db.session.add(
                    JobRun(
                        job=job.name,
                        due_at=clock.now(),
                        claimed_at=clock.now(),
                        attempts=1,
                        finished_at=clock.now(),
                        succeeded=True,
                    )
                )
        db.session.flush()

        with counted() as many:
            client.get("/admin/jobs")

        assert len(many) == len(few)


class TestJournal:
    def test_is_searched_by_who(self, client, admin):
        other = make_user()
        record(by=admin.id, action="a.mine")
        record(by=other.id, action="a.theirs")

        for who in ("lu@example.cn", str(admin.id)):
            found = client.get("/admin/journal", query_string={"who": who}).text
            assert "<code>a.mine</code>" in found
            assert "<code>a.theirs</code>" not in found

    def test_nobody_of_that_name_is_nothing_and_not_everything(self, client, admin):
        record()

        assert "没有符合条件的记录" in client.get("/admin/journal?who=nobody@example.cn").text

    def test_is_searched_by_what_and_which(self, client, admin):
        record(action="price.published", subject_type="price", subject_id=7)
        record(action="price.withdrawn", subject_type="price", subject_id=8)

        by_action = client.get("/admin/journal?action=price.published").text
        by_subject = client.get("/admin/journal?type=price&id=8").text

        assert ("price 7" in by_action, "price 8" in by_action) == (True, False)
        assert ("price 7" in by_subject, "price 8" in by_subject) == (False, True)

    def test_is_searched_by_days_of_beijing(self, client, admin, now):
        record(action="day.one")
        now.advance(days=1)
        record(action="day.two")
        sign_in(client, admin)  # the session of yesterday is over

        first = client.get("/admin/journal?from=2026-11-23&to=2026-11-23").text
        second = client.get("/admin/journal?from=2026-11-24").text

        assert ("<code>day.one" in first, "<code>day.two" in first) == (True, False)
        assert ("<code>day.one" in second, "<code>day.two" in second) == (False, True)

    @pytest.mark.parametrize(
        "query",
        ["from=nonsense", "id=x", "from=0001-01-01", "cursor=nonsense", "id=99999999999999999999"],
    )
    def test_what_cannot_be_meant_is_left_out(self, client, admin, query):
        record(action="still.here")

        assert "still.here" in client.get(f"/admin/journal?{query}").text

    def test_keeps_the_conditions_from_page_to_page(self, client, admin):
        record(60, action="many.times", subject_type="price", subject_id=7)
        record(action="something.else")

        page = client.get("/admin/journal?action=many.times").text
        [following] = re.findall(r'href="(/admin/journal\?cursor=[^"]+)"', page)
        rest = client.get(following.replace("&amp;", "&")).text

        assert rest.count("<code>many.times</code>") == 10
        assert "<code>something.else</code>" not in rest

    def test_offers_the_words_there_are(self, client, admin):
        record(action="b.second")
        record(action="a.first")

        assert journal.actions()[:2] == ["a.first", "b.second"]
        assert '<option value="a.first"' in client.get("/admin/journal").text

    def test_markup_in_an_entry_stays_text(self, client, admin):
        journal_service.record("x.y", "thing", 1, by=None, note="<script>alert(1)</script>")

        assert "<script>alert" not in client.get("/admin/journal").text

    def test_takes_as_many_queries_for_many_as_for_few(self, client, admin):
        record(by=admin.id)
        client.get("/admin/journal")
        with counted() as few:
            client.get("/admin/journal")
        for _ in range(20):
            record(by=make_user().id)

        with counted() as many:
            client.get("/admin/journal")

        assert len(many) == len(few)


class TestSeals:
    def seal(self, now):
        record(3)
        journal_service.seal(journal.last_entry_id())
        now.advance(days=1)

    def test_are_listed_and_checked_one_by_one(self, client, admin, now):
        self.seal(now)
        sign_in(client, admin)
        [seal] = journal.list_seals(limit=5)
        page = client.get("/admin/journal/seals").text
        assert seal.digest.hex()[:16] in page

        answer = client.get(f"/admin/journal/seals/{seal.id}").text

        assert "摘要相符" in answer

    def test_one_that_does_not_fit_says_so(self, client, admin, now):
        self.seal(now)
        self.seal(now)
        sign_in(client, admin)
        last, first = journal.list_seals(limit=5)
        db.session.execute(text("ALTER TABLE journal_entries DISABLE TRIGGER USER"))
        db.session.execute(
            text("UPDATE journal_entries SET action = 'forged' WHERE id = :id"),
            {"id": last.last_id},
        )

        assert "摘要不符" in client.get(f"/admin/journal/seals/{last.id}").text
        assert "摘要相符" in client.get(f"/admin/journal/seals/{first.id}").text
        with pytest.raises(journal_jobs.JournalBroken, match="摘要不符"):
            journal_jobs.check()

    def test_the_nightly_check_says_what_it_checked(self, now, admin):
        self.seal(now)
        record(2)

        assert re.search(r"核对封存的日志 \d+ 条，全部相符；尚未封存 2 条", journal_jobs.check())

    def test_one_that_is_not_there_is_not_found(self, client, admin):
        assert client.get("/admin/journal/seals/999999").status_code == 404
