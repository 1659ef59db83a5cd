"""Changes of an API, one at a time, and what they must be called; both directions where there are two."""

import copy
import json

import pytest

from kernel.settings import load
from registry.compat.policy import compare

SETTINGS = load(environ={})


def base(version="3.0.3"):
    order = {
        "type": "object",
        "required": ["code", "quantity"],
        "properties": {
            "code": {"type": "string", "maxLength": 20},
            "quantity": {"type": "integer", "minimum": 1, "maximum": 10},
            "priority": {"type": "string", "enum": ["routine", "urgent"]},
            "note": {"type": "string"},
        },
    }
    receipt = {
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": {"type": "string", "maxLength": 40},
            "state": {"type": "string", "enum": ["placed", "done"]},
            "remark": {"type": "string"},
        },
    }
    return {
        "openapi": version,
        "info": {"title": "Orders", "version": "1.0.0"},
        "servers": [{"url": "https://lab.example/v1"}],
        "security": [{"key": []}],
        "paths": {
            "/orders": {
                "post": {
                    "operationId": "place",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                    },
                    "responses": {
                        "201": {
                            "description": "Placed",
                            "headers": {"X-Receipt": {"required": True, "schema": {"type": "string"}}},
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}
                            },
                        },
                        "422": {"description": "Refused"},
                    },
                },
                "get": {
                    "operationId": "find",
                    "parameters": [
                        {
                            "name": "state",
                            "in": "query",
                            "schema": {"type": "string", "enum": ["placed", "done"]},
                        },
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 50}},
                        {
                            "name": "tags",
                            "in": "query",
                            "schema": {"type": "array", "items": {"type": "string"}},
                        },
                    ],
                    "responses": {
                        "200": {
                            "description": "Found",
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "type": "array",
                                        "items": {"$ref": "#/components/schemas/Receipt"},
                                    }
                                }
                            },
                        }
                    },
                },
            },
            "/orders/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {"operationId": "read", "responses": {"200": {"description": "One"}}},
            },
        },
        "components": {
            "schemas": {"Order": order, "Receipt": receipt},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "token": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": "https://id.example/t",
                            "scopes": {"r": "", "w": ""},
                        }
                    },
                },
            },
        },
    }


def put(path, value):
    def change(root):
        *steps, last = path.split("|")
        for step in steps:
            root = root[int(step)] if isinstance(root, list) else root.setdefault(step, {})
        if isinstance(root, list):
            root[int(last) : int(last) + 1] = [value]
        elif value is None:
            del root[last]
        else:
            root[last] = value

    return change


def both(*changes):
    def change(root):
        for one in changes:
            one(root)

    return change


POST, GET = "paths|/orders|post", "paths|/orders|get"
ORDER, RECEIPT = "components|schemas|Order", "components|schemas|Receipt"
BODY, ANSWER = f"{POST}|requestBody", f"{POST}|responses|201"
C, B, U = "compatible", "breaking", "undecided"
OBJECT = {"type": "object"}
RECEIPT_REF = {"$ref": "#/components/schemas/Receipt"}
CALLBACK = {
    "{$request.body#/url}": {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": RECEIPT_REF}}},
            "responses": {"200": {"description": "Taken"}},
        }
    }
}

# (name, change, verdict from base to changed, verdict back)
CHANGES = [
    ("description", put("info|description", "More words"), C, C),
    ("schema description and example", both(put(f"{ORDER}|description", "x"), put(f"{ORDER}|example", {"code": "K"})), C, C),
    ("extension", put(f"{POST}|x-team", "lab"), C, C),
    ("operation added", put("paths|/orders|delete", {"responses": {"204": {"description": "Gone"}}}), C, B),
    ("path added", put("paths|/tests", {"get": {"responses": {"200": {"description": "Tests"}}}}), C, B),
    ("operationId", put(f"{POST}|operationId", "placeOrder"), C, C),
    ("deprecated", put(f"{POST}|deprecated", True), C, C),
    # parameters
    ("optional parameter", put(f"{GET}|parameters|3", {"name": "ward", "in": "query", "schema": {"type": "string"}}), C, B),
    (
        "required parameter",
        put(f"{GET}|parameters|3", {"name": "w", "in": "query", "required": True, "schema": {"type": "string"}}),
        B, B,
    ),
    ("parameter required", put(f"{GET}|parameters|0|required", True), B, C),
    ("parameter enum narrowed", put(f"{GET}|parameters|0|schema|enum", ["placed"]), B, C),
    ("parameter limit raised", put(f"{GET}|parameters|1|schema|maximum", 100), C, B),
    ("parameter integer to string", put(f"{GET}|parameters|1|schema", {"type": "string"}), C, B),
    ("parameter integer to number", put(f"{GET}|parameters|1|schema|type", "number"), C, B),
    ("list parameter exploded otherwise", put(f"{GET}|parameters|2|explode", False), B, B),
    ("scalar parameter exploded otherwise", put(f"{GET}|parameters|0|explode", False), C, C),
    ("path parameter renamed", both(
        lambda r: r["paths"].__setitem__("/orders/{number}", r["paths"].pop("/orders/{id}")),
        put("paths|/orders/{number}|parameters|0|name", "number")), C, C),
    ("header parameter in other case", put(f"{GET}|parameters|3", {"name": "X-A", "in": "header", "schema": {}}), C, B),
    # request bodies
    ("optional property", put(f"{ORDER}|properties|ward", {"type": "string"}), C, B),
    ("required property", both(put(f"{ORDER}|properties|ward", {"type": "string"}),
                               put(f"{ORDER}|required", ["code", "quantity", "ward"])), B, B),
    ("property required", put(f"{ORDER}|required", ["code", "quantity", "note"]), B, C),
    ("property no longer required", put(f"{ORDER}|required", ["code"]), C, B),
    ("enum value added", put(f"{ORDER}|properties|priority|enum", ["routine", "urgent", "stat"]), C, B),
    ("maxLength lowered", put(f"{ORDER}|properties|code|maxLength", 10), B, C),
    ("maxLength dropped", put(f"{ORDER}|properties|code|maxLength", None), C, B),
    ("maximum raised", put(f"{ORDER}|properties|quantity|maximum", 20), C, B),
    ("integer to number", put(f"{ORDER}|properties|quantity|type", "number"), C, B),
    ("integer to string in a body", put(f"{ORDER}|properties|quantity", {"type": "string"}), B, B),
    ("multipleOf", put(f"{ORDER}|properties|quantity|multipleOf", 5), B, C),
    ("closed", put(f"{ORDER}|additionalProperties", False), B, C),
    ("values of additional properties", put(f"{ORDER}|additionalProperties", {"type": "integer"}), B, C),
    ("minProperties", put(f"{ORDER}|minProperties", 3), B, C),
    ("maxProperties", put(f"{ORDER}|maxProperties", 3), B, C),
    ("pattern added", put(f"{ORDER}|properties|code|pattern", "^[A-Z]+$"), B, C),
    ("format added", put(f"{ORDER}|properties|note|format", "date"), B, C),
    ("nullable", put(f"{ORDER}|properties|note|nullable", True), C, B),
    ("uniqueItems", both(put(f"{ORDER}|properties|tests", {"type": "array", "items": {"type": "string"}}),
                         put(f"{ORDER}|properties|tests|uniqueItems", True)), C, B),
    ("wrapped in allOf", lambda r: put(ORDER, {"allOf": [r["components"]["schemas"]["Order"]]})(r), C, C),
    ("moved to a component of another name", both(
        lambda r: r["components"]["schemas"].__setitem__("Request", r["components"]["schemas"].pop("Order")),
        put(f"{BODY}|content|application/json|schema|$ref", "#/components/schemas/Request")), C, C),
    ("written in place", put(f"{BODY}|content|application/json|schema", base()["components"]["schemas"]["Order"]), C, C),
    ("wrapped in oneOf with a string", put(
        f"{BODY}|content|application/json|schema", {"oneOf": [{"$ref": "#/components/schemas/Order"}, {"type": "string"}]}), C, B),
    ("media type added", put(f"{BODY}|content|application/cbor", {"schema": OBJECT}), C, B),
    ("media range", lambda r: r["paths"]["/orders"]["post"]["requestBody"].__setitem__(
        "content", {"application/*": r["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]}), C, B),
    ("body optional", put(f"{BODY}|required", False), C, B),
    ("body removed", put(BODY, None), B, B),
    # answers
    ("answer: optional property", put(f"{RECEIPT}|properties|ward", {"type": "string"}), C, C),
    ("answer: required property gone", both(put(f"{RECEIPT}|properties|state", None), put(f"{RECEIPT}|required", ["id"])), B, C),
    ("answer: property may be missing", put(f"{RECEIPT}|required", ["id"]), B, C),
    ("answer: enum value added", put(f"{RECEIPT}|properties|state|enum", ["placed", "done", "lost"]), B, C),
    ("answer: may be null", put(f"{RECEIPT}|properties|remark|nullable", True), B, C),
    ("answer: shorter ids", put(f"{RECEIPT}|properties|id|maxLength", 30), C, B),
    ("answer: other type", put(f"{RECEIPT}|properties|id", {"type": "integer"}), B, B),
    ("answer: closed", put(f"{RECEIPT}|additionalProperties", False), C, B),
    ("answer: object to array", put(f"{ANSWER}|content|application/json|schema", {"type": "array", "items": RECEIPT_REF}), B, B),
    ("status added", put(f"{POST}|responses|409", {"description": "Twice"}), C, C),
    ("success status replaced", lambda r: r["paths"]["/orders"]["post"]["responses"].__setitem__(
        "200", r["paths"]["/orders"]["post"]["responses"].pop("201")), B, B),
    ("status widened to its class", lambda r: r["paths"]["/orders"]["post"]["responses"].__setitem__(
        "2XX", r["paths"]["/orders"]["post"]["responses"].pop("201")), C, C),
    ("answer media type added", put(f"{ANSWER}|content|text/csv", {"schema": {"type": "string"}}), C, B),
    ("answer body gone", put(f"{ANSWER}|content", None), B, C),
    ("header optional", put(f"{ANSWER}|headers|X-Receipt|required", False), B, C),
    ("header gone", put(f"{ANSWER}|headers", None), B, C),
    ("header added", put(f"{ANSWER}|headers|X-Other", {"schema": {"type": "string"}}), C, C),
    ("header type", put(f"{ANSWER}|headers|X-Receipt|schema", {"type": "integer"}), C, B),
    # security
    ("public", put(f"{POST}|security", []), C, B),
    ("another way in", put(f"{POST}|security", [{"key": []}, {"token": ["r"]}]), C, B),
    ("both at once", put(f"{POST}|security", [{"key": [], "token": ["r"]}]), B, C),
    ("scheme replaced", put(f"{POST}|security", [{"token": ["r"]}]), B, B),
    ("key in another header", put("components|securitySchemes|key|name", "X-Key"), B, B),
    ("key in the same header, other case", put("components|securitySchemes|key|name", "x-api-key"), C, C),
    # what nobody can know
    ("server moved", put("servers|0|url", "https://lab.example/v2"), U, U),
    ("callback added", put(f"{POST}|callbacks|done", CALLBACK), U, B),
    ("an unknown key", put(f"{POST}|parallelism", 3), U, U),
    ("encoding", put(f"{BODY}|content|application/json|encoding", {"code": {"contentType": "text/plain"}}), C, C),
    ("link", put(f"{ANSWER}|links|read", {"operationId": "read"}), C, C),
    ("unused component", put("components|schemas|Ward", OBJECT), C, C),
]  # fmt: skip


def parameters_of_the_operation(r):
    p = r["paths"]["/orders/{id}"]
    p["get"]["parameters"] = p.pop("parameters")


def answer_by_reference(r):
    r["components"]["responses"] = {"Ok": r["paths"]["/orders"]["get"]["responses"]["200"]}
    r["paths"]["/orders"]["get"]["responses"]["200"] = {"$ref": "#/components/responses/Ok"}


def body_by_reference(r):
    r["components"]["requestBodies"] = {"B": r["paths"]["/orders"]["post"]["requestBody"]}
    r["paths"]["/orders"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/B"}


def parameter_by_reference(r):
    r["components"]["parameters"] = {"L": r["paths"]["/orders"]["get"]["parameters"][1]}
    r["paths"]["/orders"]["get"]["parameters"][1] = {"$ref": "#/components/parameters/L"}


def path_by_reference(r):
    r["components"]["pathItems"] = {"P": r["paths"]["/orders/{id}"]}
    r["paths"]["/orders/{id}"] = {"$ref": "#/components/pathItems/P"}


def parameters_reversed(r):
    r["paths"]["/orders"]["get"]["parameters"].reverse()


def media_type_with_charset(r):
    c = r["paths"]["/orders"]["post"]["requestBody"]["content"]
    c["application/json; charset=utf-8"] = c.pop("application/json")


def path_with_slash(r):
    r["paths"]["/orders/"] = r["paths"].pop("/orders")


def operation_with_parameter(r):
    r["paths"]["/orders/{id}"]["get"]["parameters"] = [
        {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
    ]


# (name, change, verdict there, verdict back, OpenAPI version)
REWRITES = [
    ("parameter moved to the operation", parameters_of_the_operation, C, C, "3.0.3"),
    ("answer by reference", answer_by_reference, C, C, "3.0.3"),
    ("body by reference", body_by_reference, C, C, "3.0.3"),
    ("parameter by reference", parameter_by_reference, C, C, "3.0.3"),
    ("path by reference", path_by_reference, C, C, "3.1.0"),
    ("parameters reversed", parameters_reversed, C, C, "3.0.3"),
    ("path with slash", path_with_slash, B, B, "3.0.3"),
    ("prop default", put(f"{ORDER}|properties|priority|default", "routine"), C, C, "3.0.3"),
    ("prop deprecated", put(f"{ORDER}|properties|note|deprecated", True), C, C, "3.0.3"),
    (
        "prop named description",
        both(put(f"{ORDER}|properties|description", {"type": "string"})),
        C,
        B,
        "3.0.3",
    ),
    ("enum order", put(f"{ORDER}|properties|priority|enum", ["urgent", "routine"]), C, C, "3.0.3"),
    ("req order", put(f"{ORDER}|required", ["quantity", "code"]), C, C, "3.0.3"),
    (
        "resp int32->64",
        both(put(f"{RECEIPT}|properties|n", {"type": "integer", "format": "int32"})),
        C,
        C,
        "3.0.3",
    ),
    ("3.1 type array", put(f"{ORDER}|properties|note|type", ["string", "null"]), C, B, "3.1.0"),
    ("3.1 const", put(f"{ORDER}|properties|priority", {"const": "routine"}), B, C, "3.1.0"),
    ("3.1 examples", put(f"{ORDER}|properties|note|examples", ["a"]), C, C, "3.1.0"),
    ("3.1 closed", put(f"{ORDER}|unevaluatedProperties", False), B, C, "3.1.0"),
    (
        "3.1 if",
        put(f"{ORDER}|if", {"properties": {"priority": {"const": "urgent"}}, "required": ["priority"]}),
        C,
        C,
        "3.1.0",
    ),
    (
        "3.1 if then",
        both(
            put(f"{ORDER}|if", {"properties": {"priority": {"const": "urgent"}}, "required": ["priority"]}),
            put(f"{ORDER}|then", {"required": ["note"]}),
        ),
        B,
        C,
        "3.1.0",
    ),
    ("3.1 dependentRequired", put(f"{ORDER}|dependentRequired", {"priority": ["note"]}), B, C, "3.1.0"),
    ("3.1 boolean prop", put(f"{ORDER}|properties|ban", False), C, C, "3.1.0"),
    (
        "3.1 prefixItems",
        put(f"{ORDER}|properties|l", {"type": "array", "prefixItems": [{"type": "string"}], "items": False}),
        C,
        B,
        "3.1.0",
    ),
    ("3.1 contentMediaType", put(f"{ORDER}|properties|note|contentMediaType", "text/html"), C, C, "3.1.0"),
    ("3.1 min exclusive", put(f"{ORDER}|properties|quantity|exclusiveMinimum", 1), B, C, "3.1.0"),
    ("3.1 $defs local", put(f"{ORDER}|$defs", {"x": {"type": "string"}}), C, C, "3.1.0"),
    ("3.2", lambda r: r.__setitem__("openapi", "3.2.0"), C, C, "3.1.0"),
    ("empty security alt", put(f"{POST}|security", [{"key": []}, {}]), C, B, "3.0.3"),
    ("scope added", put(f"{POST}|security", [{"token": ["r"]}]), B, B, "3.0.3"),
    ("default response", put(f"{POST}|responses|default", {"description": "x"}), C, C, "3.0.3"),
    ("desc of response", put(f"{POST}|responses|422|description", "x"), C, C, "3.0.3"),
    ("tag", put(f"{POST}|tags", ["a"]), C, C, "3.0.3"),
    (
        "2 props: one breaks",
        both(put(f"{ORDER}|properties|note|maxLength", 5), put(f"{ORDER}|properties|x", {"type": "string"})),
        B,
        B,
        "3.0.3",
    ),
    (
        "query string->array",
        put(
            f"{GET}|parameters|0|schema",
            {"type": "array", "items": {"type": "string", "enum": ["placed", "done"]}},
        ),
        C,
        B,
        "3.0.3",
    ),
    ("query enum->string", put(f"{GET}|parameters|0|schema", {"type": "string"}), C, B, "3.0.3"),
    (
        "query int-> number",
        put(f"{GET}|parameters|1|schema", {"type": "number", "maximum": 50}),
        C,
        B,
        "3.0.3",
    ),
    ("query int-> boolean", put(f"{GET}|parameters|1|schema", {"type": "boolean"}), B, B, "3.0.3"),
    ("path param pattern", put("paths|/orders/{id}|parameters|0|schema|pattern", "^[0-9]+$"), B, C, "3.0.3"),
    ("path param format", put("paths|/orders/{id}|parameters|0|schema|format", "uuid"), B, C, "3.0.3"),
    ("verbose", operation_with_parameter, C, B, "3.0.3"),
    ("summary", put(f"{POST}|summary", "x"), C, C, "3.0.3"),
    ("resp desc prop removed", put(f"{RECEIPT}|properties|remark", None), C, C, "3.0.3"),
    ("req prop removed", put(f"{ORDER}|properties|note", None), B, C, "3.0.3"),
    (
        "oneOf variants with tag",
        put(
            f"{ORDER}|properties|v",
            {
                "oneOf": [
                    {"type": "object", "required": ["k"], "properties": {"k": {"enum": ["a"]}}},
                    {"type": "object", "required": ["k"], "properties": {"k": {"enum": ["b"]}}},
                ]
            },
        ),
        C,
        B,
        "3.0.3",
    ),
]


def verdict(old, new):
    return compare(old, new, "openapi", settings=SETTINGS)


@pytest.mark.parametrize(
    ("change", "there", "back"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_a_change_is_called_what_it_is(change, there, back):
    old, new = base(), base()
    change(new)
    assert new != old
    forward, backward = verdict(old, new), verdict(new, old)
    assert (str(forward.outcome), str(backward.outcome)) == (there, back), [
        f.as_json() for f in forward.findings
    ]
    for found in (forward, backward):
        assert (str(found.required_bump) == "major") is (str(found.outcome) != C)


@pytest.mark.parametrize(
    ("change", "there", "back", "version"), [row[1:] for row in REWRITES], ids=[row[0] for row in REWRITES]
)
def test_other_ways_of_writing_and_words_of_3_1(change, there, back, version):
    old, new = base(version), base(version)
    change(new)
    forward, backward = verdict(old, new), verdict(new, old)
    assert (str(forward.outcome), str(backward.outcome)) == (there, back), [
        f.as_json() for f in forward.findings
    ]


def test_the_same_document_needs_no_new_version():
    found = verdict(base(), base())
    assert (str(found.outcome), str(found.required_bump), found.findings) == (C, "none", ())


def test_notes_ask_for_a_patch_and_additions_for_a_minor():
    old, noted, added = base(), base(), base()
    noted["info"]["description"] = "Words"
    added["paths"]["/tests"] = {"get": {"responses": {"200": {"description": "Tests"}}}}
    assert str(verdict(old, noted).required_bump) == "patch"
    assert str(verdict(old, added).required_bump) == "minor"


def test_a_callback_is_judged_the_other_way_round():
    old = base()
    put(f"{POST}|callbacks|done", CALLBACK)(old)
    wider = copy.deepcopy(old)
    put(f"{RECEIPT}|properties|state|enum", ["placed", "done", "lost"])(wider)
    found = verdict(old, wider)
    emitted = {f.direction for f in found.findings if f.rule == "value-newly-emitted"}
    assert (str(found.outcome), emitted) == (B, {"emits"})
    assert not any(f.rule == "value-no-longer-accepted" for f in found.findings)


def test_a_webhook_body_is_emitted():
    old = base("3.1.0")
    hook = {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": {"enum": ["a", "b"]}}}},
            "responses": {},
        }
    }
    old["webhooks"] = {"done": hook}
    new = copy.deepcopy(old)
    new["webhooks"]["done"]["post"]["requestBody"]["content"]["application/json"]["schema"]["enum"] = ["a"]
    assert str(verdict(old, new).outcome) == C
    assert str(verdict(new, old).outcome) == B


def test_3_0_and_3_1_of_one_api_are_the_same():
    old, new = base("3.0.3"), base("3.1.0")
    put(f"{RECEIPT}|properties|remark", {"type": "string", "nullable": True})(old)
    put(f"{RECEIPT}|properties|remark", {"type": ["string", "null"]})(new)
    assert str(verdict(old, new).outcome) == C
    assert str(verdict(new, old).outcome) == C


def test_a_break_carries_a_witness_that_the_old_schema_takes_and_the_new_one_refuses():
    old, new = base(), base()
    put(f"{ORDER}|properties|quantity|maximum", 5)(new)
    found = [f for f in verdict(old, new).findings if f.rule == "value-no-longer-accepted"]
    assert [(f.pointer, f.before, f.after, f.witness) for f in found] == [
        ("/components/schemas/Order/properties/quantity/maximum", 10, 5, {"code": "", "quantity": 6})
    ]


def test_one_change_of_a_shared_schema_is_one_finding_that_counts_its_operations():
    old, new = base(), base()
    put(f"{RECEIPT}|properties|id|maxLength", 60)(new)
    found = [f for f in verdict(old, new).findings if f.rule == "value-newly-emitted"]
    assert len(found) == 1
    assert found[0].what.endswith("(and in 1 more operation)")


def test_read_only_counts_in_3_0_and_is_undecided_in_3_1():
    for version, expected in (("3.0.3", B), ("3.1.0", U)):
        old, new = base(version), base(version)
        put(f"{ORDER}|properties|id", {"type": "string"})(old)
        put(f"{ORDER}|properties|id", {"type": "string", "readOnly": True})(new)
        put(f"{ORDER}|required", ["code", "quantity", "id"])(new)
        put(f"{ORDER}|required", ["code", "quantity", "id"])(old)
        assert str(verdict(old, new).outcome) == expected, version


def test_xml_names_count():
    old, new = base(), base()
    for root, name in ((old, "a"), (new, "b")):
        put(f"{BODY}|content", {"application/xml": {"schema": {"type": "object", "xml": {"name": name}}}})(
            root
        )
    assert str(verdict(old, new).outcome) == U
    put(f"{BODY}|content", {"application/json": {"schema": {"type": "object", "xml": {"name": "a"}}}})(old)
    put(f"{BODY}|content", {"application/json": {"schema": {"type": "object", "xml": {"name": "b"}}}})(new)
    assert str(verdict(old, new).outcome) == C


def test_findings_are_the_same_bytes_each_time():
    old, new = base(), base()
    for change in (CHANGES[10][1], CHANGES[24][1], CHANGES[50][1]):
        change(new)
    assert len({json.dumps(verdict(old, new).as_json()) for _ in range(3)}) == 1


def test_without_oasdiff_nothing_is_called_compatible():
    settings = load({"oasdiff": "/nonexistent/oasdiff"}, environ={})
    old, new = base(), base()
    new["info"]["description"] = "Words"
    found = compare(old, new, "openapi", settings=settings)
    assert str(found.outcome) == U
    assert [f.rule for f in found.findings if f.severity == "undecided"] == ["engine-missing"]


def test_swagger_2_is_not_compared():
    found = compare({"swagger": "2.0", "paths": {}}, {"swagger": "2.0", "paths": {"/a": {}}}, "openapi")
    assert [f.rule for f in found.findings] == ["kinds-differ"]


@pytest.mark.parametrize("broken", [
    put(f"{POST}|requestBody", "text"), put(f"{POST}|parameters", {"a": 1}), put("paths|/orders", [1]),
    put(f"{POST}|responses|201", {"$ref": "#/nowhere"}), put(f"{ORDER}|properties", [1]),
    put(f"{POST}|security", "none"), put(f"{POST}|security", [{"key": True}]), put(f"{ORDER}|type", "text"), put("paths", 3), put("components", []),
])  # fmt: skip
def test_malformed_documents_are_undecided_and_never_a_crash(broken):
    new = base()
    broken(new)
    for pair in ((base(), new), (new, base())):
        assert str(verdict(*pair).outcome) in {U, B}
