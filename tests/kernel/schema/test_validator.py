"""Compiled schemas: what they accept, what they say of a refusal, and what cannot be compiled."""

from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.contract.document import parse
from kernel.contract.references import embed_urns
from kernel.errors import SchemaRefused
from kernel.schema.validator import Dialect, SchemaViolation, compile_schema, dialect_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def compiled(schema, root=None, dialect=Dialect.DRAFT_2020_12, direction=None):
    return compile_schema(schema, root=schema if root is None else root, dialect=dialect, direction=direction)


def refusal(schema, **more):
    with pytest.raises(SchemaRefused) as caught:
        compiled(schema, **more)
    assert caught.value.hint
    return caught.value


# Oracle: jsonschema for 2020-12 and draft-07

scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -1.5, "", "a", "ab", "é"])
)
instances = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
counts = st.integers(0, 3)
words = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
leaf_schemas = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": words | st.lists(words, min_size=1, max_size=3, unique=True),
            "minimum": st.integers(-2, 2),
            "exclusiveMaximum": st.sampled_from([0, 0.5, 2]),
            "multipleOf": st.sampled_from([1, 0.5, 2]),
            "minLength": counts,
            "maxLength": counts,
            "minItems": counts,
            "maxProperties": counts,
            "uniqueItems": st.booleans(),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "const": scalars,
            "enum": st.lists(scalars, max_size=3),
            "pattern": st.sampled_from(["^a", "b$", "^$"]),
        },
    ),
)


def without_lost_items(schema):
    """Leave out an additionalItems that says nothing: the oracle breaks over it beside `items: false`."""
    if isinstance(schema.get("items"), list):
        return schema
    return {key: value for key, value in schema.items() if key != "additionalItems"}


def schemas(more):
    return st.recursive(
        leaf_schemas,
        lambda inner: st.fixed_dictionaries({}, optional=more(inner)).map(without_lost_items),
        max_leaves=6,
    )


def common(inner):
    return {
        "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "[bc]"]), inner, max_size=2),
        "additionalProperties": inner,
        "propertyNames": inner,
        "contains": inner,
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "oneOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
    }


newer = schemas(
    lambda inner: (
        common(inner)
        | {
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "unevaluatedProperties": inner,
            "unevaluatedItems": inner,
            "dependentSchemas": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "dependentRequired": st.dictionaries(st.sampled_from("abc"), st.just(["b"]), max_size=2),
            "minContains": counts,
            "maxContains": counts,
        }
    )
)
older = schemas(
    lambda inner: (
        common(inner)
        | {
            "items": inner | st.lists(inner, max_size=2),
            "additionalItems": inner,
            "dependencies": st.dictionaries(st.sampled_from("abc"), inner | st.just(["b"]), max_size=2),
        }
    )
)


@given(newer, instances)
def test_agrees_with_jsonschema_on_2020_12(schema, instance):
    mine = compiled(schema)
    valid = jsonschema.Draft202012Validator(schema).is_valid(instance)
    assert mine.accepts(instance) == valid
    assert (mine.violations(instance) == ()) == valid


@given(older, instances)
def test_agrees_with_jsonschema_on_draft_07(schema, instance):
    mine = compiled(schema, dialect=Dialect.DRAFT_07)
    assert mine.accepts(instance) == jsonschema.Draft7Validator(schema).is_valid(instance)


# Numbers as written


@pytest.mark.parametrize(
    ("schema", "yes", "no"),
    [
        ({"type": "integer"}, ["1", "1.0", "1e2", "100000000000000000000000000"], ["1.5", "1.00000000000000000000001", "1e-400"]),
        ({"maximum": 0.1}, ["0.1", "0.10", "1e-1"], ["0.10000000000000000001"]),
        ({"exclusiveMinimum": 0}, ["1e-400", "5e-324"], ["0", "-0.0", "-1e-400"]),
        ({"maximum": 9007199254740992}, ["9007199254740992", "9007199254740992.0"], ["9007199254740993", "9007199254740993.0"]),
        ({"minimum": 2**63}, [str(2**63), str(2**64)], [str(2**63 - 1)]),
        ({"multipleOf": 0.01}, ["4.35", "19.99", "1.1", "123456789.01", "1e15", "0"], ["0.005", "4.351", "0.010000000000000000001"]),
        ({"multipleOf": 3}, [str(3 * 2**70), "9.0"], [str(3 * 2**70 + 1), "9.5"]),
        ({"const": 0.1}, ["0.1", "0.10"], ["0.10000000000000000001", "0.09999999999999999999999"]),
        ({"const": 9007199254740993}, ["9007199254740993"], ["9007199254740992", "9007199254740994"]),
        ({"enum": [1, 2.5]}, ["1.0", "2.50"], ["1.00000000000000000000001"]),
        ({"uniqueItems": True}, ["[0.1, 0.10000000000000000001]", "[9007199254740992, 9007199254740993]"], ["[1, 1.0]", "[0.1, 0.10]"]),
        ({"type": "number", "maximum": 1e308}, ["1e308"], ["1e309"]),
    ],
)  # fmt: skip
def test_numbers_are_judged_as_written(schema, yes, no):
    made = compiled(schema)
    assert made.exact
    assert [text for text in yes if not made.accepts(parse(text.encode(), media="json").root)] == []
    assert [text for text in no if made.accepts(parse(text.encode(), media="json").root)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": ["integer", "number"]},
        {"type": "number"},
        {"enum": ["a", True, None]},
        {"format": "date"},
        True,
    ],
)
def test_doubles_do_where_rounding_changes_nothing(schema):
    assert not compiled(schema).exact


def test_exactness_is_seen_through_references():
    root = {"$defs": {"n": {"items": {"const": {"deep": [1]}}}}}
    assert compiled({"properties": {"a": {"$ref": "#/$defs/n"}}}, root=root).exact


def test_booleans_are_no_numbers_and_decimals_are():
    assert not compiled({"type": "number"}).accepts(True)
    assert compiled({"type": "integer"}).accepts(Decimal("7.0"))
    assert not compiled({"type": "integer"}).accepts(Decimal("7.5"))
    assert compiled({"minimum": 3}).accepts(Decimal("1e400"))


# What a refusal says


WARD = {
    "type": "object",
    "required": ["name", "beds"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "beds": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"free": {"type": "boolean"}},
                "additionalProperties": False,
            },
        },
        "a/b": {"type": "integer"},
    },
    "patternProperties": {"^note-": {"type": "string"}},
    "additionalProperties": {"type": "string"},
}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"name": "B2", "beds": []}, []),
        ({"name": "", "beds": []}, [("/name", "minLength")]),
        ({"beds": []}, [("/name", "required")]),
        ({"name": "B2", "beds": [{"free": "yes"}, {}]}, [("/beds/0/free", "type")]),
        ({"name": "B2", "beds": [{"Anna Muster": 1}]}, [("/beds/0/{key}", "additionalProperties")]),
        ({"name": "B2", "beds": [], "note-Muster": 5}, [("/{key}", "type")]),
        ({"name": "B2", "beds": [], "Muster": {"free": 1}}, [("/{key}", "type")]),
        ({"name": "B2", "beds": [], "a/b": "x"}, [("/a~1b", "type")]),
        ([], [("", "type")]),
    ],
)
def test_violations_name_places_and_keywords(value, found):
    schema = compiled(WARD)
    assert schema.violations(value) == tuple(SchemaViolation(*pair) for pair in found)
    assert schema.accepts(value) == (not found)


def test_violations_never_hold_values_or_unknown_keys():
    schema = compiled(
        {
            "properties": {"a": {"type": "integer"}},
            "propertyNames": {"maxLength": 3},
            "unevaluatedProperties": False,
        }
    )
    found = schema.violations({"a": "Muster", "Muster Anna": 1})
    assert {violation.pointer for violation in found} == {"/a", "", "/{key}"}
    assert "Muster" not in repr(found)


def test_violations_are_limited():
    schema = compiled({"items": {"type": "string"}})
    assert len(schema.violations([1] * 100)) == 16
    assert len(schema.violations([1] * 100, limit=3)) == 3
    assert schema.violations([1] * 100_000) == (SchemaViolation("/0", "type"),)


def test_false_schemas():
    assert compiled({"properties": {"a": False}}).violations({"a": 1})[0].pointer == "/a"
    assert not compiled(False).accepts(1)
    assert compiled(True).accepts(1)


def test_required_by_dependence_is_said_as_required():
    assert compiled({"dependentRequired": {"a": ["b"]}}).violations({"a": 1}) == (
        SchemaViolation("/b", "required"),
    )


# References


def test_recursion_through_the_document():
    root = {
        "$defs": {
            "node": {
                "required": ["v"],
                "properties": {"next": {"$ref": "#/$defs/node"}, "v": {"$ref": "#/$defs/v"}},
            },
            "v": {"type": "integer"},
        }
    }
    schema = compiled({"$ref": "#/$defs/node"}, root=root)
    assert schema.accepts({"v": 1, "next": {"v": 2, "next": {"v": 3}}})
    assert schema.violations({"v": 1, "next": {"v": 2, "next": {}}}) == (
        SchemaViolation("/next/next/v", "required"),
    )


def test_a_reference_to_the_root_and_through_escapes():
    root = {
        "properties": {"below": {"$ref": "#"}, "n": {"$ref": "#/$defs/a~1b%25"}},
        "$defs": {"a/b%": {"type": "integer"}},
    }
    schema = compiled(root)
    assert schema.accepts({"below": {"below": {"n": 1}}})
    assert not schema.accepts({"below": {"below": {"n": "x"}}})


def test_siblings_of_references_count_in_2020_12_only():
    root = {"$defs": {"s": {"type": "string"}}}
    schema = {"$ref": "#/$defs/s", "maxLength": 1}
    assert not compiled(schema, root=root).accepts("ab")
    assert compiled(schema, root=root, dialect=Dialect.OPENAPI_30).accepts("ab")
    assert compiled(schema, root=root, dialect=Dialect.DRAFT_07).accepts("ab")


def test_only_what_is_needed_is_compiled():
    """A fault elsewhere in the document does not matter to a schema that does not reach it."""
    root = {"$defs": {"good": {"type": "string"}, "bad": {"pattern": "(?=x)"}}}
    assert compiled({"$ref": "#/$defs/good"}, root=root).accepts("x")
    refusal({"$ref": "#/$defs/bad"}, root=root)


@pytest.mark.parametrize(
    "root",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "items": {"$ref": "#/$defs/a"}},
        {
            "$defs": {"a": {"anyOf": [{"type": "string"}, {"allOf": [{"$ref": "#/$defs/a"}]}]}},
            "items": {"$ref": "#/$defs/a"},
        },
        {"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "items": {"$ref": "#/$defs/a"}},
        {"$defs": {"a": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}}, "items": {"$ref": "#/$defs/a"}},
        {"$defs": {"a": {"if": True, "then": {"$ref": "#/$defs/a"}}}, "items": {"$ref": "#/$defs/a"}},
    ],
)
def test_references_in_a_circle_on_one_value_are_refused(root):
    assert "leads back" in refusal(root).message


def test_a_diamond_is_no_circle():
    leaf = {"type": "string"}
    root = {
        "$defs": {
            "l": leaf,
            "a": {"allOf": [{"$ref": "#/$defs/l"}]},
            "b": {"allOf": [{"$ref": "#/$defs/l"}, {"$ref": "#/$defs/a"}]},
        }
    }
    schema = compiled({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]}, root=root)
    assert schema.accepts("x")
    assert not schema.accepts(1)


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"items": {"$ref": "#/absent"}}, "/absent"),
        ({"items": {"$ref": "https://elsewhere.example/x"}}, "/items"),
        ({"items": {"$ref": "other.json"}}, "/items"),
        ({"items": {"$ref": 5}}, "/items"),
        ({"items": {"$dynamicRef": "#x"}}, "/items"),
        ({"items": {"$recursiveRef": "#"}}, "/items"),
        (
            {
                "properties": {"a": {"$id": "https://x.example/a", "items": {"$ref": "#/$defs/b"}}},
                "$defs": {"b": {}},
            },
            "/properties/a/items",
        ),
        ({"properties": {"a": 5}}, "/properties/a"),
        ({"items": {"$schema": "http://json-schema.org/draft-03/schema#"}}, "/items"),
        ({"items": {"dependencies": {"a": ["b"]}}}, "/items"),
        ({"items": [{"type": "string"}]}, "/items"),
        ({"items": {"schemaFormat": "application/vnd.apache.avro", "schema": {"type": "record"}}}, "/items"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_place(schema, pointer):
    assert refusal(schema).place.pointer == pointer


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"minLength": -1},
        {"required": "a"},
        {"properties": []},
        {"allOf": {}},
        {"pattern": 5},
        {"enum": 1},
        {"multipleOf": 0},
    ],
)
def test_senseless_keywords_are_refused(schema):
    assert "not valid" in refusal(schema).message


def test_a_root_id_changes_nothing():
    schema = {
        "$id": "https://registry.example/s",
        "$schema": DRAFT,
        "items": {"$ref": "#/$defs/n"},
        "$defs": {"n": {"type": "null"}},
    }
    assert not compiled(schema).accepts([1])


# Dialects


def test_dialects_of_documents():
    assert dialect_of({"openapi": "3.0.3"}) is Dialect.OPENAPI_30
    assert dialect_of({"openapi": "3.1.1"}) is Dialect.OPENAPI_31
    assert dialect_of({"openapi": "3.2.0"}) is Dialect.OPENAPI_31
    assert (
        dialect_of({"openapi": "3.1.0", "jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"})
        is Dialect.DRAFT_07
    )
    assert (
        dialect_of(
            {"openapi": "3.1.0", "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base"}
        )
        is Dialect.OPENAPI_31
    )
    assert dialect_of({"asyncapi": "3.0.0"}) is Dialect.DRAFT_07
    assert dialect_of({"$schema": DRAFT}) is Dialect.DRAFT_2020_12
    assert dialect_of({"$schema": "http://json-schema.org/draft-07/schema"}) is Dialect.DRAFT_07
    assert dialect_of({"type": "object"}) is Dialect.DRAFT_2020_12
    for uri in (
        "http://json-schema.org/draft-03/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://x.example/mine",
    ):
        with pytest.raises(SchemaRefused):
            dialect_of({"$schema": uri})


def test_asyncapi_wrappers_name_the_dialect():
    for name, text in (
        ("application/schema+json;version=draft-07", {"items": [{"type": "string"}]}),
        ("application/vnd.aai.asyncapi+yaml; version=3.0.0", {"items": [{"type": "string"}]}),
        ("application/schema+yaml;version=2020-12", {"prefixItems": [{"type": "string"}]}),
        ("application/vnd.oai.openapi;version=3.1.0", {"prefixItems": [{"type": "string"}]}),
        ("application/vnd.oai.openapi+json;version=3.0.3", {"items": {"type": "string"}}),
    ):
        root = {"components": {"schemas": {"S": {"schemaFormat": name, "schema": text}}}}
        made = compiled({"$ref": "#/components/schemas/S"}, root=root, dialect=Dialect.DRAFT_07)
        assert made.accepts(["x"])
        assert not made.accepts([1])


def test_a_definition_follows_the_dialect_around_it():
    """A 2020-12 schema inside an OpenAPI 3.0 document keeps its own words, deep inside too."""
    inner = {
        "$schema": DRAFT,
        "$defs": {"p": {"prefixItems": [{"const": 1}], "type": ["array", "null"]}},
        "properties": {"t": {"$ref": "#/components/schemas/C/$defs/p"}},
    }
    root = {"openapi": "3.0.3", "components": {"schemas": {"C": inner}}}
    for schema, path in (
        ({"$ref": "#/components/schemas/C"}, "t"),
        ({"properties": {"x": {"$ref": "#/components/schemas/C/$defs/p"}}}, "x"),
    ):
        made = compiled(schema, root=root, dialect=Dialect.OPENAPI_30)
        assert made.accepts({path: [1]})
        assert made.accepts({path: None})
        assert not made.accepts({path: [2]})


def test_embedded_urns_compile():
    day = {"$schema": DRAFT, "type": "string", "format": "date"}
    from kernel.contract.digest import digest

    urn = f"urn:interlock:schema:day:1.0.0:{digest(day).replace(':', '-')}#"
    root = {"openapi": "3.0.3", "components": {"schemas": {"Stay": {"properties": {"on": {"$ref": urn}}}}}}
    refusal({"$ref": "#/components/schemas/Stay"}, root=root, dialect=Dialect.OPENAPI_30)
    made = compiled(
        {"$ref": "#/components/schemas/Stay"},
        root=embed_urns(root, lambda _: day),
        dialect=Dialect.OPENAPI_30,
    )
    assert made.accepts({"on": "2024-02-29"})
    assert not made.accepts({"on": "2024-02-30"})


def test_draft_07_tuples_and_dependencies():
    schema = {
        "items": [{"type": "string"}],
        "additionalItems": False,
        "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
    }
    made = compiled(schema, dialect=Dialect.DRAFT_07)
    assert made.accepts(["x"])
    assert not made.accepts(["x", 1])
    assert not made.accepts({"a": 1})
    assert made.violations({"c": 1}) == (SchemaViolation("/d", "required"),)
    refusal({"prefixItems": []}, dialect=Dialect.DRAFT_07)


def test_two_spellings_of_one_pattern_both_hold():
    made = compiled({"patternProperties": {"^[0-9]+$": {"type": "integer"}, r"^\d+$": {"minimum": 5}}})
    assert made.accepts({"7": 7})
    assert not made.accepts({"7": 3})
    assert not made.accepts({"7": 7.5})


@pytest.mark.parametrize(("steps", "times"), [(("properties", "a"), 99), (("not",), 198), (("items",), 198)])
def test_schemas_as_deep_as_documents_may_be_compile(steps, times):
    schema: dict = {"type": "string"}
    for _ in range(times):
        for step in reversed(steps):
            schema = {step: schema}
    assert compiled(schema).accepts({} if steps != ("not",) else "x")


def test_the_engine_itself_fetches_nothing(monkeypatch):
    """Lowering lets no foreign reference through; were it to, the engine would still not go out for it."""
    from kernel.schema import validator
    from kernel.schema.bundling import Bundle

    foreign = Bundle({"$ref": "http://127.0.0.1:9/schema.json"}, frozenset(), exact=False, places={})
    monkeypatch.setattr(validator, "bundle", lambda *_, **__: foreign)
    assert "Retrieval is disabled" in refusal({}).message


@pytest.mark.parametrize(
    ("draft", "schema", "takes", "refuses"),
    [
        ("draft-04", {"minimum": 0, "exclusiveMinimum": True}, [1, "a"], [0, -1]),
        ("draft-04", {"maximum": 5, "exclusiveMaximum": False}, [5], [6]),
        ("draft-04", {"items": [{"type": "string"}], "additionalItems": False}, [["a"], []], [["a", 1], [1]]),
        ("draft-04", {"dependencies": {"a": ["b"]}}, [{"b": 1}], [{"a": 1}]),
        ("draft-04", {"$ref": "#/definitions/a", "maxLength": 1, "definitions": {"a": {}}}, ["abc"], []),
        ("draft-06", {"const": 1, "exclusiveMinimum": 0}, [1, 1.0], [2]),
        ("draft-06", {"contains": {"type": "null"}, "propertyNames": {"maxLength": 1}}, [[None], {"a": 1}], [[], {"ab": 1}]),
    ],
)  # fmt: skip
def test_earlier_drafts_are_read_in_their_own_words(draft, schema, takes, refuses):
    schema = {"$schema": f"http://json-schema.org/{draft}/schema#", **schema}
    compiled = compile_schema(schema, root=schema, dialect=dialect_of(schema))
    assert [value for value in takes if not compiled.accepts(value)] == []
    assert [value for value in refuses if compiled.accepts(value)] == []


@pytest.mark.parametrize(
    ("draft", "schema"),
    [
        ("draft-04", {"const": 1}),
        ("draft-04", {"minimum": 0, "exclusiveMinimum": 0}),
        ("draft-06", {"if": {}, "then": {}}),
        ("draft-04", {"properties": {"a": {"id": "http://a.example/x", "items": {"$ref": "#/definitions/b"}}}, "definitions": {"b": {}}}),
    ],
)  # fmt: skip
def test_what_an_earlier_draft_does_not_have_is_refused(draft, schema):
    schema = {"$schema": f"http://json-schema.org/{draft}/schema#", **schema}
    with pytest.raises(SchemaRefused):
        compile_schema(schema, root=schema, dialect=dialect_of(schema))


@pytest.mark.parametrize(
    ("component", "pointer"),
    [
        ({"properties": {"a/b": {"minLength": -1}}}, "/components/schemas/Bed/properties/a~1b/minLength"),
        ({"allOf": [{}, {"type": "strin"}]}, "/components/schemas/Bed/allOf/1/type"),
        ({"items": {"enum": "a"}}, "/components/schemas/Bed/items/enum"),
    ],
)
def test_a_senseless_keyword_is_refused_where_it_stands(component, pointer):
    root = {"components": {"schemas": {"Bed": component}}}
    with pytest.raises(SchemaRefused) as caught:
        compile_schema(
            {"$ref": "#/components/schemas/Bed"}, root=root, dialect=Dialect.OPENAPI_31, direction="request"
        )
    assert caught.value.place.pointer == pointer
