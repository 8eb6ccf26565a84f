"""One's own account: facts, language, password, signed-in browsers, tokens."""

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts import auth, queries, rules, service
from booking.accounts.auth import caller
from booking.accounts.models import ApiToken
from booking.accounts.schemas.forms import PasswordForm, TokenForm
from booking.accounts.views.frame import admit, bp, client_address, go
from booking.kernel import clock, forms, pages
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.language import locale_of
from booking.kernel.login import login_required
from booking.kernel.paging import LARGEST

DAYS = (30, 90, 180, 366)


@bp.get("/account")
@login_required
def account() -> str:
    """Show who one is, for whom one acts, and where one is signed in."""
    who = caller()
    return render_template(
        "accounts/account.html",
        me=queries.get_me(who),
        sessions=queries.list_sessions(caller=who, limit=LARGEST, cursor=None).items,
        current=who.session_id,
        factor=queries.show_factor(who.user_id),
        token_count=len(_tokens_in_force()),
        has_session=who.session_id is not None,
    )


@bp.post("/account/language")
@login_required
def choose_language() -> Response:
    """Keep the language to read and be written to in."""
    forms.check_token()
    short = request.form.get("language", "")
    locale = locale_of(short)
    if locale is None:
        raise NotFound
    with transaction():
        service.choose_language(locale, caller=caller())
    response = go("account")
    pages.keep_language(response, short)
    return response


@bp.get("/account/password")
@login_required
def password_page() -> Response:
    """Ask for the password in use and the one to come."""
    return _show_password(Form())


@bp.post("/account/password")
@login_required
def change_password() -> Response:
    """Change the password; all other browsers are signed out."""
    form = forms.read(PasswordForm)
    if not form.errors:
        with form.refusals():
            _change(form)
            flash(gettext("密码已更改，其他设备已退出登录。"), "ok")
            return go("account")
    return _show_password(form)


def _change(form: Form) -> None:
    admit(service.admit_password, caller())
    with transaction():
        service.change_password(
            form.data["current_password"],
            form.data["new_password"],
            caller=caller(),
            address=client_address(),
        )


def _show_password(form: Form) -> Response:
    me = queries.get_me(caller()).user
    page = render_template("accounts/password.html", form=form, login=me.email or me.mobile)
    return forms.answer(form, page)


@bp.post("/account/sessions/<id:session_id>/end")
@login_required
def end_session(session_id: int) -> Response:
    """Sign one of one's own browsers out."""
    forms.check_token()
    with transaction():
        service.end_session(session_id, caller=caller())
    flash(gettext("该设备已退出登录。"), "ok")
    return go("account")


@bp.post("/account/sessions/end")
@login_required
def end_all_sessions() -> Response:
    """Sign out everywhere, here too."""
    forms.check_token()
    with transaction():
        service.end_all_sessions(caller=caller())
    flash(gettext("所有设备都已退出登录。"), "ok")
    response = go("log_in_page")
    auth.forget(response)
    return response


@bp.get("/account/tokens")
@login_required
def tokens_page() -> Response:
    """List one's tokens and offer a new one."""
    return _show_tokens(Form())


@bp.post("/account/tokens")
@login_required
def create_token() -> Response:
    """Make a token and show its secret, this once; a reload makes no second one."""
    form = forms.read(TokenForm)
    if not form.errors and forms.came_before():
        return go("tokens_page")
    if not form.errors:
        with form.refusals(), transaction():
            _, secret = service.create_token(**form.data, caller=caller())
            return _show_tokens(Form(status=201), secret=secret)
    return _show_tokens(form)


@bp.post("/account/tokens/<id:token_id>/revoke")
@login_required
def revoke_token(token_id: int) -> Response:
    """Revoke one of one's own tokens, at once."""
    forms.check_token()
    with transaction():
        service.revoke_token(token_id, caller=caller())
    flash(gettext("令牌已吊销，立即失效。"), "ok")
    return go("tokens_page")


def _show_tokens(form: Form, *, secret: str | None = None) -> Response:
    page = render_template(
        "accounts/tokens.html",
        form=form,
        tokens=_tokens_in_force(),
        scopes=[scope.value for scope in rules.Scope if _may_give(scope)],
        days=DAYS,
        default_days=rules.DEFAULT_TOKEN_DAYS,
        secret=secret,
    )
    response = forms.answer(form, page)
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _tokens_in_force() -> list[ApiToken]:
    every = queries.list_tokens(caller=caller(), limit=LARGEST, cursor=None).items
    now = clock.now()
    return [each for each in every if each.revoked_at is None and each.expires_at > now]


def _may_give(scope: rules.Scope) -> bool:
    """Offer no scope that would open nothing to this person."""
    if scope is rules.Scope.READ:
        return True
    needed = [permission for permission, by in rules.SCOPE_FOR.items() if by is scope]
    return any(caller().organisations_with(permission) for permission in needed)
