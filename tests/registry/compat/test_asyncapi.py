"""AsyncAPI: notes are notes only where the grammar has an object of its own; all else is undecided."""

import copy

import pytest

from registry.compat.policy import compare

EVENTS = {
    "asyncapi": "3.0.0",
    "info": {"title": "Beds", "version": "1.0.0"},
    "channels": {
        "description": {
            "address": "beds/freed",
            "messages": {"freed": {"$ref": "#/components/messages/freed"}},
        },
    },
    "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/description"}}},
    "components": {
        "messages": {
            "freed": {
                "contentType": "application/json",
                "payload": {
                    "type": "object",
                    "properties": {"description": {"type": "string"}, "tags": {"type": "array"}},
                },
            }
        }
    },
}
PAYLOAD = ("components", "messages", "freed", "payload")


def changed(path, value):
    root = copy.deepcopy(EVENTS)
    node = root
    for step in path[:-1]:
        node = node.setdefault(step, {})
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return root


@pytest.mark.parametrize(("path", "value"), [
    (("info", "description"), "Beds that became free"), (("info", "version"), "1.0.1"),
    (("operations", "send", "summary"), "A bed became free"), (("operations", "send", "x-team"), "wards"),
    (("components", "messages", "freed", "examples"), [{"payload": {}}]), ((*PAYLOAD, "title"), "Bed"),
    ((*PAYLOAD, "properties", "description", "description"), "Words"), (("components", "tags"), {"a": {"name": "a"}}),
])  # fmt: skip
def test_notes_ask_for_a_patch(path, value):
    verdict = compare(EVENTS, changed(path, value), "asyncapi")
    expected = ("undecided", "major") if path[:2] == ("components", "tags") else ("compatible", "patch")
    assert (str(verdict.outcome), str(verdict.required_bump)) == expected


@pytest.mark.parametrize(("path", "value"), [
    ((*PAYLOAD, "properties", "description", "type"), "integer"), ((*PAYLOAD, "properties", "description"), None),
    ((*PAYLOAD, "properties", "tags", "type"), "string"), ((*PAYLOAD, "required"), ["tags"]),
    (("channels", "description", "address"), "beds/emptied"), (("channels", "other"), {"address": "x"}),
    (("operations", "send", "action"), "receive"), (("operations", "send"), None),
    (("components", "messages", "freed", "contentType"), "application/cbor"), (("defaultContentType",), "text/plain"),
    (("servers",), {"main": {"host": "broker.example", "protocol": "mqtt"}}), (("asyncapi",), "3.1.0"),
    ((*PAYLOAD, "default"), {}),
])  # fmt: skip
def test_everything_else_is_undecided_in_both_directions(path, value):
    other = changed(path, value)
    for pair in ((EVENTS, other), (other, EVENTS)):
        verdict = compare(*pair, "asyncapi")
        assert (str(verdict.outcome), str(verdict.required_bump)) == ("undecided", "major")
        pointers = {finding.pointer for finding in verdict.findings}
        assert pointers == {"/" + "/".join(path)}


def test_a_finding_shows_what_stood_there_and_what_stands_there_now():
    verdict = compare(EVENTS, changed(("channels", "description", "address"), "beds/emptied"), "asyncapi")
    assert [(f.rule, f.base_pointer, f.pointer, f.before, f.after) for f in verdict.findings] == [
        ("asyncapi-change-undecided", "/channels/description/address", "/channels/description/address",
         "beds/freed", "beds/emptied"),
    ]  # fmt: skip


def test_the_same_document_is_compatible():
    verdict = compare(EVENTS, copy.deepcopy(EVENTS), "asyncapi")
    assert (str(verdict.outcome), str(verdict.required_bump)) == ("compatible", "none")
