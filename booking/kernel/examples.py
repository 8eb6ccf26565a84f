"""Realistic values for the reading page's examples, by the names the API uses."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from booking.kernel.clock import CHINA

Json = dict[str, Any]

VALUES: Json = {
    "agency": "湖南省计量检测研究院",
    "amount": "288.00",
    "caption": "正面，带高温炉",
    "category": "0201",
    "category_code": "020101",
    "contact_email": "lab@example.cn",
    "contact_phone": "0731-85555555",
    "currency": "CNY",
    "email": "li@example.cn",
    "grounds": "培训考核记录 2026-118",
    "industry_code": "34",
    "inner_id": "SB-2024-0017",
    "institution": "12430000MB1234567G",
    "kind": "enterprise",
    "limit": 20,
    "location": "主楼 302 培训室",
    "login": "li@example.cn",
    "manager_name": "李明",
    "minutes": 120,
    "mobile": "13800001234",
    "model": "CMT5105",
    "name": "微机控制电子万能试验机",
    "note": "退款凭证 2026-118",
    "number": "R-000123",
    "password": "一个足够长的口令 2026",
    "purpose": "原材料拉伸试验",
    "q": "万能试验机",
    "reason": "样品未到",
    "reference": "HD20261125001",
    "what": "主轴异响",
    "answer": "已重新校零",
    "region": "4301",
    "region_code": "430100",
    "size_class": "small",
    "source": "股东名册，2026-10-08",
    "uscc": "91430100MA4L16KL6N",
    "version": 1,
    "zone": "Asia/Shanghai",
}
LATER_HOURS = {"ends_at": 2, "to": 24 * 7, "free_to": 24 * 7, "expires_at": 24 * 90}
DEEPEST = 4


class Examples:
    """Makes example values for schemas of one document; dates lie in the coming week."""

    def __init__(self, document: Json, *, today: date) -> None:
        self.schemas: Json = document["components"]["schemas"]
        wednesday = today + timedelta(days=(2 - today.weekday()) % 7 or 7)
        self.start = datetime.combine(wednesday, time(10), CHINA)

    def of(self, schema: Json, name: str = "", *, depth: int = 0, sent: bool = False) -> Any:
        """Return a value of the schema; `sent` leaves out what nobody needs to send."""
        schema = self.resolved(schema)
        if given := schema.get("examples"):
            return given[0]
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth=depth, sent=sent)
        if kind == "array":
            item = self.of(schema.get("items", {}), name, depth=depth + 1, sent=sent)
            return [] if depth >= DEEPEST or item in (None, {}) else [item]
        if "enum" not in schema and schema.get("format", "").startswith("date"):
            return self._instant(name, is_date=schema["format"] == "date", sent=sent)
        return self._usual(schema, name)

    def resolved(self, schema: Json) -> Json:
        """Return the schema itself, references and "or null" taken away."""
        if "$ref" in schema:
            return self.resolved(self.schemas[schema["$ref"].rpartition("/")[2]])
        for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
            if part.get("type") != "null":
                return self.resolved(part)
        return schema

    def _object(self, schema: Json, *, depth: int, sent: bool) -> Json:
        if depth >= DEEPEST:
            return {}
        required = set(schema.get("required", ()))
        return {
            name: self.of(field, name, depth=depth + 1, sent=sent)
            for name, field in schema.get("properties", {}).items()
            if not sent or name in required or name in VALUES
        }

    def _usual(self, schema: Json, name: str) -> Any:
        allowed = schema.get("enum")
        if name in VALUES and (not allowed or VALUES[name] in allowed):
            return VALUES[name]
        if allowed:
            return next(value for value in allowed if value is not None)
        by_kind: Json = {
            "boolean": True,
            "integer": max(schema.get("minimum", 1), 1),
            "number": 1,
            "string": "",
        }
        return by_kind.get(_kind(schema))

    def _instant(self, name: str, *, is_date: bool, sent: bool) -> str:
        instant = self.start + timedelta(hours=LATER_HOURS.get(name, 0))
        if is_date:
            return instant.date().isoformat()
        return instant.isoformat() if sent else f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _kind(schema: Json) -> str:
    kinds = schema.get("type", "object" if "properties" in schema else "")
    if isinstance(kinds, list):
        return next((kind for kind in kinds if kind != "null"), "")
    return str(kinds)
