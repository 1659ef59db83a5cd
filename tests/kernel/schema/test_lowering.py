"""OpenAPI 3.0 lowered to 2020-12: judged against openapi-schema-validator by generated schemas and values.

Known exceptions, where the oracle and the specification part:

* OpenAPI 3.0 takes its types from JSON Schema Wright 00, and 1.0 is the number 1: we take it as an integer,
  as 2020-12 core §6.3 does; the oracle refuses floats that hold whole numbers.
* `format: int32` is for any number (OpenAPI 3.0.3 §4.4, "signed 32 bits"); the oracle without its format
  checker takes an int32 of 2^40, and with it lets floats pass unseen.
* Keywords beside `$ref` SHALL be ignored (§4.7.23); the oracle counts them.
* `discriminator` is a hint to deserialisation (§4.7.25); the oracle validates by it.
* A property that travels one way only is found through `$ref` and `allOf` too (§4.7.24.2, which speaks of
  the property); the oracle looks at the inline schema alone.
"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30ReadValidator, OAS30Validator, OAS30WriteValidator

from kernel.errors import SchemaRefused
from kernel.schema.lowering import Lowering, Spot
from kernel.schema.validator import Dialect, SchemaViolation, compile_schema


def compiled(schema, direction=None, **schemas):
    root = {"openapi": "3.0.3", "components": {"schemas": schemas}}
    return compile_schema(schema, root=root, dialect=Dialect.OPENAPI_30, direction=direction)


# Whole floats are left out of values and limits: the first exception above.
scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.5, "", "a", "ab", "é"])
)
instances = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
counts = st.integers(0, 3)
limits = st.sampled_from([-2, -1, 0, 0.5, 1, 2])
plain = {
    "type": st.sampled_from(["boolean", "integer", "number", "string", "array", "object"]),
    "nullable": st.booleans(),
    "minimum": limits,
    "maximum": limits,
    "exclusiveMinimum": st.booleans(),
    "exclusiveMaximum": st.booleans(),
    "multipleOf": st.sampled_from([1, 0.5, 2]),
    "minLength": counts,
    "maxLength": counts,
    "minItems": counts,
    "maxItems": counts,
    "uniqueItems": st.booleans(),
    "minProperties": counts,
    "maxProperties": counts,
    "required": st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True),
    "enum": st.lists(scalars, min_size=1, max_size=3),
    "pattern": st.sampled_from(["^a", "b$", "^$"]),
    "format": st.sampled_from(["password", "made-up"]),
    "title": st.just("T"),
    "example": st.just({"$ref": "nowhere"}),
    "default": st.just(7),
    "deprecated": st.booleans(),
    "externalDocs": st.just({"url": "https://docs.example"}),
    "xml": st.just({"name": "n"}),
}
references = st.just({"$ref": "#/components/schemas/Leaf"})
schemas = st.recursive(
    st.fixed_dictionaries({}, optional=plain) | references,
    lambda inner: st.fixed_dictionaries(
        {},
        optional=plain
        | {
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "additionalProperties": inner | st.booleans(),
            "items": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=6,
)


def oracle(kind, schema, leaf):
    whole = {**schema, "components": {"schemas": {"Leaf": leaf}}}
    return kind(whole)


@given(schemas, st.fixed_dictionaries({}, optional=plain), instances)
def test_agrees_with_openapi_schema_validator(schema, leaf, instance):
    assume("$ref" not in schema)  # at the top the oracle's whole document would have siblings that count
    assert compiled(schema, Leaf=leaf).accepts(instance) == oracle(OAS30Validator, schema, leaf).is_valid(
        instance
    )


one_way = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(
            st.sampled_from("abc"),
            st.fixed_dictionaries(
                {"type": st.sampled_from(["string", "boolean"])},
                optional={"readOnly": st.booleans(), "writeOnly": st.booleans()},
            ),
            max_size=3,
        ),
    },
    optional={"required": st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)},
)


@given(one_way, st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", True]), max_size=3))
def test_directions_agree_with_openapi_schema_validator(schema, instance):
    # A property may be readOnly or writeOnly, not both (§4.7.24.2).
    assume(not any(item.get("readOnly") and item.get("writeOnly") for item in schema["properties"].values()))
    assert compiled(schema, "request").accepts(instance) == OAS30WriteValidator(schema).is_valid(instance)
    assert compiled(schema, "response").accepts(instance) == OAS30ReadValidator(schema).is_valid(instance)


def test_the_known_exceptions_are_still_what_they_are():
    assert compiled({"type": "integer"}).accepts(1.0)
    assert not OAS30Validator({"type": "integer"}).is_valid(1.0)
    assert not compiled({"type": "integer", "format": "int32"}).accepts(2**40)
    assert OAS30Validator({"type": "integer", "format": "int32"}).is_valid(2**40)
    sibling = {"$ref": "#/components/schemas/Leaf", "type": "string"}
    assert compiled({"items": sibling}, Leaf={}).accepts([1])
    assert not oracle(OAS30Validator, {"items": sibling}, {}).is_valid([1])


@pytest.mark.parametrize(
    ("schema", "yes", "no"),
    [
        ({"type": "string", "nullable": True}, ["a", None], [1]),
        ({"nullable": True}, [None, 1], []),
        ({"type": "string", "enum": ["a"], "nullable": True}, ["a"], [None, "b"]),
        ({"nullable": True, "allOf": [{"type": "string"}]}, ["a"], [None]),
        ({"minimum": 1, "exclusiveMinimum": True}, [2, "a"], [1]),
        ({"minimum": 1, "exclusiveMinimum": False}, [1], [0]),
        ({"exclusiveMinimum": True}, [-5], []),
        ({"maximum": 1, "exclusiveMaximum": True}, [0], [1]),
        ({"type": "number", "format": "int32"}, [5, 5.0], [5.5, 2**31]),
        ({"type": "string", "format": "byte"}, ["QUI="], ["QUI"]),
        ({"type": "string", "format": "binary"}, ["\x00\xff"], [1]),
        ({"additionalProperties": False, "properties": {"a": {}}}, [{"a": 1}], [{"b": 1}]),
        ({"oneOf": [{"type": "string"}], "discriminator": {"propertyName": "kind"}}, ["a"], [{"kind": "a"}]),
    ],
)
def test_forms_of_3_0(schema, yes, no):
    made = compiled(schema)
    assert [value for value in yes if not made.accepts(value)] == []
    assert [value for value in no if made.accepts(value)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"exclusiveMinimum": 3},
        {"const": 1},
        {"patternProperties": {}},
        {"if": {}},
        {"items": [{}]},
        {"contains": {}},
        {"prefixItems": [{}]},
        {"dependentRequired": {}},
        {"propertyNames": {}},
        {"unevaluatedProperties": False},
        {"additionalItems": False},
    ],
)
def test_constraints_of_other_dialects_are_refused(schema):
    with pytest.raises(SchemaRefused) as caught:
        compiled({"items": schema})
    assert caught.value.place.pointer.startswith("/items")
    assert caught.value.hint


ORDER = {
    "type": "object",
    "required": ["id", "test", "secret"],
    "properties": {
        "id": {"$ref": "#/components/schemas/Id"},
        "test": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
    },
}
ID = {"type": "string", "readOnly": True}


def test_what_travels_one_way_is_not_required_the_other_way_and_not_taken():
    incoming, outgoing = compiled(ORDER, "request", Id=ID), compiled(ORDER, "response", Id=ID)
    assert incoming.accepts({"test": "718-7", "secret": "s"})
    assert set(incoming.violations({"id": "7", "test": "718-7"})) == {
        SchemaViolation("/id", "readOnly"),
        SchemaViolation("/secret", "required"),
    }
    assert outgoing.accepts({"id": "7", "test": "718-7"})
    assert outgoing.violations({"id": "7", "test": "718-7", "secret": "s"}) == (
        SchemaViolation("/secret", "writeOnly"),
    )
    assert compiled(ORDER, Id=ID).accepts({"id": "7", "test": "718-7", "secret": "s"})


def test_required_and_read_only_may_stand_in_different_branches():
    schemas = {
        "Id": ID,
        "Base": ORDER,
        "Other": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    }
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"required": ["id"]},
            {"anyOf": [{"required": ["id"]}]},
        ]
    }
    assert compiled(schema, "request", **schemas).accepts({"test": "718-7", "secret": "s"})
    # The same name elsewhere is a property of its own, and stays required.
    other = compiled(
        {"properties": {"a": schema, "b": {"$ref": "#/components/schemas/Other"}}}, "request", **schemas
    )
    assert other.accepts({"a": {"test": "x", "secret": "s"}, "b": {"id": "7"}})
    assert not other.accepts({"b": {}})


def test_not_is_not_turned_around():
    schema = {"properties": {"id": ID, "test": {}}, "not": {"required": ["id", "test"]}}
    assert compiled(schema, "request").accepts({"test": "x"})


def test_recursive_one_way_schemas_end():
    node = {
        "properties": {"id": ID, "below": {"$ref": "#/components/schemas/Node"}},
        "allOf": [{"required": ["id"]}],
    }
    made = compiled({"$ref": "#/components/schemas/Node"}, "request", Node=node)
    assert made.accepts({"below": {"below": {}}})
    assert made.violations({"below": {"id": "7"}}) == (SchemaViolation("/below/id", "readOnly"),)


def test_branches_that_meet_again_are_looked_into_once():
    # Of schemas that name the next one twice, the last would be looked into 2^40 times.
    schemas = {
        f"#/{number}": {"allOf": [{"$ref": f"#/{number + 1}"}, {"$ref": f"#/{number + 1}"}]}
        for number in range(40)
    }
    schemas["#/40"] = {"properties": {"id": ID}}
    asked = []

    def find(ref, spot):
        asked.append(ref)
        assert len(asked) < 1_000
        return schemas[ref]

    lowering = Lowering({}, "request", lambda ref, _: ref[2:], find, lambda ref, _: ref)
    lowered = lowering.lower({**schemas["#/0"], "required": ["id"]}, Spot("", Dialect.OPENAPI_30))
    assert lowered["required"] == []


def test_branches_in_a_circle_are_refused():
    twice = {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]}
    with pytest.raises(SchemaRefused, match="leads back"):
        compiled({"$ref": "#/components/schemas/A"}, "request", A=twice)


def test_directions_are_notes_in_3_1():
    made = compile_schema(
        ORDER, root={"components": {"schemas": {"Id": ID}}}, dialect=Dialect.OPENAPI_31, direction="request"
    )
    assert made.accepts({"id": "7", "test": "x", "secret": "s"})
