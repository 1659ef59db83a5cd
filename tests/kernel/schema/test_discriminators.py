"""A discriminator chooses the branch by one property, and errors come from that branch alone."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import SchemaRefused
from kernel.schema.validator import CompiledSchema, Dialect, compile_schema

SCHEMAS = {
    "Cat": {
        "type": "object",
        "required": ["kind", "lives"],
        "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}},
    },
    "Dog": {"type": "object", "properties": {"kind": {"type": "string"}, "bark": {"type": "string"}}},
    "Fish": {"allOf": [{"$ref": "#/components/schemas/Wet"}]},
    "Wet": {"properties": {"kind": {"enum": ["trout", "carp"]}, "depth": {"type": "number"}}},
}
CAT, DOG, FISH = ({"$ref": f"#/components/schemas/{name}"} for name in ("Cat", "Dog", "Fish"))


def compiled(schema: Any, dialect: Dialect = Dialect.OPENAPI_30, **schemas: Any) -> CompiledSchema:
    root = {"components": {"schemas": {**SCHEMAS, **schemas}}}
    return compile_schema(schema, root=root, dialect=dialect, direction="request")


def told(schema: CompiledSchema, value: Any) -> list[tuple[str, str]]:
    return [(found.pointer, found.keyword) for found in schema.violations(value)]


PETS = {
    "oneOf": [CAT, DOG, FISH],
    "discriminator": {
        "propertyName": "kind",
        "mapping": {"puss": "#/components/schemas/Cat", "hound": "Dog"},
    },
}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"kind": "Cat", "lives": 9}, []),
        ({"kind": "puss", "lives": 9}, []),
        # Every branch would take it, so that oneOf alone could not choose.
        ({"kind": "Dog"}, []),
        ({"kind": "hound", "bark": "wuff"}, []),
        ({"kind": "trout", "depth": 3.5}, []),
        ({"kind": "Cat"}, [("/lives", "required")]),
        ({"kind": "puss", "lives": "nine"}, [("/lives", "type")]),
        ({"kind": "hound", "bark": 1}, [("/bark", "type")]),
        ({"kind": "carp", "depth": "deep"}, [("/depth", "type")]),
        ({"kind": "cat", "lives": 9}, [("/kind", "discriminator")]),
        ({"kind": 1}, [("/kind", "discriminator")]),
        ({"lives": 9}, [("/kind", "required")]),
    ],
)
def test_the_property_chooses_the_branch(keyword: str, value: Any, found: Any) -> None:
    schema = {keyword: PETS["oneOf"], "discriminator": PETS["discriminator"]}
    for dialect in (Dialect.OPENAPI_30, Dialect.OPENAPI_31):
        made = compiled(schema, dialect)
        assert told(made, value) == found
        assert made.accepts(value) is (not found)


def test_what_is_no_object_is_left_to_the_branches() -> None:
    made = compiled(
        {**PETS, "oneOf": [CAT, DOG, {"$ref": "#/components/schemas/Text"}]}, Text={"type": "string"}
    )
    assert made.accepts("a text")
    assert told(made, 7) == [("", "oneOf")]


def test_a_default_takes_what_nobody_names() -> None:
    chooser = {"propertyName": "kind", "defaultMapping": "Dog"}
    made = compiled({"oneOf": [CAT, DOG], "discriminator": chooser}, Dialect.OPENAPI_31)
    assert made.accepts({"bark": "wuff"})
    assert told(made, {"kind": "else", "bark": 1}) == [("/bark", "type")]
    assert told(made, {"kind": "Cat"}) == [("/lives", "required")]


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{"type": "object", "required": ["name"]}, CAT], "discriminator": {"propertyName": "kind"}},
        {"oneOf": [CAT, FISH], "discriminator": {"propertyName": "kind", "mapping": {"dog": "Dog"}}},
        {"oneOf": [CAT, FISH], "discriminator": {"propertyName": 7}},
        {"oneOf": [CAT, FISH], "discriminator": "kind"},
    ],
)
def test_where_nothing_can_choose_the_branches_decide(schema: Any) -> None:
    made = compiled(schema)
    assert told(made, {"kind": "dog", "lives": "nine", "depth": "deep", "bark": 1}) == [("", "oneOf")]


def test_a_parent_looks_for_no_children() -> None:
    made = compiled(
        {
            "properties": {"kind": {"type": "string"}},
            "required": ["kind"],
            "discriminator": {"propertyName": "kind"},
        }
    )
    assert made.accepts({"kind": "Cat"})
    assert told(made, {}) == [("/kind", "required")]


def test_a_plain_schema_has_no_discriminator() -> None:
    made = compiled(PETS, Dialect.DRAFT_2020_12)
    assert told(made, {"kind": "Cat", "lives": 9}) == [("", "oneOf")]


def test_unevaluated_properties_see_the_chosen_branch() -> None:
    made = compiled({**PETS, "unevaluatedProperties": False}, Dialect.OPENAPI_31)
    assert made.accepts({"kind": "hound", "bark": "wuff"})
    assert told(made, {"kind": "hound", "lives": 9}) == [("", "unevaluatedProperties")]


@pytest.mark.parametrize("node", [{"oneOf": [CAT, DOG]}, {"type": "object"}])
def test_a_mapping_that_leads_nowhere_is_refused_where_it_stands(node: Any) -> None:
    mapping = {"a/b": "#/components/schemas/Bird"}
    with pytest.raises(SchemaRefused, match="points to nothing") as caught:
        compiled({"items": {**node, "discriminator": {"propertyName": "kind", "mapping": mapping}}})
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/items/discriminator/mapping/a~1b"
