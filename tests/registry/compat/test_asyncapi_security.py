"""Who is admitted: alternatives, schemes that are needed together, scopes, names; of servers and operations."""

import pytest

from kernel.contract.finding import Severity
from registry.compat.policy import compare

FLOW = {"clientCredentials": {"tokenUrl": "https://id.example/t", "availableScopes": {"r": "", "w": ""}}}
SCHEMES = {
    "readers": {"type": "userPassword"}, "writers": {"type": "userPassword"}, "token": {"type": "oauth2", "flows": FLOW},
    "key": {"type": "httpApiKey", "in": "header", "name": "X-Key"}, "cert": {"type": "X509"},
}  # fmt: skip


def old_style(level, security, schemes=SCHEMES):
    server = {"url": "ws://events.example", "protocol": "ws"}
    operation = {"message": {"payload": True}}
    (server if level == "server" else operation)["security"] = security
    return {
        "asyncapi": "2.6.0", "info": {"title": "T", "version": "1"}, "servers": {"main": server},
        "channels": {"beds": {"subscribe": operation}}, "components": {"securitySchemes": schemes},
    }  # fmt: skip


def new_style(security, schemes=SCHEMES):
    return {
        "asyncapi": "3.0.0", "info": {"title": "T", "version": "1"},
        "servers": {"main": {"host": "events.example", "protocol": "ws", "security": security}},
        "channels": {"beds": {"address": "beds", "messages": {"m": {"payload": True}}}},
        "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/beds"}}},
        "components": {"securitySchemes": schemes},
    }  # fmt: skip


def rules(old, new):
    found = compare(old, new, "asyncapi").findings
    return " ".join(sorted({one.rule for one in found if one.severity is not Severity.SAFE})) or "+"


@pytest.mark.parametrize("level", ["server", "operation"])
@pytest.mark.parametrize(("old", "new", "forward", "back"), [
    ([{"token": ["r"]}], [{"token": ["r", "w"]}], "security-tightened", "+"),
    ([{"token": ["r"]}], [{"token": ["w"]}], "security-tightened", "security-tightened"),
    ([{"key": []}], [{"key": [], "cert": []}], "security-tightened", "+"),  # both are needed
    ([{"key": []}], [{"key": []}, {"cert": []}], "+", "security-tightened"),  # one of them will do
    ([{"readers": []}], [{"writers": []}], "security-tightened", "security-tightened"),  # the same kind, other people
    ([], [{"key": []}], "security-tightened", "+"),
    ([{}], [{"key": []}], "security-tightened", "+"),
    ([{"key": []}], [{}, {"key": []}], "+", "security-tightened"),
    ([{"key": []}, {"cert": []}], [{"cert": []}, {"key": []}], "+", "+"),
])  # fmt: skip
def test_alternatives_of_schemes(level, old, new, forward, back):
    ends = old_style(level, old), old_style(level, new)
    assert (rules(*ends), rules(*reversed(ends))) == (forward, back)


def ref(name):
    return {"$ref": f"#/components/securitySchemes/{name}"}


def test_what_a_scheme_is_counts_and_its_name_does_not():
    renamed = {"apiKey": SCHEMES["key"], **{name: one for name, one in SCHEMES.items() if name != "key"}}
    assert rules(new_style([ref("key")]), new_style([ref("apiKey")], renamed)) == "+"
    assert (
        rules(new_style([ref("key")]), new_style([{"type": "httpApiKey", "in": "header", "name": "x-KEY"}]))
        == "+"
    )
    for name, value in (("name", "X-Other"), ("in", "query")):
        other = {**SCHEMES, "key": {**SCHEMES["key"], name: value}}
        assert rules(new_style([ref("key")]), new_style([ref("key")], other)) == "security-tightened", name


def test_another_scheme_that_was_there_before_is_no_new_name_of_one_that_is_gone():
    without = {name: one for name, one in SCHEMES.items() if name != "readers"}
    assert rules(new_style([ref("readers")]), new_style([ref("writers")], without)) == "security-tightened"
    assert rules(new_style([ref("writers")], without), new_style([ref("readers")])) == "security-tightened"


def test_where_tokens_are_had_is_undecided():
    moved = {**SCHEMES, "token": {"type": "oauth2", "flows": {"clientCredentials": {**FLOW["clientCredentials"], "tokenUrl": "https://new.example/t"}}}}  # fmt: skip
    assert rules(new_style([ref("token")]), new_style([ref("token")], moved)) == "security-scheme-changed"
    words = {**SCHEMES, "token": {**SCHEMES["token"], "description": "Ask the desk for it"}}
    assert rules(new_style([ref("token")]), new_style([ref("token")], words)) == "+"


def test_scopes_stand_in_the_requirement_of_2_and_in_the_scheme_of_3():
    flows = {"clientCredentials": {"tokenUrl": "https://id.example/t", "scopes": {"r": "", "w": ""}}}
    old = old_style("server", [{"token": ["r"]}], {"token": {"type": "oauth2", "flows": flows}})
    old["channels"]["beds"]["subscribe"]["message"]["name"] = "m"
    for scopes, expected in ((["r"], "+"), (["r", "w"], "security-tightened"), ([], "+")):
        new = new_style([ref("token")], {"token": {**SCHEMES["token"], "scopes": scopes}})
        assert rules(old, new) == expected, scopes
