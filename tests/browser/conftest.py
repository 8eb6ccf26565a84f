"""The whole program in front of a real browser: served on a database of its own, with demo data.

Every page a test opens is watched: an error in the console, a breach of the content policy, a
script that fails or a file that is missing fails the test.
"""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)
from werkzeug.serving import WSGIRequestHandler, make_server

from booking import demo
from booking.app import create_app
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import jobs
from tests.conftest import MONDAY_9

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESKTOP, NARROWEST = 390, 1440, 320
HEIGHTS = {PHONE: 844, DESKTOP: 900, NARROWEST: 640}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Root has no sandbox; shared memory is small in containers, and the tests' databases live there.
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
# Browsers report every refused form as a failed load; tests look at those answers themselves.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


def pretended_now() -> datetime:
    """Return a Monday at 9: the tests' usual one until it is past, then the coming one.

    Never a past one: the browser's own clock decides when a cookie has run out.
    """
    late = clock.now() - MONDAY_9
    return MONDAY_9 + timedelta(weeks=max(0, late // timedelta(weeks=1) + 1))


NOW = pretended_now()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def program(
    server: Any, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """The program with demo data, at a Monday morning."""
    if not (ROOT / "booking" / "static" / "dist" / "manifest.json").is_file():
        raise pytest.UsageError("the pages' styles are not built: run python frontend/install.py")
    database = f"browser_{threading.get_native_id()}"
    app = create_app(
        "testing",
        DATABASE_URL=server.clone(database, template),
        DATA_DIR=tmp_path_factory.mktemp("data"),
        DEMO=True,
        STYLEGUIDE=True,
        DB_POOL_SIZE=8,
    )
    with clock.pretend(NOW.astimezone(UTC)), app.app_context():
        with transaction():
            demo.load()
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()
    server.drop(database)


@pytest.fixture(scope="session")
def site(program: Flask) -> Iterator[str]:
    """The address of the program, served."""
    served = make_server("127.0.0.1", 0, program, threaded=True, request_handler=_Quiet)
    program.config["BASE_URL"] = f"http://127.0.0.1:{served.port}"
    # Answers under way are waited for: what they hold open is closed with the rest.
    served.daemon_threads = False
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield program.config["BASE_URL"]
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium."""
    found = shutil.which("chromium")
    if found is None:
        raise pytest.UsageError("no chromium: run deploy/test-packages.sh")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(
    site: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Page]]:
    """A function that opens the program as somebody new: width, language, with or without script.

    `expects` is a pattern of complaints that are no fault, where the network is made to fail.
    Whatever else is given goes to the browser (forced_colors, reduced_motion, …).
    """
    monkeypatch.setattr(clock, "wall", lambda: NOW.astimezone(UTC))
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def somebody(
        width: int = DESKTOP,
        language: str = "zh-CN",
        *,
        script: bool = True,
        expects: str = "$^",
        **given: Any,
    ) -> Page:
        def complain(words: str) -> None:
            if not re.search(expects, words):
                complaints.append(words)

        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": HEIGHTS[width]},
            locale=language,
            timezone_id="Asia/Shanghai",
            java_script_enabled=script,
            has_touch=width < DESKTOP,
            **given,
        )
        context.set_default_timeout(8000)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: _note(complain, message))
        page.on("pageerror", lambda error: complain(f"failed: {error}"))
        page.on("requestfailed", lambda request: _note_failed(complain, request))
        return page

    yield somebody
    for context in opened:
        context.close()
    assert complaints == []


def _note_failed(complain: Callable[[str], None], request: Request) -> None:
    # What was under way when the next page was opened is no failure.
    if request.failure != "net::ERR_ABORTED":
        complain(f"failed: {request.url}")


def _note(complain: Callable[[str], None], message: ConsoleMessage) -> None:
    # htmx repeats what the browser says of a request; see _note_failed.
    if message.text.startswith(("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")):
        return
    if message.type in {"error", "warning"} and not EXPECTED.match(message.text):
        complain(f"{message.type}: {message.text}")


@pytest.fixture
def work(program: Flask) -> Callable[[], None]:
    """A function that does what the worker does."""

    def deliver() -> None:
        with clock.pretend(NOW.astimezone(UTC)), program.app_context():
            jobs.expand()
            jobs.send()
            db.session.remove()

    return deliver


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def width(request: pytest.FixtureRequest) -> int:
    """The two widths everything is tried at."""
    return int(request.param)


@pytest.fixture(params=["zh-CN", "en"])
def language(request: pytest.FixtureRequest) -> str:
    """The two languages."""
    return str(request.param)


def log_in(page: Page, login: str = "firm@demo.example", password: str = demo.PASSWORD) -> None:
    """Sign in, as one of the demo people if not told otherwise; no page is drawn for it."""
    form = page.request.get("/log-in").text()
    [token] = re.findall(r'name="form_token"\s+value="(\w+)"', form)[:1]
    fields = {"form_token": token, "login": login, "password": password}
    answer = page.request.post("/log-in", form=fields, max_redirects=0)
    assert answer.status == 303, answer.text()


def flaws(page: Page) -> dict[str, list[str]]:
    """Return what axe finds on the page as it stands: by rule, the places."""
    # Half faded in, every colour is too pale; what turns for ever is not waited for.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.evaluate(
        "Promise.all(document.getAnimations().filter(each =>"
        " each.effect.getComputedTiming().iterations !== Infinity).map(each => each.finished))"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        # Hundreds of options cost time and can break no rule that their list does not.
        "async rules => (await axe.run({exclude: ['optgroup']},"
        " {runOnly: rules, resultTypes: ['violations']})).violations"
        ".map(({id, nodes}) => [id, nodes.map(node => node.target.join(' '))])",
        RULES,
    )
    return dict(found)


def scrolls_sideways(page: Page) -> bool:
    """Tell whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def focused(page: Page) -> str:
    """Return what has the focus, by its id, name or words."""
    return str(
        page.evaluate(
            "(e => e.id || e.getAttribute('name') || e.textContent.trim())(document.activeElement)"
        )
    )
