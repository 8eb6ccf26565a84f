"""Instruments in and out as tables: upload, what the columns mean, rehearsal, import, export."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.console import queries, service
from booking.console.models import InstrumentImport
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.kernel import clock, downloads, forms, http, uploads
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound, UnreadableFile
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.text import N_
from booking.kernel.workbooks import MIME, write_workbook
from booking.registry import service as registry
from booking.registry.gateway import write_table
from booking.registry.service.formats import FORMATS, LABELS

FINDINGS_SHOWN = 100


@bp.get("/institution/imports")
@login_required
def imports() -> Response:
    """Offer to upload a table, and list the latest ones."""
    return _show_all(Form())


@bp.post("/institution/imports")
@login_required
@uploads.large
def upload() -> Response:
    """Take a table in and look through it; large ones are handed to the worker."""
    chosen = chosen_institution(institutions(), Permission.MANAGE_INSTRUMENTS)
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        file = next(uploads.received("file"), None)
        if file is None:
            raise UnreadableFile(N_("请选择要导入的文件。"))
        with transaction():
            taken = service.take_in(chosen, file.content, file.name, caller=caller())
            _go_on_with(taken)
        return go("import_page", import_id=taken.id)
    if forms.WHOLE in form.errors:
        form.errors["file"] = form.errors.pop(forms.WHOLE)
    return _show_all(form)


@bp.get("/institution/imports/<id:import_id>")
@login_required
def import_page(import_id: int) -> Response:
    """Show what the columns mean, what would be done and what speaks against it."""
    return _show(queries.get_import(import_id, caller=caller()), Form())


@bp.post("/institution/imports/<id:import_id>/columns")
@login_required
def choose_columns(import_id: int) -> Response:
    """Say anew what the columns mean, and look through it again."""
    found = queries.get_import(import_id, caller=caller())
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        key = request.form.get("format", "")
        names = [request.form.get(f"column-{n}") or None for n in range(len(found.header))]
        if key not in FORMATS:
            raise NotFound
        with transaction():
            _go_on_with(service.choose_columns(import_id, key, names, caller=caller()))
        return go("import_page", import_id=import_id)
    return _show(queries.get_import(import_id, caller=caller()), form)


@bp.post("/institution/imports/<id:import_id>/run")
@login_required
def run_import(import_id: int) -> Response:
    """Import it: all rows, or none."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        with transaction():
            _go_on_with(service.order(import_id, caller=caller()))
        return go("import_page", import_id=import_id)
    return _show(queries.get_import(import_id, caller=caller()), form)


@bp.get("/institution/imports/<id:import_id>/findings.csv")
@login_required
def findings(import_id: int) -> Response:
    """Give all that was found as a table; nothing in it is run by a spreadsheet."""
    found = queries.get_import(import_id, caller=caller())
    header = [gettext("行"), gettext("列"), gettext("类别"), gettext("原因")]
    rows = ([str(row), column, kind, reason] for row, column, kind, reason in _found(found))
    with io.StringIO() as text:
        write_table(text, header, rows)
        content = text.getvalue().encode()
    return _sent(io.BytesIO(content), f"{gettext('导入问题')}-{found.id}.csv", "text/csv")


@bp.get("/institution/instruments.<string:kind>")
@login_required
def export(kind: str) -> Response:
    """Give all instruments of the institution as a table that can be imported again, or none."""
    chosen = chosen_institution(institutions(), Permission.RUN_INSTRUMENTS)
    format_ = FORMATS.get(request.args.get("format", "nrii"))
    if format_ is None or kind not in {"csv", "xlsx"}:
        raise NotFound
    header = [column.heading for column in format_.columns]
    is_blank = "blank" in request.args
    rows = [] if is_blank else registry.export_instruments(chosen, format_)
    named = gettext("空白表格") if is_blank else gettext("仪器")
    name = f"{named}-{clock.today():%Y%m%d}.{kind}"
    return _table(kind, name, header, rows)


def told(found: InstrumentImport) -> str:
    """Return what an import that is done has changed."""
    figures: dict[str, Any] = found.report or {}
    done = gettext(
        "已导入：新增 %(created)s 台，更改 %(changed)s 台，未变 %(unchanged)s 台。",
        created=figures["created"],
        changed=figures["changed"],
        unchanged=figures["unchanged"],
    )
    return str(done)


def _go_on_with(waiting: InstrumentImport) -> None:
    if waiting.rows <= service.AT_ONCE:
        service.go_through(waiting.id)


def _table(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    if kind == "xlsx":
        book = io.BytesIO()
        write_workbook(book, gettext("仪器"), header, rows)
        return _sent(book, name, MIME)
    with io.StringIO(newline="") as text:
        write_table(text, header, rows)
        return _sent(io.BytesIO(text.getvalue().encode()), name, "text/csv")


def _sent(content: Any, name: str, media_type: str) -> Response:
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    return downloads.send(content, name=name, media_type=media_type, etag=digest, size=size)


def _found(found: InstrumentImport) -> Iterable[tuple[int, str, str, str]]:
    kinds = {True: gettext("错误"), False: gettext("提示")}
    ordered = sorted(found.findings, key=lambda each: (not each[2], each[0]))
    for row, column, is_error, reason in ordered:
        yield row, column, kinds[is_error], http.translate(service.spoken(reason))


def _show_all(form: Form) -> Response:
    among = institutions()
    chosen = chosen_institution(among, Permission.MANAGE_INSTRUMENTS)
    page = render_template(
        "console/imports.html",
        institutions=among,
        chosen=chosen,
        form=form,
        latest=queries.latest_imports(chosen),
        formats=list(FORMATS.values()),
    )
    return forms.answer(form, page)


def _show(found: InstrumentImport, form: Form) -> Response:
    format_ = FORMATS[found.format_key]
    offered = [
        (column.name, LABELS.get(column.name, column.heading))
        for column in format_.columns
        if column.name
    ]
    report: dict[str, Any] = found.report or {}
    refused = http.translate(service.spoken(report["refused"])) if "refused" in report else ""
    page = render_template(
        "console/import.html",
        form=form,
        found=found,
        report=report,
        refused=refused,
        told=told(found) if found.finished_at and report.get("rows") else "",
        findings=list(_found(found))[:FINDINGS_SHOWN],
        columns=list(zip(found.header, found.chosen, strict=True)),
        offered=offered,
        formats=list(FORMATS.values()),
    )
    return forms.answer(form, page)
