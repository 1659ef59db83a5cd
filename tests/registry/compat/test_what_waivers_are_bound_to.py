"""A fingerprint is bound to what changed: a waiver of one change covers no other at the same place."""

import copy

import pytest

from kernel.contract.finding import Severity
from registry.compat.policy import compare

KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
BEARER = {"type": "http", "scheme": "bearer"}
MUTUAL = {"type": "mutualTLS"}
AVRO = "application/vnd.apache.avro;version=1.9.0"


def api(security=({"key": []},), schemes=None, parameters=()):
    return {
        "openapi": "3.1.0",
        "info": {"title": "Beds", "version": "1.0.0"},
        "security": list(security),
        "paths": {
            "/beds": {
                "get": {"parameters": list(parameters), "responses": {"200": {"description": "The beds"}}}
            }
        },
        "components": {
            "securitySchemes": {"key": KEY, "token": BEARER, "certificate": MUTUAL, **(schemes or {})}
        },
    }


def events(security=("key",), schema=None, schemes=None):
    made = {"key": {"type": "scramSha256"}, "token": {"type": "plain"}, "certificate": {"type": "X509"}}
    payload = {"schemaFormat": AVRO, "schema": schema or {"type": "int"}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Beds", "version": "1.0.0"},
        "servers": {
            "broker": {
                "host": "broker.example",
                "protocol": "kafka",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in security],
            }
        },
        "channels": {"beds": {"address": "beds", "messages": {"bed": {"name": "bed", "payload": payload}}}},
        "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/beds"}}},
        "components": {"securitySchemes": {**made, **(schemes or {})}},
    }


def header(name, required=True):
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}


def fingerprints(old, new, rule):
    kind = "openapi" if "openapi" in old else "asyncapi"
    found = [
        one for one in compare(copy.deepcopy(old), copy.deepcopy(new), kind).findings if one.rule == rule
    ]
    assert found, rule
    assert all(one.severity is not Severity.SAFE for one in found)
    return {one.fingerprint for one in found}


def record(*names):
    return {"type": "record", "name": "Bed", "fields": [{"name": name, "type": "int"} for name in names]}


FLOWS = [
    {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": f"https://{host}.example/t", "scopes": {}}},
    }
    for host in ("a", "b", "c")
]


@pytest.mark.parametrize(("rule", "old", "new", "other"), [
    ("security-tightened", api(), api([{"key": [], "token": []}]), api([{"key": [], "certificate": []}])),
    ("security-tightened", api(), api(schemes={"key": {**KEY, "name": "X-A"}}), api(schemes={"key": {**KEY, "name": "X-B"}})),
    ("security-tightened", api([{"token": ["a"]}]), api([{"token": ["a", "b"]}]), api([{"token": ["a", "c"]}])),
    ("security-scheme-changed", api(schemes={"key": FLOWS[0]}), api(schemes={"key": FLOWS[1]}), api(schemes={"key": FLOWS[2]})),
    ("security-tightened", events(), events(["token"]), events(["certificate"])),
    ("parameter-required", api(), api(parameters=[header("X-A")]), api(parameters=[header("X-B")])),
    ("payload-format-undecided", events(schema=record("a")), events(schema=record("a", "b")), events(schema=record("a", "c"))),
])  # fmt: skip
def test_another_change_at_the_same_place_has_another_fingerprint(rule, old, new, other):
    assert not fingerprints(old, new, rule) & fingerprints(old, other, rule)


def test_the_one_that_is_removed_is_named():
    old, other = api(parameters=[header("X-A", False)]), api(parameters=[header("X-B", False)])
    assert not fingerprints(old, api(), "parameter-removed") & fingerprints(other, api(), "parameter-removed")


def test_order_and_descriptions_change_no_fingerprint():
    two = [{"key": [], "token": []}, {"certificate": [], "key": []}]
    noted = api(reversed(two), schemes={"key": {**KEY, "description": "Ask the desk"}})
    assert fingerprints(api(), api(two), "security-tightened") == fingerprints(
        api(), noted, "security-tightened"
    )
    noted = events(["token"], schemes={"token": {"type": "plain", "description": "Ask the desk"}})
    assert fingerprints(events(), events(["token"]), "security-tightened") == fingerprints(
        events(), noted, "security-tightened"
    )
