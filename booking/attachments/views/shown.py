"""What everybody sees: an instrument's photos in full size, and the files themselves."""

from flask import Response, render_template, request

from booking.accounts.auth import caller_or_none
from booking.attachments import queries
from booking.attachments.rules import AttachmentKind
from booking.attachments.views.frame import bp
from booking.files.gateway import store
from booking.kernel import downloads
from booking.kernel.errors import NotFound
from booking.registry import queries as registry

KEPT_SECONDS = 24 * 3600


@bp.get("/instruments/<id:instrument_id>/photos")
def photos(instrument_id: int) -> str:
    """Show an instrument's photos with their words."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    found = queries.of_kind(instrument_id, AttachmentKind.PHOTO)
    return render_template("attachments/photos.html", instrument=instrument, photos=found)


@bp.get("/instruments/<id:instrument_id>/attachments/<id:attachment_id>")
def download(instrument_id: int, attachment_id: int) -> Response:
    """Send a photo to be shown, or a document to be saved, to who may see the instrument."""
    found = queries.get_attachment(instrument_id, attachment_id, caller=caller_or_none())
    file = queries.content_of(found, is_small=request.args.get("size") == "small")
    try:
        content = store().open(file.sha256)
    except FileNotFoundError as exc:  # `booking verify` names it
        raise NotFound from exc
    is_photo = found.kind is AttachmentKind.PHOTO
    return downloads.send(
        content,
        name=found.name,
        media_type=file.media_type.value,
        etag=file.sha256,
        size=file.size,
        is_shown=is_photo,
        # Its address carries a piece of the hash: another content has another address.
        seconds=KEPT_SECONDS if is_photo and "v" in request.args else 0,
    )
