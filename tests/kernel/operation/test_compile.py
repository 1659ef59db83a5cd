"""Contracts become operations; what no router or parser could serve is refused with its place."""

from __future__ import annotations

from typing import Any

import httptools
import pytest

from kernel.errors import ContractInvalid, SchemaRefused
from kernel.operation.compile import CARRIED_METHODS, compile_contract
from kernel.operation.limits import OperationLimits
from kernel.operation.security_schemes import SecurityScheme
from kernel.operation.undeclared import Unknown

OK = {"responses": {"200": {"description": "ok"}}}


def contract(paths: dict[str, Any], version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": paths, **more}


def test_operations_say_what_a_router_and_a_gate_need() -> None:
    root = contract(
        {
            "/orders/{orderId}/parts/{part}.{format}": {
                "parameters": [{"$ref": "#/components/parameters/Order"}],
                "put": {
                    "operationId": "putPart",
                    "deprecated": True,
                    "x-interlock-max-body": 1000,
                    "security": [{"key": []}, {"oauth": ["write"]}],
                    "requestBody": {"$ref": "#/components/requestBodies/Part"},
                    "parameters": [
                        {"name": "part", "in": "path", "required": True, "schema": {}},
                        {"name": "format", "in": "path", "required": True, "schema": {}},
                    ],
                    **OK,
                },
            },
            "/open": {"get": {"security": [], **OK}},
            "/free": {"get": {"security": [{}], **OK}},
            "x-note": {"get": "ignored"},
        },
        security=[{"key": []}],
        components={
            "parameters": {
                "Order": {"name": "orderId", "in": "path", "required": True, "schema": {"type": "integer"}}
            },
            "requestBodies": {"Part": {"required": True, "content": {"text/plain": {}}}},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "oauth": {"type": "oauth2", "flows": {}},
                "basic": {"type": "http", "scheme": "Basic"},
            },
        },
    )
    made = compile_contract(root, name="lab")
    assert (made.name, made.openapi_version, len(made.operations)) == ("lab", "3.1.0", 3)
    part, opened, free = made.operations
    assert (part.id, part.method, part.deprecated, part.max_body) == ("putPart", b"PUT", True, 1000)
    assert part.pointer == "/paths/~1orders~1{orderId}~1parts~1{part}.{format}/put"
    assert part.segments == ("orders", "{orderId}", "parts", "{part}.{format}")
    assert part.names == ("orderId", "part", "format")
    assert (part.takes_body, part.request_body_required) == (True, True)
    assert part.security == ({"key": ()}, {"oauth": ("write",)})
    assert (opened.id, opened.security, opened.takes_body) == ("GET /open", (), False)
    assert free.security == ({},)
    assert made.security_schemes == {
        "key": SecurityScheme("key", "apiKey", "header", "X-API-Key"),
        "oauth": SecurityScheme("oauth", "oauth2"),
        "basic": SecurityScheme("basic", "http", scheme="basic"),
    }
    assert part.check_request((b"7", b"a", b"json"), b"", [(b"content-type", b"text/plain")], b"x") is None
    problem = part.check_request((b"x", b"a", b"json"), b"", [(b"content-type", b"text/plain")], b"x")
    assert problem is not None
    assert (problem.violations[0].name, problem.violations[0].keyword) == ("orderId", "type")


def test_the_security_of_the_document_holds_unless_an_operation_has_its_own() -> None:
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}}
    root = contract({"/a": {"get": OK}}, security=[{"key": []}], components=schemes)
    (operation,) = compile_contract(root, unknown=Unknown("strict")).operations
    assert operation.security == ({"key": ()},)
    # A key in the query is no unknown field.
    assert operation.check_request((), b"api_key=1", [], b"") is None
    assert operation.check_request((), b"other=1", [], b"") is not None


def test_parameters_of_an_operation_replace_those_of_its_path() -> None:
    item = {
        "parameters": [
            {"name": "a", "in": "query", "schema": {"type": "integer"}},
            {"name": "X-A", "in": "header", "schema": {"type": "integer"}},
        ],
        "get": {
            "parameters": [
                {"name": "a", "in": "query", "schema": {"type": "boolean"}},
                {"name": "x-a", "in": "header", "schema": {"type": "boolean"}},
            ],
            **OK,
        },
    }
    (operation,) = compile_contract(contract({"/a": item})).operations
    assert operation.check_request((), b"a=true", [(b"x-a", b"true")], b"") is None
    assert operation.check_request((), b"a=1", [(b"x-a", b"1")], b"") is not None


def test_a_parameter_that_is_declared_in_two_ways_is_refused_at_freeze() -> None:
    first = {"name": "a", "in": "query", "schema": {"type": "integer"}}
    for second in ({**first, "required": True}, {**first, "schema": {"type": "string"}}):
        with pytest.raises(ContractInvalid, match="declared twice") as caught:
            compile_contract(contract({"/a": {"get": {"parameters": [first, second], **OK}}})).prepare()
        assert caught.value.place is not None
        assert caught.value.place.pointer == "/paths/~1a/get/parameters/1"
    assert compile_contract(contract({"/a": {"get": {"parameters": [first, dict(first)], **OK}}})).operations


@pytest.mark.parametrize(
    ("where", "name"),
    [("header", "X A"), ("header", "X:A"), ("header", "Ä"), ("cookie", "a;b"), ("cookie", "a=b")],
)
def test_what_is_required_under_a_name_that_cannot_be_sent_is_refused_at_freeze(
    where: str, name: str
) -> None:
    parameter = {"name": name, "in": where, "required": True, "schema": {"type": "string"}}
    with pytest.raises(ContractInvalid, match="can be called") as caught:
        compile_contract(contract({"/a": {"get": {"parameters": [parameter], **OK}}})).prepare()
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/paths/~1a/get/parameters/0"
    for fine in (
        {**parameter, "required": False},
        {**parameter, "in": "query"},
        {**parameter, "name": "a[b].c"},
    ):
        if (where, fine["name"]) != ("header", "a[b].c"):
            compile_contract(contract({"/a": {"get": {"parameters": [fine], **OK}}})).prepare()
    if where == "header":
        answers = {"200": {"description": "ok", "headers": {name: {"required": True, "schema": {}}}}}
        with pytest.raises(ContractInvalid, match="can be called"):
            compile_contract(contract({"/a": {"get": {"responses": answers}}})).prepare()


def test_a_path_item_may_be_referenced() -> None:
    root = contract(
        {"/a": {"$ref": "#/components/pathItems/A"}}, components={"pathItems": {"A": {"get": OK}}}
    )
    (operation,) = compile_contract(root).operations
    assert (operation.id, operation.pointer) == ("GET /a", "/components/pathItems/A/get")


@pytest.mark.parametrize(
    ("version", "item", "methods"),
    [
        ("3.0.3", {"get": OK, "trace": OK, "query": OK}, [b"GET", b"TRACE"]),
        ("3.2.0", {"query": OK}, [b"QUERY"]),
        ("3.2.0", {"additionalOperations": {"SEARCH": OK, "M-SEARCH": OK}}, [b"SEARCH", b"M-SEARCH"]),
    ],
)
def test_methods_by_version(version: str, item: dict[str, Any], methods: list[bytes]) -> None:
    assert [item.method for item in compile_contract(contract({"/a": item}, version)).operations] == methods


@pytest.mark.parametrize("method", ["CONNECT", "BREW", "get", "GET", "POST", "search", "A B", ""])
def test_a_method_that_the_parser_cannot_carry_is_refused_at_freeze(method: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        compile_contract(contract({"/a": {"additionalOperations": {method: OK}}}, "3.2.0"))
    assert caught.value.place is not None
    assert caught.value.place.pointer == f"/paths/~1a/additionalOperations/{method}"


def test_the_carried_methods_are_those_that_the_parser_takes() -> None:
    for method in CARRIED_METHODS:
        parser = httptools.HttpRequestParser(object())
        parser.feed_data(method + b" /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert parser.get_method() == method


@pytest.mark.parametrize(
    ("paths", "pointer"),
    [
        ({"/a/{x}": {"get": OK}, "/a/{y}": {"get": OK}}, "/paths/~1a~1{y}/get"),
        ({"a": {"get": OK}}, "/paths/a"),
        ({"/a?b=c": {"get": OK}}, "/paths/~1a?b=c"),
        ({"/a#b": {"get": OK}}, "/paths/~1a#b"),
        ({"/a//b": {"get": OK}}, "/paths/~1a~1~1b"),
        ({"/a/../b": {"get": OK}}, "/paths/~1a~1..~1b"),
        ({"/a/{x": {"get": OK}}, "/paths/~1a~1{x"),
        ({"/a/{}": {"get": OK}}, "/paths/~1a~1{}"),
        ({"/a/{x}{y}": {"get": OK}}, "/paths/~1a~1{x}{y}"),
        ({"/a/{x}/{x}": {"get": OK}}, "/paths/~1a~1{x}~1{x}"),
        ({"/a": {"get": {"parameters": [{"$ref": "#/nowhere"}], **OK}}}, "/paths/~1a/get/parameters/0"),
        ({"/a": {"get": {"security": [{"unknown": []}], **OK}}}, "/paths/~1a/get/security/0"),
    ],
)
def test_what_could_never_be_reached_is_refused(paths: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        compile_contract(contract(paths))
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer
    assert caught.value.hint


@pytest.mark.parametrize("parameters", [[], [{"name": "y", "in": "path", "required": True, "schema": {}}]])
def test_braces_and_path_parameters_must_agree(parameters: list[Any]) -> None:
    made = compile_contract(contract({"/a/{x}": {"get": {"parameters": parameters, **OK}}}))
    with pytest.raises(ContractInvalid, match="disagree"):
        made.prepare()


@pytest.mark.parametrize(
    "root", [None, [], {}, {"openapi": 3}, {"openapi": "2.0"}, {"openapi": "3.3.0"}, {"asyncapi": "3.0.0"}]
)
def test_only_openapi_3_is_compiled(root: Any) -> None:
    with pytest.raises((ContractInvalid, SchemaRefused)):
        compile_contract(root)


def test_operations_are_counted() -> None:
    root = contract({f"/a{index}": {"get": OK} for index in range(5)})
    with pytest.raises(ContractInvalid, match="may have 4 operations"):
        compile_contract(root, limits=OperationLimits(operations=4))


def test_compiling_is_lazy_and_happens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from kernel.operation import schemas

    compiled: list[Any] = []
    original = schemas.compile_schema

    def counted(schema: Any, **options: Any) -> Any:
        compiled.append(schema)
        return original(schema, **options)

    monkeypatch.setattr(schemas, "compile_schema", counted)
    answer = {
        "200": {
            "description": "ok",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}},
        }
    }
    paths = {f"/a{index}": {"get": {"responses": answer}} for index in range(4)}
    made = compile_contract(contract(paths, components={"schemas": {"A": {"type": "object"}}}))
    assert compiled == []
    made.prepare()
    made.prepare()
    made.operations[0].check_response(200, [(b"content-type", b"application/json")], b"{}")
    assert len(compiled) == 1


@pytest.mark.parametrize(
    ("scheme", "kind"),
    [
        ({"type": "http", "scheme": "Digest"}, "digest"),
        ({"type": "http", "scheme": "negotiate"}, "negotiate"),
        ({"type": "http"}, "http"),
        ({"type": "basic"}, "basic"),
        ({"type": "OAuth2"}, "OAuth2"),
    ],
)
def test_a_scheme_that_nothing_can_verify_is_refused_at_freeze(scheme: dict[str, Any], kind: str) -> None:
    """It is not refused earlier: what was frozen before is denied when it is called."""
    answer = {"200": {"description": "ok"}}
    root: dict[str, Any] = {
        "openapi": "3.1.0",
        "paths": {"/beds": {"get": {"security": [{"key": []}, {"odd": []}], "responses": answer}}},
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "k"}, "odd": scheme}
        },
    }
    contract = compile_contract(root)
    with pytest.raises(ContractInvalid, match=kind) as caught:
        contract.prepare()
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/components/securitySchemes/odd"
    del root["paths"]["/beds"]["get"]["security"]
    compile_contract(root).prepare()  # declared, and asked for by nobody
