"""Bindings: each key that has a row is judged by its kind, each way; what has none is undecided."""

import pytest

from kernel.contract.finding import Severity
from registry.compat.asyncapi_binding_rows import ROWS
from registry.compat.policy import compare
from registry.lint.binding_shapes import OPEN
from registry.lint.vendor_shapes import VENDOR

KEYS = [(*place, path, row[0]) for place, rows in ROWS.items() for path, row in rows.items()]
# What each kind says of a change, of an addition and of a removal, where we receive and where we send.
EXPECTED = {
    "place": ("binding-place-changed",) * 2,
    "form": ("binding-form-changed",) * 2,
    "declared": ("binding-declaration-changed",) * 2,
    "promise": ("binding-promise-lowered",) * 2,
    "quality": ("binding-promise-lowered",) * 2,
    "retained": ("binding-promise-lowered",) * 2,
    "limit": ("binding-limit-lowered", "+"),
    "behaviour": ("binding-behaviour-changed",) * 2,
    "own": ("+", "+"),
    "open": ("binding-undecided",) * 2,
    "chosen": ("value-no-longer-accepted",) * 2,
    "carried": ("value-no-longer-accepted", "+"),
}
VALUES = {
    "promise": (2, 1), "quality": (2, 1), "retained": (True, False), "limit": (2, 1),
    "chosen": ({"type": "object", "properties": {"a": {"type": "string"}}},
               {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
    "carried": ({"type": "object", "properties": {"a": {"type": "string"}}},
                {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
}  # fmt: skip


def bound(level, protocol, action, binding):
    root = {
        "asyncapi": "3.0.0",
        "info": {"title": "Beds", "version": "1.0.0"},
        "servers": {"main": {"host": "broker.example", "protocol": protocol}},
        "channels": {"beds": {"address": "beds", "messages": {"freed": {"payload": {"type": "string"}}}}},
        "operations": {"free": {"action": action, "channel": {"$ref": "#/channels/beds"}}},
    }
    owner = {
        "server": root["servers"]["main"], "channel": root["channels"]["beds"], "operation": root["operations"]["free"],
        "message": root["channels"]["beds"]["messages"]["freed"],
    }[level]  # fmt: skip
    if binding is not None:
        owner["bindings"] = {protocol: binding}
    return root


def nested(path, value):
    for step in reversed(path.split("/")):
        value = {step: value}
    return value


def verdict(old, new):
    found = compare(old, new, "asyncapi").findings
    return " ".join(sorted({one.rule for one in found if one.severity is not Severity.SAFE})) or "+"


@pytest.mark.parametrize(("protocol", "level", "path", "kind"), KEYS, ids=[" ".join(row[:3]) for row in KEYS])
def test_each_key_is_judged_by_its_kind(protocol, level, path, kind):
    before, after = VALUES.get(kind, ("one", "two"))
    found = [
        verdict(*(bound(level, protocol, action, nested(path, value)) for value in (before, after)))
        for action in ("receive", "send")
    ]
    expected = EXPECTED[kind]
    if level in {"channel", "server"} and kind == "limit":
        expected = ("binding-limit-lowered",) * 2  # both ways are concerned
    if (protocol, level) in {("ws", "channel"), ("http", "operation")} and kind == "chosen":
        expected = ("value-no-longer-accepted",) * 2
    assert tuple(found) == expected


@pytest.mark.parametrize(("level", "protocol", "old", "new", "received", "sent"), [
    ("operation", "mqtt", {"qos": 0}, {"qos": 1}, "+", "binding-behaviour-changed"),
    ("operation", "mqtt", {"qos": 0}, {"qos": 2}, "+", "+"),
    ("operation", "mqtt", {"qos": 1}, {"qos": 2}, "+", "+"),
    ("operation", "mqtt", {"retain": False}, {"retain": True}, "binding-behaviour-changed", "binding-behaviour-changed"),
    ("operation", "mqtt", None, {"qos": 1}, "+", "+"),
    ("operation", "mqtt", {"qos": 1}, None, "binding-promise-lowered", "binding-promise-lowered"),
    ("operation", "mqtt", {"retain": False}, None, "+", "+"),
    ("operation", "mqtt", {"speed": 1}, {"speed": 2}, "binding-undecided", "binding-undecided"),
    ("channel", "googlepubsub", {"messageRetentionDuration": "86400s"}, {"messageRetentionDuration": "3600s"},
     "binding-promise-lowered", "binding-promise-lowered"),
    ("operation", "pigeon", {"wings": 2}, {"wings": 1}, "binding-undecided", "binding-undecided"),
    ("operation", "pigeon", None, {"wings": 1}, "binding-undecided", "binding-undecided"),
    ("operation", "mqtt", {"qos": 1, "bindingVersion": "0.1.0"}, {"qos": 1, "bindingVersion": "0.2.0"}, "+", "+"),
    ("operation", "mqtt", {"x-team": 1}, {"x-team": 2}, "+", "+"),
    ("channel", "kafka", None, {"topic": "beds"}, "+", "+"),  # the default is the address
    ("channel", "kafka", None, {"topic": "rooms"}, "binding-place-changed", "binding-place-changed"),
    ("channel", "kafka", {"topicConfiguration": {"retention.ms": -1}}, {"topicConfiguration": {"retention.ms": 9}},
     "binding-promise-lowered", "binding-promise-lowered"),
    ("channel", "kafka", {"topicConfiguration": {"retention.ms": 9}}, {"topicConfiguration": {"retention.ms": -1}}, "+", "+"),
    ("channel", "kafka", {"topicConfiguration": {"max.message.bytes": 9}}, {"topicConfiguration": {"max.message.bytes": 99}},
     "binding-behaviour-changed", "binding-behaviour-changed"),
    ("channel", "amqp", None, {"is": "routingKey"}, "+", "+"),
    ("channel", "amqp", None, {"exchange": {"name": "lab"}}, "binding-undecided", "binding-undecided"),
    ("channel", "amqp", {"exchange": {"name": "lab"}}, {"exchange": {"name": "lab", "vhost": "/"}}, "+", "+"),
    ("channel", "ws", {}, {"query": {"type": "object", "properties": {"a": {"type": "string"}}}}, "+", "+"),
    ("channel", "ws", {}, {"query": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
     "value-no-longer-accepted", "value-no-longer-accepted"),
    ("message", "kafka", {"key": {"type": "string", "maxLength": 9}}, {"key": {"type": "string"}}, "+", "value-newly-emitted"),
    ("message", "kafka", {"key": {"type": "string"}}, None, "+", "value-newly-emitted"),
    ("message", "kafka", {"key": "avro text"}, {"key": "other text"}, "binding-undecided", "binding-undecided"),
    ("operation", "http", {"query": {"type": "object", "properties": {"a": {"enum": ["x"]}}}},
     {"query": {"type": "object", "properties": {"a": {"enum": ["x", "y"]}}}}, "+", "value-newly-emitted"),
])  # fmt: skip
def test_what_a_key_says_is_judged_by_direction(level, protocol, old, new, received, sent):
    ends = [
        [bound(level, protocol, action, binding) for binding in (old, new)] for action in ("receive", "send")
    ]
    assert (verdict(*ends[0]), verdict(*ends[1])) == (received, sent)


def test_a_schema_that_a_binding_refers_to_is_compared_where_it_stands():
    def root(length):
        made = bound("message", "kafka", "receive", {"key": {"$ref": "#/components/schemas/Key"}})
        return made | {"components": {"schemas": {"Key": {"type": "string", "maxLength": length}}}}

    found = compare(root(9), root(5), "asyncapi").findings
    assert [(one.rule, one.pointer) for one in found] == [
        ("value-no-longer-accepted", "/components/schemas/Key/maxLength")
    ]


def leaves(form, path=""):
    found = form.get("properties", {}) if isinstance(form, dict) else {}
    if not found and path:
        yield path
    for key, one in found.items():
        yield from leaves(one, f"{path}/{key}" if path else key)


def test_every_key_that_lint_knows_of_a_binding_has_a_row():
    lost = []
    for protocol, levels in {**OPEN, **VENDOR}.items():
        for level, forms in levels.items():
            rows = ROWS.get(("mqtt" if protocol == "mqtt5" else protocol, level), {})
            keys = {key for _, form in forms for key in leaves(form)} - {"description"}
            lost += [
                f"{protocol} {level} {key}" for key in keys
                if not any(key == row or key.startswith(f"{row}/") for row in rows)
            ]  # fmt: skip
    assert lost == []
