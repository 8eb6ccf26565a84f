"""The OpenAPI document in the reader's language, finished from what the decorators noted."""

import copy
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask_babel import Domain

from booking.kernel.http import SENTENCES, translate
from booking.kernel.text import N_

Json = dict[str, Any]

# English docstrings -> Chinese, Chinese tags -> English, and what each field name means.
_words = Domain(domain="api")

TITLE = N_("仪器共享服务 API")
DESCRIPTION = N_(
    "查找真实的检测仪器，查看空闲时间与价格，预约并订阅日历。"
    "时间一律为 RFC 3339：传入须带时区偏移，返回为 UTC（…Z）。"
    '金额为 {"amount": "12.50", "currency": "CNY"}。未知字段一律拒绝。'
    "列表返回 items 和 next_cursor，以 limit 和 cursor 翻页。"
)
BEARER = N_("命令 booking token create 或 POST /api/v1/tokens 签发的令牌。")
KEY = N_("同一个键加同样的内容，24 小时内只执行一次，之后返回当时的答复。建议用 UUID。")
UNEXPECTED = N_("其他错误。")
PROBLEM = N_("RFC 9457 问题说明。code 稳定，供程序判断；detail 供人阅读。")
RETRY_AFTER = N_("多少秒后可以再试。")


def build(raw: Json, *, base_url: str) -> Json:
    """Return the finished document in the language of the request."""
    document = copy.deepcopy(raw)
    document["info"] |= {
        "title": translate(TITLE),
        "version": "1.0.0",
        "description": translate(DESCRIPTION),
        "contact": {"url": f"{base_url}/api/docs"},
    }
    document["servers"] = [{"url": base_url}]
    document["security"] = [{"bearer": []}]
    _finish_components(document.setdefault("components", {}), base_url)
    used = set()
    for path in document["paths"].values():
        for _, operation in operations_of(path):
            _finish_operation(operation, _has_id(path))
            used.update(operation["tags"])
    document["tags"] = [_tag(tag) for tag in document.get("tags", []) if tag["name"] in used]
    _describe(document)
    return document


def operations_of(path: Json) -> Iterator[tuple[str, Json]]:
    """Yield method and operation of a path item."""
    for method in ("get", "post", "put", "patch", "delete"):
        if method in path:
            yield method, path[method]


def word(context: str, name: str) -> str | None:
    """Return what the catalogue says about a name in this context, or None."""
    found = str(_words.pgettext(context, name))
    return None if found == name else found


def _said(text: str) -> str:
    """Return the text in the reader's language, or as it is."""
    return str(_words.gettext(text)) if text else ""


def _tag(tag: Json) -> Json:
    described = _said(tag["description"]) or tag["name"]
    title, _, rest = described.replace(": ", "：").partition("：")
    return {"name": tag["name"], "x-title": title.strip(), "description": rest.strip()}


def _finish_operation(operation: Json, has_id: bool) -> None:
    for part in ("summary", "description"):
        if part in operation:
            operation[part] = _said(" ".join(operation[part].split()))
    public = operation.get("security") == []
    answers = {
        status: answer for status, answer in operation["responses"].items() if _is_success(status)
    }
    for status, answer in answers.items():
        answer["description"] = _said(HTTPStatus(int(status)).phrase)
    for status in _refusals(operation, public=public, has_id=has_id):
        answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = answers | {"default": {"$ref": "#/components/responses/Problem"}}
    for parameter in operation.get("parameters", ()):
        _without_null(parameter)
    if operation.pop("x-idempotent", False):
        operation.setdefault("parameters", []).append(
            {"$ref": "#/components/parameters/IdempotencyKey"}
        )


def _is_success(status: str) -> bool:
    return str(status).isdigit() and int(status) < 400


def _refusals(operation: Json, *, public: bool, has_id: bool) -> Iterator[int]:
    writes = "requestBody" in operation or "x-idempotent" in operation
    if writes or operation.get("parameters"):
        yield 400
    if not public:
        yield from (401, 403)
    if has_id or not public:
        yield 404
    if writes:
        yield from (409, 413, 415)
    if writes or operation.get("parameters"):
        yield 422
    if writes and public:
        yield 429
    yield 503


def _has_id(path: Json) -> bool:
    return any(parameter.get("in") == "path" for parameter in path.get("parameters", ()))


def _without_null(parameter: Json) -> None:
    """In an address nothing is null: leaving the parameter out is how to say nothing."""
    schema = parameter.get("schema", {})
    if schema.get("default", 0) is None:
        del schema["default"]
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]


def _finish_components(components: Json, base_url: str) -> None:
    schemas = components.setdefault("schemas", {})
    for name in ("Error", "PaginationMetadata"):
        schemas.pop(name, None)
    schemas["Money"] = {
        "type": "object",
        "required": ["amount", "currency"],
        "properties": {
            "amount": {
                "type": "string",
                "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,2})?$",
                "examples": ["12.50"],
            },
            "currency": {"type": "string", "enum": ["CNY"]},
        },
        "additionalProperties": False,
    }
    schemas["Problem"] = _problem(base_url)
    components["responses"] = {"Problem": _refusal(translate(UNEXPECTED))} | {
        f"Problem{status}": _refusal(translate(sentence), retry=status in {429, 503})
        for status, sentence in SENTENCES.items()
    }
    components["parameters"] = {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": translate(KEY),
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "pattern": "^[ -~]+$",
                "examples": ["7b1f0c9e-5d0a-4f0e-9c51-3a6f7f1c2d10"],
            },
        }
    }
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": translate(BEARER)}
    }


def _refusal(description: str, *, retry: bool = False) -> Json:
    answer: Json = {
        "description": description,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    if retry:
        answer["headers"] = {
            "Retry-After": {
                "description": translate(RETRY_AFTER),
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    return answer


def _problem(base_url: str) -> Json:
    return {
        "type": "object",
        "description": translate(PROBLEM),
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri",
                "examples": [f"{base_url}/api/docs#error-slot_taken"],
            },
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {"type": "string", "examples": ["slot_taken"]},
            "detail": {"type": "string"},
            "request_id": {"type": ["string", "null"]},
            "errors": {"type": "object", "additionalProperties": True},
        },
        "additionalProperties": True,
    }


def _describe(document: Json) -> None:
    """Write beside each field and parameter what its name means."""
    for schema in document["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            if "enum" in field and "type" not in field:
                field["type"] = ["string", "null"] if None in field["enum"] else "string"
            if meaning := word("field", name):
                field.setdefault("description", meaning)
    for path in document["paths"].values():
        parameters = list(path.get("parameters", ()))
        for _, operation in operations_of(path):
            parameters += operation.get("parameters", ())
        for parameter in parameters:
            if "name" in parameter and (meaning := word("field", parameter["name"])):
                parameter.setdefault("description", meaning)


def docstring(text: str) -> str:
    """Return the first paragraph of an English docstring in the reader's language."""
    return _said(" ".join(text.split("\n\n", maxsplit=1)[0].split()))
