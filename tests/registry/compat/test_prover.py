"""Inclusion of schemas is proven where it holds, and never where it does not."""

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.schema.dialects import Dialect
from registry.compat.containment import Answer, Comparer
from registry.compat.prover import Prover
from registry.compat.schema_side import Side
from registry.compat.schema_view import Unreadable

S, INT, N = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def obj(**keywords):
    return {"type": "object", **keywords}


def tree(value):
    kids = {"type": "array", "items": {"$ref": "#/$defs/t"}}
    return {"$defs": {"t": obj(properties={"v": value, "k": kids})}, "$ref": "#/$defs/t"}


KIND_A = obj(properties={"k": {"const": "a"}}, required=["k"])
KIND_B = obj(properties={"k": {"const": "b"}}, required=["k"])
A, B, AB = (
    obj(required=["a"]),
    obj(required=["b"]),
    obj(properties={"a": S, "b": S}, additionalProperties=False),
)

PROVEN = [
    (INT, N),
    (S, S),
    (False, S),
    (S, True),
    (S, {}),
    ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 6}),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}),
    ({"const": 1.0}, {"enum": [1]}),
    ({"const": "a"}, S),
    ({"enum": ["a", "b", 3]}, {"type": ["string", "integer"]}),
    (obj(properties={"a": S}, additionalProperties=False), AB),
    (S, {"oneOf": [S, INT]}),
    ({"oneOf": [INT, S]}, {"anyOf": [S, INT]}),
    ({"oneOf": [A, B]}, {"oneOf": [A, B, S]}),
    ({"oneOf": [A, B]}, {"oneOf": [B, A]}),
    ({"type": ["string", "null"]}, {"anyOf": [S, {"type": "null"}]}),
    ({"allOf": [obj(properties={"a": S}), obj(required=["a"])]}, obj(properties={"a": S}, required=["a"])),
    (
        {"type": "integer", "minimum": 1, "maximum": 10},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 11},
    ),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
    ({"type": "integer", "multipleOf": 6}, {"type": "integer", "multipleOf": 3}),
    ({"type": "number", "multipleOf": 0.5}, {"type": "number", "multipleOf": 0.1}),
    ({"type": "number", "multipleOf": 2}, INT),
    ({"type": "string", "pattern": "^[A-Z]{3}$"}, {"type": "string", "maxLength": 3, "minLength": 3}),
    ({"type": "string", "format": "date"}, {"type": "string", "format": "date", "maxLength": 10}),
    ({"type": "array", "items": INT}, {"type": "array", "items": N}),
    ({"type": "array", "items": INT, "minItems": 1}, {"type": "array", "contains": N}),
    (
        {"type": "array", "prefixItems": [INT, S], "items": False},
        {"type": "array", "prefixItems": [N], "items": S},
    ),
    ({"type": "array", "maxItems": 1}, {"type": "array", "uniqueItems": True}),
    (tree(INT), tree(N)),
    ({"not": S}, {"not": S}),
    (INT, {"not": S}),
    (KIND_A, {"oneOf": [KIND_A, KIND_B]}),
    ({"if": S, "then": {"maxLength": 3}}, {"if": S, "then": {"maxLength": 4}}),
    (obj(additionalProperties=INT), obj(additionalProperties=N)),
    (obj(patternProperties={"^x": INT}, additionalProperties=False), obj(additionalProperties=N)),
    (obj(patternProperties={"^x": INT}), obj(patternProperties={"^x": N})),
    ({"type": "boolean"}, {"enum": [True, False]}),
    (obj(dependentRequired={"a": ["b", "c"]}), obj(dependentRequired={"a": ["b"]})),
    (obj(required=["a", "b"]), obj(minProperties=2)),
    (AB, obj(maxProperties=2)),
    (AB, obj(propertyNames={"maxLength": 1})),
    (
        {"unevaluatedProperties": False, "properties": {"a": INT}},
        {"unevaluatedProperties": False, "properties": {"a": INT}},
    ),
]
NOT_PROVEN = [
    (N, INT),
    ({}, S),
    (AB, obj(properties={"a": S}, additionalProperties=False)),
    (obj(properties={"a": S}), obj(properties={"a": S, "b": S})),
    (N, {"oneOf": [N, INT]}),
    ({"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}),
    ({"type": "number", "multipleOf": 0.5}, {"type": "number", "multipleOf": 0.2}),
    (tree(N), tree(INT)),
    ({"type": ["integer", "string"]}, {"not": S}),
    ({"type": "string"}, {"type": "string", "format": "date"}),
    ({"type": "string"}, {"type": "string", "format": "made-up"}),
    ({"type": "string", "format": "hostname"}, {"type": "string", "format": "idn-hostname"}),
    ({"enum": [1, True]}, {"enum": [1]}),
    ({"if": S, "then": {"maxLength": 4}}, {"if": S, "then": {"maxLength": 3}}),
    (obj(), obj(additionalProperties=False)),
    (obj(patternProperties={"^x": N}), obj(patternProperties={"^x": INT})),
    ({"properties": {"a": INT}}, {"unevaluatedProperties": False, "properties": {"a": INT}}),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}),
    ({"type": "array", "items": INT}, {"type": "array", "contains": INT}),
    ({"anyOf": [{"$ref": "#"}, S]}, INT),
]


def includes(inner, outer, **reading):
    sides = [Side(s, Dialect.DRAFT_2020_12, tag=t).at("") for s, t in ((inner, "old"), (outer, "new"))]
    return Prover(**reading).includes(*sides)


@pytest.mark.parametrize(("inner", "outer"), PROVEN, ids=str)
def test_what_holds_is_proven(inner, outer):
    assert includes(inner, outer)


@pytest.mark.parametrize(("inner", "outer"), NOT_PROVEN, ids=str)
def test_what_does_not_hold_is_not_proven(inner, outer):
    assert not includes(inner, outer)


def test_a_recursive_pair_of_bare_references_is_never_proven_out_of_nothing():
    loop = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert not includes(S, loop)


def test_a_writer_is_held_to_what_it_declares_only_where_it_declares_something():
    old, new = obj(properties={"a": S}), obj(properties={"a": S, "b": S})
    assert not includes(old, new)
    assert includes(old, new, declared_only=True)
    assert not includes(obj(), new, declared_only=True)
    assert not includes(obj(properties={"a": S}, additionalProperties=True), new, declared_only=True)
    assert not includes(old, obj(properties={"a": S}, additionalProperties=False), declared_only=True)
    assert not includes(old, obj(properties={"a": S, "b": S}, required=["b"]), declared_only=True)


def test_dialects_are_read_in_their_own_words():
    old = Side({"type": "string", "nullable": True}, Dialect.OPENAPI_30, tag="old").at("")
    new = Side({"type": ["string", "null"]}, Dialect.OPENAPI_31, tag="new").at("")
    assert Prover().includes(old, new)
    assert Prover().includes(new, old)
    bounds = Side(
        {"type": "integer", "minimum": 0, "exclusiveMinimum": True}, Dialect.OPENAPI_30, tag="old"
    ).at("")
    assert Prover().includes(
        bounds, Side({"type": "integer", "minimum": 1}, Dialect.OPENAPI_31, tag="new").at("")
    )
    draft7 = Side({"items": [INT, S], "additionalItems": False}, Dialect.DRAFT_07, tag="old").at("")
    later = Side({"prefixItems": [N, S], "items": False}, Dialect.DRAFT_2020_12, tag="new").at("")
    assert Prover().includes(draft7, later)


def test_int32_is_a_bound_in_openapi_and_a_note_elsewhere():
    small, wide = {"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}
    one, two = (Side(s, Dialect.OPENAPI_30, tag=t).at("") for s, t in ((small, "old"), (wide, "new")))
    assert Prover().includes(one, two)
    assert not Prover().includes(two, one)


@pytest.mark.parametrize(
    "schema", [{"type": "text"}, {"$ref": "https://a.example/x"}, {"$ref": "#/nowhere"}, {"allOf": 3}]
)
def test_what_cannot_be_read_is_said(schema):
    with pytest.raises(Unreadable):
        includes(schema, S)


# A label-free oracle: what is proven is not refuted by any of these values.
LEAVES = st.sampled_from([
    S, INT, N, {"type": "string", "maxLength": 2}, {"type": "integer", "minimum": 1}, {"enum": ["a", 1, None]},
    {"type": ["string", "null"]}, {"const": 2}, True, {"type": "number", "multipleOf": 2}, {"not": S},
])  # fmt: skip


def _wrap(inner):
    pair = st.lists(inner, min_size=1, max_size=2)
    names = st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    return st.one_of(
        st.builds(lambda v: {"type": "array", "items": v}, inner),
        st.builds(lambda p, r, c: obj(properties=p, required=sorted(r), **c), names,
                  st.sets(st.sampled_from(["a", "b"])), st.sampled_from([{}, {"additionalProperties": False}])),
        st.builds(lambda v: {"anyOf": v}, pair), st.builds(lambda v: {"oneOf": v}, pair),
        st.builds(lambda v: {"allOf": v}, pair), st.builds(lambda v: {"not": v}, inner),
    )  # fmt: skip


SCHEMAS = st.recursive(LEAVES, _wrap, max_leaves=6)
SCALARS = ["a", "abc", "", 1, 0, 2, 3.5, 2.0, None, True, -4]
VALUES = [
    *SCALARS, [], *([v] for v in SCALARS), {}, *({"a": v} for v in SCALARS), *({"a": v, "b": "a"} for v in SCALARS),
    *({"b": v} for v in SCALARS), {"a": {"a": "abc"}}, {"a": ["a"]}, {"c": 1}, [[1]], {"a": 1, "b": 1, "c": 1},
]  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(SCHEMAS, SCHEMAS)
def test_nothing_proven_is_refuted_by_a_value(inner, outer):
    if includes(inner, outer):
        first, second = (jsonschema_rs.Draft202012Validator(s) for s in (inner, outer))
        assert [v for v in VALUES if first.is_valid(v) and not second.is_valid(v)] == []


@settings(max_examples=150, deadline=None, derandomize=True)
@given(SCHEMAS)
def test_every_schema_includes_itself_and_its_part_of_a_choice(schema):
    assert includes(schema, schema)
    assert includes(schema, {"anyOf": [schema, S]})
    assert includes({"allOf": [schema, INT]}, schema)


def ward(kinds, **changed):
    """Resources that may contain each other, as those of FHIR do: each names its type, none says that it is an object."""
    defs = {}
    for number in range(kinds):
        name = f"R{number}"
        own = {
            "type": {"const": name},
            "note": S,
            "contained": {"type": "array", "items": {"$ref": "#/$defs/any"}},
        }
        defs[name] = {"properties": own, "required": ["type"], "additionalProperties": False}
        defs[name]["properties"] |= changed.get(name, {})
    defs["any"] = {"oneOf": [{"$ref": f"#/$defs/R{number}"} for number in range(kinds)]}
    return {"$defs": defs, "allOf": [{"$ref": "#/$defs/R0"}, {"type": "object"}]}


@pytest.mark.parametrize("kinds", [3, 60])
def test_resources_that_contain_each_other_are_proven_each_once(kinds):
    last = f"R{kinds - 1}"
    old, wider, narrower = (
        ward(kinds, **changed) for changed in ({}, {last: {"nick": S}}, {last: {"note": {"const": "x"}}})
    )
    assert includes(old, wider)
    assert includes(narrower, old)
    assert includes(old, ward(kinds))
    for inner, outer, name in ((wider, old, "nick"), (old, narrower, "note")):
        prover = Prover()
        ends = [
            Side(root, Dialect.DRAFT_2020_12, tag=tag).at("") for tag, root in (("i", inner), ("o", outer))
        ]
        assert not prover.includes(*ends)
        assert prover.gap.path == ("contained", "*", name)
        assert prover.gap.goal.pointer.startswith(f"/$defs/{last}")


def test_a_break_within_what_is_contained_is_shown_though_no_schema_names_its_type():
    """What leads on is tried before what holds no parts: else seven types share what may be tried."""
    states = [f"s{number}" for number in range(12)]
    many = {f"p{number}": {} for number in range(30)}
    every = [{"$ref": f"#/$defs/R{number}"} for number in range(60)]
    kinds = {f"R{number}": many for number in range(60)}
    old, new = (
        {**ward(60, **kinds | {"R59": {"state": {"enum": listed}}}), "allOf": [{}], "oneOf": every}
        for listed in (states, [*states, "of-tomorrow"])
    )
    ends = [Side(root, Dialect.DRAFT_2020_12, tag=tag).at("") for tag, root in (("new", new), ("old", old))]
    found = Comparer(declared_only=False).contains(*ends)
    assert (found.answer, found.gap.path[-1]) == (Answer.NO, "state")
    judges = [jsonschema_rs.Draft202012Validator(schema) for schema in (new, old)]
    assert [judge.is_valid(found.witness) for judge in judges] == [True, False]


REFERENCES = st.sampled_from([{"$ref": f"#/$defs/{name}"} for name in "xyz"])
BELOW = st.one_of(
    REFERENCES, st.builds(lambda one: {"allOf": [one]}, REFERENCES), st.sampled_from([S, INT, {"const": "a"}])
)
HOLDING = st.one_of(
    st.builds(lambda p, r, c: obj(properties=p, required=sorted(r), **c),
              st.dictionaries(st.sampled_from(["a", "b"]), BELOW, max_size=2),
              st.sets(st.sampled_from(["a", "b"]), max_size=1), st.sampled_from([{}, {"additionalProperties": False}])),
    st.builds(lambda v: {"type": "array", "items": v}, BELOW), st.sampled_from([S, {"type": "null"}]),
)  # fmt: skip
SPLIT = st.one_of(
    HOLDING,
    *(
        st.builds(lambda pair, word=word: {word: pair}, st.lists(HOLDING, min_size=2, max_size=2))
        for word in ("anyOf", "oneOf")
    ),
)
DEFS = st.fixed_dictionaries(dict.fromkeys("xyz", SPLIT))
DEEPER = [
    *VALUES,
    *({"a": v} for v in VALUES),
    *([v] for v in VALUES),
    *({"a": {"b": v}, "b": v} for v in VALUES),
]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(DEFS, DEFS, st.booleans())
def test_nothing_proven_of_schemas_that_refer_to_each_other_is_refuted_by_a_value(first, second, one_changed):
    if one_changed:
        second = {**first, "z": second["z"]}
    inner, outer = ({"$defs": defs, "$ref": "#/$defs/x"} for defs in (first, second))
    if includes(inner, outer):
        judges = [jsonschema_rs.Draft202012Validator(schema) for schema in (inner, outer)]
        assert [v for v in DEEPER if judges[0].is_valid(v) and not judges[1].is_valid(v)] == []
