"""The REST ground: strict argument parsing, problem details, what the document is made from."""

from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask, Request, Response
from marshmallow import RAISE, fields
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import (
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from booking.kernel import http
from booking.kernel.schema import MoneyField

PREFIX = "/api/v1"


class StrictParser(FlaskParser):
    """Unknown arguments are refused in the address too; a body must be JSON and say so."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE, "query_or_json": RAISE}  # noqa: RUF012

    def load_json(self, req: Request, schema: Any) -> Any:
        """Return the body; BadRequest if it is not JSON, UnsupportedMediaType if it does not say.

        No body at all counts as an empty one: actions need none.
        """
        body = req.get_data(cache=True)
        if not body:
            return missing
        # Werkzeug cuts a chunked body at the limit without a word.
        if req.content_length is None and len(body) >= (req.max_content_length or len(body) + 1):
            raise RequestEntityTooLarge
        charset = req.mimetype_params.get("charset", "utf-8").lower()
        if not req.is_json or charset not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType
        return req.get_json()  # by our strict provider; read once for everybody who asks


class Blueprint(flask_smorest.Blueprint):
    """A blueprint of the API."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: Any, **options: Any) -> Any:
        """Do as flask-smorest, but with one schema for all requests instead of one for each."""
        return super().arguments(resolve_schema_instance(schema), **options)

    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        """Note what the decorators know and the document must say."""
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        for method, doc in self._docs[endpoint].items():
            if method == "parameters":
                continue
            manual = doc.setdefault("manual_doc", {})
            manual.setdefault("operationId", f"{self.name}.{endpoint}")
            if not getattr(obj, "needs_login", False):
                manual["security"] = []
            if getattr(obj, "takes_idempotency_key", False):
                manual["x-idempotent"] = True


class Api(flask_smorest.Api):
    """Errors as problem details, everything else as flask-smorest does it."""

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer like everywhere else."""
        return http.handle_http_exception(error)


def init_api(app: Flask, *blueprints: Blueprint) -> Api:
    """Mount the blueprints under /api/v1; `kernel.docs` serves the document."""
    app.config.update(API_TITLE="API", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    plugin = MarshmallowPlugin()
    api = Api(app, spec_kwargs={"marshmallow_plugin": plugin})
    plugin.converter.add_attribute_function(_money)  # type: ignore[union-attr]
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix=PREFIX)
    return api


def _money(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    """Document money by its shape instead of as anything."""
    if not isinstance(field, MoneyField):
        return {}
    money = {"$ref": "#/components/schemas/Money"}
    return {"anyOf": [money, {"type": "null"}]} if field.allow_none else money
