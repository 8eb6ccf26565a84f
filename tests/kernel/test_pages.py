"""What every page has: language, headers, errors people can read; with and without a build."""

import json

import pytest

from booking.kernel.assets import Assets

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def page(client):
    """A function that opens an address and returns the answer."""
    return client.get


@pytest.mark.service
class TestLanguage:
    def test_is_the_browsers_at_first(self, page):
        assert 'lang="en"' in page("/log-in", headers=ENGLISH).text
        assert 'lang="zh-CN"' in page("/log-in", headers={"Accept-Language": "zh"}).text
        assert 'lang="zh-CN"' in page("/log-in", headers={"Accept-Language": "fr"}).text

    def test_is_what_was_chosen_from_then_on(self, page):
        page("/?lang=en")

        assert 'lang="en"' in page("/log-in", headers={"Accept-Language": "zh"}).text

    def test_a_choice_of_nothing_known_changes_nothing(self, page):
        page("/?lang=fr")

        assert 'lang="zh-CN"' in page("/log-in").text

    def test_the_other_one_is_a_link_to_this_page_with_its_query(self, page):
        answer = page("/sign-up?kind=enterprise").text

        assert 'href="/sign-up?kind=enterprise&amp;lang=en"' in answer

    def test_a_page_that_is_not_there_leads_to_the_front_page(self, page):
        assert 'href="/?lang=en"' in page("/nowhere").text


@pytest.mark.service
class TestHeaders:
    def test_pages_are_private_and_guarded(self, page):
        headers = page("/").headers

        assert headers["Cache-Control"] == "private, no-cache"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]

    def test_the_cookie_of_a_visit_is_out_of_reach_of_scripts_and_other_sites(self, page):
        cookie = page("/log-in").headers["Set-Cookie"]

        assert "booking_visit=" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_a_page_without_a_form_sets_no_cookie(self, page):
        assert "Set-Cookie" not in page("/").headers


@pytest.mark.service
class TestErrors:
    @pytest.mark.parametrize(
        ("headers", "words"),
        [({}, "没有找到这个页面"), (ENGLISH, "Page not found")],
    )
    def test_say_what_happened_in_the_language_of_the_page(self, page, headers, words):
        answer = page("/nowhere", headers=headers)

        assert answer.status_code == 404
        assert words in answer.text
        assert answer.headers["X-Request-Id"] in answer.text

    def test_of_a_form_sent_by_another_site_name_the_reason(self, client):
        answer = client.post("/log-in", headers={"Sec-Fetch-Site": "cross-site"})

        assert answer.status_code == 403
        assert "此请求来自其他网站" in answer.text

    @pytest.mark.parametrize(
        ("came_from", "leads_back"),
        [
            ("http://localhost/account?a=b", True),
            ("http://localhost/log-out", False),  # no page
            ("http://localhost/nowhere", False),
            ("https://evil.example/account", False),
            ("", False),
        ],
    )
    def test_of_a_form_lead_back_to_its_page(self, client, came_from, leads_back):
        answer = client.post("/log-out", headers={"Referer": came_from})

        assert answer.status_code == 403
        assert ("返回刚才的页面" in answer.text) is leads_back
        assert ('href="/account?a=b"' in answer.text) is leads_back

    def test_a_wrong_way_in_is_a_page_too(self, page):
        answer = page("/log-out")

        assert answer.status_code == 405
        assert "<h1>" in answer.text

    def test_a_bug_shows_nothing_of_itself_and_asks_nobody_who_is_there(
        self, app, client, monkeypatch
    ):
        monkeypatch.setitem(app.view_functions, "home", lambda: 1 / 0)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        client.set_cookie("booking_session", "x")
        answer = client.get("/")

        assert answer.status_code == 500
        assert "这一步没有完成" in answer.text
        assert "ZeroDivision" not in answer.text


class TestAssets:
    def test_without_a_build_there_are_no_addresses(self, app, tmp_path):
        with app.test_request_context():
            assert Assets(tmp_path / "none", rereads=True).address("app.css") is None

    def test_pages_do_without(self, app, monkeypatch, client):
        monkeypatch.setitem(app.jinja_env.globals, "asset", lambda name: None)
        answer = client.get("/log-in")

        assert answer.status_code == 200
        assert "stylesheet" not in answer.text

    def test_a_rebuild_is_seen_only_where_files_are_reread(self, app, tmp_path):
        manifest = tmp_path / "manifest.json"
        manifest.write_text(json.dumps({"app.css": "app-A.css"}))
        kept, reread = Assets(tmp_path, rereads=False), Assets(tmp_path, rereads=True)
        with app.test_request_context():
            assert kept.address("app.css") == reread.address("app.css")
            manifest.write_text(json.dumps({"app.css": "app-B.css"}))

            assert kept.address("app.css").endswith("dist/app-A.css")
            assert reread.address("app.css").endswith("dist/app-B.css")

    def test_the_style_guide_is_served_in_development_only(self, client):
        assert client.get("/styleguide").status_code == 404
