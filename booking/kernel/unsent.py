"""A form that came after its session had ended: kept through the log-in, sent when confirmed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request

from booking.kernel import forms, http

ACTION, FIELDS = "unsent_action", "unsent_fields"
LONGEST = 60_000  # characters; whole forms of ours stay far below
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Unsent:
    """Where a form was going, and what stood in it."""

    action: str
    fields: Fields

    @property
    def endpoint(self) -> str:
        """Return what would answer it."""
        return http.endpoint_of(self.action, "POST") or ""

    @property
    def written(self) -> str:
        """Return the fields as a hidden field of the log-in form carries them."""
        return json.dumps(self.fields, ensure_ascii=False)


def of_request() -> Unsent | None:
    """Return the form of this request; None for one that must be made again.

    That is one with a password, or with files, which no page can carry through a log-in.
    """
    if request.mimetype == "multipart/form-data":
        return None
    fields = [
        (name, value) for name, value in request.form.items(multi=True) if name != forms.TOKEN
    ]
    return _kept(request.path, fields)


def carried() -> Unsent | None:
    """Return the form that the posted log-in form carries along, if it carries one of ours."""
    written = request.form.get(FIELDS, "")
    if not written or len(written) > LONGEST:
        return None
    try:
        pairs = json.loads(written)
        fields = [(name, value) for name, value in pairs]
    except (ValueError, TypeError, RecursionError):
        return None
    if not all(isinstance(part, str) for pair in fields for part in pair):
        return None
    return _kept(request.form.get(ACTION, ""), fields)


def _kept(action: str, fields: Fields) -> Unsent | None:
    found = Unsent(action, fields)
    view = current_app.view_functions.get(found.endpoint)
    # Only what asks who is there: nothing else is ever interrupted by a log-in.
    if not getattr(view, "needs_login", False) or len(found.written) > LONGEST:
        return None
    return None if any("password" in name for name, _ in fields) else found
