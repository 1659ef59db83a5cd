"""Errors cost what the message deserves: neither branches nor recursion multiply them."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.schema.validator import CompiledSchema, Dialect, compile_schema

NODE = {"$ref": "#/$defs/node"}


def compiled(node: Any, **more: Any) -> CompiledSchema:
    return compile_schema(NODE, root={"$defs": {"node": node, **more}}, dialect=Dialect.DRAFT_2020_12)


def told(schema: CompiledSchema, value: Any) -> list[tuple[str, str]]:
    return [(found.pointer, found.keyword) for found in schema.violations(value)]


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"x": leaf}
    return leaf


# With every way through recursion told apart, each of these would take longer than the world lasts.
BRANCHED = {
    "oneOf": [
        {"type": "object", "required": ["x"], "properties": {"x": NODE}},
        {"type": "object", "required": ["y"], "properties": {"x": NODE, "y": NODE}},
        {"type": "null"},
    ]
}
TWICE = {
    "allOf": [{"type": ["object", "null"], "properties": {"x": NODE}}, {"properties": {"x": NODE, "z": NODE}}]
}


def test_recursion_through_branches_ends() -> None:
    made = compiled(BRANCHED)
    assert made.accepts(nested(100, None))
    assert told(made, nested(100, 7)) == [("", "oneOf")]


def test_recursion_by_two_ways_ends_and_is_looked_into() -> None:
    made = compiled(TWICE)
    assert made.accepts(nested(100, None))
    assert told(made, nested(3, 7)) == [("/x/x/x", "type")]
    assert told(made, nested(40, 7)) == [("/x" * 40, "type")]


def test_what_lies_too_deep_is_still_a_violation() -> None:
    assert told(compiled(TWICE), nested(150, 7)) == [("/x" * 64, "schema")]
    large = {"x": {"x": {"x": 7}}, "z": [0] * 5_000}
    assert told(compiled({"type": "object", "properties": {"x": NODE}}), large) == [("/x/x", "schema")]


def test_each_place_of_a_tree_is_named() -> None:
    tree = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "below": {"type": "array", "items": NODE}},
    }
    made = compiled(tree)
    value = {"n": "a", "below": [{"n": 1}, {"n": "b", "below": [{"n": "c"}]}, {"below": 7}]}
    assert told(made, value) == [
        ("/n", "type"),
        ("/below/1/n", "type"),
        ("/below/2/below", "type"),
        ("/below/1/below/0/n", "type"),
    ]


def test_many_items_with_many_branches_are_one_violation_each() -> None:
    branches = [
        {
            "type": "object",
            "required": [f"k{at}"],
            "properties": {f"p{n}": {"type": "string"} for n in range(10)},
        }
        for at in range(30)
    ]
    made = compiled({"type": "array", "items": {"oneOf": branches}})
    found = told(made, [{"p1": 1, "p2": 2}] * 1_000)
    assert found == [(f"/{at}", "oneOf") for at in range(16)]


@pytest.mark.parametrize(
    ("node", "value", "found"),
    [
        (
            {"properties": {"a": {}}, "unevaluatedProperties": False},
            {"a": 1, "b": 2},
            [("/{key}", "unevaluatedProperties")],
        ),
        (
            {
                "anyOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {}}}],
                "unevaluatedProperties": False,
            },
            {"a": 1, "c": 2},
            [("", "unevaluatedProperties")],
        ),
        (
            {"properties": {"a": NODE}, "unevaluatedProperties": NODE, "type": "object"},
            {"a": {"b": 7}},
            [("/a/{key}", "unevaluatedProperties")],
        ),
        ({"dependentSchemas": {"a": {"oneOf": [{"required": ["b"]}]}}}, {"a": 1}, [("", "oneOf")]),
        (
            {"if": {"required": ["a"]}, "then": {"properties": {"a": NODE}}, "else": False},
            {},
            [("", "falseSchema")],
        ),
        ({"prefixItems": [{"type": "array"}, NODE], "type": "array"}, [[], [1]], [("/1/0", "type")]),
        (
            {"patternProperties": {"^x": NODE}, "type": "object"},
            {"x1": {"x2": 1}},
            [("/{key}/{key}", "type")],
        ),
    ],
)
def test_keywords_are_explained_as_they_were(node: Any, value: Any, found: Any) -> None:
    assert told(compiled(node), value) == found
