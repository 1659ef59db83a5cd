"""Junk where a schema should be is `SchemaRefused` or judged, never another exception."""

from __future__ import annotations

import random

import pytest

from kernel.errors import SchemaRefused
from kernel.schema.validator import Dialect, compile_schema

ONE_WAY = {"a": {"readOnly": True}, "b": {"writeOnly": True}}
ATOMS = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "#/x",
    "#",
    "int32",
    "(",
    [],
    {},
    [1],
    [[]],
    [{}],
    [None],
    {"a": 1},
    {1: 2},
]
ATOMS += [{"a": [{}]}, {"(": {}}, ONE_WAY, ["a", {}, []], 10**400]
WORDS = "type enum const multipleOf maximum exclusiveMinimum maxLength pattern uniqueItems required allOf not items"
WORDS += (
    " properties additionalProperties format if contains propertyNames patternProperties prefixItems nullable"
)
WORDS += " dependentRequired dependentSchemas dependencies $ref $schema $id readOnly schemaFormat schema"
KEYWORDS = WORDS.split()


def junk(draw: random.Random, depth: int) -> dict[str, object]:
    made: dict[str, object] = {}
    for _ in range(draw.randint(1, 4)):
        value = draw.choice(ATOMS)
        if depth and draw.random() < 0.5:
            inner = junk(draw, depth - 1)
            value = draw.choice([inner, [inner], {"a": inner}])
        made[draw.choice(KEYWORDS)] = value
    return made


@pytest.mark.parametrize("dialect", list(Dialect))
def test_junk_is_refused_or_judged(dialect):
    outcomes = set()
    for seed in range(1500):
        draw = random.Random(seed)
        schema = junk(draw, 3)
        direction = draw.choice([None, "request", "response"])
        try:
            compiled = compile_schema(schema, root={"x": schema}, dialect=dialect, direction=direction)
        except SchemaRefused:
            outcomes.add("refused")
        else:
            compiled.violations({"a": 1})
            outcomes.add("compiled")
    assert outcomes == {"refused", "compiled"}


def test_names_that_are_no_text_are_refused_in_one_way_schemas():
    schema = {"properties": ONE_WAY, "required": ["a", {}, []]}
    with pytest.raises(SchemaRefused, match="not valid"):
        compile_schema(schema, root={}, dialect=Dialect.OPENAPI_30, direction="request")
