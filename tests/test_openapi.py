"""The OpenAPI document and its reading page say what is true, in both languages."""

import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from booking.kernel.docs import refusals
from booking.kernel.document import operations_of
from booking.kernel.examples import Examples
from booking.kernel.http import CODES

CHINESE, ENGLISH = {"Accept-Language": "zh-CN"}, {"Accept-Language": "en"}
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def documents(app):
    """The document in both languages."""
    read = app.test_client().get
    return {
        "zh": read("/api/v1/openapi.json", headers=CHINESE).get_json(),
        "en": read("/api/v1/openapi.json", headers=ENGLISH).get_json(),
    }


@pytest.fixture(scope="module")
def document(documents):
    return documents["zh"]


@pytest.fixture(scope="module")
def operations(document):
    """Every operation with its method, path and its path's own parameters."""
    return [
        (f"{method.upper()} {path}", operation, item.get("parameters", []))
        for path, item in document["paths"].items()
        for method, operation in operations_of(item)
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_document_is_valid_openapi_3_1(documents, language):
    assert documents[language]["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(documents[language]).validate()


def test_it_introduces_itself(document, app):
    info = document["info"]

    assert info["title"]
    assert info["version"]
    assert len(info["description"]) > 50
    assert document["servers"] == [{"url": app.config["BASE_URL"]}]


def test_it_covers_every_route_of_the_api(app, document):
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "openapi_json"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    described = {
        (path, method)
        for path, item in document["paths"].items()
        for method, _ in operations_of(item)
    }

    assert described == routes


def test_a_token_is_needed_unless_it_is_said_not_to_be(app, operations, document):
    assert document["security"] == [{"bearer": []}]
    for name, operation, _ in operations:
        view = app.view_functions[operation["operationId"]]
        public = operation.get("security") == []
        assert public is not getattr(view, "needs_login", False), name


def test_operation_ids_are_unique(operations):
    ids = [operation["operationId"] for _, operation, _ in operations]

    assert len(ids) == len(set(ids))


def test_the_idempotency_key_stands_where_it_is_taken(app, operations):
    reference = {"$ref": "#/components/parameters/IdempotencyKey"}
    for name, operation, _ in operations:
        view = app.view_functions[operation["operationId"]]
        taken = getattr(view, "takes_idempotency_key", False)
        assert (reference in operation.get("parameters", [])) is taken, name


def test_refusals_are_problem_details(operations, document):
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for name, operation, parameters in operations:
        refused = {
            status: answer
            for status, answer in operation["responses"].items()
            if not status.isdigit() or int(status) >= 400
        }
        for status, answer in refused.items():
            described = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            assert described["content"] == {"application/problem+json": problem}, (name, status)
        assert {"default", "503"} <= set(refused), name
        if operation.get("security") != []:
            assert {"401", "403", "404"} <= set(refused), name
        if any(parameter["in"] == "path" for parameter in parameters):
            assert "404" in refused, name
        if "requestBody" in operation:
            assert {"400", "409", "413", "415", "422"} <= set(refused), name


def test_text_and_numbers_that_come_in_are_bounded(operations, document):
    schemas = document["components"]["schemas"]
    unbounded = []
    for name, operation, parameters in operations:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for field, schema in fields_of(body.get("schema", {}), schemas):
            unbounded += [(name, field)] * (not bounded(schema))
        for parameter in [*parameters, *operation.get("parameters", [])]:
            if parameter.get("in") == "query":
                unbounded += [(name, parameter["name"])] * (not bounded(parameter["schema"]))

    assert unbounded == []


def fields_of(schema, schemas):
    """Yield every leaf of a body with its name."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for part in schema.get("anyOf", []):
        yield from fields_of(part, schemas)
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        if "$ref" in inner or "anyOf" in inner or "properties" in inner:
            yield from fields_of(inner, schemas)
        else:
            yield name, inner


def bounded(schema):
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "enum" in schema or "format" in schema or "pattern" in schema:
        return True
    if "string" in kinds:
        return "maxLength" in schema
    if kinds & {"integer", "number"}:
        return "minimum" in schema and "maximum" in schema
    return True


def test_nothing_in_an_address_may_be_null(operations):
    for name, operation, _ in operations:
        for parameter in operation.get("parameters", []):
            assert "null" not in str(parameter.get("schema", {}).get("type")), name


def test_every_example_fits_its_schema(document, operations, now):
    schemas = Registry().with_resource(
        "urn:document", Resource.from_contents(document, default_specification=DRAFT202012)
    )
    examples = Examples(document, today=now.at.date())
    for name, operation, _ in operations:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None or "$ref" not in body["schema"]:
            continue
        schema = {"$ref": f"urn:document{body['schema']['$ref']}"}
        validator = Draft202012Validator(schema, registry=schemas, format_checker=FormatChecker())
        assert list(validator.iter_errors(examples.of(body["schema"], sent=True))) == [], name


@pytest.mark.parametrize(("language", "is_chinese"), [("zh", True), ("en", False)])
def test_every_word_is_in_the_readers_language(documents, language, is_chinese):
    document = documents[language]
    told = {"title": document["info"]["title"], "description": document["info"]["description"]}
    for tag in document["tags"]:
        told[f"tag {tag['name']}"] = tag["x-title"] + tag["description"]
    for path, item in document["paths"].items():
        for method, operation in operations_of(item):
            assert operation["summary"], (method, path)
            told[f"{method} {path}"] = operation["summary"] + operation.get("description", "")
    for refusal in document["components"]["responses"].values():
        told[refusal["description"]] = refusal["description"]

    wrong = [name for name, text in told.items() if bool(HAN.search(text)) is not is_chinese]
    assert wrong == []


@pytest.mark.parametrize(("language", "is_chinese"), [("zh", True), ("en", False)])
def test_every_field_and_parameter_is_explained(documents, language, is_chinese):
    document = documents[language]
    told = {
        name: field.get("description", "")
        for schema in document["components"]["schemas"].values()
        for name, field in schema.get("properties", {}).items()
    }
    for item in document["paths"].values():
        given = [*item.get("parameters", [])]
        for _, operation in operations_of(item):
            given += operation.get("parameters", [])
        told |= {one["name"]: one.get("description", "") for one in given if "name" in one}

    wrong = [
        name for name, text in told.items() if not text or bool(HAN.search(text)) is not is_chinese
    ]
    assert sorted(wrong) == []


@pytest.mark.parametrize("headers", [CHINESE, ENGLISH])
def test_every_problem_type_has_its_place_on_the_page(app, headers):
    page = app.test_client().get("/api/docs", headers=headers)

    assert page.status_code == 200
    for refusal in refusals_in(app):
        assert f'id="error-{refusal.code}"' in page.text
    assert set(CODES.values()) <= {refusal.code for refusal in refusals_in(app)}


def refusals_in(app):
    with app.test_request_context():
        return refusals()


def test_every_anchor_on_the_page_leads_somewhere(app):
    page = app.test_client().get("/api/docs").text
    ids = re.findall(r'\bid="([^"]+)"', page)

    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert len(ids) == len(set(ids))


def test_every_operation_is_on_the_page(app, operations):
    page = app.test_client().get("/api/docs").text

    for _, operation, _ in operations:
        assert f'id="{operation["operationId"]}"' in page


def test_the_page_keeps_its_own_policy(app):
    page = app.test_client().get("/api/docs")

    assert "style=" not in page.text
    assert "<script" not in page.text
    assert "http://cdn" not in page.text
    assert not re.search(r'(src|href)="https?://', page.text)
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_page_can_be_had_in_english_by_its_address(app):
    page = app.test_client().get("/api/docs?lang=en", headers=CHINESE)

    assert '<html lang="en">' in page.text
    assert page.headers["Content-Language"] == "en"


def test_an_unchanged_page_is_not_sent_again(app):
    client = app.test_client()
    first = client.get("/api/docs", headers=CHINESE)

    again = client.get("/api/docs", headers=CHINESE | {"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert "Accept-Language" in first.headers["Vary"]
