"""OpenAPI documents: each broken one is refused at its place, by one finding and no echoes."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from kernel.contract.document import parse
from registry.lint.document import lint

ANSWERS = {
    "200": {"description": "Done."},
    "400": {"description": "Refused.", "content": {"application/problem+json": {"schema": {"type": "object", "additionalProperties": True}}}},
    "429": {
        "description": "Too many.", "headers": {"Retry-After": {"schema": {"type": "integer"}}},
        "content": {"application/problem+json": {"schema": {"type": "object", "additionalProperties": True}}},
    },
}  # fmt: skip
SAMPLE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1", "description": "Orders.", "contact": {"name": "Laboratory"}},
    "security": [{"key": []}],
    "paths": {
        "/orders/{number}": {
            "parameters": [{"$ref": "#/components/parameters/Number"}],
            "get": {
                "operationId": "readOrder", "summary": "Read.", "responses": ANSWERS,
                "parameters": [{"name": "X-Ward", "in": "header", "description": "Ward.", "schema": {"type": "string", "maxLength": 4}}],
            },
            "put": {
                "operationId": "writeOrder", "summary": "Write.", "responses": copy.deepcopy(ANSWERS),
                "x-interlock-max-body": 2048,
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}, "example": {"unit": "W7"}}}},
            },
        }
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "parameters": {"Number": {"name": "number", "in": "path", "required": True, "description": "Number.", "schema": {"type": "string", "maxLength": 9}}},
        "schemas": {
            "Order": {
                "type": "object", "additionalProperties": False, "required": ["unit"], "description": "An order.",
                "properties": {"unit": {"type": "string", "maxLength": 4}},
            }
        },
    },
}  # fmt: skip
VERSIONS = ["3.0.3", "3.1.0", "3.2.0"]
GET = "/paths/~1orders~1{number}/get"
INVALID = "openapi-invalid"


def errors(root: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.pointer) for one in lint(root, "openapi") if one.severity == "error"]


def changed(pointer: str, value: Any, version: str) -> Any:
    made = copy.deepcopy(SAMPLE) | {"openapi": version}
    *path, last = [step.replace("~1", "/") for step in pointer.split("/")[1:]]
    node = made
    for step in path:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is ...:
        del node[last]
    elif isinstance(node, list):
        node[int(last) : int(last) + 1] = [value]
    else:
        node[last] = value
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_the_sample_is_perfect(version: str) -> None:
    assert lint(SAMPLE | {"openapi": version}, "openapi") == ()


BROKEN = [
    ("/info", ..., INVALID, ""),
    ("/info/title", ..., INVALID, "/info"),
    ("/info/version", 1, INVALID, "/info/version"),
    ("/nonsense", 1, INVALID, "/nonsense"),
    (f"{GET}/nonsense", 1, INVALID, f"{GET}/nonsense"),
    (f"{GET}/responses", {}, INVALID, f"{GET}/responses"),
    (f"{GET}/responses/200", {"descripton": "x", "description": "x"}, INVALID, f"{GET}/responses/200/descripton"),
    (f"{GET}/parameters/0/in", "head", INVALID, f"{GET}/parameters/0/in"),
    (f"{GET}/parameters/0/name", ..., INVALID, f"{GET}/parameters/0"),
    (f"{GET}/parameters/0/required", "yes", INVALID, f"{GET}/parameters/0/required"),
    ("/components/parameters/Number/required", ..., INVALID, "/components/parameters/Number"),
    ("/components/securitySchemes/key/type", "apikey", INVALID, "/components/securitySchemes/key/type"),
    ("/components/securitySchemes/key/name", ..., INVALID, "/components/securitySchemes/key"),
    ("/paths/orders", {}, INVALID, "/paths/orders"),
    (f"{GET}/parameters/0/$ref", "#/components/schemas/Order", "reference-kind-mismatch", f"{GET}/parameters/0"),
    (f"{GET}/parameters/1", {"$ref": "#/components/parameters/Gone"}, "reference-refused", f"{GET}/parameters/1"),
    (f"{GET}/parameters/1", {"name": "number", "in": "path", "required": True, "schema": {}}, None, ""),
    (f"{GET}/parameters/1", {"name": "ward", "in": "path", "required": True, "schema": {}}, "path-parameter-unused",
     f"{GET}/parameters/1"),
    (f"{GET}/parameters/1", {"name": "x-ward", "in": "header", "schema": {}}, "header-names-collide", f"{GET}/parameters/1"),
    (f"{GET}/parameters/1", {"name": "X-Ward", "in": "header", "description": "Ward.", "schema": {}}, "parameter-duplicate", f"{GET}/parameters/1"),
    (f"{GET}/operationId", "writeOrder", "operation-id-duplicate", "/paths/~1orders~1{number}/put/operationId"),
    (f"{GET}/security", [{"token": []}], "security-scheme-undeclared", f"{GET}/security/0/token"),
    ("/paths/~1orders~1{id}", {}, "path-duplicate", "/paths/~1orders~1{id}"),
    ("/tags", [{"name": "a"}, {"name": "a", "description": "A."}], "tag-duplicate", "/tags/1"),
    ("/servers", [{"url": "https://{site}.example"}], "server-variable-undeclared", "/servers/0/url"),
]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("pointer", "value", "rule", "place"),
    BROKEN,
    ids=[f"{number}-{row[2]}" for number, row in enumerate(BROKEN)],
)
def test_a_broken_document_is_refused_at_its_place_once(
    pointer: str, value: Any, rule: str | None, place: str, version: str
) -> None:
    root = changed(pointer, value, version)
    if pointer.endswith("/$ref"):
        root["paths"]["/orders/{number}"]["get"]["parameters"][0] = {"$ref": value}
    expected = [] if rule is None else [(rule, place)]
    assert errors(root) == expected


@pytest.mark.parametrize(
    ("version", "rule", "place"),
    [
        ("3.0.3", INVALID, "/components/schemas/Order/properties/unit/type"),
        ("3.1.0", "schema-invalid", "/components/schemas/Order/properties/unit/type"),
        ("3.2.0", "schema-invalid", "/components/schemas/Order/properties/unit/type"),
    ],
)
def test_a_schema_object_is_held_to_its_dialect(version: str, rule: str, place: str) -> None:
    assert errors(changed("/components/schemas/Order/properties/unit/type", "txt", version)) == [
        (rule, place)
    ]


def test_an_embedded_schema_of_another_dialect_is_judged_by_that_one() -> None:
    modern = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": ["string", "null"],
        "maxLength": 4,
        "const": "a",
    }
    assert errors(changed("/components/schemas/Ward", modern, "3.0.3")) == []
    assert errors(changed("/components/schemas/Ward", modern | {"maxLength": "4"}, "3.0.3")) == [
        ("schema-invalid", "/components/schemas/Ward/maxLength")
    ]
    older = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "maxItems": 1,
        "items": [{"type": "integer"}],
    }
    assert errors(changed("/components/schemas/Ward", older, "3.1.0")) == []
    unknown = {"$schema": "http://json-schema.org/draft-03/schema#"}
    assert errors(changed("/components/schemas/Ward", unknown, "3.1.0")) == [
        ("schema-invalid", "/components/schemas/Ward")
    ]


@pytest.mark.parametrize("version", ["2.0", "3.3.0", "4.0.0", "3.1", "three"])
def test_other_versions_are_refused(version: str) -> None:
    found = errors(SAMPLE | {"openapi": version})
    assert len(found) == 1
    assert found[0][1] == "/openapi"


def test_swagger_is_refused() -> None:
    assert errors({"swagger": "2.0", "info": {"title": "x", "version": "1"}, "paths": {}}) == [
        ("version-unsupported", "/swagger")
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_numbers_that_no_double_holds_are_no_trouble(version: str) -> None:
    text = b'{"type": "number", "maximum": 1e400, "minimum": 0.10000000000000000000000000001, "default": 123456789012345678901234567890}'
    number = parse(text).root
    assert any(isinstance(value, Decimal | int) for value in number.values())
    assert errors(changed("/components/schemas/Dose", number, version)) == []


def test_references_are_never_fetched() -> None:
    for ref in ("http://127.0.0.1:9/x.json", "file:///etc/hostname", "urn:interlock:schema:x"):
        root = changed("/components/schemas/Ward", {"$ref": ref}, "3.1.0")
        assert errors(root) == [("reference-refused", "/components/schemas/Ward")]


def test_line_and_column_come_from_the_document() -> None:
    text = b"openapi: 3.1.0\ninfo:\n  title: Orders\n  version: 1\npaths: {}\n"
    document = parse(text, name="orders.yaml")
    first = lint(document.root, "openapi", document=document)[0]
    assert (first.rule, first.source, first.line, first.column) == (INVALID, "orders.yaml", 4, 3)


def test_the_order_is_errors_then_warnings_then_notes() -> None:
    root = changed("/components/schemas/Order/additionalProperties", ..., "3.1.0")
    del root["paths"]["/orders/{number}"]["get"]["summary"]
    root["paths"]["/orders/{id}"] = {}
    assert [one.rule for one in lint(root, "openapi")] == [
        "path-duplicate", "operation-undescribed", "additional-properties-unstated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("patientId", True), ("patient_id", True), ("mrn", True), ("MRN", True), ("ssn", True), ("birthDate", True),
        ("dateOfBirth", True), ("family-name", True), ("name", True), ("nhsNumber", True), ("dob", True),
        ("status", False), ("filename", False), ("hostname", False), ("limit", False), ("inpatient", False),
        ("orderId", False), ("addressee", False),
    ],
)  # fmt: skip
def test_names_that_tell_who_a_patient_is(name: str, told: bool) -> None:
    query = [
        {
            "name": name,
            "in": "query",
            "description": "A.",
            "schema": {"type": "string", "pattern": "^[0-9]{9}$"},
        }
    ]
    root = changed(f"{GET}/parameters", query, "3.1.0")
    found = [one.rule for one in lint(root, "openapi") if one.rule != "parameter-naming"]
    assert found == (["identity-in-url"] if told else [])


def test_examples_in_every_place_are_judged() -> None:
    body = {
        "schema": {"$ref": "#/components/schemas/Order"},
        "examples": {"a": {"value": {"unit": "W12345"}}, "b": {"$ref": "#/components/examples/B"}},
    }
    root = changed("/components/examples", {"B": {"value": {}}, "C": {"value": {"unit": "W7"}}}, "3.1.0")
    root["paths"]["/orders/{number}"]["put"]["requestBody"]["content"]["application/json"] = body
    root["components"]["parameters"]["Number"]["example"] = "0123456789"
    root["components"]["schemas"]["Order"]["examples"] = [{"unit": "W7"}, {"ward": "W7", "unit": "W7"}]
    put = "/paths/~1orders~1{number}/put/requestBody/content/application~1json"
    assert {one.pointer for one in lint(root, "openapi") if one.rule == "example-invalid"} == {
        f"{put}/examples/a", f"{put}/examples/b", "/components/parameters/Number/example", "/components/schemas/Order/examples/1",
    }  # fmt: skip
    body["examples"] = {"text": {"value": '{"unit": "W7"}'}, "c": {"$ref": "#/components/examples/C"}}
    del (
        root["components"]["parameters"]["Number"]["example"],
        root["components"]["schemas"]["Order"]["examples"],
    )
    assert [one.rule for one in lint(root, "openapi")] == []
