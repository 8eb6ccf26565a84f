"""The institution's certificates: all of them, and adding one."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.files.errors import FileRefused
from booking.kernel import clock, forms, uploads
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.qualifications import queries, rules, service
from booking.qualifications.schemas import CertificateForm
from booking.qualifications.views.frame import bp, chosen, go, institutions


@bp.get("/institution/certificates")
@login_required
def certificates() -> Response:
    """List the institution's certificates, and offer to add one."""
    return _show(Form())


@bp.post("/institution/certificates")
@login_required
@uploads.large
def add() -> Response:
    """Add a certificate with its file."""
    form = uploads.read(CertificateForm)
    if form.errors:
        return _show(form)
    institution = chosen(institutions())
    with form.refusals():
        try:
            with transaction():
                made = service.add_certificate(
                    institution, **form.data, file=uploads.chosen("file"), caller=caller()
                )
        except FileRefused as refused:
            form.refuse_field("file", refused)
        else:
            flash(gettext("已添加证书 %(number)s，请填写能力范围。", number=made.number), "ok")
            return go("certificate", certificate_id=made.id)
    return _show(form)


def _show(form: Form) -> Response:
    among = institutions()
    institution = (
        chosen(among) if not form.errors or form.value("institution") else next(iter(among))
    )
    page = render_template(
        "qualifications/certificates.html",
        form=form,
        institutions=among,
        chosen=institution,
        certificates=queries.certificates_of(institution),
        today=clock.today(),
        soon=rules.SOON_DAYS,
    )
    return forms.answer(form, page)
