"""Pages before anybody is signed in: log-in, sign-up, invitation, forgotten password."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext

from booking.accounts import auth, queries, rules, service
from booking.accounts.errors import LoginTaken, OrganisationExists
from booking.accounts.rules import Awaits, OrganisationKind
from booking.accounts.schemas.forms import InvitationForm, LogInForm, SignUpForm
from booking.accounts.views.frame import (
    admit,
    bp,
    client_address,
    go,
    notice_text,
    show_log_in,
    spared,
)
from booking.accounts.views.second_step import entered, session_lasts, show_step
from booking.kernel import forms, names, unsent
from booking.kernel.db import transaction
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.forms import Form
from booking.kernel.language import choose
from booking.kernel.login import login_required
from booking.reference import queries as reference

HUNAN = "43"
CHECKS = {
    "uscc": names.clean_uscc,
    "email": names.clean_email,
    "mobile": names.clean_mobile,
}
Options = Sequence[tuple[str, Sequence[tuple[str, str]]]]


@bp.get("/log-in")
def log_in_page() -> Response:
    """Ask for log-in name and password; who is signed in goes on."""
    target = forms.safe_next(url_for("dashboard_pages.index"))
    if auth.caller_or_none():
        return _go(target)
    return show_log_in(Form(), target=target)


@bp.post("/log-in")
def log_in() -> Response:
    """Start a session and go on where the person was heading."""
    target = forms.safe_next(url_for("dashboard_pages.index"))
    form, kept = forms.read(LogInForm), unsent.carried()
    if not form.errors:
        with form.refusals():
            return _enter(form.data["login"], form.data["password"], target)
    return show_log_in(form, target=target, unsent=kept)


@bp.post("/log-in/unsent")
@login_required
def go_on() -> Response:
    """Show that a form was not sent before the log-in, to be confirmed or let be."""
    forms.check_token()
    target, kept = forms.safe_next(url_for("dashboard_pages.index")), unsent.carried()
    if kept is None:
        return _go(target)
    return Response(render_template("accounts/unsent.html", unsent=kept, next=target))


@bp.post("/log-out")
def log_out() -> Response:
    """End this session; without one there is nothing left to do."""
    forms.check_token()
    found = auth.caller_or_none()
    if found and found.session_id is not None:
        with transaction():
            service.end_session(found.session_id, caller=found)
    flash(gettext("您已退出登录。"), "ok")
    response = _go(url_for("accounts_pages.log_in_page"))
    auth.forget(response)
    return response


def _enter(login: str, password: str, target: str) -> Response:
    """Sign in and go on; raises WrongPassword or TooManyRequests."""
    admit(service.admit_sign_in, login)
    with transaction():
        return _signed_in(login, password, target)


def _signed_in(login: str, password: str, target: str, *, done: str = "") -> Response:
    """Start a session and go on, or to the second step, which speaks for itself."""
    session, secret = service.log_in(
        login,
        password,
        address=client_address(),
        client=request.user_agent.string,
        lasts=session_lasts(),
        spared=spared(),
    )
    if session.awaits is Awaits.SETUP:
        service.begin_factor(session.user_id, session_id=session.id)
    if session.awaits is None:
        if done:
            flash(done, "ok")
        response = entered(target)
    elif unsent.carried():
        response = show_step(session, Form(), target=target)
    else:
        response = go("second_step", next=target)
    auth.keep(response, session, secret)
    return response


def _go(target: str) -> Response:
    """Answer a form with the way to a page, so that a reload posts nothing again."""
    response = redirect(target, code=303)
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response


@bp.get("/sign-up")
def sign_up_page() -> Response:
    """Ask which kind of organisation comes, then for what it takes."""
    kind = request.args.get("kind", "")
    if kind in rules.SELF_SIGN_UP:
        return _show_sign_up(Form(), OrganisationKind(kind))
    return Response(render_template("accounts/sign_up_choice.html", person=kind == "person"))


@bp.post("/sign-up")
def sign_up() -> Response:
    """Register the organisation with its first manager, and sign them in."""
    form = forms.read(SignUpForm)
    kind = form.value("kind")
    if kind not in rules.SELF_SIGN_UP:
        return _go(url_for("accounts_pages.sign_up_page"))
    if not form.errors:
        with form.refusals():
            return _register(form)
    return _show_sign_up(form, OrganisationKind(kind))


def _register(form: Form) -> Response:
    """Sign up and sign in; raises what sign-up refuses."""
    person = form.data["person"]
    login = person.email or person.mobile
    try:
        with transaction():
            registered = service.sign_up(**form.data)
            service.choose_language(choose(), caller=queries.caller_of(registered.user))
    except OrganisationExists as taken:
        form.refuse_field("uscc", taken)
    except LoginTaken as taken:
        if _pressed_twice(form):
            return _enter(login, person.password, url_for("accounts_pages.account"))
        form.refuse_field("email" if person.email else "mobile", taken)
    else:
        with transaction():
            done, target = gettext("注册成功，您已登录。"), url_for("accounts_pages.account")
            return _signed_in(login, person.password, target, done=done)
    return _show_sign_up(form, OrganisationKind(form.value("kind")))


def _pressed_twice(form: Form) -> bool:
    """Tell whether exactly this organisation with this person was registered already."""
    person = form.data["person"]
    user = queries.user_by_login(names.login_name(person.email or person.mobile))
    if user is None:
        return False
    try:
        known = queries.organisation_by_uscc(names.clean_uscc(form.data["organisation"].uscc))
    except NotFound:
        return False
    return known.id in queries.caller_of(user).organisations


def _show_sign_up(form: Form, kind: OrganisationKind) -> Response:
    page = render_template(
        "accounts/sign_up.html",
        form=form,
        kind=kind,
        industries=_industries() if kind is OrganisationKind.ENTERPRISE else (),
        regions=_regions(),
        notice=_notice(),
        notice_version=rules.PURPOSE_NOTICE,
    )
    return forms.answer(form, page)


def _industries() -> Options:
    """Return the divisions of GB/T 4754 under their sections."""
    every = reference.list_industries()
    sections = {each.code: each.name for each in every if each.code == each.section}
    divisions = [each for each in every if each.code != each.section]
    return [
        (f"{code} {sections[code]}", [(each.code, f"{each.code} {each.name}") for each in found])
        for code, found in groupby(divisions, key=lambda each: each.section)
    ]


def _regions() -> Options:
    """Return the cities of Hunan, each followed by its districts and counties."""
    return list(_by_city())


def _by_city() -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    within = [each for each in reference.regions_within(HUNAN) if each.code[2:] != "0000"]
    for _, found in groupby(within, key=lambda each: each.code[:4]):
        units = list(found)
        yield units[0].name, [(each.code, each.name) for each in units]


def _notice() -> Sequence[str]:
    locale = get_locale()
    return notice_text("en" if locale is not None and locale.language == "en" else "zh")


@bp.get("/sign-up/checks/<string:field>")
def check_field(field: str) -> Response:
    """Say of one field, as soon as it is filled in, whether it can be used."""
    form = Form(values=request.args.copy())
    check = CHECKS.get(field)
    value = request.args.get(field, "")
    if check and value.strip():
        try:
            check(value)
        except InvalidField as refused:
            form.refuse(refused)
    page = render_template("accounts/field_checked.html", form=form, field=field)
    return Response(page, headers={"Cache-Control": "no-store"})


@bp.get("/purpose-notice")
def purpose_notice() -> str:
    """Show what personal information is used for."""
    return render_template("accounts/purpose_notice.html", notice=_notice())


@bp.get("/password/forgotten")
def forgotten_page() -> Response:
    """Ask for the address to which the way to a new password is sent."""
    return _show_forgotten(Form())


@bp.post("/password/forgotten")
def forgotten() -> Response:
    """Send it, and say the same whether there is such an account or not."""
    form, sent_to = Form(values=request.form), ""
    with form.refusals():
        forms.check_token()
        sent_to = names.clean_email(form.value("email"))
        admit(service.admit_reset, sent_to)
        with transaction():
            service.send_reset(sent_to)
    return _show_forgotten(form, sent_to="" if form.errors else sent_to)


def _show_forgotten(form: Form, *, sent_to: str = "") -> Response:
    page = render_template(
        "accounts/forgotten.html", form=form, sent_to=sent_to, hours=rules.RESET_HOURS
    )
    return forms.answer(form, page)


@bp.get("/invitation")
def invitation_page() -> Response:
    """Ask an invited person for a password; the address may bring the code along."""
    return _show_invitation(Form(values=request.args.copy()))


@bp.post("/invitation")
def invitation() -> Response:
    """Set the first or a new password, and sign in with it."""
    form = forms.read(InvitationForm)
    if not form.errors:
        with form.refusals(), transaction():
            user = service.accept_invitation(
                form.data["invitation"],
                form.data["password"],
                purpose_notice_accepted=form.data["purpose_notice_accepted"],
            )
            login = user.email or user.mobile or ""
            done, target = gettext("密码已设置，您已登录。"), url_for("accounts_pages.account")
            return _signed_in(login, form.data["password"], target, done=done)
    return _show_invitation(form)


def _show_invitation(form: Form) -> Response:
    page = render_template(
        "accounts/invitation.html",
        form=form,
        notice=_notice(),
        notice_version=rules.PURPOSE_NOTICE,
    )
    return forms.answer(form, page)
