"""Pairs of AsyncAPI documents with the verdict that the specification asks for, written before any engine ran.

`breaking`: a party that followed the old document is refused, meets what it was told would not come, or waits
in vain. `compatible`: every such party may go on as it is. The reasons name the specification's objects.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.registry.compat.events import Said, write_2, write_3

Expected = Literal["compatible", "breaking"]
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class EventPair:
    """One change: what it is, both documents, the verdict and its reason."""

    name: str
    old: dict[str, Any]
    new: dict[str, Any]
    expected: Expected
    reason: str


_ORDER = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": {"type": "string", "maxLength": 20}, "count": {"type": "integer"}, "note": {"type": "string"}},
}  # fmt: skip
_PLACED = Said("Placed", _ORDER, {"type": "object", "properties": {"trace": {"type": "string"}}}, "application/json",
               {"correlationId": {"location": "$message.header#/trace"}, "bindings": {"kafka": {"key": {"type": "string"}}}})  # fmt: skip
_CANCELLED = Said(
    "Cancelled", {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}}
)
_PAYLOAD = ("components", "messages", "Placed", "payload")


def _interface(action: str, *messages: Said) -> dict[str, Any]:
    return {"orders/{ward}": {"parameters": {"ward": ["icu", "er"]}, action: list(messages or (_PLACED,))}}


def _put(*path: Any, to: Any) -> Change:
    def change(root: dict[str, Any]) -> None:
        node: Any = root
        for step in path[:-1]:
            node = node[step] if isinstance(node, list) else node.setdefault(step, {})
        if to is None:
            del node[path[-1]]
        else:
            node[path[-1]] = copy.deepcopy(to)

    return change


def _pair(name: str, action: str, change: Change, expected: Expected, reason: str) -> EventPair:
    old = write_3(_interface(action))
    new = copy.deepcopy(old)
    change(new)
    return EventPair(f"{name} ({'received' if action == 'receive' else 'sent'})", old, new, expected, reason)


def _both(name: str, change: Change, received: Expected, sent: Expected, reason: str) -> list[EventPair]:
    return [_pair(name, "receive", change, received, reason), _pair(name, "send", change, sent, reason)]


B: Expected = "breaking"
C: Expected = "compatible"
_CHANNEL = ("channels", "orders-ward")
_OPERATION: Mapping[str, tuple[str, ...]] = {
    "receive": ("operations", "orders-ward-receive"),
    "send": ("operations", "orders-ward-send"),
}
_RENAMED = "Operation, channel and message keys are map keys of the document, and never travel."


def _schemas() -> list[EventPair]:
    rows: list[tuple[str, Change, Expected, Expected, str]] = [
        ("property required", _put(*_PAYLOAD, "required", to=["code", "count"]), B, C, "Schema Object: `required` narrows."),
        ("property no longer required", _put(*_PAYLOAD, "required", to=["count"]), B, B, "One narrows, one widens."),
        ("text shorter", _put(*_PAYLOAD, "properties", "code", "maxLength", to=10), B, C, "Schema Object: `maxLength` narrows."),
        ("text longer", _put(*_PAYLOAD, "properties", "code", "maxLength", to=40), C, B, "Schema Object: `maxLength` widens."),
        ("text without end", _put(*_PAYLOAD, "properties", "code", "maxLength", to=None), C, B, "Schema Object: no `maxLength`."),
        ("number for integer", _put(*_PAYLOAD, "properties", "count", "type", to="number"), C, B, "Schema Object: `number` holds `integer`."),
        ("text for integer", _put(*_PAYLOAD, "properties", "count", "type", to="string"), B, B, "Schema Object: another type."),
        ("optional property", _put(*_PAYLOAD, "properties", "urgent", to={"type": "boolean"}), C, C, "Open objects pass over what they do not know."),
        ("closed object", _put(*_PAYLOAD, "additionalProperties", to=False), B, C, "What came along is refused, or does not come any more."),
        ("words of a list", _put(*_PAYLOAD, "properties", "note", "enum", to=["a", "b"]), B, C, "Schema Object: `enum` narrows."),
        ("header required", _put("components", "messages", "Placed", "headers", "required", to=["trace"]), B, C, "Message Object: headers are data too."),
        ("key shorter", _put("components", "messages", "Placed", "bindings", "kafka", "key", "maxLength", to=3), B, C, "Kafka message binding: `key` is a schema."),
        ("description", _put(*_PAYLOAD, "description", to="An order"), C, C, "Descriptions bind nobody."),
        ("example", _put("components", "messages", "Placed", "examples", to=[{"payload": {"code": "a"}}]), C, C, "Examples bind nobody."),
    ]  # fmt: skip
    return [pair for row in rows for pair in _both(*row)]


def _messages() -> list[EventPair]:
    found = []
    for action, more, less in (("receive", C, B), ("send", B, B)):
        one, two = write_3(_interface(action)), write_3(_interface(action, _PLACED, _CANCELLED))
        word = "received" if action == "receive" else "sent"
        found += [
            EventPair(f"message added ({word})", one, two, more, "Readers were told which messages come."),
            EventPair(f"message removed ({word})", two, one, less, "Who sends it or waits for it is left alone."),
        ]  # fmt: skip
    rows: list[tuple[str, Change, Expected, Expected, str]] = [
        ("content type", _put("components", "messages", "Placed", "contentType", to="application/cbor"), B, B, "Message Object: other bytes."),
        ("correlation elsewhere", _put("components", "messages", "Placed", "correlationId", "location", to="$message.header#/id"), B, B,
         "Correlation ID Object: who matches answers looks there."),
        ("name of the message", _put("components", "messages", "Placed", "name", to="OrderPlaced"), C, C, "Message Object: `name` is for machines that read the document."),
        ("component renamed", _component_renamed, C, C, _RENAMED),
        ("message key renamed", _message_renamed, C, C, _RENAMED),
    ]  # fmt: skip
    return found + [pair for row in rows for pair in _both(*row)]


def _component_renamed(root: dict[str, Any]) -> None:
    messages = root["components"]["messages"]
    messages["OrderPlaced"] = messages.pop("Placed")
    root["channels"]["orders-ward"]["messages"]["Placed"]["$ref"] = "#/components/messages/OrderPlaced"


def _message_renamed(root: dict[str, Any]) -> None:
    messages = root["channels"]["orders-ward"]["messages"]
    messages["order"] = messages.pop("Placed")
    for operation in root["operations"].values():
        operation["messages"] = [{"$ref": "#/channels/orders-ward/messages/order"}]


def _channel_renamed(root: dict[str, Any]) -> None:
    root["channels"]["orders"] = root["channels"].pop("orders-ward")
    for operation in root["operations"].values():
        operation["channel"] = {"$ref": "#/channels/orders"}
        operation["messages"] = [{"$ref": "#/channels/orders/messages/Placed"}]


def _operation_renamed(root: dict[str, Any]) -> None:
    root["operations"] = {"renamed": next(iter(root["operations"].values()))}


def _server_renamed(root: dict[str, Any]) -> None:
    root["servers"] = {"main": root["servers"].pop("broker")}


def _placeholder_renamed(root: dict[str, Any]) -> None:
    channel = root["channels"]["orders-ward"]
    channel["address"] = "orders/{unit}"
    channel["parameters"] = {"unit": channel["parameters"].pop("ward")}


def _around() -> list[EventPair]:
    rows: list[tuple[str, Change, Expected, Expected, str]] = [
        ("channel key renamed", _channel_renamed, C, C, _RENAMED),
        ("operation key renamed", _operation_renamed, C, C, _RENAMED),
        ("server key renamed", _server_renamed, C, C, _RENAMED),
        ("placeholder renamed", _placeholder_renamed, C, C, "Channel Object: the address is the same text once it is filled in."),
        ("address", _put(*_CHANNEL, "address", to="requests/{ward}"), B, B, "Channel Object: the address is where parties meet."),
        ("parameter value gone", _put(*_CHANNEL, "parameters", "ward", "enum", to=["icu"]), B, B, "Parameter Object: who named the value meets nobody."),
        ("channel gone", lambda root: (root.update(channels={}, operations={})), B, B, "Channels Object."),
        ("channel added", _put("channels", "more", to={"address": "more"}), C, C, "Nobody was told of it."),
        ("operation gone", _put("operations", to={"other": {"action": "send", "channel": {"$ref": "#/channels/orders-ward"}, "messages": []}}), B, B,
         "Operations Object: nothing is taken or sent as before."),
        ("security added to the operation", lambda root: next(iter(root["operations"].values())).update(
            security=[{"$ref": "#/components/securitySchemes/token"}]), B, B, "Operation Object: `security` must be satisfied."),
        ("another way to be admitted", _put("servers", "broker", "security", to=[{"$ref": "#/components/securitySchemes/token"}, {"type": "userPassword"}]), C, C,
         "Server Object: one of the schemes is enough."),
        ("protocol", _put("servers", "broker", "protocol", to="kafka"), B, B, "Server Object: who speaks the old protocol is not understood."),
        ("server added", _put("servers", "spare", to={"host": "spare.example", "protocol": "mqtt"}), C, C, "The old one is there."),
        ("quality of service added", lambda root: next(iter(root["operations"].values())).update(bindings={"mqtt": {"qos": 2}}), C, C, "MQTT binding: more is promised."),
        ("topic", _put(*_CHANNEL, "bindings", to={"kafka": {"topic": "other"}}), B, B, "Kafka binding: `topic` is the name, and the address by default."),
        ("title", _put("info", "title", to="Orders"), C, C, "Info Object."),
        ("tag", _put("info", "tags", to=[{"name": "lab"}]), C, C, "Info Object."),
        ("version of the contract", _put("info", "version", to="1.0.1"), C, C, "Info Object."),
        ("extension", _put(*_CHANNEL, "x-team", to="lab"), C, C, "Specification extensions of others bind nobody."),
    ]  # fmt: skip
    return [pair for row in rows for pair in _both(*row)]


def _versions() -> list[EventPair]:
    found = []
    for action, word in (("receive", "received"), ("send", "sent")):
        plain, narrow = _interface(action), _interface(action, Said("Placed", {**_ORDER, "required": ["code", "count"]}, _PLACED.headers, "application/json", _PLACED.more))  # fmt: skip
        reason = "3.0 migration: `publish` of 2.x is `receive`, `subscribe` is `send`."
        found += [
            EventPair(f"2.6 to 3.0 ({word})", write_2(plain), write_3(plain), C, reason),
            EventPair(f"3.0 to 2.6 ({word})", write_3(plain), write_2(plain), C, reason),
            EventPair(f"3.0 to 3.1 ({word})", write_3(plain), write_3(plain, "3.1.0"), C, "3.1 takes what 3.0 took."),
            EventPair(f"2.6 to 3.0, narrower ({word})", write_2(plain), write_3(narrow), B if action == "receive" else C, reason),
            EventPair(f"2.6, narrower ({word})", write_2(plain), write_2(narrow), B if action == "receive" else C, "Schema Object: `required` narrows."),
        ]  # fmt: skip
    return found


def event_pairs() -> list[EventPair]:
    """Give all pairs, in a fixed order."""
    return [*_schemas(), *_messages(), *_around(), *_versions()]
