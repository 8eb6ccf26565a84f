"""The API's own reading page, made on the server from the OpenAPI document; no script, no CDN."""

from dataclasses import dataclass
from typing import Any

import flask_babel
from flask import (
    Flask,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
)
from flask.wrappers import Response

from booking.kernel import clock, document, http
from booking.kernel.errors import DomainError
from booking.kernel.openapi import PREFIX, Api
from booking.kernel.reading import Reader

Json = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An error code with its status and what it means."""

    code: str
    status: int
    meaning: str


def init_docs(app: Flask, api: Api) -> None:
    """Serve the document and the page."""
    app.extensions["booking_openapi"] = api
    app.add_url_rule(f"{PREFIX}/openapi.json", "openapi_json", openapi_json)
    app.add_url_rule("/api/docs", "api_docs", page)


def openapi_json() -> Response:
    """Return the OpenAPI 3.1 document in the client's language."""
    return _varied(jsonify(_document()))


def page() -> Response:
    """Return the document as a page for people."""
    described = _document()
    reader = Reader(described, today=clock.today())
    text = render_template(
        "api/docs.html",
        document=described,
        groups=reader.groups(),
        refusals=refusals(),
        base_url=current_app.config["BASE_URL"],
        start=reader.examples.start,
    )
    return _varied(make_response(text))


def refusals() -> list[Refusal]:
    """Return every error code the program can answer with, by status and code."""
    found = {
        code: Refusal(code, status, http.translate(http.SENTENCES[status]))
        for status, code in http.CODES.items()
    }
    for kind in filter(_is_ours, _subclasses(DomainError)):
        meaning = document.docstring(kind.__doc__ or "")
        found.setdefault(kind.code, Refusal(kind.code, http.status_of(kind), meaning))
    return sorted(found.values(), key=lambda refusal: (refusal.status, refusal.code))


def _subclasses(kind: type[DomainError]) -> list[type[DomainError]]:
    below = [*kind.__subclasses__()]
    return below + [deeper for found in below for deeper in _subclasses(found)]


def _is_ours(kind: type[DomainError]) -> bool:
    return kind.__module__.partition(".")[0] == "booking"


def _document() -> Json:
    """Return the document in the language of the request, built once per language."""
    kept: dict[str, Json] = current_app.extensions.setdefault("booking_documents", {})
    language = str(flask_babel.get_locale())
    if language not in kept:
        api: Api = current_app.extensions["booking_openapi"]
        kept[language] = document.build(api.spec.to_dict(), base_url=current_app.config["BASE_URL"])
    return kept[language]


def _language() -> str:
    return str(flask_babel.get_locale().language)


def _varied(response: Response) -> Response:
    response.headers["Content-Language"] = _language()
    response.vary.add("Accept-Language")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
