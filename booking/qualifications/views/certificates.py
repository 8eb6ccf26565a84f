"""The institution's certificates: all of them, adding one and putting one right."""

from flask import Response, flash, render_template
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.files.errors import FileRefused
from booking.kernel import clock, forms, uploads
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.qualifications import queries, rules, service
from booking.qualifications.models import Certificate
from booking.qualifications.schemas import CertificateEdit, CertificateForm
from booking.qualifications.views.frame import bp, chosen, go, institutions, own_certificate


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


@bp.get("/institution/certificates/<id:certificate_id>/edit")
@login_required
def edit_page(certificate_id: int) -> Response:
    """Offer to put right what was copied from a certificate."""
    found = own_certificate(certificate_id)
    names = ("number", "issuer", "valid_from", "valid_until", "version")
    values = MultiDict({name: str(getattr(found, name)) for name in names})
    return _show_edit(found, Form(values=values))


@bp.post("/institution/certificates/<id:certificate_id>/edit")
@login_required
@uploads.large
def edit(certificate_id: int) -> Response:
    """Put it right; without a new file the one it has stays."""
    found = own_certificate(certificate_id)
    form = uploads.read(CertificateEdit)
    if form.errors:
        return _show_edit(found, form)
    with form.refusals():
        try:
            with transaction():
                service.edit_certificate(
                    certificate_id, **form.data, file=uploads.chosen("file"), caller=caller()
                )
        except FileRefused as refused:
            form.refuse_field("file", refused)
        else:
            flash(gettext("证书已更改。"), "ok")
            return go("certificate", certificate_id=certificate_id)
    return _show_edit(found, form)


def _show_edit(found: Certificate, form: Form) -> Response:
    page = render_template("qualifications/certificate_edit.html", form=form, certificate=found)
    return forms.answer(form, page)


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
