"""`$dynamicRef` means the outermost schema on the way that has the anchor (JSON Schema 2020-12 §8.2.3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import SchemaRefused
from kernel.schema.validator import CompiledSchema, Dialect, compile_schema

SCHEMAS: dict[str, Any] = {
    "Pet": {"type": "object", "required": ["name"]},
    "Page": {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"$dynamicRef": "#item"}}},
        "$defs": {"any": {"$dynamicAnchor": "item", "not": {}}},
    },
    "Pets": {
        "$ref": "#/components/schemas/Page",
        "$defs": {"pet": {"$dynamicAnchor": "item", "$ref": "#/components/schemas/Pet"}},
    },
    "Numbers": {
        "$ref": "#/components/schemas/Page",
        "$defs": {"number": {"$dynamicAnchor": "item", "type": "integer"}},
    },
    "Tree": {
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"data": True, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
    },
    "StrictTree": {
        "$dynamicAnchor": "node",
        "$ref": "#/components/schemas/Tree",
        "unevaluatedProperties": False,
    },
    "Both": {
        "type": "object",
        "properties": {
            "pets": {"$ref": "#/components/schemas/Pets"},
            "numbers": {"$ref": "#/components/schemas/Numbers"},
        },
    },
}


def compiled(schema: Any, dialect: Dialect = Dialect.OPENAPI_31, **schemas: Any) -> CompiledSchema:
    root = {"components": {"schemas": {**SCHEMAS, **schemas}}}
    return compile_schema(schema, root=root, dialect=dialect, direction="request")


def named(name: str) -> CompiledSchema:
    return compiled({"$ref": f"#/components/schemas/{name}"})


def told(schema: CompiledSchema, value: Any) -> list[tuple[str, str]]:
    return [(found.pointer, found.keyword) for found in schema.violations(value)]


def test_a_generic_schema_is_filled_by_whoever_refers_to_it() -> None:
    pets, numbers = named("Pets"), named("Numbers")
    assert pets.accepts({"items": [{"name": "a"}]})
    assert told(pets, {"items": [{"name": "a"}, {}]}) == [("/items/1/name", "required")]
    assert numbers.accepts({"items": [1, 2]})
    assert told(numbers, {"items": [1, "2"]}) == [("/items/1", "type")]
    assert told(named("Page"), {"items": [1]}) == [("/items/0", "not")]
    assert named("Page").accepts({"items": []})


def test_two_fillings_stand_beside_each_other() -> None:
    both = named("Both")
    assert both.accepts({"pets": {"items": [{"name": "a"}]}, "numbers": {"items": [1]}})
    assert told(both, {"pets": {"items": [1]}, "numbers": {"items": [1]}}) == [("/pets/items/0", "type")]
    assert told(both, {"pets": {"items": []}, "numbers": {"items": [{}]}}) == [("/numbers/items/0", "type")]


def test_a_recursive_schema_is_extended_at_every_level() -> None:
    strict, loose = named("StrictTree"), named("Tree")
    deep = {"children": [{"data": 1, "children": [{"daat": 1}]}]}
    assert loose.accepts(deep)
    assert told(strict, deep) == [("/children/0/children/0/{key}", "unevaluatedProperties")]
    assert strict.accepts({"data": 1, "children": [{"children": []}]})
    assert told(loose, {"children": [{"children": [7]}]}) == [("/children/0/children/0", "type")]


def test_an_inline_schema_fills_too() -> None:
    schema = {
        "$ref": "#/components/schemas/Page",
        "$defs": {"here": {"$dynamicAnchor": "item", "type": "boolean"}},
    }
    assert compiled(schema).accepts({"items": [True]})
    assert told(compiled(schema), {"items": [1]}) == [("/items/0", "type")]


def test_without_an_anchor_on_the_way_the_documents_own_is_meant() -> None:
    made = compiled({"type": "array", "items": {"$dynamicRef": "#node"}})
    assert told(made, [{"children": [7]}]) == [("/0/children/0", "type")]
    pointer = compiled({"$dynamicRef": "#/components/schemas/Pet"})
    assert told(pointer, {}) == [("/name", "required")]


@pytest.mark.parametrize(
    ("schema", "dialect"),
    [
        ({"$dynamicRef": "#nowhere"}, Dialect.OPENAPI_31),
        ({"$dynamicRef": "https://a.example/tree#node"}, Dialect.OPENAPI_31),
        ({"$dynamicRef": 7}, Dialect.OPENAPI_31),
        ({"$recursiveRef": "#"}, Dialect.OPENAPI_31),
        ({"$dynamicRef": "#node"}, Dialect.OPENAPI_30),
        ({"$dynamicRef": "#node"}, Dialect.DRAFT_07),
        ({"$dynamicAnchor": "me", "$dynamicRef": "#me"}, Dialect.OPENAPI_31),
    ],
)
def test_what_has_no_meaning_is_refused(schema: Any, dialect: Dialect) -> None:
    with pytest.raises(SchemaRefused):
        compiled(schema, dialect)
