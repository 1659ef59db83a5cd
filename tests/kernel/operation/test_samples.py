"""Values made for schemas: the validators have the last word on each, and one seed always gives the same."""

from decimal import Decimal

import pytest

from kernel.operation.samples import sample_values
from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema

ROOT = {
    "components": {
        "schemas": {
            "Tree": {
                "type": "object",
                "required": ["name", "branches"],
                "properties": {
                    "name": {"type": "string", "minLength": 3},
                    "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                },
            },
            "Cat": {
                "type": "object",
                "required": ["kind", "lives"],
                "properties": {"kind": {"type": "string"}, "lives": {"type": "integer", "minimum": 1}},
            },
            "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
        }
    }
}
SCHEMAS = {
    "integer between": {"type": "integer", "minimum": 7, "maximum": 8},
    "integer strictly between": {"type": "integer", "exclusiveMinimum": 7, "exclusiveMaximum": 9},
    "integer below": {"type": "integer", "maximum": -5},
    "multiple": {"type": "number", "multipleOf": 0.01, "minimum": 0.05, "maximum": 0.09},
    "whole multiple": {"type": "integer", "multipleOf": 12, "minimum": 13},
    "narrow number": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.1},
    "int64": {"type": "integer", "format": "int64", "minimum": 2**62},
    "pattern": {"type": "string", "pattern": "^[0-9]{4,5}-[0-9]$"},
    "pattern with length": {"type": "string", "pattern": "^[A-Z]+$", "minLength": 4, "maxLength": 5},
    "pattern without anchors": {"type": "string", "pattern": "x|y"},
    "long": {"type": "string", "minLength": 200, "maxLength": 210},
    "short": {"type": "string", "maxLength": 2},
    "empty": {"type": "string", "maxLength": 0},
    "enum": {"enum": ["a", None, 3]},
    "const": {"const": {"a": [1]}},
    "nothing said": {},
    "true": True,
    "types": {"type": ["null", "integer"]},
    "unique": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 50}, "uniqueItems": True, "minItems": 5},
    "unique of few": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False},
    "contains": {"type": "array", "contains": {"const": 4}, "minContains": 2, "items": {"type": "integer"}},
    "no items": {"type": "array", "items": False},
    "required alone": {"type": "object", "required": ["a", "b"]},
    "free names": {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
    "named by a pattern": {"type": "object", "minProperties": 2, "patternProperties": {"^x-[a-z]+$": {"type": "null"}}, "additionalProperties": False},
    "property names": {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[a-f]+$"}},
    "all of": {"allOf": [{"required": ["a"], "properties": {"a": {"type": "number", "minimum": 3}}}, {"properties": {"a": {"type": "integer", "maximum": 3}}}]},
    "one of": {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]},
    "any of beside": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "one of required": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "if then": {"type": "object", "required": ["k"], "properties": {"k": {"enum": ["a", "b"]}}, "if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}},
    "not": {"type": "integer", "minimum": 1, "maximum": 3, "not": {"const": 2}},
    "recursive": {"$ref": "#/components/schemas/Tree"},
    "recursive optional": {"type": "object", "properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
    "discriminator": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}], "discriminator": {"propertyName": "kind", "mapping": {"feline": "#/components/schemas/Cat"}}},
    "write only": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}, "secret": {"type": "string", "writeOnly": True}}},
    "example first": {"type": "object", "properties": {"name": {"type": "string", "example": "Amara"}}},
    "wrong example": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "example": "seven"}}},
    **{form: {"type": "string", "format": form} for form in (
        "date-time", "date", "time", "duration", "uuid", "uri", "uri-reference", "uri-template", "iri", "iri-reference", "email",
        "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "json-pointer", "relative-json-pointer", "regex", "byte",
        "base64url", "http-date", "password", "binary",
    )},
}  # fmt: skip


@pytest.mark.parametrize("seed", ["0", "7"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_some_value_soon_passes_its_own_validator(name, seed) -> None:
    schema = SCHEMAS[name]
    judge = compile_schema(schema, root=ROOT, dialect=Dialect.OPENAPI_31, direction="response")
    values = [value for value in sample_values(ROOT, schema, seed) if judge.accepts(value)]
    assert values
    again = [value for value in sample_values(ROOT, schema, seed) if judge.accepts(value)]
    assert again == values


def test_another_seed_gives_other_values() -> None:
    made = {next(sample_values({}, {"type": "string", "format": "uuid"}, str(seed))) for seed in range(8)}
    assert len(made) == 8


def test_examples_come_first_and_not_for_ever() -> None:
    values = list(sample_values({}, {"type": "string", "examples": ["Amara"], "minLength": 4}, "0"))
    assert values[0] == "Amara"
    assert values[-1] != "Amara"


def test_openapi_30_excludes_by_true() -> None:
    schema = {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 2}
    assert set(sample_values({}, schema, "0")) == {2}


def test_exact_numbers_keep_their_bounds() -> None:
    schema = {"type": "number", "minimum": Decimal("1.5"), "maximum": Decimal("1.5")}
    assert set(sample_values({}, schema, "0")) == {1.5}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"$ref": "#/components/schemas/Loop"},
        {"type": "array", "items": {"enum": [1]}, "uniqueItems": True, "minItems": 2},
        {"type": "array", "minItems": 100_000, "items": {"type": "array", "minItems": 100_000}},
    ],
)
def test_what_has_no_value_ends_without_one(schema) -> None:
    loop = {
        "type": "object",
        "required": ["next"],
        "properties": {"next": {"$ref": "#/components/schemas/Loop"}},
    }
    root = {"components": {"schemas": {"Loop": loop}}}
    judge = compile_schema(schema, root=root, dialect=Dialect.OPENAPI_31)
    assert [value for value in sample_values(root, schema, "0") if judge.accepts(value)] == []
