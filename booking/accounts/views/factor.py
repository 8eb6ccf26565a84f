"""One's own second factor: set up, new recovery codes, switched off."""

from flask import Response, flash, render_template, url_for
from flask_babel import gettext

from booking.accounts import queries, rules, service
from booking.accounts.auth import caller
from booking.accounts.schemas.forms import CodeForm
from booking.accounts.views.frame import admit, bp, client_address, go
from booking.accounts.views.second_step import show_codes
from booking.kernel import forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required


@bp.get("/account/second-factor")
@login_required
def factor_page() -> Response:
    """Show whether there is a second factor, and what can be done with it."""
    return _show(Form())


@bp.post("/account/second-factor/begin")
@login_required
def begin_factor() -> Response:
    """Start to set one up, with a new key."""
    who = caller()
    rules.require_signed_in(who)
    forms.check_token()
    with transaction():
        service.begin_factor(who.user_id, session_id=who.session_id)
    return go("setup_page")


@bp.get("/account/second-factor/set-up")
@login_required
def setup_page() -> Response:
    """Show the key as a code to scan, and ask for a first code."""
    rules.require_signed_in(caller())
    return _show_setup(Form())


@bp.post("/account/second-factor/set-up")
@login_required
def set_up_factor() -> Response:
    """Take it into use, and show the recovery codes, this once."""
    rules.require_signed_in(caller())
    form = forms.read(CodeForm)
    if not form.errors:
        with form.refusals():
            me = caller().user_id
            admit(service.admit_code, me)
            with transaction():
                codes = service.confirm_factor(me, form.data["code"], address=client_address())
                return show_codes(codes, target=url_for("accounts_pages.factor_page"))
    return _show_setup(form)


@bp.post("/account/second-factor/codes")
@login_required
def renew_codes() -> Response:
    """Give out new recovery codes; the old ones end."""
    form = forms.read(CodeForm)
    if not form.errors:
        with form.refusals():
            admit(service.admit_code, caller().user_id)
            with transaction():
                codes = service.renew_codes(
                    form.data["code"], caller=caller(), address=client_address()
                )
                return show_codes(codes, target=url_for("accounts_pages.factor_page"))
    return _show(form)


@bp.post("/account/second-factor/drop")
@login_required
def drop_factor() -> Response:
    """Switch it off, where no role asks for it."""
    form = forms.read(CodeForm)
    if not form.errors:
        with form.refusals():
            admit(service.admit_code, caller().user_id)
            with transaction():
                service.drop_factor(form.data["code"], caller=caller(), address=client_address())
            flash(gettext("两步验证已关闭。"), "ok")
            return go("factor_page")
    return _show(form)


def _show(form: Form) -> Response:
    who = caller()
    rules.require_signed_in(who)
    page = render_template(
        "accounts/factor.html", form=form, factor=queries.show_factor(who.user_id)
    )
    return forms.answer(form, page)


def _show_setup(form: Form) -> Response:
    page = render_template(
        "accounts/factor_setup.html", form=form, setup=service.show_setup(caller().user_id)
    )
    response = forms.answer(form, page)
    response.headers["Cache-Control"] = "no-store"
    return response
