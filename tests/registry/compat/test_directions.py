"""Every keyword in both directions: what we accept may widen, what we emit may narrow, and neither the other way.

Each row is a narrower and a wider schema by one keyword. Each is tried in every dialect that has the keyword,
and inside every applicator, by the letter and as an API reads it; a turned direction fails all of them.
"""

import pytest

from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat.containment import Answer, Comparer
from registry.compat.schema_change import Change, judged
from registry.compat.schema_side import Side

O30, O31, D12 = Dialect.OPENAPI_30, Dialect.OPENAPI_31, Dialect.DRAFT_2020_12
D07, D06, D04 = Dialect.DRAFT_07, Dialect.DRAFT_06, Dialect.DRAFT_04
LATER = (O31, D12)
FROM_06 = (*LATER, D07, D06)
JSON = (*FROM_06, D04)
EVERY = (*JSON, O30)
S, INT, N = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def obj(**keywords):
    return {"type": "object", **keywords}


def arr(**keywords):
    return {"type": "array", "items": S, **keywords}


AB = {"a": S, "b": S}
# keyword, narrower, wider, dialects
ROWS = [
    ("type", INT, N, EVERY),
    ("type list", S, {"type": ["string", "null"]}, JSON),
    ("nullable", S, {**S, "nullable": True}, (O30,)),
    ("enum", {"enum": ["a"]}, {"enum": ["a", "b"]}, EVERY),
    ("const", {"const": "a"}, {"enum": ["a", "b"]}, FROM_06),
    ("minimum", {**INT, "minimum": 2}, {**INT, "minimum": 1}, EVERY),
    ("maximum", {**INT, "maximum": 2}, {**INT, "maximum": 3}, EVERY),
    ("exclusiveMinimum", {**N, "exclusiveMinimum": 1}, {**N, "minimum": 1}, FROM_06),
    ("exclusiveMaximum", {**N, "exclusiveMaximum": 1}, {**N, "maximum": 1}, FROM_06),
    ("exclusiveMinimum flag", {**N, "minimum": 1, "exclusiveMinimum": True}, {**N, "minimum": 1}, (O30, D04)),
    ("exclusiveMaximum flag", {**N, "maximum": 1, "exclusiveMaximum": True}, {**N, "maximum": 1}, (O30, D04)),
    ("multipleOf", {**INT, "multipleOf": 6}, {**INT, "multipleOf": 3}, EVERY),
    ("minLength", {**S, "minLength": 2}, {**S, "minLength": 1}, EVERY),
    ("maxLength", {**S, "maxLength": 2}, {**S, "maxLength": 3}, EVERY),
    ("pattern", {**S, "pattern": "^[a-c]+$"}, {**S, "pattern": "^[a-z]+$"}, EVERY),
    ("pattern added", {**S, "pattern": "^ward-"}, S, EVERY),
    ("format", {**S, "format": "date"}, S, EVERY),
    ("format int32", {**INT, "format": "int32"}, {**INT, "format": "int64"}, EVERY),
    ("items", arr(items=INT), arr(items=N), EVERY),
    ("minItems", arr(minItems=2), arr(minItems=1), EVERY),
    ("maxItems", arr(maxItems=2), arr(maxItems=3), EVERY),
    ("uniqueItems", arr(uniqueItems=True), arr(), EVERY),
    ("prefixItems", arr(prefixItems=[INT]), arr(prefixItems=[N]), LATER),
    ("items list", arr(items=[INT]), arr(items=[N]), (D07, D06, D04)),
    ("additionalItems", arr(items=[S], additionalItems=False), arr(items=[S]), (D07, D06, D04)),
    ("contains", arr(contains={"const": "a"}), arr(), FROM_06),
    ("minContains", arr(contains={"const": "a"}, minContains=2), arr(contains={"const": "a"}), LATER),
    ("maxContains", arr(contains={"const": "a"}, maxContains=1), arr(contains={"const": "a"}), LATER),
    ("unevaluatedItems", {"type": "array", "prefixItems": [S], "unevaluatedItems": False},
     {"type": "array", "prefixItems": [S]}, LATER),
    ("required", obj(properties=AB, required=["a", "b"]), obj(properties=AB, required=["a"]), EVERY),
    ("properties", obj(properties={"a": INT}), obj(properties={"a": N}), EVERY),
    ("additionalProperties", obj(properties=AB, additionalProperties=False), obj(properties=AB), EVERY),
    ("additionalProperties schema", obj(additionalProperties=INT), obj(additionalProperties=N), EVERY),
    ("patternProperties", obj(patternProperties={"^x-": INT}, additionalProperties=False),
     obj(patternProperties={"^x-": N}, additionalProperties=False), JSON),
    ("propertyNames", obj(propertyNames={"maxLength": 2}), obj(propertyNames={"maxLength": 3}), FROM_06),
    ("minProperties", obj(properties=AB, minProperties=2), obj(properties=AB, minProperties=1), EVERY),
    ("maxProperties", obj(properties=AB, maxProperties=1), obj(properties=AB, maxProperties=2), EVERY),
    ("dependentRequired", obj(properties=AB, dependentRequired={"a": ["b"]}), obj(properties=AB), LATER),
    ("dependentSchemas", obj(properties=AB, dependentSchemas={"a": {"required": ["b"]}}), obj(properties=AB), LATER),
    ("dependencies", obj(properties=AB, dependencies={"a": ["b"]}), obj(properties=AB), (D07, D06, D04)),
    ("unevaluatedProperties", obj(allOf=[obj(properties=AB)], unevaluatedProperties=False),
     obj(allOf=[obj(properties=AB)]), LATER),
    ("allOf", {"allOf": [S, {"maxLength": 2}]}, {"allOf": [S]}, EVERY),
    ("anyOf", {"anyOf": [S, INT]}, {"anyOf": [S, INT, {"type": "boolean"}]}, EVERY),
    ("oneOf", {"oneOf": [S, INT]}, {"oneOf": [S, INT, {"type": "boolean"}]}, EVERY),
    ("not", {"not": {"type": "string"}}, {"not": {"type": "string", "minLength": 2}}, EVERY),
    ("if", {"if": S, "then": {"maxLength": 2}}, {"if": S, "then": {"maxLength": 3}}, (*LATER, D07)),
    ("else", {"if": S, "else": INT}, {"if": S, "else": N}, (*LATER, D07)),
]  # fmt: skip
PLACES = {
    "bare": lambda x: x,
    "property": lambda x: obj(properties={"p": x}, required=["p"]),
    "item": lambda x: {"type": "array", "items": x},
    "map": lambda x: obj(additionalProperties=x),
    "allOf": lambda x: {"allOf": [x, {}]},
    "anyOf": lambda x: {"anyOf": [obj(required=["other"], properties={"other": {"enum": [1]}}), x]},
    "not not": lambda x: {"not": {"not": x}},
}


def ask(old, new, dialect, direction, *, declared_only):
    ends = [Side(root, dialect, tag=tag).at("") for root, tag in ((old, "old"), (new, "new"))]
    return judged(Comparer(declared_only=declared_only), Change(*ends, direction, "it"))


def cases():
    for keyword, narrow, wide, dialects in ROWS:
        for place, wrap in PLACES.items():
            own = dialects if place == "bare" else dict.fromkeys((dialects[0], dialects[-1]))
            yield pytest.param(wrap(narrow), wrap(wide), tuple(own), id=f"{keyword} in {place}")


@pytest.mark.parametrize(("narrow", "wide", "dialects"), list(cases()))
def test_a_keyword_is_judged_by_the_direction_of_its_values(narrow, wide, dialects):
    for dialect in dialects:
        takes, refuses = (compile_schema(s, root=s, dialect=dialect).accepts for s in (wide, narrow))
        for declared_only in (False, True):
            reading = {"dialect": dialect, "declared_only": declared_only}
            for old, new, kept, broken in (
                (narrow, wide, "accepts", "emits"),
                (wide, narrow, "emits", "accepts"),
            ):
                fine = ask(old, new, direction=kept, **reading)
                assert (fine.answer, fine.witness) == (Answer.YES, None), (dialect, kept)
                found = ask(old, new, direction=broken, **reading)
                assert found.answer is Answer.NO, (dialect, broken, found.reason)
                assert takes(found.witness)
                assert not refuses(found.witness)


def test_both_ways_of_asking_give_the_same_witness():
    for keyword, narrow, wide, dialects in ROWS:
        for dialect in dialects:
            there = ask(wide, narrow, dialect, "accepts", declared_only=False)
            back = ask(narrow, wide, dialect, "emits", declared_only=False)
            assert (there.answer, there.witness) == (back.answer, back.witness), (keyword, dialect)


def test_every_keyword_that_constrains_has_a_row():
    from kernel.schema.keywords import _CONSTRAINTS

    named = {keyword.split()[0] for keyword, *_ in ROWS} | {"then"}  # `then` and `if` come together
    older = {"extends", "disallow", "divisibleBy"}  # of drafts that nobody here reads
    assert _CONSTRAINTS - older - named == set()
