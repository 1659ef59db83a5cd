"""Containment: every yes stands, every no has a witness that real validators confirm, the rest is unknown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat.bare_schema import compare_schemas
from registry.compat.containment import Answer, Comparer
from registry.compat.schema_side import Side
from registry.compat.wire import Wire

S, N, INT = {"type": "string"}, {"type": "number"}, {"type": "integer"}
D12, D07 = Dialect.DRAFT_2020_12, Dialect.DRAFT_07


def obj(**keywords):
    return {"type": "object", **keywords}


def contains(inner, outer, dialect=D12, **options):
    sides = (Side(inner, dialect, tag="old"), Side(outer, dialect, tag="new"))
    reading = {"declared_only": options.pop("declared_only", False)}
    return Comparer(**reading).contains(sides[0].at(""), sides[1].at(""), **options)


def check(inner, outer, dialect=D12):
    """Answer, and hold a witness to both runtime validators."""
    found = contains(inner, outer, dialect)
    if found.answer is Answer.NO:
        assert compile_schema(inner, root=inner, dialect=dialect).accepts(found.witness)
        assert not compile_schema(outer, root=outer, dialect=dialect).accepts(found.witness)
    return str(found.answer)


def deep(kind):
    leaf = obj(
        required=["dose"],
        properties={"dose": kind, "unit": {"enum": ["ml", "mg"]}},
        additionalProperties=False,
    )
    lines = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}}
    top = obj(
        required=["id", "lines"], properties={"id": {"type": "string", "format": "uuid"}, "lines": lines}
    )
    return {**top, "$defs": {"line": leaf}}


def node(kind):
    below = {"type": "array", "items": {"$ref": "#"}}
    return obj(required=["v"], properties={"v": kind, "below": below}, additionalProperties=False)


# inner, outer, answer, answer the other way round
PAIRS = [
    (S, S, "yes", "yes"),
    (INT, N, "yes", "no"),
    ({"type": "string", "maxLength": 5}, S, "yes", "no"),
    ({"type": "string", "minLength": 2}, {"type": "string", "minLength": 1}, "yes", "no"),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, "yes", "no"),
    ({"const": 1}, {"enum": [1.0]}, "yes", "yes"),
    ({"type": "number", "multipleOf": 4}, {"type": "number", "multipleOf": 2}, "yes", "no"),
    ({"type": "number", "multipleOf": 0.1}, {"type": "number", "multipleOf": 0.05}, "yes", "no"),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}, "yes", "no"),
    ({"type": "integer", "exclusiveMaximum": 5}, {"type": "integer", "maximum": 4}, "yes", "yes"),
    ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}, "yes", "no"),
    ({"type": "string", "pattern": "^[a-c]$"}, {"type": "string", "pattern": "^[a-z]$"}, "yes", "no"),
    ({"type": "string", "pattern": "^ward-[0-9]+$"}, {"type": "string", "pattern": "^ward-"}, "yes", "no"),
    ({"type": "string", "format": "date"}, S, "yes", "no"),
    ({"type": "string", "format": "uuid"}, {"type": "string", "format": "date"}, "no", "no"),
    ({"type": "string", "format": "ward"}, S, "yes", "unknown"),
    (obj(required=["a", "b"]), obj(required=["a"]), "yes", "no"),
    (obj(additionalProperties=False), obj(), "yes", "no"),
    (
        obj(properties={"a": S}, additionalProperties=False),
        obj(properties={"a": S, "b": S}, additionalProperties=False),
        "yes",
        "no",
    ),
    (obj(properties={"a": S, "b": S}), obj(properties={"a": S}), "yes", "no"),
    (obj(additionalProperties=INT), obj(additionalProperties=N), "yes", "no"),
    (obj(patternProperties={"^x-": S}), obj(), "yes", "no"),
    (obj(propertyNames={"maxLength": 3}), obj(propertyNames={"maxLength": 5}), "yes", "no"),
    (obj(minProperties=2), obj(minProperties=1), "yes", "no"),
    (obj(maxProperties=2), obj(maxProperties=3), "yes", "no"),
    (obj(dependentRequired={"a": ["b"]}), obj(), "yes", "no"),
    (obj(dependentSchemas={"a": {"required": ["b"]}}), obj(dependentRequired={"a": ["b"]}), "yes", "yes"),
    ({"type": "array", "items": INT}, {"type": "array", "items": N}, "yes", "no"),
    ({"type": "array", "maxItems": 2}, {"type": "array", "maxItems": 3}, "yes", "no"),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}, "yes", "no"),
    ({"type": "array", "prefixItems": [INT]}, {"type": "array", "prefixItems": [N]}, "yes", "no"),
    ({"type": "array", "contains": INT}, {"type": "array", "minItems": 1}, "yes", "no"),
    ({"type": "array", "contains": INT, "minContains": 2}, {"type": "array", "contains": INT}, "yes", "no"),
    ({"type": ["string", "null"]}, {"anyOf": [S, {"type": "null"}]}, "yes", "yes"),
    ({"oneOf": [S, INT]}, {"anyOf": [S, N]}, "yes", "no"),
    ({"anyOf": [S, INT]}, {"oneOf": [S, INT]}, "yes", "yes"),
    ({"anyOf": [INT, N]}, {"oneOf": [INT, N]}, "no", "yes"),
    ({"allOf": [S, {"maxLength": 3}]}, {"type": "string", "maxLength": 3}, "yes", "yes"),
    ({"not": {"type": ["string", "null"]}}, {"not": S}, "yes", "no"),
    ({"if": S, "then": {"maxLength": 2}}, {"if": S, "then": {"maxLength": 3}}, "yes", "no"),
    ({"if": S, "then": {"maxLength": 2}, "else": INT}, {"type": ["string", "integer"]}, "yes", "no"),
    (deep(INT), deep(N), "yes", "no"),
    (node(INT), node(N), "yes", "no"),
    ({"unevaluatedProperties": False}, {}, "yes", "no"),
    (
        {"unevaluatedProperties": False, "allOf": [obj(properties={"a": S})]},
        obj(properties={"a": S}, additionalProperties=False),
        "yes",
        "yes",
    ),
    (
        {
            "unevaluatedProperties": False,
            "anyOf": [obj(required=["a"], properties={"a": S}), obj(properties={"b": S})],
        },
        obj(properties={"a": S, "b": S}, additionalProperties=False),
        "yes",
        "unknown",
    ),
    (False, S, "yes", "no"),
    (S, True, "yes", "no"),
    ({"type": "object", "required": ["a"], "properties": {"a": False}}, S, "yes", "no"),
]


@pytest.mark.parametrize(("inner", "outer", "there", "back"), PAIRS, ids=lambda v: str(v)[:70])
def test_a_pair_in_both_directions(inner, outer, there, back):
    assert (check(inner, outer), check(outer, inner)) == (there, back)


@pytest.mark.parametrize(("inner", "outer", "there", "back"), [
    ({"items": [S, INT], "additionalItems": False}, {"items": [S, N]}, "yes", "no"),
    (obj(dependencies={"a": ["b"]}), obj(), "yes", "no"),
    (obj(dependencies={"a": {"required": ["b"]}}), obj(), "yes", "no"),
    ({"$ref": "#/definitions/a", "maxLength": 1, "definitions": {"a": S}}, S, "yes", "yes"),
])  # fmt: skip
def test_draft_07_in_both_directions(inner, outer, there, back):
    assert (check(inner, outer, D07), check(outer, inner, D07)) == (there, back)


@pytest.mark.parametrize("schema", [
    {"$dynamicRef": "#node"}, {"type": "object", "properties": {"a": {"$id": "https://a.example/x", "$ref": "#/a"}}},
    {"$ref": "#somewhere"}, {"dependencies": {"a": ["b"]}}, {"type": "string", "pattern": "(?=a)"},
])  # fmt: skip
def test_what_is_not_understood_is_unknown_and_never_yes_or_no(schema):
    assert check(schema, N) == "unknown"
    assert check(N, schema) == "unknown"


@pytest.mark.parametrize(("inner", "outer", "there", "back"), [
    ({"type": "string", "pattern": "^(a|b.)$"}, {"enum": ["a", "bb"]}, "no", "yes"),
    ({"type": "string", "pattern": "^a[.x]$"}, {"enum": ["a.", "ax"]}, "yes", "yes"),
    ({"type": "string", "format": "date"}, {"type": "string", "pattern": "^[0-9-]{10}$"}, "yes", "no"),
    ({"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}, {"type": "string", "format": "uuid"}, "yes", "no"),
    ({"type": "string", "format": "ipv4"}, {"type": "string", "pattern": r"^[0-9.]+$"}, "yes", "no"),
    ({"type": "string", "format": "email"}, {"type": "string", "format": "idn-email"}, "yes", "no"),
    ({"type": "string", "format": "regex"}, {"type": "string"}, "yes", "no"),
    ({"type": "integer", "multipleOf": 1.5}, {"type": "integer", "multipleOf": 3}, "yes", "yes"),
    ({"type": "number", "multipleOf": 1.5}, {"type": "number", "multipleOf": 3}, "no", "yes"),
    ({"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6}]}, {"type": "integer", "multipleOf": 12}, "yes", "yes"),
])  # fmt: skip
def test_patterns_formats_and_multiples_are_weighed_together(inner, outer, there, back):
    assert (check(inner, outer), check(outer, inner)) == (there, back)


def test_names_of_schemas_move_references_and_say_nothing_else():
    named = obj(properties={"a": {"$id": "https://a.example/x", "type": "string"}})
    assert (check(named, obj(properties={"a": S})), check(obj(properties={"a": S}), named)) == ("yes", "yes")
    tree = {"$dynamicAnchor": "node", **obj(properties={"next": {"$dynamicRef": "#node"}, "dose": N})}
    plain = obj(properties={"next": {"$ref": "#"}, "dose": N})
    assert (check(tree, plain), check(plain, tree)) == ("yes", "yes")
    whole = obj(properties={"next": {"$ref": "#"}, "dose": INT})
    assert (check(whole, tree), check(tree, whole)) == ("yes", "no")


def test_schemas_as_deep_as_a_document_may_be_are_judged():
    def nested(leaf, times, wrap):
        for _ in range(times):
            leaf = wrap(leaf)
        return leaf

    for wrap in (lambda s: {"allOf": [s]}, lambda s: {"not": {"not": s}}, lambda s: {"anyOf": [s, S]}):
        inner, outer = (nested(leaf, 45, wrap) for leaf in (INT, N))
        assert (str(contains(inner, outer).answer), str(contains(outer, inner).answer)) == ("yes", "no")


def test_a_witness_is_small():
    found = contains(deep(N), deep(INT))
    assert found.witness["lines"] == [{"dose": 0.5}]
    assert (
        contains({"type": "string", "maxLength": 300}, {"type": "string", "maxLength": 200}).witness
        == "x" * 201
    )
    wide, narrow = ({"type": "integer", "format": form} for form in ("int64", "int32"))
    assert contains(wide, narrow).witness in {-(2**31) - 1, 2**31}
    assert contains({"type": "array", "maxItems": 9}, {"type": "array", "maxItems": 4}).witness == [""] * 5


def test_text_on_the_wire_is_read_as_the_receiver_needs():
    wire = Wire()
    for inner, outer, answer in (
        (INT, S, "yes"), (S, INT, "no"), ({"type": "boolean"}, S, "yes"), (N, INT, "no"),
        (INT, {"type": "string", "maxLength": 2}, "no"), ({"enum": ["1", "2"]}, INT, "yes"),
        ({"type": "boolean"}, {"enum": ["true", "false"]}, "yes"), ({"enum": ["1", "x"]}, INT, "no"),
    ):  # fmt: skip
        assert str(contains(inner, outer, wire=wire).answer) == answer, (inner, outer)


def test_one_more_alternative_is_a_break_where_it_overlaps_and_only_there():
    old = {"oneOf": [obj(properties={"a": S}), obj(properties={"b": S})]}
    new = {"oneOf": [obj(properties={"a": S}), obj(properties={"b": S}), obj(properties={"c": S})]}
    found = contains(old, new, declared_only=True)
    assert (str(found.answer), found.witness) == ("no", {"b": 0})  # as the first, and now as the third too
    apart = {"oneOf": [obj(properties={name: S}, required=[name]) for name in "ab"]}
    more = {"oneOf": [*apart["oneOf"], obj(properties={"c": S}, required=["c"])]}
    assert str(contains(apart, more, declared_only=True).answer) == "yes"
    assert check(apart, more) == "no"  # by the letter, who sends {"a": "", "c": ""} is refused


def test_what_is_assumed_of_a_free_object_does_not_make_it_declare_anything():
    free = obj()
    picky = {"if": {"properties": {"k": {"const": 1}}}, "then": {"properties": {"z": INT}}}
    found = contains(free, picky, declared_only=True)
    assert str(found.answer) == "no"
    assert set(found.witness) == {"z"}


def test_roles_are_each_other_turned_round():
    old, new = {"$schema": "https://json-schema.org/draft/2020-12/schema", **INT}, N
    for role, severities in (("accepts", ["safe"]), ("emits", ["breaking"]), ("both", ["safe", "breaking"])):
        assert [str(f.severity) for f in compare_schemas(old, new, role)] == severities
    assert [str(f.severity) for f in compare_schemas(new, old, "emits")] == ["safe"]
    assert [f.rule for f in compare_schemas(S, {**S, "title": "Words"}, "both")] == ["notes-changed"]
    assert [f.rule for f in compare_schemas({"$schema": "https://other.example"}, S, "both")] == [
        "kinds-differ"
    ]


@pytest.mark.parametrize("word", ["$defs", "definitions"])
def test_the_definitions_of_a_file_that_says_nothing_else_are_judged_one_by_one(word):
    def library(**held):
        return {"$id": "https://schemas.example/common", "title": "Words", word: held}

    old = library(code=INT, name=S)
    wider = compare_schemas(old, library(code=N, name=S), "accepts")
    assert [(f.rule, f.pointer) for f in wider] == [("schema-changed-compatibly", f"/{word}/code")]
    sent = compare_schemas(old, library(code=N, name=S), "emits")
    assert [(f.rule, f.pointer) for f in sent] == [("value-newly-emitted", f"/{word}/code/type")]
    gone = compare_schemas(old, library(code=INT), "both")
    assert [(f.rule, str(f.severity), f.base_pointer) for f in gone] == [
        ("change-unclassified", "undecided", f"/{word}/name")
    ]
    added = compare_schemas(library(code=INT), old, "both")
    assert [(f.rule, f.pointer) for f in added] == [("schema-changed-compatibly", f"/{word}/name")]
    noted = compare_schemas(old, library(code=INT, name={**S, "title": "Name"}), "both")
    assert [f.rule for f in noted] == ["notes-changed"]


def test_definitions_that_the_root_does_not_use_are_not_judged_beside_a_root_that_speaks():
    old = {"type": "object", "$defs": {"spare": S}}
    assert [f.rule for f in compare_schemas(old, {**old, "$defs": {"spare": N}}, "both")] == ["notes-changed"]


LEAVES = st.sampled_from([
    S, INT, N, {"type": "string", "maxLength": 2}, {"type": "string", "pattern": "^a+$"}, {"type": "integer", "minimum": 1},
    {"enum": ["a", 1, None]}, {"type": ["string", "null"]}, {"const": 2}, True, {"type": "number", "multipleOf": 2},
    {"type": "string", "format": "date"}, {"type": "number", "exclusiveMaximum": 3}, {"type": "boolean"},
])  # fmt: skip


def _wrap(inner):
    names = st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2)
    closed = st.sampled_from(
        [
            {},
            {"additionalProperties": False},
            {"additionalProperties": S},
            {"minProperties": 1},
            {"unevaluatedProperties": False},
            {"patternProperties": {"^[ab]$": S}},
            {"patternProperties": {"^a": INT}, "additionalProperties": False},
        ]
    )
    pair = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda v, c: {"type": "array", "items": v, **c}, inner,
                  st.sampled_from([{}, {"minItems": 1}, {"maxItems": 2}, {"uniqueItems": True}])),
        st.builds(lambda p, r, c: obj(properties=p, required=sorted(r), **c), names,
                  st.sets(st.sampled_from(["a", "b"])), closed),
        st.builds(lambda v: {"anyOf": v}, pair), st.builds(lambda v: {"oneOf": v}, pair),
        st.builds(lambda v: {"allOf": v, "unevaluatedProperties": False}, pair),
        st.builds(lambda v: {"anyOf": v, "unevaluatedProperties": False}, pair),
        st.builds(lambda v: {"allOf": v}, pair), st.builds(lambda v: {"not": v}, inner),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
    )  # fmt: skip


SCHEMAS = st.recursive(LEAVES, _wrap, max_leaves=7)
SCALARS = ["a", "aa", "abc", "", "2026-01-01", 1, 0, 2, 3.5, 2.0, None, True, False, -4]
VALUES = [
    *SCALARS, [], *([v] for v in SCALARS), {}, *({"a": v} for v in SCALARS), *({"b": v} for v in SCALARS),
    *({"a": v, "b": w} for v in ("a", 1, None) for w in ("a", 2, None)), {"c": 1}, {"c": "a"}, [[1]], [1, 1], ["a", 1],
    {"a": 1, "b": 1, "c": 1}, {"a": {"a": "a"}}, {"a": []}, [{}], [{"a": 1}],
]  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(SCHEMAS, SCHEMAS)
def test_no_answer_is_refuted_by_the_runtime_validators(inner, outer):
    found = contains(inner, outer)
    takes, refuses = (compile_schema(s, root=s, dialect=D12).accepts for s in (inner, outer))
    refuting = [value for value in VALUES if takes(value) and not refuses(value)]
    if found.answer is Answer.YES:
        assert refuting == []
    elif found.answer is Answer.NO:
        assert takes(found.witness)
        assert not refuses(found.witness)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SCHEMAS, SCHEMAS)
def test_the_reading_of_contracts_never_calls_a_break_what_the_validators_do_not(inner, outer):
    found = contains(inner, outer, declared_only=True)
    if found.answer is Answer.NO:
        assert check(inner, outer) == "no"
