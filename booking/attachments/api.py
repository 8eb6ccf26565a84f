"""REST for photos and documents of instruments; their contents are fetched from their `url`."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from booking.accounts.auth import caller, caller_or_none
from booking.attachments import queries, service
from booking.attachments.models import Attachment
from booking.attachments.rules import AttachmentKind
from booking.attachments.schemas import (
    AttachmentOut,
    AttachmentPatch,
    AttachmentQuery,
    AttachmentsOut,
)
from booking.kernel import uploads
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.registry import queries as registry

bp = Blueprint("attachments", __name__, description="仪器的照片和文件")
Headers = dict[str, str]
_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@bp.get("/instruments/<id:instrument_id>/attachments")
@bp.doc(security=[])
@bp.response(200, AttachmentsOut)
def index(instrument_id: int) -> Mapping[str, Sequence[Attachment]]:
    """List an instrument's photos and documents."""
    registry.get_instrument(instrument_id, caller=caller_or_none())
    found = queries.of_instrument(instrument_id)
    return {"items": [each for kind in AttachmentKind for each in found.get(kind, ())]}


@bp.post("/instruments/<id:instrument_id>/attachments")
@login_required
@uploads.large
@idempotent
@bp.doc(requestBody=_BODY)
@bp.arguments(AttachmentQuery, location="query")
@bp.response(201, AttachmentOut)
def attach(query: dict[str, Any], instrument_id: int) -> tuple[Attachment, Headers]:
    """Attach a photo or document; the body is the file itself, up to 20 MB.

    Its content says what it is, whatever its name or Content-Type. Photos are made anew from
    their pixels, upright and without what the camera noted.
    """
    with transaction():
        made = service.attach(instrument_id, content=uploads.body(), **query, caller=caller())
    return made, {"Location": url_for(".index", instrument_id=instrument_id)}


@bp.patch("/instruments/<id:instrument_id>/attachments/<id:attachment_id>")
@login_required
@bp.arguments(AttachmentPatch)
@bp.response(200, AttachmentOut)
def change(data: dict[str, Any], instrument_id: int, attachment_id: int) -> Attachment:
    """Word a photo or document anew, or put it at another place among its kind."""
    with transaction():
        return service.change(instrument_id, attachment_id, **data, caller=caller())


@bp.delete("/instruments/<id:instrument_id>/attachments/<id:attachment_id>")
@login_required
@bp.response(204)
def remove(instrument_id: int, attachment_id: int) -> None:
    """Take a photo or document off an instrument."""
    with transaction():
        service.remove(instrument_id, attachment_id, caller=caller())
