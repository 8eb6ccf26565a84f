"""The second step of a log-in: a code of the authenticator, or setting one up where it is due."""

from datetime import timedelta

from flask import Response, current_app, redirect, render_template, request, url_for

from booking.accounts import auth, queries, service
from booking.accounts.models import LoginSession
from booking.accounts.rules import Awaits
from booking.accounts.schemas.forms import CodeForm
from booking.accounts.views.frame import admit, bp, client_address, go
from booking.kernel import forms, unsent
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.passwords import digest


@bp.get("/log-in/code")
def second_step() -> Response:
    """Ask for the code, or show how to set the second factor up; without a password, start anew."""
    session = _pending()
    if session is None:
        return go("log_in_page", next=_target())
    return show_step(session, Form(), target=_target())


@bp.post("/log-in/code")
def take_step() -> Response:
    """Finish the log-in and go on where the person was heading."""
    form, session = forms.read(CodeForm), _pending()
    if session is None:
        return go("log_in_page", next=_target())
    if not form.errors:
        with form.refusals():
            admit(service.admit_code, session.user_id)
            with transaction():
                return _passed(session, form.data["code"])
    return show_step(session, form, target=_target())


def _passed(session: LoginSession, code: str) -> Response:
    cookie = request.cookies.get(auth.SESSION_COOKIE, "")
    address, lasts = client_address(), session_lasts()
    if session.awaits is Awaits.CODE:
        done, secret = service.pass_code(cookie, code, address=address, lasts=lasts)
        response = entered(_target())
    else:
        done, secret, codes = service.set_up_and_enter(cookie, code, address=address, lasts=lasts)
        response = show_codes(codes, target=_target(), kept=unsent.carried() is not None)
    auth.keep(response, done, secret)
    return response


def entered(target: str) -> Response:
    """Go on where the person was heading, or with the form that came after a session had ended."""
    # 307: the browser sends the same form on, now signed in.
    kept = unsent.carried()
    response = redirect(
        url_for("accounts_pages.go_on") if kept else target, code=307 if kept else 303
    )
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response


def show_step(session: LoginSession, form: Form, *, target: str) -> Response:
    """Return the page of the step that is due."""
    is_new = session.awaits is Awaits.SETUP
    page = render_template(
        "accounts/second_step.html",
        form=form,
        next=target,
        unsent=unsent.carried(),
        setup=service.show_setup(session.user_id) if is_new else None,
        by_recovery=request.values.get("way") == "recovery",
    )
    return _not_kept(forms.answer(form, page))


def show_codes(codes: list[str], *, target: str, kept: bool = False) -> Response:
    """Return the page that shows recovery codes, this once."""
    page = render_template(
        "accounts/recovery_codes.html",
        codes=codes,
        next=target,
        unsent=unsent.carried() if kept else None,
    )
    return _not_kept(Response(page))


def session_lasts() -> timedelta:
    """Return how long a log-in lasts."""
    return timedelta(hours=current_app.config["SESSION_HOURS"])


def _pending() -> LoginSession | None:
    cookie = request.cookies.get(auth.SESSION_COOKIE, "")
    return queries.pending_session(digest(cookie)) if cookie else None


def _target() -> str:
    return forms.safe_next(url_for("accounts_pages.account"))


def _not_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
