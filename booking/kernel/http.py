"""What errors mean over HTTP (problem details), request ids, headers, JSON and access logs."""

import re
import secrets
import time
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import flask_babel
import structlog
from flask import Flask, Request, Response, current_app, g, jsonify, render_template, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.exceptions import NotFound as UnknownAddress
from werkzeug.routing import IntegerConverter

from booking.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, RuleViolation
from booking.kernel.messages import in_chinese
from booking.kernel.money import Money
from booking.kernel.schema import rfc3339
from booking.kernel.strictjson import StrictJson
from booking.kernel.text import N_, Text

log = structlog.get_logger("booking")

STATUS_OF = ((NotFound, 404), (NotAllowed, 403), (Conflict, 409), (RuleViolation, 422))
SENTENCES = {
    400: N_("请求无法读取。"),
    401: N_("请先登录，或提供有效的令牌。"),
    403: N_("您没有进行此操作的权限。"),
    404: N_("没有找到，或您无权查看。"),
    405: N_("此地址不支持这种请求方法。"),
    409: N_("与当前状态冲突。"),
    413: N_("提交的内容过大。"),
    415: N_("请以 application/json 提交。"),
    422: N_("有内容需要修改。"),
    429: N_("尝试次数过多，请稍后再试。"),
    500: N_("没有完成，请再试一次。如仍出现，请把编号告诉我们。"),
    503: N_("暂时无法处理，请稍后再试。"),
}
CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


class TooManyRequests(DomainError):
    """Tried too often; `retry_after` is in seconds."""

    code = "too_many_requests"
    sentence = SENTENCES[429]

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class CrossSite(NotAllowed):
    """Another site's page made a signed-in browser send this."""

    code = "cross_site"
    sentence = N_("此请求来自其他网站，未被执行。请在本站页面上操作。")


class BigIntConverter(IntegerConverter):
    """Ids in addresses: positive and within 64 bits, anything else is not found."""

    regex = "[0-9]+"  # werkzeug's own also takes digits of other scripts

    def __init__(self, url_map: Any) -> None:
        super().__init__(url_map, min=1, max=2**63 - 1)


def translate(message: Text | str) -> str:
    """Return the sentence in the caller's language; validators' own sentences are English."""
    if isinstance(message, Text):
        return message.render(gettext)
    locale = flask_babel.get_locale()
    if locale is not None and locale.language == "zh":
        return in_chinese(message)
    return str(gettext(message))


def plain(value: Any) -> Any:
    """Return details as JSON can carry them, sentences translated."""
    if isinstance(value, Text):
        return translate(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    return value


def problem(status: int, *, code: str, detail: str, **more: Any) -> Response:
    """Return problem details (RFC 9457)."""
    body = {
        "type": f"{current_app.config['BASE_URL']}/api/docs#error-{code}",
        "title": translate(SENTENCES.get(status, SENTENCES[400])),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.get("request_id"),
        **more,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if "retry_after" in more:
        response.headers["Retry-After"] = str(more["retry_after"])
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def wants_problem() -> bool:
    """Tell whether the caller is a program: the API, or anybody who asks for JSON."""
    return (
        request.path.startswith("/api/")
        or request.accept_mimetypes.best_match(["text/html", "application/json"])
        == "application/json"
    )


def refuse(status: int, *, code: str, detail: str, **more: Any) -> Response:
    """Answer a refusal as problem details, or as a page for people."""
    if wants_problem():
        return problem(status, code=code, detail=detail, **more)
    page = render_template(
        "error.html",
        status=status,
        code=code,
        detail=detail,
        retry_after=more.get("retry_after"),
        request_id=g.get("request_id", ""),
        back=came_from() if request.method == "POST" and status < 500 else "",
    )
    response = Response(page, status=status, content_type="text/html; charset=utf-8")
    if "retry_after" in more:
        response.headers["Retry-After"] = str(more["retry_after"])
    return response


def came_from(otherwise: str = "") -> str:
    """Return the page of ours on which the form or link stood, else `otherwise`."""
    found = urlsplit(request.referrer or "")
    if found.netloc != request.host or endpoint_of(found.path, "GET") is None:
        return otherwise
    return found.path + (f"?{found.query}" if found.query else "")


def endpoint_of(path: str, method: str) -> str | None:
    """Return what answers this address, or None if nothing does."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # noqa: S101 - there is a request
    try:
        endpoint, _ = adapter.match(path, method=method)
    except HTTPException:
        return None
    return str(endpoint)


def status_of(kind: type[DomainError]) -> int:
    """Return what the error means over HTTP."""
    if issubclass(kind, TooManyRequests):
        return 429
    return next((status for base, status in STATUS_OF if issubclass(kind, base)), 422)


def handle_domain_error(error: DomainError) -> Response:
    """A business "no"."""
    status = status_of(type(error))
    log.info("refused", code=error.code, status=status)
    return refuse(status, code=error.code, detail=translate(error.message), **plain(error.details))


def handle_validation_error(error: ValidationError) -> Response:
    """Malformed input, by field."""
    return invalid(error.normalized_messages())  # type: ignore[no-untyped-call]


def invalid(messages: Any) -> Response:
    """Answer with what is wrong in which field."""
    return refuse(
        422,
        code=CODES[422],
        detail=translate(SENTENCES[422]),
        errors=_translated(messages),
    )


def _translated(messages: Any) -> Any:
    if isinstance(messages, dict):
        return {str(key): _translated(part) for key, part in messages.items()}
    if isinstance(messages, list | tuple):
        return [_translated(part) for part in messages]
    return translate(messages if isinstance(messages, Text) else str(messages))


def handle_http_exception(error: HTTPException) -> Response:
    """What Flask and webargs refuse."""
    if isinstance(error.response, Response):
        return error.response
    messages = getattr(error, "data", {}).get("messages")
    if messages is not None:
        return invalid(_by_field(messages))
    status = error.code or 500
    sentence = translate(SENTENCES.get(status, SENTENCES[400]))
    response = refuse(status, code=CODES.get(status, CODES[400]), detail=sentence)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _by_field(messages: Any) -> dict[str, Any]:
    """Drop webargs' upper level: whether it stood in the body or the address is in the name."""
    places = messages if isinstance(messages, dict) else {"_schema": messages}
    fields: dict[str, Any] = {}
    for place, found in places.items():
        fields.update(found if isinstance(found, dict) else {place: found})
    return fields


def handle_database_busy(error: DBAPIError | PoolTimeout) -> Response:
    """A lock or statement timeout, or no connection: try again."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    log.warning("database_unavailable", sqlstate=state, error=str(error)[:200])
    return refuse(503, code=CODES[503], detail=translate(SENTENCES[503]), retry_after=1)


def handle_unstorable(error: DataError) -> Response:
    """A value no column can hold: a schema should have caught it, the caller is told plainly."""
    log.error("unstorable_value", exc_info=error, path=_logged_path())
    return refuse(400, code=CODES[400], detail=translate(SENTENCES[400]))


def handle_bug(error: Exception) -> Response:
    """Anything else is a bug: logged with its traceback, answered without one."""
    log.error("unhandled", exc_info=error, path=_logged_path())
    return refuse(500, code=CODES[500], detail=translate(SENTENCES[500]))


class _Visits(SecureCookieSessionInterface):
    """Flask's sessions, less the work for those who bring none: every program, most feeds."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the visit's session; a new one needs no key to be read."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def init_http(app: Flask) -> None:
    """Register handlers, converters, headers and the access log."""
    app.json = StrictJson(app)
    app.session_interface = _Visits()
    app.url_map.converters["id"] = BigIntConverter
    app.register_error_handler(DomainError, handle_domain_error)
    app.register_error_handler(ValidationError, handle_validation_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(OperationalError, handle_database_busy)
    app.register_error_handler(InterfaceError, handle_database_busy)
    app.register_error_handler(PoolTimeout, handle_database_busy)
    app.register_error_handler(DataError, handle_unstorable)
    app.register_error_handler(Exception, handle_bug)
    app.before_request(_begin)
    app.before_request(_refuse_cross_site)
    app.after_request(_finish)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    flask_babel.refresh()
    _refuse_unreadable_address()


def _refuse_unreadable_address() -> None:
    """No address of ours holds control characters, and a query is UTF-8 without NUL."""
    if not request.path.isprintable():
        raise UnknownAddress
    query = request.query_string
    if b"%" not in query:
        return
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError as exc:
        raise BadRequest from exc


def _refuse_cross_site() -> None:
    """Refuse what another site's page makes a signed-in browser send.

    Browsers say where a request comes from (Sec-Fetch-Site, Origin) and no page can change that.
    Without either it is no browser, and an Authorization header is never sent by itself.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"} or "Authorization" in request.headers:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        ours = origin is None or _is_ours(origin)
    if not ours:
        raise CrossSite


def _is_ours(origin: str) -> bool:
    host = origin.partition("://")[2].lower()
    return bool(host) and host in {request.host, urlsplit(current_app.config["BASE_URL"]).netloc}


_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
_OF_API = {"Cache-Control": "no-store"}


def _finish(response: Response) -> Response:
    headers = response.headers
    wanted = _ALWAYS | {"X-Request-Id": g.get("request_id", "")}
    if current_app.config["BASE_URL"].startswith("https:"):
        wanted |= _OVER_TLS
    if request.path.startswith("/api/"):
        wanted |= _OF_API
    # One pass: setdefault() would read all headers again for each.
    given = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating gives pairs
    for name, value in wanted.items():
        if name.lower() not in given:
            headers.add(name, value)
    if "began" in g and current_app.config["ACCESS_LOG"]:
        log.info(
            "request",
            method=request.method,
            path=_logged_path(),
            status=response.status_code,
            ms=round((time.perf_counter() - g.began) * 1000, 1),
        )
    return response


def _logged_path() -> str:
    """Return the path without secrets: a feed's address is its key."""
    return re.sub(r"(/calendars/feeds/)[^/]+", r"\1…", request.path)
