"""Our own AsyncAPI schemas: real shapes pass, each broken one is refused at its place."""

import copy
from typing import Any

import pytest

from registry.lint.document import lint

EVENTS: dict[str, Any] = {
    "asyncapi": "3.0.0",
    "info": {
        "title": "Ward events", "version": "1.0.0", "description": "Beds and results.", "tags": [{"name": "ward"}],
        "contact": {"name": "Laboratory"},
    },
    "servers": {
        "broker": {
            "host": "{site}.broker.example", "protocol": "amqps", "variables": {"site": {"default": "north"}},
            "security": [{"$ref": "#/components/securitySchemes/cert"}],
        }
    },
    "defaultContentType": "application/json",
    "channels": {
        "results": {
            "address": "lab.{ward}.results", "title": "Results", "servers": [{"$ref": "#/servers/broker"}],
            "parameters": {"ward": {"description": "Ward code.", "enum": ["W1", "W2"], "location": "$message.payload#/ward"}},
            "messages": {"final": {"$ref": "#/components/messages/Final"}},
            "bindings": {"amqp": {"is": "routingKey", "bindingVersion": "0.3.0"}},
        },
        "answers": {"address": None, "title": "Answers", "messages": {"ok": {"name": "Ok", "title": "Yes or no", "payload": {"type": "boolean"}}}},
    },
    "operations": {
        "ask": {
            "action": "send", "channel": {"$ref": "#/channels/results"}, "title": "Ask for a result",
            "messages": [{"$ref": "#/channels/results/messages/final"}],
            "traits": [{"$ref": "#/components/operationTraits/slow"}],
            "reply": {
                "address": {"location": "$message.header#/replyTo"}, "channel": {"$ref": "#/channels/answers"},
                "messages": [{"$ref": "#/channels/answers/messages/ok"}],
            },
        }
    },
    "components": {
        "securitySchemes": {"cert": {"type": "X509"}},
        "operationTraits": {"slow": {"description": "Answers within a day.", "x-days": 1}},
        "messageTraits": {"traced": {"headers": {"type": "object", "additionalProperties": True, "properties": {"id": {"type": "string", "maxLength": 9}}}}},
        "messages": {
            "Final": {
                "name": "Final", "title": "A final result", "contentType": "application/json", "payload": {"$ref": "#/components/schemas/Final"},
                "correlationId": {"location": "$message.header#/correlation"},
                "traits": [{"$ref": "#/components/messageTraits/traced"}],
                "examples": [{"name": "plain", "payload": {"ward": "W1"}}],
            }
        },
        "schemas": {
            "Final": {
                "type": "object", "additionalProperties": False, "properties": {"ward": {"type": "string", "maxLength": 4}},
                "description": "A result.",
            },
            "Wrapped": {"schemaFormat": "application/schema+json;version=draft-07", "schema": {"type": "string", "enum": ["a"]}},
        },
    },
}  # fmt: skip
OLDER: dict[str, Any] = {
    "asyncapi": "2.6.0",
    "id": "urn:example:ward",
    "info": {"title": "Ward events", "version": "1.0.0", "description": "Beds."},
    "tags": [{"name": "ward"}],
    "servers": {"broker": {"url": "broker.example:5671", "protocol": "amqps", "security": [{"cert": []}]}},
    "channels": {
        "lab/{ward}/results": {
            "description": "Results.", "servers": ["broker"],
            "parameters": {"ward": {"schema": {"type": "string", "maxLength": 4}, "location": "$message.payload#/ward"}},
            "publish": {
                "operationId": "resultCame",
                "message": {"oneOf": [{"$ref": "#/components/messages/Final"}, {"messageId": "draft", "payload": {"type": "object"}}]},
            },
            "subscribe": {"operationId": "resultAsked", "message": {"$ref": "#/components/messages/Final"}},
        }
    },
    "components": {
        "securitySchemes": {"cert": {"type": "X509"}},
        "messages": {"Final": {"messageId": "final", "payload": {"type": "object"}, "schemaFormat": "application/vnd.aai.asyncapi;version=2.6.0"}},
    },
}  # fmt: skip


def errors(root: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.pointer) for one in lint(root, "asyncapi") if one.severity == "error"]


def changed(root: dict[str, Any], pointer: str, value: Any) -> Any:
    made = copy.deepcopy(root)
    *path, last = [step.replace("~1", "/") for step in pointer.split("/")[1:]]
    node = made
    for step in path:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is ...:
        del node[last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return made


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_a_whole_document_of_version_3_is_valid(version: str) -> None:
    assert [(one.rule, one.pointer) for one in lint(EVENTS | {"asyncapi": version}, "asyncapi")] == []


def test_a_whole_document_of_version_2_is_valid() -> None:
    assert errors(OLDER) == []


INVALID = "asyncapi-invalid"
BROKEN_3 = [
    ("/info/title", ..., INVALID, "/info"),
    ("/info/version", 1, INVALID, "/info/version"),
    ("/info", ..., INVALID, ""),
    ("/asyncapi", "4.0.0", "version-unsupported", "/asyncapi"),
    ("/asyncapi", "3.0.x", INVALID, "/asyncapi"),
    ("/nonsense", 1, INVALID, "/nonsense"),
    ("/operations/ask/action", "publish", INVALID, "/operations/ask/action"),
    ("/operations/ask/action", ..., INVALID, "/operations/ask"),
    ("/operations/ask/channel", ..., INVALID, "/operations/ask"),
    ("/operations/ask/channel", {"address": "inline"}, INVALID, "/operations/ask/channel"),
    ("/operations/ask/operationId", "ask", INVALID, "/operations/ask/operationId"),
    ("/operations/ask/reply/address/location", "$request.body#/x", "runtime-expression-invalid", "/operations/ask/reply/address/location"),
    ("/servers/broker/host", ..., INVALID, "/servers/broker"),
    ("/servers/broker/url", "amqp://x", INVALID, "/servers/broker/url"),
    ("/servers/broker/variables", ..., "server-variable-undeclared", "/servers/broker/host"),
    ("/channels/results/adress", "x", INVALID, "/channels/results/adress"),
    ("/channels/results/address", 5, INVALID, "/channels/results/address"),
    ("/channels/results/bindings/amqp", 5, INVALID, "/channels/results/bindings/amqp"),
    ("/channels/results/parameters/ward/schema", {}, INVALID, "/channels/results/parameters/ward/schema"),
    ("/channels/results/parameters", {}, "channel-parameter-undeclared", "/channels/results"),
    ("/channels/results/address", "lab.results", "channel-parameter-unused", "/channels/results/parameters/ward"),
    ("/components/securitySchemes/cert/type", "magic", INVALID, "/components/securitySchemes/cert/type"),
    ("/components/securitySchemes/cert", {"type": "http"}, INVALID, "/components/securitySchemes/cert"),
    ("/components/securitySchemes/cert", {"type": "apiKey", "in": "header"}, INVALID, "/components/securitySchemes/cert/in"),
    ("/components/messages/Final/messageId", "x", INVALID, "/components/messages/Final/messageId"),
    ("/components/messages/Final/examples/0", {"name": "x"}, INVALID, "/components/messages/Final/examples/0"),
    ("/components/messages/Final/correlationId", {}, INVALID, "/components/messages/Final/correlationId"),
    ("/components/schemas/Final/type", "objekt", "schema-invalid", "/components/schemas/Final/type"),
    ("/components/schemas/Final/properties/ward/maxLength", -1, "schema-invalid", "/components/schemas/Final/properties/ward/maxLength"),
    ("/components/schemas/Final/$ref", "#/components/schemas/Gone", "reference-refused", "/components/schemas/Final"),
    ("/components/schemas/a b", {}, INVALID, "/components/schemas"),
    ("/operations/ask/channel/$ref", "#/components/messages/Final", "reference-kind-mismatch", "/operations/ask/channel"),
    ("/operations/ask/messages/0/$ref", "#/components/messages/Final", "operation-message-foreign", "/operations/ask/messages/0"),
    ("/operations/ask/reply/messages/0/$ref", "#/channels/results/messages/final", "operation-message-foreign",
     "/operations/ask/reply/messages/0"),
    ("/components/messages/Final/payload", {"type": "string", "pattern": "(?<=a)b"}, "payload-uncompilable",
     "/components/messages/Final/payload"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value", "rule", "place"), BROKEN_3, ids=[f"{row[0]}-{row[2]}" for row in BROKEN_3]
)
def test_a_broken_document_of_version_3_is_refused_at_its_place(
    pointer: str, value: Any, rule: str, place: str
) -> None:
    assert (rule, place) in errors(changed(EVENTS, pointer, value))


BROKEN_2 = [
    ("/channels", ..., INVALID, ""),
    ("/info/title", ..., INVALID, "/info"),
    ("/operations", {}, INVALID, "/operations"),
    ("/servers/broker/url", ..., INVALID, "/servers/broker"),
    ("/servers/broker/host", "x", INVALID, "/servers/broker/host"),
    ("/servers/broker/security/0", {"keys": []}, "security-scheme-undeclared", "/servers/broker/security/0/keys"),
    ("/channels/lab~1{ward}~1results/servers/0", "other", "channel-server-unknown", "/channels/lab~1{ward}~1results/servers/0"),
    ("/channels/lab~1{ward}~1results/publish/action", "send", INVALID, "/channels/lab~1{ward}~1results/publish/action"),
    ("/channels/lab~1{ward}~1results/publish/operationId", "resultAsked", "operation-id-duplicate",
     "/channels/lab~1{ward}~1results/subscribe/operationId"),
    ("/channels/lab~1{ward}~1results/parameters", {}, "channel-parameter-undeclared", "/channels/lab~1{ward}~1results"),
    ("/channels/lab~1{ward}~1results/publish/message/oneOf/1/messageId", "final", "message-id-duplicate",
     "/components/messages/Final/messageId"),
    ("/components/messages/Final/payload", {"type": "objekt"}, "schema-invalid", "/components/messages/Final/payload/type"),
    ("/components/replies", {}, INVALID, "/components/replies"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value", "rule", "place"), BROKEN_2, ids=[f"{row[0]}-{row[2]}" for row in BROKEN_2]
)
def test_a_broken_document_of_version_2_is_refused_at_its_place(
    pointer: str, value: Any, rule: str, place: str
) -> None:
    assert (rule, place) in errors(changed(OLDER, pointer, value))


def test_an_avro_payload_is_said_to_be_unchecked_and_not_judged_as_json_schema() -> None:
    avro = {
        "schemaFormat": "application/vnd.apache.avro+json;version=1.9.0",
        "schema": {"type": "record", "fields": []},
    }
    findings = lint(changed(EVENTS, "/components/schemas/Wrapped", avro), "asyncapi")
    assert [(one.rule, one.pointer) for one in findings] == [
        ("payload-unchecked", "/components/schemas/Wrapped/schemaFormat")
    ]
