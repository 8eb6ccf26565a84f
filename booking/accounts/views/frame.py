"""The blueprint of these pages, and who stands in the head of every page."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

from flask import Response, current_app, render_template, request, url_for
from werkzeug.exceptions import Unauthorized

from booking.accounts import auth, queries
from booking.accounts.rules import OrganisationKind, Permission
from booking.kernel import forms, http, pages, unsent
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.http import TooManyRequests
from booking.kernel.unsent import Unsent

T = TypeVar("T")

bp = pages.Blueprint("accounts_pages", __name__)
go = bp.go


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, as the head of a page names them."""

    name: str
    organisations: Sequence[str]
    at_institution: bool = False
    runs_instruments: bool = False
    manages_instruments: bool = False
    manages_people: bool = False
    runs_platform: bool = False

    @property
    def title(self) -> str:
        """Return the organisation and the person, unless the one already names the other."""
        first = next(iter(self.organisations), "")
        return self.name if not first or self.name.startswith(first) else f"{first} · {self.name}"

    @property
    def initial(self) -> str:
        """Return the character for the round picture."""
        return self.title[:1].upper()


@bp.app_context_processor
def who_is_there() -> dict[str, Callable[[], Visitor | None]]:
    """Let every page ask who is signed in, once, or not ask."""
    return {"visitor": cache(_visitor)}


def _visitor() -> Visitor | None:
    found = auth.caller_or_none()
    if found is None:
        return None
    works_there = any(seat.kind is OrganisationKind.INSTITUTION for seat in found.seats)
    return Visitor(
        found.name,
        queries.organisation_names(found),
        at_institution=works_there,
        runs_instruments=bool(found.organisations_with(Permission.SEE_OWNER_SIDE)),
        manages_instruments=bool(found.organisations_with(Permission.MANAGE_INSTRUMENTS)),
        manages_people=bool(found.organisations_with(Permission.MANAGE_ORGANISATION)),
        runs_platform=found.is_admin,
    )


@cache
def notice_text(language: str) -> tuple[str, ...]:
    """Return the paragraphs of what personal information is used for, title first."""
    folder = files("booking.accounts") / "texts"
    text = (folder / f"purpose_notice.{language}.txt").read_text(encoding="utf-8")
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())


def client_address() -> str | None:
    """Return where the request comes from, for slowing down guesses."""
    return request.remote_addr


def admit(count: Callable[[T, str | None], int], subject: T) -> None:
    """Count an attempt before it is made, or raise TooManyRequests with the wait."""
    with transaction():
        if seconds := count(subject, client_address()):
            raise TooManyRequests(retry_after=seconds)


def demo_log_ins() -> Sequence[tuple[str, str]]:
    """Return the log-ins of the demo data and who they are; none anywhere else."""
    demo: dict[str, str] = current_app.extensions.get("booking_demo", {})
    is_loaded = bool(demo) and queries.user_by_login(next(iter(demo))) is not None
    return list(demo.items()) if is_loaded else []


def spared() -> Collection[str]:
    """Return the log-ins of the demo, which need no second factor; none anywhere else."""
    demo: dict[str, str] = current_app.extensions.get("booking_demo", {})
    return demo if current_app.config["DEMO"] else ()


def show_log_in(form: Form, *, target: str, unsent: Unsent | None = None) -> Response:
    """Return the log-in page, leading to `target` afterwards, or to what is not sent yet."""
    page = render_template(
        "accounts/log_in.html", form=form, next=target, demo=demo_log_ins(), unsent=unsent
    )
    return forms.answer(form, page)


@bp.app_errorhandler(Unauthorized)
def sign_in_on_the_spot(error: Unauthorized) -> Response:
    """Ask who is there where the page was wanted, and go on there afterwards.

    A form that came after its session had ended is kept, to be confirmed once signed in.
    """
    if http.wants_problem():
        return http.handle_http_exception(error)
    if request.method == "GET":
        return show_log_in(Form(status=401), target=request.full_path.rstrip("?"))
    page = http.came_from(url_for("accounts_pages.account"))
    return show_log_in(Form(status=401), target=page, unsent=unsent.of_request())
