"""What the reading page shows of the OpenAPI document: tables, limits and examples."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from booking.kernel import document, http
from booking.kernel.examples import Examples
from booking.kernel.text import N_, Text

Json = dict[str, Any]

KINDS: dict[str, Text] = {
    "string": N_("文本"),
    "integer": N_("整数"),
    "number": N_("数字"),
    "boolean": N_("真假值"),
    "array": N_("列表"),
    "object": N_("对象"),
    "date-time": N_("时间"),
    "date": N_("日期"),
    "": N_("任意"),
}
PLACES: dict[str, Text] = {
    "path": N_("地址中"),
    "query": N_("问号后"),
    "header": N_("请求头"),
}
DEEPEST = 3


@dataclass(frozen=True)
class Row:
    """A line of a table of parameters or fields."""

    name: str
    kind: str
    required: bool
    limits: str
    description: str
    place: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Operation:
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    public: bool
    parameters: list[Row]
    body: list[Row]
    status: str
    answer: list[Row]
    refusals: list[tuple[str, str]]  # status, and the code its chip leads to
    curl: str
    example: str


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    id: str
    title: str
    description: str
    operations: list[Operation]


class Reader:
    """Turns the document into groups of operations with tables and examples."""

    def __init__(self, described: Json, *, today: date) -> None:
        self.document = described
        self.examples = Examples(described, today=today)

    def groups(self) -> list[Group]:
        """Return the operations by tag."""
        by_tag: dict[str, list[Operation]] = {tag["name"]: [] for tag in self.document["tags"]}
        for path, item in self.document["paths"].items():
            for method, operation in document.operations_of(item):
                shared = item.get("parameters", [])
                for tag in operation["tags"]:
                    by_tag[tag].append(self._operation(path, method, operation, shared))
        return [
            Group(f"tag-{tag['name']}", tag["x-title"], tag["description"], by_tag[tag["name"]])
            for tag in self.document["tags"]
        ]

    def _operation(self, path: str, method: str, operation: Json, shared: list[Json]) -> Operation:
        parameters = [
            self._parameter(given) for given in [*shared, *operation.get("parameters", [])]
        ]
        sent = _schema(operation.get("requestBody", {}))
        status, answer = next(iter(operation["responses"].items()))
        returned = _schema(answer)
        return Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            description=operation.get("description", ""),
            public=operation.get("security") == [],
            parameters=parameters,
            body=self._fields(sent),
            status=f"{status} {answer.get('description', '')}".strip(),
            answer=self._fields(returned),
            refusals=[
                (status, http.CODES[int(status)])
                for status in operation["responses"]
                if status.isdigit() and status >= "400"
            ],
            curl=self._curl(path, method, operation, parameters),
            example=_pretty(self.examples.of(returned)) if returned else "",
        )

    def _parameter(self, parameter: Json) -> Row:
        if "$ref" in parameter:
            name = parameter["$ref"].rpartition("/")[2]
            parameter = self.document["components"]["parameters"][name]
        schema = parameter["schema"]
        return Row(
            name=parameter["name"],
            kind=_kind(schema),
            required=parameter.get("required", False),
            limits=_limits(schema),
            description=parameter.get("description", ""),
            place=http.translate(PLACES[parameter["in"]]),
        )

    def _fields(self, schema: Json, depth: int = 0) -> list[Row]:
        schema = self.examples.resolved(schema)
        if schema.get("type") == "array":
            return self._fields(schema.get("items", {}), depth)
        rows: list[Row] = []
        for name, given in schema.get("properties", {}).items():
            field = self.examples.resolved(given)
            rows.append(
                Row(
                    name=name,
                    kind=_kind(given if "type" in given else field),
                    required=name in schema.get("required", ()),
                    limits=_limits(field),
                    description=given.get("description", field.get("description", "")),
                    depth=depth,
                )
            )
            if depth < DEEPEST:
                rows += self._fields(_inner(field), depth + 1)
        return rows

    def _curl(self, path: str, method: str, operation: Json, parameters: list[Row]) -> str:
        server = self.document["servers"][0]["url"]
        query = "&".join(self._query(operation))
        for row in parameters:
            path = path.replace(f"{{{row.name}}}", str(self.examples.of({}, row.name) or 1))
        lines = [f'"{server}{path}{"?" + query if query else ""}"']
        if method != "get":
            lines.insert(0, f"-X {method.upper()}")
        if operation.get("security") != []:
            lines.append('-H "Authorization: Bearer $TOKEN"')
        if any(row.name == "Idempotency-Key" for row in parameters):
            lines.append('-H "Idempotency-Key: $(uuidgen)"')
        if sent := _schema(operation.get("requestBody", {})):
            body = json.dumps(self.examples.of(sent, sent=True), ensure_ascii=False, indent=2)
            lines += ['-H "Content-Type: application/json"', f"-d '{body}'"]
        return "curl " + " \\\n  ".join(lines)

    def _query(self, operation: Json) -> list[str]:
        """Return the parameters that are needed, or else the first that has a telling value."""
        given = [p for p in operation.get("parameters", ()) if p.get("in") == "query"]
        needed = [p for p in given if p.get("required")]
        return [
            f"{p['name']}={self.examples.of(p['schema'], p['name'], sent=True)}".replace("+", "%2B")
            for p in needed or [p for p in given if p["name"] == "q"]
        ]


def _schema(part: Json) -> Json:
    """Return the JSON schema of a body or an answer; empty if there is none."""
    schema: Json = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _inner(field: Json) -> Json:
    inner: Json = field.get("items", {}) if field.get("type") == "array" else field
    return inner


def _kind(schema: Json) -> str:
    kinds = schema.get("type", "")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    kind = next((kind for kind in kinds if kind != "null"), "")
    if not kind and ("properties" in schema or "$ref" in schema):
        kind = "object"
    named = http.translate(KINDS.get(schema.get("format", kind), KINDS[kind]))
    return f"{named} / null" if "null" in kinds else named


def _limits(schema: Json) -> str:
    """Return what bounds a value, in a few signs."""
    parts = []
    if "enum" in schema:
        parts.append(" · ".join(str(value) for value in schema["enum"] if value is not None))
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and high < 2**53:
        parts.append(f"{low}–{high}" if low is not None else f"≤ {high}")
    if "maxLength" in schema:
        low, high = schema.get("minLength", 0), schema["maxLength"]
        parts.append(http.translate(N_("%(low)s–%(high)s 字", low=low, high=high)))
    if schema.get("default") not in (None, ""):
        default = json.dumps(schema["default"], ensure_ascii=False)
        parts.append(http.translate(N_("默认 %(default)s", default=default)))
    return "；".join(parts)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
