"""What a firm bought beforehand, and one balance with every entry, for both sides."""

from collections.abc import Sequence

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.packages import queries, rules, service
from booking.packages.models import PrepaidBalance
from booking.packages.schemas import CorrectionForm
from booking.packages.views.frame import bp, go
from booking.registry import queries as registry


@bp.get("/prepaid")
@login_required
def prepaid() -> str:
    """List what the caller's firms bought: what is left and until when."""
    today = clock.today()
    found = queries.own_balances(caller())
    return render_template(
        "packages/prepaid.html",
        current=sorted(
            (each for each in found if each.left_minutes and not each.has_ended(today)),
            key=lambda each: (each.valid_until, each.id),
        ),
        past=[each for each in found if not each.left_minutes or each.has_ended(today)],
        names=_names(found),
        today=today,
        soon=rules.REMIND_DAYS[0],
    )


def _names(balances: Sequence[PrepaidBalance]) -> dict[int, str]:
    """Return the names of the instruments that these hours are for, where they are named."""
    ids = {each for balance in balances for each in balance.package.instrument_ids}
    return registry.instrument_names(ids)


@bp.get("/prepaid/<id:balance_id>")
@login_required
def balance(balance_id: int) -> Response:
    """Show one balance and its entries; finance may correct it."""
    return _show(balance_id, Form())


@bp.post("/prepaid/<id:balance_id>/correct")
@login_required
def correct(balance_id: int) -> Response:
    """Add or take hours with a reason."""
    form = forms.read(CorrectionForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.correct(balance_id, **form.data, caller=caller())
            flash(gettext("已更正，明细里可以看到。"), "ok")
            return go("balance", balance_id=balance_id)
    if "minutes" in form.errors:  # the page asks for hours
        form.errors["hours"] = form.errors.pop("minutes")
    return _show(balance_id, form)


def _show(balance_id: int, form: Form) -> Response:
    who = caller()
    found = queries.get_balance(balance_id, caller=who)
    page = render_template(
        "packages/balance.html",
        form=form,
        balance=found,
        entries=queries.entries_of(balance_id),
        names=_names([found]),
        is_owner=found.institution_id in who.organisations_with(Permission.SEE_OWNER_SIDE),
        may_correct=who.may(Permission.KEEP_BOOKS, found.institution_id),
        today=clock.today(),
        soon=rules.REMIND_DAYS[0],
    )
    return forms.answer(form, page)
