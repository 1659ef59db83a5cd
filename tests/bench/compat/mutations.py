"""Changes of one schema object, by kind: what should widen, narrow or keep the values that it accepts.

The kinds label what is printed and nothing else: whether an answer is right is asked of the runtime
validators, never of a label.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kernel.schema.dialects import Dialect

Schema = dict[str, Any]
Change = Callable[[Schema, random.Random, Dialect], Any]
OAS30, DRAFT07 = Dialect.OPENAPI_30, Dialect.DRAFT_07
LATER = frozenset({Dialect.OPENAPI_31, Dialect.DRAFT_2020_12})
FULL = LATER | {DRAFT07}
EVERY = FULL | {OAS30}
WIDER, NARROWER, SAME, OTHER = "wider", "narrower", "same", "other"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to change a schema; `make` gives None where it does not apply."""

    name: str
    kind: str
    make: Change
    dialects: frozenset[Dialect] = EVERY


def _with(**keywords: Any) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng, dialect
        return None if any(key in node for key in keywords) else {**node, **keywords}

    return make


def _typed(name: str, **keywords: Any) -> Change:
    """Add keywords to a schema of one type."""

    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng, dialect
        fits = _says(node, name) or ("type" not in node and not {"$ref", "enum", "const"} & node.keys())
        return {**node, **keywords} if fits and not keywords.keys() & node.keys() else None

    return make


def _says(node: Schema, name: str) -> bool:
    kind = node.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return name in kinds or (name == "number" and "integer" in kinds)


def _without(*keys: str) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng, dialect
        return {k: v for k, v in node.items() if k not in keys} if set(keys) & node.keys() else None

    return make


def _moved(key: str, by: int) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del dialect
        have = node.get(key)
        if isinstance(have, bool) or not isinstance(have, int | float):
            return None
        step = by * rng.choice((1, 1, 2, 5))
        count = key.startswith(("min", "max")) and key not in {"minimum", "maximum"}
        return {**node, key: max(have + step, 0) if count else have + step}

    return make


def _listed(key: str, *, add: Any = None) -> Change:
    """Take one member of a list away, or put one more into it."""

    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del dialect
        have = node.get(key)
        if not isinstance(have, list):
            return None
        if add is not None:
            return None if add in have else {**node, key: [*have, add]}
        at = rng.randrange(len(have)) if len(have) > 1 else None
        return None if at is None else {**node, key: [*have[:at], *have[at + 1 :]]}

    return make


def _types(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    have = node.get("type")
    if isinstance(have, list) and len(have) > 1:
        return {**node, "type": rng.sample(have, len(have) - 1)}
    return {**node, "type": "integer"} if have == "number" and dialect else None


def _more_types(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    have = node.get("type")
    if have == "integer" and rng.random() < 0.5:
        return {**node, "type": "number"}
    if dialect is OAS30:
        return {**node, "nullable": True} if have and not node.get("nullable") else None
    kinds = have if isinstance(have, list) else [have]
    other = rng.choice(("null", "string", "integer", "array"))
    return {**node, "type": [*kinds, other]} if have and other not in kinds else None


def _other_type(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del dialect
    have = node.get("type")
    if not isinstance(have, str):
        return None
    return {**node, "type": rng.choice([t for t in ("string", "integer", "boolean", "number") if t != have])}


def _property(schema: Any, *, needed: bool = False) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng, dialect
        have = node.get("properties")
        if not isinstance(have, dict) or "added" in have:
            return None
        more = {"required": [*node.get("required", ()), "added"]} if needed else {}
        return {**node, "properties": {**have, "added": schema}, **more}

    return make


def _no_property(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del dialect
    have = node.get("properties")
    if not isinstance(have, dict) or not have:
        return None
    gone = rng.choice(sorted(have))
    return {**node, "properties": {k: v for k, v in have.items() if k != gone}}


def _need(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del dialect
    free = sorted(set(node.get("properties") or ()) - set(node.get("required") or ()))
    return {**node, "required": [*node.get("required", ()), rng.choice(free)]} if free else None


def _flipped(key: str, value: Any) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng, dialect
        return {**node, key: value} if key in node and node[key] is not value else None

    return make


def _around(build: Callable[[Schema], Schema]) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del rng
        return None if "$schema" in node or "discriminator" in node or dialect is None else build(node)

    return make


def _split(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    """Write the keywords of one object as two parts of `allOf`."""
    together = {"properties", "patternProperties", "additionalProperties", "required", "items", "prefixItems"}
    together |= {"contains", "minContains", "maxContains", "if", "then", "else", "additionalItems", "format"}
    together |= {"unevaluatedProperties", "unevaluatedItems", "type", "nullable", "exclusiveMinimum"}
    together |= {"minimum", "maximum", "exclusiveMaximum", "discriminator", "anyOf", "oneOf", "allOf", "$ref"}
    loose = [key for key in node if key not in together]
    if (
        not loose
        or "unevaluatedProperties" in node
        or "unevaluatedItems" in node
        or "$ref" in node
        or not dialect
    ):
        return None
    gone = rng.choice(loose)
    return {"allOf": [{k: v for k, v in node.items() if k != gone}, {gone: node[gone]}]}


def _reordered(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del dialect
    keys = [
        key
        for key in ("enum", "required", "anyOf", "oneOf", "allOf", "type")
        if isinstance(node.get(key), list)
    ]
    keys = [key for key in keys if len(node[key]) > 1]
    if not keys or "discriminator" in node:
        return None
    key = rng.choice(keys)
    return {**node, key: list(reversed(node[key]))}


def _exclusive(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del rng
    have = node.get("minimum")
    if isinstance(have, bool) or not isinstance(have, int) or node.get("type") != "integer":
        return None
    if dialect is OAS30:
        return (
            None if node.get("exclusiveMinimum") else {**node, "minimum": have - 1, "exclusiveMinimum": True}
        )
    rest = {key: value for key, value in node.items() if key != "minimum"}
    return None if "exclusiveMinimum" in node else {**rest, "exclusiveMinimum": have - 1}


def _const(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
    del rng, dialect
    if "const" not in node or "enum" in node:
        return None
    return {**{key: value for key, value in node.items() if key != "const"}, "enum": [node["const"]]}


def _branch(key: str) -> Change:
    def make(node: Schema, rng: random.Random, dialect: Dialect) -> Any:
        del dialect
        extra = rng.choice(
            ({"type": "boolean"}, {"type": "object", "required": ["kind"]}, {"type": "integer"})
        )
        return {**node, key: [*node[key], extra]} if isinstance(node.get(key), list) else None

    return make


TEXT = {"type": "string"}
MUTATIONS: tuple[Mutation, ...] = (
    Mutation("types-fewer", NARROWER, _types),
    Mutation("types-more", WIDER, _more_types),
    Mutation("type-other", OTHER, _other_type),
    Mutation("nullable-dropped", NARROWER, _without("nullable"), frozenset({OAS30})),
    Mutation("enum-fewer", NARROWER, _listed("enum")),
    Mutation("enum-more", WIDER, _listed("enum", add="added")),
    Mutation("enum-dropped", WIDER, _without("enum")),
    Mutation("const-dropped", WIDER, _without("const"), FULL),
    *(Mutation(f"{key}-raised", NARROWER, _moved(key, 1))
      for key in ("minimum", "minLength", "minItems", "minProperties")),
    *(Mutation(f"{key}-lowered", WIDER, _moved(key, -1))
      for key in ("minimum", "minLength", "minItems", "minProperties")),
    *(Mutation(f"{key}-raised", WIDER, _moved(key, 1))
      for key in ("maximum", "maxLength", "maxItems", "maxProperties")),
    *(Mutation(f"{key}-lowered", NARROWER, _moved(key, -1))
      for key in ("maximum", "maxLength", "maxItems", "maxProperties")),
    *(Mutation(f"{key}-dropped", WIDER, _without(key)) for key in (
        "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
        "pattern", "format", "multipleOf", "uniqueItems", "items", "additionalProperties", "required", "not")),
    *(Mutation(f"{key}-dropped", WIDER, _without(key), FULL) for key in (
        "exclusiveMinimum", "exclusiveMaximum", "contains", "propertyNames", "patternProperties")),
    *(Mutation(f"{key}-dropped", WIDER, _without(key), LATER) for key in (
        "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "maxContains")),
    Mutation("dependencies-dropped", WIDER, _without("dependencies"), frozenset({DRAFT07})),
    Mutation("condition-dropped", WIDER, _without("if", "then", "else"), FULL),
    Mutation("minimum-added", NARROWER, _typed("number", minimum=3)),
    Mutation("maximum-added", NARROWER, _typed("number", maximum=40)),
    Mutation("exclusive-added", NARROWER, _typed("number", exclusiveMinimum=0), FULL),
    Mutation("multipleOf-added", NARROWER, _typed("number", multipleOf=3)),
    Mutation("minLength-added", NARROWER, _typed("string", minLength=2)),
    Mutation("maxLength-added", NARROWER, _typed("string", maxLength=12)),
    Mutation("pattern-added", NARROWER, _typed("string", pattern="^[A-Za-z0-9]*$")),
    Mutation("format-added", NARROWER, _typed("string", format="date")),
    Mutation("minItems-added", NARROWER, _typed("array", minItems=1)),
    Mutation("maxItems-added", NARROWER, _typed("array", maxItems=2)),
    Mutation("uniqueItems-added", NARROWER, _typed("array", uniqueItems=True)),
    Mutation("contains-added", NARROWER, _typed("array", contains=TEXT), FULL),
    Mutation("maxContains-added", NARROWER, _typed("array", contains=TEXT, minContains=0, maxContains=1), LATER),
    Mutation("unevaluatedItems-added", NARROWER, _typed("array", unevaluatedItems=False), LATER),
    Mutation("minProperties-added", NARROWER, _typed("object", minProperties=2)),
    Mutation("maxProperties-added", NARROWER, _typed("object", maxProperties=1)),
    Mutation("closed", NARROWER, _typed("object", additionalProperties=False)),
    Mutation("opened", WIDER, _flipped("additionalProperties", True)),
    Mutation("unevaluated-closed", NARROWER, _typed("object", unevaluatedProperties=False), LATER),
    Mutation("names-added", NARROWER, _typed("object", propertyNames={"pattern": "^[a-z]+$"}), FULL),
    Mutation("patterns-added", NARROWER, _typed("object", patternProperties={"^[a-m]": TEXT}), FULL),
    Mutation("needs-added", NARROWER, _typed("object", dependentRequired={"id": ["name"]}), LATER),
    Mutation("dependents-added", NARROWER,
             _typed("object", dependentSchemas={"id": {"properties": {"name": TEXT}}}), LATER),
    Mutation("dependencies-added", NARROWER, _typed("object", dependencies={"id": ["name"]}), frozenset({DRAFT07})),
    Mutation("required-more", NARROWER, _need),
    Mutation("required-fewer", WIDER, _listed("required")),
    Mutation("property-added", NARROWER, _property({"type": "integer"})),
    Mutation("property-needed", NARROWER, _property(TEXT, needed=True)),
    Mutation("property-dropped", OTHER, _no_property),
    Mutation("anyOf-fewer", NARROWER, _listed("anyOf")),
    Mutation("anyOf-more", WIDER, _branch("anyOf")),
    Mutation("oneOf-fewer", OTHER, _listed("oneOf")),
    Mutation("oneOf-more", OTHER, _branch("oneOf")),
    Mutation("allOf-fewer", WIDER, _listed("allOf")),
    Mutation("allOf-more", NARROWER, _branch("allOf")),
    Mutation("not-added", NARROWER, _with(**{"not": {"enum": [0, "", "text"]}})),
    Mutation("condition-added", NARROWER,
             _with(**{"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"not": {"const": 0}}}), FULL),
    # The same in other words
    Mutation("all-of-one", SAME, _around(lambda node: {"allOf": [node]})),
    Mutation("any-of-one", SAME, _around(lambda node: {"anyOf": [node]})),
    Mutation("one-of-one", SAME, _around(lambda node: {"oneOf": [node]})),
    Mutation("any-of-twice", SAME, _around(lambda node: {"anyOf": [node, dict(node)]})),
    Mutation("one-of-false", SAME, _around(lambda node: {"oneOf": [node, {"not": {}}]})),
    Mutation("not-not", SAME, _around(lambda node: {"not": {"not": node}})),
    Mutation("if-true", SAME, _around(lambda node: {"if": {}, "then": node}), FULL),
    Mutation("split", SAME, _split),
    Mutation("reordered", SAME, _reordered),
    Mutation("noted", SAME, _with(description="Other words.")),
    Mutation("exclusive-for-inclusive", SAME, _exclusive),
    Mutation("enum-for-const", SAME, _const, FULL),
    Mutation("minLength-0", SAME, _with(minLength=0)),
    Mutation("open-in-words", SAME, _typed("object", additionalProperties=True)),
    Mutation("minItems-0", SAME, _with(minItems=0)),
)  # fmt: skip

_ONE = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else",
        "unevaluatedProperties", "unevaluatedItems", "additionalItems")  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")
_TURNS = frozenset({"not", "if", "oneOf", "contains", "then", "else"})

Steps = tuple[str | int, ...]


def places(node: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Give the place of every schema object inside a schema, itself first; references are not followed."""
    if not isinstance(node, dict):
        return
    yield steps
    for key in _ONE:
        if isinstance(node.get(key), dict):
            yield from places(node[key], (*steps, key))
    for key in _LISTS:
        if isinstance(node.get(key), list):
            for index, item in enumerate(node[key]):
                yield from places(item, (*steps, key, index))
    for key in _MAPS:
        if isinstance(node.get(key), dict):
            for name, item in node[key].items():
                yield from places(item, (*steps, key, name))


def straight(steps: Steps) -> bool:
    """Whether what widens at this place widens the whole (no `not`, `if`, `oneOf` around it)."""
    return not _TURNS.intersection(steps)


def kind_at(row: Mutation, node: Any, steps: Steps) -> str:
    """Give what a mutation does to the whole schema: a discriminator looks at how its branches are written."""
    chosen = any("discriminator" in part for part in _around_of(node, steps))
    if row.kind == SAME:
        return OTHER if chosen else SAME
    return row.kind if straight(steps) and not chosen else OTHER


def _around_of(node: Any, steps: Steps) -> Iterator[Any]:
    for step in steps:
        yield node if isinstance(node, dict) else {}
        node = node[step]


def at(node: Any, steps: Steps) -> Any:
    """Give the part of a schema at a place."""
    for step in steps:
        node = node[step]
    return node


def replaced(node: Any, steps: Steps, part: Any) -> Any:
    """Give a schema with another part at a place; what is beside the way there is shared."""
    if not steps:
        return part
    below = replaced(node[steps[0]], steps[1:], part)
    if isinstance(node, dict):
        return {**node, steps[0]: below}
    assert isinstance(steps[0], int)
    return [*node[: steps[0]], below, *node[steps[0] + 1 :]]


def mutated(node: Any, rng: random.Random, dialect: Dialect) -> tuple[Any, Mutation, Steps] | None:
    """Change a schema at one place by one mutation; None where none of some tried ones applies."""
    found = list(places(node))
    rows = [row for row in MUTATIONS if dialect in row.dialects]
    if not found:
        return None
    for _ in range(60):
        steps = rng.choice(found)
        row = rng.choice(rows)
        part = at(node, steps)
        made = row.make(part, rng, dialect) if "$ref" not in part or row.kind == SAME else None
        if made is not None and made != part:
            return replaced(node, steps, made), row, steps
    return None
