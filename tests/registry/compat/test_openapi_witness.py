"""A break is shown as a whole request or answer that one version takes and the other refuses, as the proxy would."""

import json
import re

import pytest

from kernel.operation import schemas as operation_schemas
from kernel.operation.compile import compile_contract
from kernel.schema.validator import compile_schema
from kernel.settings import load
from registry.compat.policy import compare
from registry.compat.validators import Validators
from tests.registry.compat.ward import WARD, at, changed, ward

SETTINGS = load(environ={})
JSON = "application/json"
TOKEN = {"authorization": "Bearer <token with write>"}
KEY = {"x-key": "<key>"}
BOOKING = "/components/schemas/Booking"
POST = "/paths/~1beds/post"


def request(method, path, headers, **more):
    operation = f"{method} {re.sub('/beds/.*', '/beds/{id}', path)}"
    return {
        "kind": "request", "operation": operation, "method": method, "path": path, "headers": headers, **more,
    }  # fmt: skip


def booking(body, headers=TOKEN, content_type=JSON):
    return request("POST", "/beds", headers, content_type=content_type, body=body)


def answer(operation, status, body=None, headers=None, content_type=JSON):
    made = {"kind": "response", "operation": operation, "status": status, "headers": headers or {}}
    return made if body is None else {**made, "content_type": content_type, "body": body}


BED = {"id": "a", "state": "free"}
TABLE = {
    "a value of a body": (
        changed(f"{BOOKING}/properties/patient/maxLength", 10),
        "value-no-longer-accepted", booking({"patient": "x" * 11}), booking({"patient": "x" * 10}),
    ),
    "a property that is required": (
        changed(f"{BOOKING}/required/1", "nights"),
        "value-no-longer-accepted", booking({"patient": "x"}), booking({"patient": "x", "nights": 1}),
    ),
    "a value of a query": (
        changed("/components/parameters/Ward/schema/enum", ["east"]),
        "value-no-longer-accepted",
        request("GET", "/beds", KEY, query="ward=west"), request("GET", "/beds", KEY, query="ward=east"),
    ),
    "a value of a path": (
        changed("/paths/~1beds~1{id}/parameters/0/schema/maxLength", 4),
        "value-no-longer-accepted",
        request("GET", "/beds/xxxxx", KEY), request("GET", "/beds/xxxx", KEY),
    ),
    "a value that is sent": (
        changed("/components/schemas/State/enum/2", "cleaning"),
        "value-newly-emitted",
        answer("GET /beds", 200, [{"state": "cleaning", "id": ""}]),
        answer("GET /beds", 200, [{"state": "free", "id": ""}]),
    ),
    "an operation that is gone": (
        changed("/paths/~1beds~1{id}/delete", remove=True),
        "operation-removed", request("DELETE", "/beds/x", KEY), None,
    ),
    "a parameter that is required": (
        changed("/components/parameters/Ward/required", value=True),
        "parameter-required", request("GET", "/beds", KEY), request("GET", "/beds", KEY, query="ward=east"),
    ),
    "a header that is required": (
        changed(f"{POST}/parameters", [
            {"name": "X-Unit", "in": "header", "required": True, "schema": {"type": "integer", "minimum": 7}}
        ]),
        "parameter-required", booking({"patient": "x"}), booking({"patient": "x"}, {"x-unit": "7", **TOKEN}),
    ),
    "a media type that is gone": (
        changed("/components/requestBodies/Booking/content", {"application/vnd.ward+json": {}}),
        "request-media-type-removed", booking({"patient": "x"}), None,
    ),
    "a body that is gone": (
        changed(f"{POST}/requestBody", remove=True),
        "request-body-removed", booking({"patient": "x"}), None,
    ),
    "another alternative of security": (
        changed("/security", [{"key": [], "token": ["read"]}]),
        "security-tightened",
        request("GET", "/beds", KEY),
        request("GET", "/beds", {**KEY, "authorization": "Bearer <token with read>"}),
    ),
    "a further scope": (
        changed(f"{POST}/security/0/token/1", "read"),
        "security-tightened", booking({"patient": "x"}),
        booking({"patient": "x"}, {"authorization": "Bearer <token with read, write>"}),
    ),
    "a limit": (
        changed(f"{POST}/x-interlock-max-body", 1000),
        "limit-lowered",
        request("POST", "/beds", {**TOKEN, "content-length": "1001"}),
        request("POST", "/beds", {**TOKEN, "content-length": "1000"}),
    ),
    "an idempotency key": (
        changed(f"{POST}/x-interlock-idempotency", "required"),
        "idempotency-key-required", booking({"patient": "x"}),
        booking({"patient": "x"}, {**TOKEN, "idempotency-key": "0a1b2c3d"}),
    ),
    "an answer that is gone": (
        changed(f"{POST}/responses", {"202": {"description": "Later"}}),
        "response-removed", answer("POST /beds", 201, BED, {"location": "a"}), None,
    ),
    "a body of an answer that is gone": (
        changed("/paths/~1beds~1{id}/get/responses/200/content", {}),
        "response-body-removed", answer("GET /beds/{id}", 200), None,
    ),
    "a media type of an answer that is gone": (
        changed("/paths/~1beds~1{id}/get/responses/200/content", {"text/plain": {"schema": {"type": "string"}}}),
        "response-media-type-removed", answer("GET /beds/{id}", 200, BED), None,
    ),
    "a header of an answer that may be missing": (
        changed("/components/headers/Location/required", value=False),
        "response-header-optional", answer("POST /beds", 201, BED), answer("POST /beds", 201, BED, {"location": "a"}),
    ),
    "a header of an answer that is gone": (
        changed(f"{POST}/responses/201/headers", {}),
        "response-header-removed", answer("POST /beds", 201, BED), answer("POST /beds", 201, BED, {"location": "a"}),
    ),
}  # fmt: skip


def verdict(old, new):
    return compare(old, new, "openapi", settings=SETTINGS)


@pytest.mark.parametrize("name", TABLE)
def test_the_break_is_shown_as_a_whole_beside_the_nearest_that_both_take(name):
    new, rule, exchange, near = TABLE[name]
    found = next(f for f in verdict(WARD, new).findings if f.rule == rule)
    assert str(found.severity) == "breaking"
    assert found.exchange == exchange
    assert found.nearest_exchange == near


@pytest.mark.parametrize("name", TABLE)
def test_the_whole_documents_compiled_say_so_too(name):
    """Independently of how the engine builds and asks: the exchange is read from its own JSON form."""
    new, _, exchange, near = TABLE[name]
    answers = [judged(root, exchange) for root in (WARD, new)]
    emitted = {
        "value-newly-emitted",
        "response-body-removed",
        "response-header-optional",
        "response-header-removed",
    }
    assert answers == ([False, True] if TABLE[name][1] in emitted else [True, False])
    if near is not None:
        assert [judged(root, near) for root in (WARD, new)] == [True, True]


def judged(root, exchange):  # noqa: PLR0911 - one return for each thing that is looked at
    method, template = exchange["operation"].split(" ")
    contract = compile_contract(root)
    found = [o for o in contract.operations if (o.method.decode(), o.template) == (method, template)]
    if not found:
        return False
    operation = found[0]
    headers = [(name.encode(), text.encode()) for name, text in exchange["headers"].items()]
    body = b""
    if "body" in exchange:
        headers.append((b"content-type", exchange["content_type"].encode()))
        body = json.dumps(exchange["body"]).encode()
    if exchange["kind"] == "response":
        return not operation.check_response(exchange["status"], headers, body)
    length = int(exchange["headers"].get("content-length", len(body)))
    if operation.max_body is not None and length > operation.max_body:
        return False
    if operation.idempotency is not None and "idempotency-key" not in exchange["headers"]:
        return False
    have = set(re.findall(r"\w+", exchange["headers"].get("authorization", "")))
    shown = ({"key"} if "x-key" in exchange["headers"] else set()) | ({"token"} if have else set())
    admitted = any(
        set(one) <= shown and all(set(scopes) <= have for scopes in one.values())
        for one in operation.security
    )
    if not admitted and operation.security:
        return False
    pattern = re.sub(r"\{\w+\}", "([^/]+)", template)
    values = tuple(value.encode() for value in re.fullmatch(pattern, exchange["path"]).groups())
    if "content-length" in exchange["headers"]:
        return True
    return operation.check_request(values, exchange.get("query", "").encode(), headers, body) is None


def test_a_body_that_is_required_is_left_out():
    old = changed("/components/requestBodies/Booking/required", value=False)
    found = next(f for f in verdict(old, ward()).findings if f.rule == "request-body-required")
    assert found.exchange == request("POST", "/beds", TOKEN)
    assert found.nearest_exchange == booking({"patient": "x"})


def test_what_we_send_to_a_callback_is_shown_as_our_request():
    new = changed("/components/callbacks/Freed/{$request.body#~1notify}/post/requestBody/content/application~1json/schema",
                  {"type": "object"})  # fmt: skip
    found = next(
        f for f in verdict(WARD, new).findings if "callback" in f.what and f.rule == "value-newly-emitted"
    )
    assert found.direction == "emits"
    assert found.exchange["called"] is True
    assert found.exchange["body"] == found.witness
    back = verdict(new, WARD).findings
    assert not [f for f in back if "callback" in f.what and str(f.severity) != "safe"]


def test_an_answer_that_we_read_from_a_callback_is_shown_as_theirs():
    def heard(schema):
        base = "/components/callbacks/Freed/{$request.body#~1notify}/post/responses/204"
        return changed(base, {"description": "Heard", "content": {JSON: {"schema": schema}}})

    wide, narrow = heard({"type": "integer"}), heard({"type": "integer", "maximum": 5})
    wide["components"]["callbacks"]["Freed"] = json.loads(
        json.dumps(wide["components"]["callbacks"]["Freed"]).replace('"204"', '"200"')
    )
    narrow["components"]["callbacks"]["Freed"] = json.loads(
        json.dumps(narrow["components"]["callbacks"]["Freed"]).replace('"204"', '"200"')
    )
    found = next(f for f in verdict(wide, narrow).findings if str(f.severity) == "breaking")
    assert (found.rule, found.direction) == ("value-no-longer-accepted", "accepts")
    assert found.witness > 5
    assert found.exchange == {
        "kind": "response", "operation": "POST /", "status": 200, "headers": {}, "content_type": JSON, "body": found.witness,
        "called": True,
    }  # fmt: skip
    assert str(verdict(narrow, wide).outcome) == "compatible"


def test_another_break_of_the_same_operation_does_not_stand_in_the_witness():
    """The call that shows one break is taken by the new version in every other respect."""
    new = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    parent, _ = at(new, f"{POST}/responses")
    parent["parameters"] = [{"name": "unit", "in": "query", "required": True, "schema": {"type": "string"}}]
    found = {f.rule: f for f in verdict(WARD, new).findings}
    assert found["value-no-longer-accepted"].exchange == request(
        "POST", "/beds", TOKEN, query="unit=a", content_type=JSON, body={"patient": "x" * 11}
    )
    assert found["parameter-required"].nearest_exchange == request(
        "POST", "/beds", TOKEN, query="unit=a", content_type=JSON, body={"patient": "x"}
    )


def test_a_value_that_the_operation_takes_all_the_same_is_undecided():
    """Content that the contract itself leaves unchecked is refused by no proxy."""
    place = "/components/requestBodies/Booking/content/application~1json"
    old = changed(f"{place}/x-interlock-unchecked", value=True)
    new = changed(f"{place}/x-interlock-unchecked", value=True)
    new["components"]["schemas"]["Booking"]["properties"]["patient"]["maxLength"] = 10
    found = verdict(old, new)
    assert str(found.outcome) == "undecided"
    ours = [f for f in found.findings if f.engine == "interlock"]
    assert [(f.rule, f.has_witness, f.exchange) for f in ours] == [("witness-not-confirmed", False, None)]


@pytest.mark.parametrize(
    ("where", "style", "explode", "schema"),
    [
        ("query", "form", True, {"type": "array", "items": {"type": "string"}, "minItems": 2}),
        ("query", "form", False, {"type": "array", "items": {"type": "integer"}}),
        ("query", "pipeDelimited", False, {"type": "array", "items": {"type": "integer"}}),
        ("query", "spaceDelimited", False, {"type": "array", "items": {"type": "integer"}}),
        (
            "query",
            "deepObject",
            True,
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        ),
        (
            "query",
            "form",
            True,
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        ),
        ("path", "simple", False, {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        (
            "path",
            "simple",
            True,
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        ),
        ("path", "label", True, {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        ("path", "label", False, {"type": "integer"}),
        ("path", "matrix", False, {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        ("path", "matrix", True, {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        (
            "path",
            "matrix",
            True,
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        ),
        ("header", "simple", False, {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        (
            "header",
            "simple",
            True,
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        ),
        ("cookie", "form", False, {"type": "integer"}),
    ],
)
def test_parameters_of_every_style_are_written_as_the_operation_reads_them(where, style, explode, schema):
    root = ward()
    template = "/x/{p}" if where == "path" else "/x"
    parameter = {
        "name": "p",
        "in": where,
        "required": True,
        "style": style,
        "explode": explode,
        "schema": schema,
    }
    root["paths"][template] = {
        "get": {"parameters": [parameter], "responses": {"200": {"description": "Yes"}}}
    }
    without = ward()
    found = next(f for f in verdict(root, without).findings if f.rule == "operation-removed")
    assert found.exchange is not None
    assert judged(root, found.exchange)


def test_what_the_comparison_compiled_is_not_compiled_again_to_show_a_break(monkeypatch):
    compiled = []

    def counted(schema, **reading):
        compiled.append(schema)
        return compile_schema(schema, **reading)

    monkeypatch.setattr(operation_schemas, "compile_schema", counted)
    new = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    (found,) = [
        f for f in compare(WARD, new, "openapi", settings=SETTINGS).findings if f.exchange is not None
    ]
    assert found.exchange == booking({"patient": "x" * 11})
    assert {"$ref": "#/components/schemas/Booking"} not in compiled
    # Without them the same is compiled anew, and says the same.
    monkeypatch.setattr(Validators, "made", lambda *_: None)
    (again,) = [
        f for f in compare(WARD, new, "openapi", settings=SETTINGS).findings if f.exchange is not None
    ]
    assert again == found
    assert compiled.count({"$ref": "#/components/schemas/Booking"}) == 2
