"""Pairs of JSON Schemas (draft-07, what every peer reads) and the truth about each, worked out by hand.

A row: what differs, two schemas, whether every value of the first is one of the second, and the reverse.
"""

from __future__ import annotations

from typing import Any, Final

S: Final = {"type": "string"}
N: Final = {"type": "number"}
I: Final = {"type": "integer"}
A: Final = {"type": "array"}
O: Final = {"type": "object"}

_ORDER: Final = {
    "type": "object",
    "required": ["id", "tests"],
    "properties": {
        "id": {"type": "string", "pattern": "^LO-[0-9]{4}$"},
        "tests": {"type": "array", "minItems": 1, "items": {"enum": ["GLU", "HBA1C"]}},
        "urgent": {"type": "boolean"},
    },
    "additionalProperties": False,
}


def _order(**changes: Any) -> dict[str, Any]:
    return {**_ORDER, "properties": {**_ORDER["properties"], **changes}}


def _tree(leaf: dict[str, Any]) -> dict[str, Any]:
    inner = {"type": "array", "items": {"$ref": "#/definitions/node"}}
    node = {"type": "object", "required": ["v"], "properties": {"v": leaf, "below": inner}}
    return {"$ref": "#/definitions/node", "definitions": {"node": node}}


PAIRS: Final[tuple[tuple[str, Any, Any, bool, bool], ...]] = (
    ("the same", _ORDER, _order(), True, True),
    ("notes only", S, {**S, "description": "a name", "examples": ["x"]}, True, True),
    ("integer and number", I, N, True, False),
    ("a type more", S, {"type": ["string", "null"]}, True, False),
    ("another type", S, I, False, False),
    ("anything", S, {}, True, False),
    ("nothing", {"not": {}}, S, True, False),
    ("a value of enum more", {"enum": ["a"]}, {"enum": ["a", "b"]}, True, False),
    ("const and enum", {"const": 1}, {"enum": [1, 2]}, True, False),
    ("1 and 1.0", {"const": 1}, {"const": 1.0}, True, True),
    ("enum and its type", {"enum": ["a", "b"]}, S, True, False),
    ("maxLength", {**S, "maxLength": 5}, {**S, "maxLength": 6}, True, False),
    ("minLength", {**S, "minLength": 2}, {**S, "minLength": 1}, True, False),
    ("minLength 0", {**S, "minLength": 0}, S, True, True),
    ("pattern, narrower", {**S, "pattern": "^[a-c]$"}, {**S, "pattern": "^[a-z]$"}, True, False),
    ("pattern and length", {**S, "pattern": "^[a-z]{2,4}$"}, {**S, "minLength": 2, "maxLength": 4}, True, False),
    ("pattern without anchors", {**S, "pattern": "^ab"}, {**S, "pattern": "a"}, True, False),
    ("patterns of the same language", {**S, "pattern": "^(ab|ac)$"}, {**S, "pattern": "^a[bc]$"}, True, True),
    ("maximum", {**N, "maximum": 5}, {**N, "maximum": 6}, True, False),
    ("exclusiveMinimum", {**N, "exclusiveMinimum": 0}, {**N, "minimum": 0}, True, False),
    ("bounds of integers", {**I, "exclusiveMaximum": 5}, {**I, "maximum": 4}, True, True),
    ("multipleOf", {**I, "multipleOf": 4}, {**I, "multipleOf": 2}, True, False),
    ("multipleOf, fractions", {**N, "multipleOf": 0.1}, {**N, "multipleOf": 0.05}, True, False),
    ("multipleOf 1", {**N, "multipleOf": 1}, I, True, True),
    ("multiples within bounds", {**I, "minimum": 1, "maximum": 9, "multipleOf": 5}, {"enum": [5]}, True, True),
    ("required", {**O, "required": ["a", "b"]}, {**O, "required": ["a"]}, True, False),
    ("an optional property of a closed object more", _ORDER, _order(note=S), True, False),
    ("an optional property of an open object", {**O, "properties": {"a": S}}, O, True, False),
    ("closed", {**O, "additionalProperties": False}, O, True, False),
    ("closed but for a pattern", {**O, "patternProperties": {"^x-": S}, "additionalProperties": False}, {**O, "additionalProperties": S}, True, False),
    ("additionalProperties", {**O, "additionalProperties": I}, {**O, "additionalProperties": N}, True, False),
    ("patternProperties", {**O, "patternProperties": {"^x-": {**S, "maxLength": 3}}}, {**O, "patternProperties": {"^x-": S}}, True, False),
    ("propertyNames", {**O, "propertyNames": {"maxLength": 3}}, {**O, "propertyNames": {"maxLength": 5}}, True, False),
    ("propertyNames and a name", {**O, "propertyNames": {"enum": ["a"]}}, {**O, "properties": {"b": False}}, True, False),
    ("minProperties", {**O, "minProperties": 2}, {**O, "minProperties": 1}, True, False),
    ("required makes minProperties", {**O, "required": ["a", "b"]}, {**O, "minProperties": 2}, True, False),
    ("maxProperties of a closed object", {**O, "properties": {"a": {}}, "additionalProperties": False}, {**O, "maxProperties": 1}, True, False),
    ("dependencies", {**O, "dependencies": {"a": ["b"]}}, O, True, False),
    ("an impossible property", {**O, "properties": {"a": False}}, {**O, "properties": {"a": S}}, True, False),
    ("items", {**A, "items": I}, {**A, "items": N}, True, False),
    ("maxItems", {**A, "maxItems": 2}, {**A, "maxItems": 3}, True, False),
    ("uniqueItems", {**A, "uniqueItems": True}, A, True, False),
    ("unique booleans are two at most", {**A, "items": {"type": "boolean"}, "uniqueItems": True}, {**A, "maxItems": 2}, True, False),
    ("a tuple", {**A, "items": [I, S], "additionalItems": False}, {**A, "items": [N, S], "additionalItems": False}, True, False),
    ("a tuple of two is short", {**A, "items": [I, S], "additionalItems": False}, {**A, "maxItems": 2}, True, False),
    ("contains", {**A, "contains": I}, {**A, "minItems": 1}, True, False),
    ("an alternative more", {"anyOf": [S, I]}, {"anyOf": [S, I, {"type": "null"}]}, True, False),
    ("alternatives in another order", {"anyOf": [S, I]}, {"anyOf": [I, S]}, True, True),
    ("oneOf of what cannot meet", {"oneOf": [S, I]}, {"anyOf": [S, I]}, True, True),
    ("oneOf of what can meet", {"oneOf": [I, N]}, {"anyOf": [I, N]}, True, False),
    ("oneOf leaves the fractions", {"oneOf": [I, N]}, N, True, False),
    ("alternatives that cover", {**I, "minimum": 0, "maximum": 9}, {"anyOf": [{**I, "maximum": 4}, {**I, "minimum": 5}]}, True, False),
    ("alternatives with a gap", {**N, "minimum": 0, "maximum": 9}, {"anyOf": [{**N, "maximum": 4}, {**N, "minimum": 5}]}, False, False),
    ("allOf written out", {"allOf": [S, {"maxLength": 3}]}, {**S, "maxLength": 3}, True, True),
    ("allOf that cannot be", {"allOf": [S, I]}, {"not": {}}, True, True),
    ("not", {"not": {"type": ["string", "null"]}}, {"not": S}, True, False),
    ("not not", {"not": {"not": S}}, S, True, True),
    ("de Morgan", {"not": {"anyOf": [S, I]}}, {"allOf": [{"not": S}, {"not": I}]}, True, True),
    ("if and then", {"if": S, "then": {"maxLength": 2}}, {"if": S, "then": {"maxLength": 3}}, True, False),
    ("if, then and else", {"if": S, "then": {"maxLength": 2}, "else": I}, {"type": ["string", "integer"]}, True, False),
    ("date and text", {**S, "format": "date"}, S, True, False),
    ("deep in an order", _ORDER, _order(urgent={"type": ["boolean", "null"]}), True, False),
    ("a test more in an order", _ORDER, _order(tests={**A, "minItems": 1, "items": {"enum": ["GLU", "HBA1C", "NA"]}}), True, False),
    ("behind a reference", {"$ref": "#/definitions/a", "definitions": {"a": I}}, N, True, False),
    ("a tree", _tree(I), _tree(N), True, False),
    ("a tree of the same", _tree(I), _tree({**N, "multipleOf": 1}), True, True),
)  # fmt: skip
