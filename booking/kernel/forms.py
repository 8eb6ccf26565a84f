"""Forms of pages: their token, what was typed, and what is wrong beside the field it is about."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flask import Response, current_app, request, session
from marshmallow import EXCLUDE, Schema, ValidationError, pre_load
from werkzeug.datastructures import MultiDict

from booking.kernel import http
from booking.kernel.errors import DomainError, NotAllowed, NotFound
from booking.kernel.text import N_, Text

TOKEN = "form_token"  # noqa: S105 - the name of the field
ONCE = "once"
WHOLE = "_form"  # errors that are about no single field
REMEMBERED = 8


class FormExpired(NotAllowed):
    """The form was not made by this browser's visit, or long ago."""

    code = "form_expired"
    sentence = N_("这个页面打开得太久，还没有提交。已填内容还在，请再提交一次。")


class CookiesNeeded(NotAllowed):
    """The browser sent no cookie of ours at all."""

    code = "cookies_needed"
    sentence = N_("浏览器没有保存本站的 Cookie，无法登录和提交。请在浏览器设置中允许后再试。")


class FormSchema(Schema):
    """What a form sends: everything is text, and what was left empty was not filled in."""

    lists: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[Mapping[str, Text]] = {}

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        """Say of a field that was left empty what to fill in."""
        if field_name in self.required:
            field_obj.error_messages["required"] = self.required[field_name]

    @pre_load
    def drop_empty(self, given: MultiDict[str, str], **_: Any) -> dict[str, Any]:
        """Take fields that were left empty out, and gather the boxes that were ticked."""
        kept: dict[str, Any] = {name: value for name, value in given.items() if value.strip()}
        return kept | {name: given.getlist(name) for name in self.lists if given.getlist(name)}


@dataclass
class Form:
    """What was typed, what it means once nothing is wrong with it, and what is wrong by field."""

    values: MultiDict[str, str] = field(default_factory=MultiDict)
    data: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200
    retry_after: int | None = None

    def value(self, name: str, otherwise: str = "") -> str:
        """Return what was typed there."""
        return str(self.values.get(name, otherwise))

    def chose(self, name: str, value: str) -> bool:
        """Tell whether the box or option was chosen."""
        return value in self.values.getlist(name)

    def refuse(self, error: DomainError | ValidationError) -> None:
        """Take in a refusal: beside its fields if it names some, else for the whole form."""
        if isinstance(error, ValidationError):
            self._add(422, error.normalized_messages())  # type: ignore[no-untyped-call]
            return
        if isinstance(error, http.TooManyRequests):
            self.retry_after = error.details["retry_after"]
        by_field = error.details.get("errors") or {WHOLE: [error.message]}
        self._add(http.status_of(type(error)), by_field)

    def refuse_field(self, name: str, error: DomainError) -> None:
        """Take in a refusal that is about one field though it does not say so."""
        self._add(http.status_of(type(error)), {name: [error.message]})

    def _add(self, status: int, by_field: Mapping[str, Any]) -> None:
        self.status = status
        for name, found in by_field.items():
            own = WHOLE if name == "_schema" else name
            self.errors.setdefault(own, []).extend(http.translate(each) for each in _flat(found))

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Take in what is refused inside, so that the form can be shown again."""
        try:
            yield
        except NotFound:
            raise
        except (DomainError, ValidationError) as error:
            self.refuse(error)


def _flat(found: Any) -> Iterator[Text | str]:
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list | tuple):
        for part in found:
            yield from _flat(part)
    else:
        yield found


def answer(form: Form, page: str) -> Response:
    """Return the page that shows the form again, with the status of what was wrong."""
    response = Response(page, status=form.status, content_type="text/html; charset=utf-8")
    if form.retry_after is not None:
        response.headers["Retry-After"] = str(form.retry_after)
    return response


def read(schema: type[FormSchema]) -> Form:
    """Return what was posted, with all that is wrong with it; a lost token is one such thing."""
    form = Form(values=request.form)
    with form.refusals():
        # Forms carry more than we asked for: their token, the button pressed.
        form.data = dict(schema(unknown=EXCLUDE).load(request.form))
    with form.refusals():
        check_token()
    # As the page asks for them: schemas name their fields in that order.
    places = {name: place for place, name in enumerate(schema().fields)}
    form.errors = dict(sorted(form.errors.items(), key=lambda found: places.get(found[0], -1)))
    return form


def token() -> str:
    """Return the token of this browser's visit, for a hidden field in every form."""
    seed = session.setdefault("seed", secrets.token_urlsafe(16))
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"form {seed}".encode(), hashlib.sha256).hexdigest()


def check_token() -> None:
    """Raise FormExpired or CookiesNeeded unless the form is from a page of this visit.

    Stands beside the check of where a request comes from (kernel.http), for browsers too old to
    say that.
    """
    if not request.cookies:
        raise CookiesNeeded
    if not hmac.compare_digest(request.form.get(TOKEN, "").encode(), token().encode()):
        raise FormExpired


def once() -> str:
    """Return a key for a form whose result must not be made again by a reload."""
    return secrets.token_urlsafe(12)


def came_before() -> bool:
    """Tell whether this very form was posted before, and remember it."""
    key = request.form.get(ONCE, "")
    seen: list[str] = session.get("seen", [])
    if key in seen:
        return True
    session["seen"] = [*seen, key][-REMEMBERED:]
    return False


def safe_next(otherwise: str) -> str:
    """Return the address a form wants to lead to if it is one of ours, else `otherwise`."""
    wanted = request.values.get("next", "")
    # Browsers read a backslash as a slash, and //host as another site.
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return otherwise
    if not wanted.isprintable() or len(wanted) > 2000:
        return otherwise
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return otherwise
    return wanted if not parts.netloc and not parts.scheme else otherwise
