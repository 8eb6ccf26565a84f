"""The institution's page of an instrument's photos and documents: add, word, order, take off."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require
from booking.attachments import queries, service
from booking.attachments.rules import LONGEST_CAPTION, MOST, AttachmentKind
from booking.attachments.schemas import CaptionForm
from booking.attachments.views.frame import bp
from booking.files.rules import DOCUMENTS, ENDINGS, PICTURES
from booking.kernel import forms, http, uploads
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.text import N_
from booking.kernel.uploads import Upload
from booking.registry import queries as registry
from booking.registry.models import Instrument

FIELDS = {AttachmentKind.PHOTO: "photos", AttachmentKind.DOCUMENT: "documents"}


@bp.get("/institution/instruments/<id:instrument_id>/attachments")
@login_required
def attachments_page(instrument_id: int) -> Response:
    """List an instrument's photos and documents, and offer to add more."""
    return _show(instrument_id, Form())


@bp.post("/institution/instruments/<id:instrument_id>/attachments")
@login_required
@uploads.large
def attach(instrument_id: int) -> Response:
    """Add the files chosen; what is wrong with one keeps no other from being added."""
    _own(instrument_id)
    form = Form()
    with form.refusals(), _weighed():
        forms.check_token()
        added = _attach_each(instrument_id, form)
        if added:
            flash(_added(added), "ok")
        elif not form.errors:
            form.refuse(ValidationError([N_("请先选择文件。")], _field_pressed()))
    return _show(instrument_id, form) if form.errors else _go(instrument_id)


@bp.post("/institution/instruments/<id:instrument_id>/attachments/<id:attachment_id>")
@login_required
def word(instrument_id: int, attachment_id: int) -> Response:
    """Save the words of a photo or document."""
    _own(instrument_id)
    form = forms.read(CaptionForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.change(instrument_id, attachment_id, **form.data, caller=caller())
            flash(gettext("已保存。"), "ok")
            return _go(instrument_id)
    return _show(instrument_id, form, about=attachment_id)


@bp.post("/institution/instruments/<id:instrument_id>/attachments/<id:attachment_id>/move")
@login_required
def move(instrument_id: int, attachment_id: int) -> Response:
    """Put it one place nearer to the front, or further back."""
    _own(instrument_id)
    form = Form()
    with form.refusals():
        forms.check_token()
        with transaction():
            found = queries.get_attachment(instrument_id, attachment_id, caller=caller())
            step = 1 if request.form.get("to") == "back" else -1
            place = max(1, found.place + step)
            service.change(instrument_id, attachment_id, place=place, caller=caller())
        return _go(instrument_id, anchor=f"each-{attachment_id}")
    return _show(instrument_id, form)


@bp.post("/institution/instruments/<id:instrument_id>/attachments/<id:attachment_id>/remove")
@login_required
def remove(instrument_id: int, attachment_id: int) -> Response:
    """Take it off the instrument."""
    _own(instrument_id)
    form = Form()
    with form.refusals():
        forms.check_token()
        with transaction():
            gone = service.remove(instrument_id, attachment_id, caller=caller())
        flash(gettext("已删除“%(name)s”。", name=gone.caption or gone.name), "ok")
        return _go(instrument_id)
    return _show(instrument_id, form)


def _attach_each(instrument_id: int, form: Form) -> int:
    """Attach each file by itself; returns how many were, the others stand in the form."""
    return sum(
        _attach_one(instrument_id, kind, upload, form)
        for kind, field in FIELDS.items()
        for upload in uploads.received(field)
    )


def _attach_one(instrument_id: int, kind: AttachmentKind, upload: Upload, form: Form) -> bool:
    try:
        with transaction():
            service.attach(instrument_id, kind, upload.content, upload.name, caller=caller())
    except NotFound:
        raise
    except DomainError as refused:
        form.status = http.status_of(type(refused))
        words = gettext(
            "%(name)s：%(reason)s", name=upload.name[-60:], reason=http.translate(refused.message)
        )
        form.errors.setdefault(FIELDS[kind], []).append(words)
        return False
    return True


@contextmanager
def _weighed() -> Iterator[None]:
    """Say of a form that is too large what it means, on the page it came from."""
    try:
        yield
    except RequestEntityTooLarge as exc:
        raise uploads.too_large() from exc


def _added(count: int) -> str:
    return str(gettext("已添加文件：%(count)s 个。", count=count))


def _field_pressed() -> str:
    return FIELDS[
        AttachmentKind.DOCUMENT if "add_documents" in request.form else AttachmentKind.PHOTO
    ]


def _own(instrument_id: int) -> Instrument:
    """Return an instrument whose pages the caller may change; NotFound for everybody else's."""
    who = caller()
    found = registry.get_instrument(instrument_id, caller=who)
    if found.institution_id not in who.organisations:
        raise NotFound
    require(who, Permission.MANAGE_INSTRUMENTS, found.institution_id)
    return found


def _go(instrument_id: int, anchor: str = "") -> Response:
    address = url_for(".attachments_page", instrument_id=instrument_id, _anchor=anchor or None)
    response = redirect(address, code=303)
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response


def _show(instrument_id: int, form: Form, about: int | None = None) -> Response:
    instrument = _own(instrument_id)
    found = queries.of_instrument(instrument_id)
    page = render_template(
        "attachments/own.html",
        instrument=instrument,
        form=form,
        about=about,
        photos=found.get(AttachmentKind.PHOTO, ()),
        documents=found.get(AttachmentKind.DOCUMENT, ()),
        most_photos=MOST[AttachmentKind.PHOTO],
        most_documents=MOST[AttachmentKind.DOCUMENT],
        longest_caption=LONGEST_CAPTION,
        picture_kinds=",".join(sorted(PICTURES)),
        document_kinds=",".join(f".{ENDINGS[kind]}" for kind in sorted(DOCUMENTS)),
    )
    return forms.answer(form, page)
