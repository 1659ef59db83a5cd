"""Pairs of whole documents that a reviewer wrote, with the verdicts that the specifications give."""

from datetime import date

import pytest

from kernel.settings import load
from registry.compat.policy import compare
from registry.compat.policy_judge import Policy, judge

SETTINGS = load(environ={})
C, B, U = "compatible", "breaking", "undecided"
S, LIST = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
OK = {"description": "Found"}


def api(version="3.1.0", method="get", path="/beds", more=None, **operation):
    """Give a document of one operation."""
    return {
        "openapi": version,
        "info": {"title": "Ward", "version": "1.0.0"},
        "paths": {path: {method: {"responses": {"200": OK}, **operation}}},
        **(more or {}),
    }


def asked(schema=S, where="query", version="3.1.0", **more):
    path = "/beds/{x}" if where == "path" else "/beds"
    needed = {"required": True} if where == "path" else {}
    spec = {"name": "x", "in": where, "schema": schema, **needed, **more}
    return api(version, path=path, parameters=[spec])


def answers(**by_status):
    return api(responses={name.strip("_"): value for name, value in by_status.items()})


def answer(schema, media="application/json", version="3.1.0", key="schema", **more):
    return api(version, responses={"200": {**OK, "content": {media: {key: schema}}}}, more=more)


def body(schema, version="3.1.0", **more):
    content = {"application/json": {"schema": schema}}
    return api(version, "post", requestBody={"required": True, "content": content}, more=more)


def having(schema):
    return {"description": "No", "content": {"application/json": {"schema": schema}}}


def header(**spec):
    return answers(_200={**OK, "headers": {"X-Beds": spec}})


def served(*urls):
    return api(more={"servers": [{"url": url} for url in urls]})


FLOW = {"tokenUrl": "https://id.example/t", "scopes": {"read": "r"}}


def secured(*flows):
    scheme = {"type": "oauth2", "flows": dict.fromkeys(flows, FLOW)}
    parts = {"components": {"securitySchemes": {"id": scheme}}}
    return api(security=[{"id": ["read"]}], more=parts)


OBJECT = {"type": "object", "properties": {"a": S}}
OPEN = {**OBJECT, "additionalProperties": True}
OPEN_TYPED = {**OPEN, "properties": {"a": S, "b": S}}


def form(properties, as_json=(), **more):
    schema = {"type": "object", "properties": properties, **more}
    encoding = {name: {"contentType": "application/json"} for name in as_json}
    content = {"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}}
    return api(method="post", requestBody={"required": True, "content": content})


def pets(message, **cat):
    """Give a document whose messages are declared as the base of a family."""
    base = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": S},
        "discriminator": {"propertyName": "kind"},
    }
    family = {
        "Pet": base,
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", **cat}]},
    }
    parts = {"components": {"schemas": family if cat else {"Pet": base}}}
    return message({"$ref": "#/components/schemas/Pet"}, version="3.0.3", **parts)


def parted(types):
    """Give a form with a file of some types."""
    schema = {"type": "object", "properties": {"scan": {}}}
    media = {"schema": schema, **({"encoding": {"scan": {"contentType": types}}} if types else {})}
    return api(method="post", requestBody={"required": True, "content": {"multipart/form-data": media}})


LIVES, NEEDED = {"properties": {"lives": S}}, {"properties": {"lives": S}, "required": ["lives"]}
# (name, old, new, verdict there, verdict back)
PAIRS = [
    # `default` was the only answer that could tell of success
    ("default alone gives way to an error", answers(default=having(S)), answers(_404=having(S)), B, C),
    ("default alone gives way to ranges of errors", answers(default=having(S)),
     answers(_4XX=having(S), _5XX=having(S)), B, C),
    ("default beside success goes", answers(_200=OK, default=having(S)), answers(_200=OK), C, C),
    ("default alone gives way to a success", answers(default=having(S)), answers(_201=having(S)), C, C),
    # `explode`, where it changes nothing on the wire
    ("list in a header", asked(LIST, "header"), asked(LIST, "header", explode=True), C, C),
    ("list in a path", asked(LIST, "path"), asked(LIST, "path", explode=True), C, C),
    ("object in a header", asked(OBJECT, "header"), asked(OBJECT, "header", explode=True), B, B),
    ("list in an answer's header", header(schema=LIST), header(schema=LIST, explode=True), C, C),
    ("object in an answer's header", header(schema=OBJECT), header(schema=OBJECT, explode=True), U, U),
    ("deepObject has one form", asked(OBJECT, style="deepObject"), asked(OBJECT, style="deepObject", explode=True), C, C),
    ("a list in a cookie of 3.2", asked(LIST, "cookie", "3.2.0", style="cookie"),
     asked(LIST, "cookie", "3.2.0", style="cookie", explode=False), B, B),
    # values that travel as text
    ("one value becomes a list", asked(), asked(LIST), C, B),
    ("a number becomes a list of text", asked({"type": "integer"}), asked(LIST), C, B),
    ("one value becomes a list of two", asked(), asked({**LIST, "minItems": 2}), B, B),
    ("few texts become a list with commas", asked({"enum": ["a", "b"]}), asked(LIST, explode=False), C, B),
    ("a boolean becomes its two texts", asked({"type": "boolean"}), asked({"enum": ["true", "false"]}), C, C),
    ("numbers become their texts", asked({"enum": [1, 2]}), asked({"enum": ["1", "2"]}), C, C),
    ("texts of which one is no number", asked({"enum": ["1", "b"]}), asked({"type": "integer"}), B, B),
    ("numbers in a list become text", asked({**LIST, "items": {"type": "integer"}}), asked(LIST), C, B),
    ("a number in a list that gets shorter", asked({**LIST, "items": {"type": "integer"}}), asked({**LIST, "maxItems": 3}), B, B),
    ("a field of a form becomes text", form({"a": {"type": "integer"}}), form({"a": S}), C, B),
    ("a list of a form becomes text", form({"a": {**LIST, "items": {"type": "integer"}}}), form({"a": LIST}), C, B),
    ("a field of a form becomes text, and is needed", form({"a": {"type": "integer"}}), form({"a": S}, required=["a"]), B, B),
    ("an object in a form is JSON", form({"a": {**OBJECT, "properties": {"b": {"type": "integer"}}}}),
     form({"a": {**OBJECT, "properties": {"b": S}}}), U, B),
    ("a field of a form that is written as JSON", form({"a": {"type": "integer"}}, as_json=["a"]), form({"a": S}, as_json=["a"]), U, B),
    ("text that looks like a number to Python", asked({"enum": ["1_000"]}), asked({"type": "integer"}), B, B),
    # media types that carry types, whatever they are made of
    ("a number in CBOR becomes text", answer({"type": "integer"}, "application/cbor"), answer(S, "application/cbor"), B, B),
    ("a number in JSON lines becomes text", answer({**LIST, "items": {"type": "integer"}}, "application/jsonl"),
     answer(LIST, "application/jsonl"), B, B),
    # bytes, which 3.0 and 3.1 say in two ways
    ("a file", answer({**S, "format": "binary"}, "application/pdf", "3.0.3"), answer({}, "application/pdf"), C, C),
    ("a file of its type", answer({**S, "format": "binary"}, "image/png", "3.0.3"),
     answer({"contentMediaType": "image/png"}, "image/png"), C, C),
    ("a text that may be anything in JSON", answer({**S, "format": "binary"}, version="3.0.3"), answer({}), B, C),
    # what oasdiff says, and OpenAPI does not
    ("a header that is ignored", api(), asked(where="header") | api(parameters=[
        {"name": "Accept", "in": "header", "required": True, "schema": S}]), C, C),
    ("the content type among headers", answers(_200={**having(S), "headers": {"Content-Type": {
        "required": True, "schema": S}}}), answers(_200=having(S)), C, C),
    ("a parameter that may be null", asked({**S, "nullable": True}, version="3.0.3"), asked(version="3.0.3"), C, C),
    ("a media type by reference", answer(S, version="3.2.0"), api("3.2.0", responses={"200": {**OK, "content": {
        "application/json": {"$ref": "#/components/mediaTypes/m"}}}}, more={"components": {"mediaTypes": {
            "m": {"schema": S}}}}), C, C),
    ("base64 in the words of 3.1", answer({**S, "format": "byte"}, version="3.0.3"),
     answer({**S, "contentEncoding": "base64"}), C, C),
    ("text in place of base64", answer({**S, "format": "byte"}, version="3.0.3"), answer(S), B, C),
    ("a wider number", answer({"type": "number", "format": "float"}), answer({"type": "number", "format": "double"}), B, C),
    # an object that says that it is open is taken by the letter
    ("a property of an open object", body(OPEN), body(OPEN_TYPED), B, B),
    ("a property of an open object, sent", answer(OPEN_TYPED), answer(OPEN), B, C),
    # extensions of a base, which validators do not look at and readers do
    ("an extension asks for more", pets(body, **LIVES), pets(body, **NEEDED), U, C),
    ("an extension promises more", pets(answer, **LIVES), pets(answer, **NEEDED), C, U),
    ("an extension that may be sent is gone", pets(body, **LIVES), pets(body), U, C),
    ("an extension that may come is gone", pets(answer, **LIVES), pets(answer), C, C),
    # the content types of a part
    ("a part may be of one more type", parted("image/png"), parted("image/png, image/jpeg"), C, B),
    ("a part may be of any type of a range", parted("image/png, image/jpeg"), parted("image/*"), C, B),
    ("a part loses its type", parted("image/png"), parted(None), U, U),
    # a sequence described as a whole, or by its items
    ("items in place of the whole", answer(LIST, "application/jsonl", "3.2.0"),
     answer(S, "application/jsonl", "3.2.0", key="itemSchema"), U, U),
    # addresses and credentials
    ("a host in capitals", served("https://WARD.example/v1"), served("https://ward.example/v1"), C, C),
    ("a default port", served("https://ward.example:443/v1"), served("https://ward.example/v1"), C, C),
    ("the name of a variable", served("https://{ward}.example/{v}"), served("https://{host}.example/{version}"), C, C),
    ("another port", served("https://ward.example:80/v1"), served("https://ward.example/v1"), U, U),
    ("a path in capitals", served("https://ward.example/V1"), served("https://ward.example/v1"), U, U),
    ("one more way to a token", secured("clientCredentials"), secured("clientCredentials", "password"), C, U),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "there", "back"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS]
)
def test_a_pair_is_judged_as_the_specifications_say(old, new, there, back):
    found = [compare(*pair, "openapi", settings=SETTINGS) for pair in ((old, new), (new, old))]
    assert [str(verdict.outcome) for verdict in found] == [there, back], [
        (finding.rule, finding.what) for verdict in found for finding in verdict.findings
    ]


def test_another_media_type_of_a_parameter_is_a_break_and_no_crash():
    old, new = (
        api(parameters=[{"name": "x", "in": "query", "content": {media: {"schema": S}}}])
        for media in ("application/json", "text/plain")
    )
    verdict = compare(old, new, "openapi", settings=SETTINGS)
    assert [f.rule for f in verdict.findings if str(f.severity) == "breaking"] == [
        "request-media-type-removed"
    ]


PARTS = {"components": {"schemas": {"Bed": S}}}
RENAMED = {"components": {"schemas": {"Place": S}}}
BUMPS = [
    ("a tag", api(tags=["a"]), api(tags=["b"]), "patch"),
    ("the name of a component", answer({"$ref": "#/components/schemas/Bed"}, **PARTS),
     answer({"$ref": "#/components/schemas/Place"}, **RENAMED), "patch"),
    ("a choice of one", answer({"oneOf": [S]}), answer(S), "patch"),
    ("a default", asked({**S, "default": "a"}), asked({**S, "default": "b"}), "minor"),
    ("a longer text", body({**S, "maxLength": 2}), body({**S, "maxLength": 3}), "minor"),
    ("an operationId", api(operationId="a"), api(operationId="b"), "minor"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "bump"), [row[1:] for row in BUMPS], ids=[row[0] for row in BUMPS])
def test_what_only_oasdiff_remarks_on_asks_for_no_minor(old, new, bump):
    assert str(compare(old, new, "openapi", settings=SETTINGS).required_bump) == bump
    assert (
        str(judge(old, new, "openapi", Policy(date(2026, 11, 27)), settings=SETTINGS).required_bump) == bump
    )


def test_a_bound_that_no_float_holds_is_compared_exactly():
    bound = {"type": "number", "maximum": 10**400}
    assert str(compare(bound, {"type": "number"}, "schema", role="accepts").outcome) == C
    found = compare(bound, {"type": "number"}, "schema", role="emits")
    assert (str(found.outcome), found.findings[0].witness > 10**400) == (B, True)


def test_an_address_is_shown_as_it_is_written():
    old, new = served("https://WARD.example"), served("https://ward.example:8443")
    (found,) = compare(old, new, "openapi", settings=SETTINGS).findings
    assert (found.rule, found.before, found.after) == (
        "server-changed", ["https://WARD.example"], ["https://ward.example:8443"],
    )  # fmt: skip


def test_the_answer_that_is_lost_with_default_is_one_of_success():
    verdict = compare(answers(default=having(S)), answers(_404=having(S)), "openapi", settings=SETTINGS)
    (lost,) = [found for found in verdict.findings if found.rule == "response-removed"]
    assert lost.exchange["status"] == 200


@pytest.mark.parametrize(
    ("schema", "taken"), [(S, True), ({"type": "integer"}, False), ({"enum": ["free"]}, True)]
)
def test_no_refused_call_is_shown_where_a_template_takes_it(schema, taken):
    new = asked(schema, "path")
    verdict = compare(api(path="/beds/free"), new, "openapi", settings=SETTINGS)
    (gone,) = [found for found in verdict.findings if found.rule == "operation-removed"]
    assert (gone.exchange is None, "GET /beds/{x} takes its calls now" in gone.what) == (taken, taken)
