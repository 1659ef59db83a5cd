"""Every rule of the AsyncAPI differ, one change at a time: received and sent, forwards and backwards.

Each row holds a change and four verdicts: the change and its undoing of what the application receives, and
the same of what it sends. A verdict is the rule of every finding that blocks, or `+` where none does.
"""

import copy
from datetime import date

import pytest

from kernel.contract.finding import Severity
from kernel.contract.sites import resolve_pointer
from registry.compat.policy import compare
from registry.compat.policy_judge import Policy, judge


def base(action="receive"):
    order = {
        "type": "object",
        "required": ["code", "quantity"],
        "properties": {
            "code": {"type": "string", "maxLength": 20},
            "quantity": {"type": "integer", "minimum": 1, "maximum": 10},
            "note": {"type": "string"},
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Orders", "version": "1.0.0"},
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "broker.example:5671",
                "protocol": "amqps",
                "protocolVersion": "0-9-1",
                "security": [{"$ref": "#/components/securitySchemes/login"}],
            },
            "topics": {
                "host": "topics.example:8883", "protocol": "secure-mqtt", "protocolVersion": "3.1.1",
                "bindings": {"mqtt": {"keepAlive": 60}},
            },
        },
        "channels": {
            "orders": {
                "address": "orders/{ward}",
                "servers": [{"$ref": "#/servers/broker"}],
                "parameters": {"ward": {"enum": ["icu", "er"], "default": "er", "location": "$message.header#/ward"}},
                "messages": {"placed": {"$ref": "#/components/messages/placed"}},
                "bindings": {
                    "amqp": {
                        "is": "routingKey",
                        "exchange": {"name": "lab", "type": "topic", "durable": True, "autoDelete": False},
                    },
                    "kafka": {"topic": "orders", "partitions": 3, "replicas": 2,
                              "topicConfiguration": {"retention.ms": 1000, "max.message.bytes": 1000}},
                },
            },
            "receipts": {"address": "receipts", "messages": {"receipt": {"payload": {"type": "string"}}}},
        },
        "operations": {
            "place": {
                "action": action,
                "channel": {"$ref": "#/channels/orders"},
                "bindings": {
                    "mqtt": {"qos": 1, "retain": True},
                    "http": {"method": "POST"},
                    "amqp": {"deliveryMode": 2, "priority": 3, "ack": True},
                },
                "reply": {
                    "channel": {"$ref": "#/channels/receipts"},
                },
            },
        },
        "components": {
            "messages": {
                "placed": {
                    "name": "OrderPlaced",
                    "contentType": "application/json",
                    "correlationId": {"location": "$message.header#/id"},
                    "headers": {"type": "object", "properties": {"ward": {"type": "string"}, "id": {"type": "string"}}},
                    "payload": order,
                    "bindings": {"kafka": {"key": {"type": "string", "maxLength": 9}}, "amqp": {"messageType": "order"}},
                },
            },
            "securitySchemes": {
                "login": {"type": "userPassword"},
                "token": {
                    "type": "oauth2", "scopes": ["read"],
                    "flows": {"clientCredentials": {"tokenUrl": "https://id.example/t", "availableScopes": {"read": ""}}},
                },
            },
        },
    }  # fmt: skip


def put(path, value):
    """Make a change: the value at a path (keys joined by `|`), removed where it is None."""

    def change(root):
        *steps, last = path.split("|")
        for step in steps:
            root = root[int(step)] if isinstance(root, list) else root.setdefault(step, {})
        if isinstance(root, list):
            root[int(last) : int(last) + 1] = [] if value is None else [value]
        elif value is None:
            del root[last]
        else:
            root[last] = copy.deepcopy(value)

    return change


def several(*changes):
    def change(root):
        for one in changes:
            one(root)

    return change


def verdict(old, new):
    found = compare(old, new, "asyncapi")
    rules = sorted({one.rule for one in found.findings if one.severity is not Severity.SAFE})
    assert (str(found.outcome) == "compatible") is (not rules)
    for one in found.findings:
        blocked = resolve_pointer(new if one.base_pointer is None or one.pointer else old, "")
        assert blocked
        for root, pointer in ((old, one.base_pointer), (new, one.pointer)):
            if pointer is not None and not (root is new and gone(one, new)):
                resolve_pointer(root, pointer)
    return " ".join(rules) or "+"


def gone(one, new):
    """Where something was removed, `pointer` is the old document's."""
    try:
        resolve_pointer(new, one.pointer)
    except Exception:  # noqa: BLE001 - whatever it is, it is not there
        return one.pointer == one.base_pointer
    return False


M = "components|messages|placed"
P = f"{M}|payload|properties"
H = f"{M}|headers"
C = "channels|orders"
O = "operations|place"
REFUSED, EMITTED = "value-no-longer-accepted", "value-newly-emitted"
CANCELLED = {
    "name": "OrderCancelled",
    "payload": {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}},
}
ROWS = [
    # what it is, the change, received: forwards, backwards; sent: forwards, backwards
    ("payload narrower", put(f"{P}|code|maxLength", 10), REFUSED, "+", "+", EMITTED),
    ("payload property required", put(f"{M}|payload|required", ["code", "quantity", "note"]), REFUSED, "+", "+", EMITTED),
    ("payload optional property added", put(f"{P}|urgent", {"type": "boolean"}), "+", "property-ignored", "+", "+"),
    ("payload type", put(f"{P}|code|type", "integer"), REFUSED, REFUSED, EMITTED, EMITTED),
    ("payload integer to number", put(f"{P}|quantity|type", "number"), "+", REFUSED, EMITTED, "+"),
    ("payload closed", put(f"{M}|payload|additionalProperties", False), REFUSED, "+", "+", EMITTED),
    ("payload as reference", several(put("components|schemas|Order", base()["components"]["messages"]["placed"]["payload"]),
                                     put(f"{M}|payload", {"$ref": "#/components/schemas/Order"})), "+", "+", "+", "+"),
    ("headers narrower", put(f"{H}|properties|ward|maxLength", 3), REFUSED, "+", "+", EMITTED),
    ("header required", put(f"{H}|required", ["id"]), REFUSED, "+", "+", EMITTED),
    ("headers gone", put(H, None), "property-ignored", "+", "+", "+"),
    ("key narrower", put(f"{M}|bindings|kafka|key|maxLength", 5), REFUSED, "+", "+", EMITTED),
    ("message added", put(f"{C}|messages|cancelled", CANCELLED), "+", "message-removed", "message-newly-sent", "message-removed"),
    ("message key renamed", several(put(f"{C}|messages|placed", None), put(f"{C}|messages|order", {"$ref": "#/components/messages/placed"})), "+", "+", "+", "+"),
    ("message name", put(f"{M}|name", "OrderCreated"), "+", "+", "+", "+"),
    ("content type", put(f"{M}|contentType", "application/cbor"), *["message-content-type-changed"] * 4),
    ("content type relabelled", put(f"{M}|contentType", "application/cloudevents+json"), *["message-content-type-undecided"] * 4),
    ("content type by default", put(f"{M}|contentType", None), "+", "+", "+", "+"),
    ("schema format", put(f"{M}|payload", {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": {"type": "string"}}), *["payload-format-undecided"] * 4),
    ("correlation moved", put(f"{M}|correlationId|location", "$message.header#/ward"), *["correlation-changed"] * 4),
    ("correlation gone", put(f"{M}|correlationId", None), "correlation-changed", "+", "correlation-changed", "+"),
    ("message unknown key", put(f"{M}|priority", 3), *["change-unclassified"] * 4),
    ("message note", put(f"{M}|summary", "An order"), "+", "+", "+", "+"),
    ("message deprecated", put(f"{M}|deprecated", True), "+", "+", "+", "+"),
    # channels
    ("channel added", put("channels|other", {"address": "other"}), "+", "channel-removed", "+", "channel-removed"),
    ("address", put(f"{C}|address", "requests/{ward}"), *["channel-address-changed"] * 4),
    ("address unknown", put(f"{C}|address", None), *["channel-address-undecided"] * 4),
    ("placeholder renamed", several(put(f"{C}|address", "orders/{unit}"), put(f"{C}|parameters|unit", base()["channels"]["orders"]["parameters"]["ward"]),
                                    put(f"{C}|parameters|ward", None)), "+", "+", "+", "+"),
    ("channel unknown key", put(f"{C}|priority", 3), *["change-unclassified"] * 4),
    ("channel extension of ours", put(f"{C}|x-interlock-weight", 3), *["change-unclassified"] * 4),
    ("channel extension of others", put(f"{C}|x-team", "lab"), "+", "+", "+", "+"),
    ("parameter value added", put(f"{C}|parameters|ward|enum", ["icu", "er", "or"]), "+", REFUSED, "address-newly-used", REFUSED),
    ("parameter default", put(f"{C}|parameters|ward|default", "icu"), *["parameter-default-changed"] * 4),
    ("parameter location", put(f"{C}|parameters|ward|location", "$message.payload#/code"), *["parameter-location-changed"] * 4),
    ("channel on another server", put(f"{C}|servers|1", {"$ref": "#/servers/topics"}), "+", "channel-server-removed", "+", "channel-server-removed"),
    # operations
    ("operation added", put("operations|confirm", {"action": "send", "channel": {"$ref": "#/channels/orders"}, "bindings": base()["operations"]["place"]["bindings"]}), "+", "channel-operation-removed", "+", "+"),
    ("operation added that promises less", put("operations|confirm", {"action": "send", "channel": {"$ref": "#/channels/orders"}, "bindings": {**base()["operations"]["place"]["bindings"], "mqtt": {"qos": 0, "retain": True}}}), "+", "channel-operation-removed", "binding-promise-lowered", "+"),
    ("operation renamed", several(put("operations|order", {"$ref": "#/operations/place"}), lambda root: root["operations"].update(order=root["operations"].pop("place"))), "+", "+", "+", "+"),
    ("operation security", put(f"{O}|security", [{"$ref": "#/components/securitySchemes/token"}]), "security-tightened", "+", "security-tightened", "+"),
    ("operation limit", put(f"{O}|x-interlock-max-body", 100), "limit-lowered", "+", "change-unclassified", "change-unclassified"),
    ("operation idempotency", put(f"{O}|x-interlock-idempotency", "required"), "idempotency-key-required", "idempotency-key-dropped", "idempotency-key-required", "idempotency-key-dropped"),
    ("operation unknown key", put(f"{O}|priority", 3), *["change-unclassified"] * 4),
    ("messages not told", put(f"{C}|messages", {}), *["messages-undecided"] * 4),
    ("no messages listed", put(f"{O}|messages", []), "channel-operation-removed", "+", "channel-operation-removed", "+"),
    ("operation removed, another stays", several(put("operations|hear", {"action": "receive", "channel": {"$ref": "#/channels/receipts"}}), put(O, None)), "channel-operation-removed", "channel-operation-removed channel-use-undecided", "channel-operation-removed", "channel-operation-removed channel-use-undecided"),
    ("use not told", put(O, None), *["channel-use-undecided"] * 4),
    # replies: the other way round
    ("reply narrower", put("channels|receipts|messages|receipt|payload|maxLength", 9), "+", EMITTED, REFUSED, "+"),
    ("reply message added", put("channels|receipts|messages|refused", {"payload": {"type": "boolean"}}), "message-newly-sent", "message-removed", "+", "message-removed"),
    ("reply gone", put(f"{O}|reply", None), "reply-removed", "channel-use-undecided", "reply-removed", "channel-use-undecided reply-expected"),
    ("reply address", put(f"{O}|reply|address", {"location": "$message.header#/replyTo"}), *["reply-address-changed"] * 4),
    # servers
    ("server added", put("servers|spare", {"host": "spare.example", "protocol": "amqps"}), "+", "server-changed", "+", "server-changed"),
    ("server host", put("servers|broker|host", "new.example:5671"), *["server-changed"] * 4),
    ("server path", put("servers|broker|pathname", "/vhost"), *["server-changed"] * 4),
    ("server renamed", several(lambda root: root["servers"].update(rabbit=root["servers"].pop("broker")), put(f"{C}|servers|0|$ref", "#/servers/rabbit")), "+", "+", "+", "+"),
    ("server protocol", put("servers|broker|protocol", "amqp"), *["server-protocol-changed"] * 4),
    ("server protocol version", put("servers|broker|protocolVersion", "1.0"), *["server-protocol-changed"] * 4),
    ("server protocol patch", put("servers|topics|protocolVersion", "3.1"), *["server-protocol-version-changed"] * 4),
    ("server security", put("servers|broker|security|1", {"$ref": "#/components/securitySchemes/token"}), "+", "security-tightened", "+", "security-tightened"),
    ("scheme moved", several(put(f"{O}|security", [{"$ref": "#/components/securitySchemes/token"}]), put("servers|broker|security", [{"type": "plain"}])), *["security-tightened"] * 4),
    ("server variables", several(put("servers|topics|host", "{site}.example"), put("servers|topics|variables", {"site": {"enum": ["a"], "default": "a"}})), *["server-changed"] * 4),
    # the document
    ("application id", put("id", "urn:example:orders"), *["change-unclassified"] * 4),
    ("version of AsyncAPI", put("asyncapi", "3.1.0"), "+", "+", "+", "+"),
    ("notes", put("info|description", "Orders of wards"), "+", "+", "+", "+"),
    ("unused component", put("components|schemas|Spare", {"type": "string"}), "+", "+", "+", "+"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"), [(row[1], row[2:]) for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_every_change_is_called_what_it_is_in_both_directions(change, expected):
    found = []
    for action in ("receive", "send"):
        old, new = base(action), base(action)
        change(new)
        found += [verdict(old, new), verdict(new, old)]
    assert tuple(found) == tuple(expected)


def test_each_of_two_operations_with_one_message_is_compared_with_its_own():
    two = base()
    two["operations"]["again"] = {"action": "receive", "channel": {"$ref": "#/channels/orders"}}
    for name in ("place", "again"):
        tight = copy.deepcopy(two)
        tight["operations"][name]["security"] = [{"$ref": "#/components/securitySchemes/token"}]
        assert verdict(two, tight) == "security-tightened", name
        assert verdict(tight, two) == "+", name


JUNK = (
    None, "{", {}, [1], {"$ref": "#/nowhere"}, {"$ref": "#/channels"}, {"$ref": 1}, {"a": {"b": 1}}, {"traits": [1]}, float("inf"),
)  # fmt: skip


def spots(node, path=()):
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from spots(value, (*path, key))


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_anywhere_is_a_verdict_and_never_an_error(junk):
    root = base()
    for path in [path for path in spots(root) if path]:
        broken = copy.deepcopy(root)
        node = broken
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = copy.deepcopy(junk)
        for pair in ((root, broken), (broken, root)):
            assert str(compare(*pair, "asyncapi").outcome) in {"compatible", "breaking", "undecided"}


@pytest.mark.parametrize("path", [
    ("operations", "place", "channel"), ("channels", "orders", "messages", "placed"), ("channels", "orders", "servers", 0),
    ("servers", "broker", "security", 0), ("operations", "place", "reply", "channel"),
    ("components", "messages", "placed", "payload"), ("channels", "orders", "parameters", "ward"),
])  # fmt: skip
@pytest.mark.parametrize("ref", ["#/nowhere", "other.yaml", "#anchor"])
def test_a_reference_that_leads_nowhere_is_undecided(path, ref):
    broken = base()
    node = broken
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = {"$ref": ref}
    for pair in ((base(), broken), (broken, base())):
        assert str(compare(*pair, "asyncapi").outcome) == "undecided"


def test_unknown_keys_of_small_objects_are_seen_too():
    for path in ("servers|topics|variables|site", "components|messages|placed|correlationId", "operations|place|reply",
                 "channels|orders|parameters|ward"):  # fmt: skip
        old, new = base(), base()
        for root in (old, new):
            root["servers"]["topics"] |= {"host": "{site}.example", "variables": {"site": {"default": "a"}}}
        put(f"{path}|wings", 2)(new)
        assert verdict(old, new) == "change-unclassified", path


def test_variables_of_a_server_keep_their_values():
    def root(variable):
        made = base()
        made["servers"]["topics"] |= {"host": "{site}.example", "variables": {"site": variable}}
        return made

    one, two = {"enum": ["a"], "default": "a"}, {"enum": ["a", "b"], "default": "a"}
    assert (verdict(root(one), root(two)), verdict(root(two), root(one))) == ("+", "server-changed")
    assert verdict(root(one), root({"default": "a"})) == "+"
    assert verdict(root({"default": "a"}), root(one)) == "server-changed"
    assert verdict(root(two), root({**two, "default": "b"})) == "server-changed"


@pytest.mark.parametrize(("change", "rule", "what"), [
    (put("channels|other", {"address": "other"}), "channel-added", "channel other: it is new"),
    (put(f"{C}|servers|1", {"$ref": "#/servers/topics"}), "channel-server-added", "channel orders/{ward}: it is on server 'topics' too"),
    (put("operations|confirm", {"action": "send", "channel": {"$ref": "#/channels/orders"}}), "channel-operation-added",
     "send orders/{ward}: messages are sent here now"),
    (put(f"{M}|name", "OrderCreated"), None, ""),  # its key is still `placed`
    (several(put(f"{M}|name", "OrderCreated"), put(f"{C}|messages|placed", None), put(f"{C}|messages|created", {"$ref": "#/components/messages/placed"})),
     "event-renamed", "receive orders/{ward}: message 'OrderPlaced' is called message 'OrderCreated' now"),
    (put(f"{C}|messages|cancelled", CANCELLED), "message-added", "receive orders/{ward}: message 'OrderCancelled' is taken too"),
    (put(f"{M}|deprecated", True), "deprecated", "receive orders/{ward}: message 'OrderPlaced': deprecated is now True"),
    (put("servers|spare", {"host": "spare.example", "protocol": "amqps"}), "server-added", "server 'spare': it is new"),
    (put("operations|order", {"$ref": "#/operations/place"}), None, ""),
    (put(f"{O}|bindings|mqtt|qos", 2), "binding-promise-raised", "receive orders/{ward}: `qos` of the mqtt binding is 2 now, and was 1"),
    (put(f"{C}|bindings|kafka|replicas", 5), "binding-own-changed", "channel orders/{ward}: `replicas` of the kafka binding is 5 now, and was 2"),
    (put(f"{P}|urgent", {"type": "boolean"}), "schema-changed-compatibly",
     "receive orders/{ward}: message 'OrderPlaced', payload changed, and nobody is broken"),
])  # fmt: skip
def test_what_breaks_nobody_is_told_too(change, rule, what):
    new = base()
    change(new)
    found = {one.rule: one.what for one in compare(base(), new, "asyncapi").findings}
    assert found.get(rule) == what if rule else set(found) == {"notes-changed"}


def test_a_message_that_loses_its_reply_is_told_though_its_operation_still_answers_another():
    old = base()
    place, messages = old["operations"]["place"], old["channels"]["orders"]["messages"]
    messages["cancelled"] = {"name": "cancelled", "payload": {"type": "boolean"}}
    place["messages"] = [{"$ref": f"#/channels/orders/messages/{name}"} for name in ("placed", "cancelled")]
    new = copy.deepcopy(old)
    cancelled = new["operations"]["place"]["messages"].pop()
    new["operations"]["cancel"] = {**copy.deepcopy(place), "messages": [cancelled]}
    assert verdict(old, new) == "+"

    del new["operations"]["cancel"]["reply"]
    found = [one for one in compare(old, new, "asyncapi").findings if one.severity is not Severity.SAFE]
    assert [(one.rule, one.base_pointer) for one in found] == [("reply-removed", "/operations/place/reply")]
    assert "'cancelled' has no reply any more" in found[0].what
    assert verdict(new, old) == "+"

    # Another operation with the same message still answers it.
    new["operations"]["again"] = {**copy.deepcopy(place), "messages": [cancelled]}
    assert verdict(old, new) == "+"


def test_a_reply_and_a_correlation_that_come_are_told():
    old = base()
    old["channels"].pop("receipts")
    reply = old["operations"]["place"].pop("reply")
    del old["components"]["messages"]["placed"]["correlationId"]
    new = base()
    new["operations"]["place"]["reply"] = reply
    found = {one.rule for one in compare(old, new, "asyncapi").findings}
    assert found == {"reply-added", "correlation-added", "channel-added"}


@pytest.mark.parametrize(("change", "rule", "what"), [
    (put(f"{C}|address", "requests/{ward}"), "channel-address-changed",
     "channel requests/{ward}: its address is 'requests/{ward}' now, and was 'orders/{ward}'"),
    (put(f"{M}|contentType", "application/cbor"), "message-content-type-changed",
     "receive orders/{ward}: the content type of message 'OrderPlaced' is 'application/cbor' now, and was 'application/json'"),
    (put("servers|topics|protocolVersion", "5"), "server-protocol-changed",
     "server 'topics': its version of the protocol is '5' now, and was '3.1.1'"),
    (put(f"{C}|parameters|ward|default", "icu"), "parameter-default-changed",
     "channel orders/{ward}: parameter 'ward': its default is 'icu' now, and was 'er'"),
    (put(O, None), "channel-use-undecided", "channel orders/{ward}: only one of the documents says who sends here"),
])  # fmt: skip
def test_findings_say_what_was_and_what_is(change, rule, what):
    new = base()
    change(new)
    found = [one.what for one in compare(base(), new, "asyncapi").findings if one.rule == rule]
    assert what in found


def test_a_value_of_a_parameter_that_is_gone_is_shown_in_an_address():
    new = base()
    put(f"{C}|parameters|ward|enum", ["icu"])(new)
    found = next(one for one in compare(base(), new, "asyncapi").findings if one.has_witness)
    assert (found.rule, found.witness, found.exchange["address"]) == (
        "value-no-longer-accepted",
        "er",
        "orders/er",
    )
    assert set(found.exchange["payload"]) >= {"code", "quantity"}


def test_what_surrounds_messages_counts_where_none_are_told():
    old = base()
    old["channels"]["orders"]["messages"] = {}
    new = copy.deepcopy(old)
    assert verdict(old, new) == "+"
    put(f"{O}|security", [{"$ref": "#/components/securitySchemes/token"}])(new)
    assert (verdict(old, new), verdict(new, old)) == ("security-tightened", "+")
    put(f"{C}|messages|placed", {"$ref": "#/components/messages/placed"})(new)
    assert verdict(old, new) == "messages-undecided security-tightened"


@pytest.mark.parametrize("level", ["over", "alpha"])
def test_a_channel_that_may_go_takes_its_operations_along(level):
    life = {"over": {"deprecated": True, "x-deprecation": "2026-01-01", "x-sunset": "2026-10-01"}, "alpha": {"x-stability-level": "alpha"}}[level]  # fmt: skip
    old = base()
    old["channels"]["orders"] |= life
    new = copy.deepcopy(old)
    del new["channels"]["orders"], new["channels"]["receipts"]
    new["operations"] = {}
    new["channels"]["other"] = {"address": "other"}
    policy = Policy(as_of=date(2026, 11, 1))
    found = judge(old, new, "asyncapi", policy).findings
    assert {one.rule for one in found if one.severity is not Severity.SAFE} == {"channel-removed"}
    assert [one.what for one in found if one.rule == "channel-removed"] == [
        "channel receipts: it was removed"
    ]


def shared(*channels):
    """Two channels of one address, each on an exchange of its own with messages of its own."""
    return {
        "asyncapi": "3.0.0", "info": {"title": "T", "version": "1"},
        "channels": {
            key: {"address": "orders", "bindings": {"amqp": {"exchange": {"name": exchange}}},
                  "messages": {name: {"payload": {"const": name}} for name in names}}
            for key, exchange, names in channels
        },
        "operations": {key: {"action": "receive", "channel": {"$ref": f"#/channels/{key}"}} for key, _, _ in channels},
    }  # fmt: skip


@pytest.mark.parametrize(("new", "expected"), [
    ([("b", "two", "B"), ("a", "one", "A")], "+"),  # the order
    ([("x", "one", "A"), ("y", "two", "B")], "+"),  # the keys
    ([("a", "one", "B"), ("b", "two", "A")], "value-no-longer-accepted"),  # A comes through another exchange now
    ([("a", "one", "AB"), ("b", "two", "B")], "+"),
    ([("a", "one", "AB")], "channel-removed"),
    ([("a", "one", "A")], "channel-removed"),
    ([("a", "one", "A"), ("b", "three", "B")], "binding-place-changed"),
    ([("a", "one", "A"), ("b", "two", "B"), ("c", "three", "C")], "+"),
    ([("a", "one", "A"), ("b", "two", "B"), ("c", "two", "C")], "+"),  # together on one exchange
    ([("a", "one", "A"), ("b", "two", "")], "messages-undecided"),
])  # fmt: skip
def test_channels_that_share_an_address_are_apart_by_their_bindings(new, expected):
    assert verdict(shared(("a", "one", "A"), ("b", "two", "B")), shared(*new)) == expected


def test_a_channel_whose_address_is_not_known_is_found_again_under_new_names():
    old = base()
    old["channels"]["orders"]["address"] = None
    del old["channels"]["orders"]["parameters"]
    new = copy.deepcopy(old)
    new["channels"] = {"renamed": new["channels"]["orders"], "receipts": new["channels"]["receipts"]}
    new["operations"] = {"other": {**new["operations"]["place"], "channel": {"$ref": "#/channels/renamed"}}}
    assert verdict(old, new) == "+"
    put(f"{P}|code|maxLength", 3)(new)
    assert verdict(old, new) == REFUSED


def test_an_address_that_changed_shows_a_message_to_the_old_one():
    new = base()
    put(f"{C}|address", "requests/{ward}")(new)
    found = next(
        one for one in compare(base(), new, "asyncapi").findings if one.rule == "channel-address-changed"
    )
    assert found.exchange["address"] == "orders/icu"
    assert set(found.exchange["payload"]) >= {"code", "quantity"}
