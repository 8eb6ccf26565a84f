"""Files that come with a form: more than other requests may carry, and read one at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from booking.kernel import forms
from booking.kernel.errors import RuleViolation
from booking.kernel.forms import Form, FormSchema
from booking.kernel.text import N_

P = ParamSpec("P")
R = TypeVar("R")

MOST_BYTES = 64 * 2**20  # of a whole request
LARGEST_FILE = 20 * 2**20
MOST_FILES = 20


class TooManyFiles(RuleViolation):
    """More files at once than may be."""

    code = "too_many_files"

    def __init__(self) -> None:
        super().__init__(N_("一次最多上传 %(most)s 个文件，请分几次上传。", most=MOST_FILES))


@dataclass(frozen=True)
class Upload:
    """What was chosen: its name as the browser says it, and its content.

    Of a file that is too large only the beginning is read: one byte more than may be.
    """

    name: str
    content: bytes


def large(view: Callable[P, R]) -> Callable[P, R]:
    """Let requests be as large as files need; stands above whatever reads the body."""

    @wraps(view)
    def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
        request.max_content_length = MOST_BYTES
        return view(*args, **kwargs)

    return roomy


def body() -> bytes:
    """Return the body, for addresses where it is the file itself."""
    return request.get_data(cache=True)


def read(schema: type[FormSchema]) -> Form:
    """Do as `forms.read` for a form with files; one that is too large says so."""
    try:
        return forms.read(schema)
    except RequestEntityTooLarge:
        form = Form()
        form.refuse(too_large())
        return form


def too_large() -> ValidationError:
    """Return what is wrong with a form whose files are too much together."""
    reason = N_("一次上传的文件合计不能超过 %(limit)s MB，请分几次上传。", limit=MOST_BYTES >> 20)
    return ValidationError([reason], forms.WHOLE)


def chosen(field: str) -> Upload | None:
    """Return the one file chosen in a field, or None."""
    return next(received(field), None)


def received(field: str) -> Iterator[Upload]:
    """Yield the files chosen in a field, one in memory at a time; a field left empty has none.

    Raises TooManyFiles.
    """
    chosen = [file for file in request.files.getlist(field) if file.filename]
    if len(chosen) > MOST_FILES:
        raise TooManyFiles
    for file in chosen:
        yield Upload(file.filename or "", file.stream.read(LARGEST_FILE + 1))
