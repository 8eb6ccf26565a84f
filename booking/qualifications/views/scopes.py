"""One certificate with its scope: lines by hand, a whole table by workbook, withdrawing it."""

import tempfile
from pathlib import Path
from typing import Any

from flask import Response, flash, render_template, request, send_file
from flask_babel import gettext
from marshmallow import ValidationError

from booking.accounts.auth import caller
from booking.kernel import clock, downloads, forms, uploads, workbooks
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.text import N_
from booking.qualifications import queries, rules, service
from booking.qualifications.rules import Line
from booking.qualifications.schemas import LineForm
from booking.qualifications.views.frame import bp, go, own_certificate

SHOWN = 100


@bp.get("/institution/certificates/<id:certificate_id>")
@login_required
def certificate(certificate_id: int) -> Response:
    """Show a certificate and its scope, and offer to change the scope."""
    return _show(certificate_id, Form())


@bp.post("/institution/certificates/<id:certificate_id>/lines")
@login_required
def add_line(certificate_id: int) -> Response:
    """Add a line to the scope."""
    own_certificate(certificate_id)
    form = forms.read(LineForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.add_line(certificate_id, Line(**form.data), caller=caller())
            flash(gettext("已添加一行。"), "ok")
            return go("certificate", certificate_id=certificate_id)
    return _show(certificate_id, form)


@bp.post("/institution/certificates/<id:certificate_id>/lines/<id:line_id>/remove")
@login_required
def remove_line(certificate_id: int, line_id: int) -> Response:
    """Take a line out of the scope."""
    return _do(certificate_id, service.remove_line, gettext("已删除一行。"), line_id)


@bp.post("/institution/certificates/<id:certificate_id>/withdraw")
@login_required
def withdraw(certificate_id: int) -> Response:
    """Let the certificate count no longer."""
    return _do(certificate_id, service.withdraw_certificate, gettext("证书已作废。"))


@bp.post("/institution/certificates/<id:certificate_id>/scope")
@login_required
@uploads.large
def import_scope(certificate_id: int) -> Response:
    """Put a workbook's lines in the place of the scope; all rows or none."""
    own_certificate(certificate_id)
    form = uploads.read(forms.FormSchema)
    upload = None if form.errors else uploads.chosen("table")
    if upload is None:
        if not form.errors:
            form.refuse(ValidationError([N_("请先选择文件。")], "table"))
        return _show(certificate_id, form)
    try:
        count = _import(certificate_id, upload.content)
    except NotFound:
        raise
    except DomainError as refused:
        form.refuse_field("table", refused)
        return _show(certificate_id, form)
    flash(gettext("已导入 %(count)s 行，原有的行已替换。", count=count), "ok")
    return go("certificate", certificate_id=certificate_id)


def _import(certificate_id: int, content: bytes) -> int:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        with transaction():
            return service.import_scope(certificate_id, Path(file.name), caller=caller())


@bp.get("/institution/certificates/scope-template.xlsx")
@login_required
def scope_template() -> Response:
    """Send an empty table with the head the import knows, and an example."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    head = [gettext("产品"), gettext("参数"), gettext("标准（方法）"), gettext("限制范围")]
    example = [gettext("金属材料"), gettext("抗拉强度"), "GB/T 228.1-2021", "≤100 kN"]
    workbooks.write_workbook(file, gettext("能力范围"), head, [example])
    file.seek(0)
    response: Response = send_file(file, mimetype=workbooks.MIME)
    name = gettext("能力范围.xlsx")
    response.headers["Content-Disposition"] = downloads.disposition(name)
    return response


def _do(certificate_id: int, change: Any, done: str, *more: int) -> Response:
    own_certificate(certificate_id)
    form = Form()
    with form.refusals():
        forms.check_token()
        with transaction():
            change(certificate_id, *more, caller=caller())
        flash(done, "ok")
        return go("certificate", certificate_id=certificate_id)
    return _show(certificate_id, form)


def _show(certificate_id: int, form: Form) -> Response:
    found = own_certificate(certificate_id)
    text = request.args.get("page", "")
    number = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    lines, total = queries.lines_of(certificate_id, limit=SHOWN, skip=(number - 1) * SHOWN)
    page = render_template(
        "qualifications/certificate.html",
        form=form,
        certificate=found,
        lines=lines,
        total=total,
        number=number,
        has_more=number * SHOWN < total,
        is_usual=rules.is_usual_number(found.scheme, found.number),
        today=clock.today(),
        soon=rules.SOON_DAYS,
    )
    return forms.answer(form, page)
