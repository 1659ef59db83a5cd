"""What could not be served is told whole: every operation's and every channel's defect, each at its place."""

from typing import Any

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.compile import compile_contract
from kernel.operation.serving import MOST_FAULTS, serve

ANSWER = {"responses": {"200": {"description": "Done."}}}
BAD = {"type": "string", "pattern": "(?<=a)b"}


def api(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "A", "version": "1.0.0"}, "paths": paths, **more}


def body(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}, **ANSWER}


def places(root: Any, kind: Any) -> list[str]:
    return [error.place.pointer or "" for error in serve(root, kind).faults if error.place]


def test_each_operation_tells_its_first_defect() -> None:
    root = api(
        {
            "/a": {"post": body(BAD), "put": body({"type": "string"})},
            "/b//c": {"get": ANSWER},
            "/d": {"post": body(BAD), "get": {**ANSWER, "security": [{"lost": []}]}},
        }
    )
    assert places(root, "openapi") == [
        "/paths/~1b~1~1c",
        "/paths/~1d/get/security/0",
        "/paths/~1a/post/requestBody/content/application~1json/schema/pattern",
        "/paths/~1d/post/requestBody/content/application~1json/schema/pattern",
    ]
    with pytest.raises(ContractInvalid):
        compile_contract(root)


def test_what_several_operations_share_is_told_once() -> None:
    shared = {"$ref": "#/components/schemas/Bad"}
    root = api(
        {"/a": {"post": body(shared)}, "/b": {"post": body(shared)}},
        components={"schemas": {"Bad": BAD}},
    )
    assert places(root, "openapi") == ["/components/schemas/Bad/pattern"]


def test_every_scheme_that_nothing_verifies_is_told_once() -> None:
    schemes = {"digest": {"type": "http", "scheme": "digest"}, "odd": {"type": "http", "scheme": "odd"}}
    asked = {**ANSWER, "security": [{"digest": []}, {"odd": []}]}
    root = api({"/a": {"get": asked, "put": asked}}, components={"securitySchemes": schemes})
    assert places(root, "openapi") == [
        "/components/securitySchemes/digest",
        "/components/securitySchemes/odd",
    ]


def test_the_number_of_defects_is_bounded() -> None:
    root = api({f"/a{number}": {"post": body(BAD)} for number in range(MOST_FAULTS + 20)})
    assert len(places(root, "openapi")) == MOST_FAULTS


def events(channels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0", "info": {"title": "A", "version": "1.0.0"},
        "servers": {"here": {"host": "a.example", "protocol": "ws"}}, "channels": channels, **more,
    }  # fmt: skip


def channel(address: str, payload: Any = True, **more: Any) -> dict[str, Any]:
    return {"address": address, "messages": {"one": {"payload": payload}}, **more}


def test_each_channel_tells_its_first_defect_at_its_own_place() -> None:
    avro = {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": {"type": "string"}}
    root = events(
        {
            "good": channel("good"), "avro": channel("avro", avro), "twice": channel("good"),
            "lookbehind": channel("b", BAD), "slashes": channel("a//b"),
        }
    )  # fmt: skip
    assert places(root, "asyncapi") == [
        "/channels/avro/messages/one/payload/schema",
        "/channels/twice",
        "/channels/slashes",
        "/channels/lookbehind/messages/one/payload/pattern",
    ]


def test_what_only_a_broker_carries_is_not_compiled_for_http() -> None:
    root = events({"b": channel("b", BAD)}) | {"servers": {"here": {"host": "a.example", "protocol": "amqp"}}}
    assert places(root, "asyncapi") == []


def test_a_document_that_cannot_be_read_into_its_view_is_told() -> None:
    root = events({"b": channel("b", servers=[{"$ref": "#/servers/none"}])})
    assert places(root, "asyncapi") == ["/channels/b/servers/0"]


def test_a_schema_has_one_defect() -> None:
    assert places({"$schema": "https://json-schema.org/draft/2020-12/schema", **BAD}, "schema") == [
        "/pattern"
    ]


def test_a_channel_whose_scheme_nothing_verifies_is_no_defect_for_it_is_denied_when_called() -> None:
    root = events({"b": channel("b")}, components={"securitySchemes": {"cert": {"type": "X509"}}})
    root["servers"]["here"]["security"] = [{"$ref": "#/components/securitySchemes/cert"}]
    assert places(root, "asyncapi") == []
