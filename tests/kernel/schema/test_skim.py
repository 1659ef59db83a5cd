"""A skim says yes only where the strict reader and the engine do, and does so for what is plainly written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import SchemaRefused
from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable
from kernel.schema.bundling import bundle
from kernel.schema.dialects import Dialect
from kernel.schema.skim import COMPILED, Skim
from kernel.schema.skimming import skim_of
from kernel.schema.validator import compile_schema

ORDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "tests"],
    "properties": {
        "id": {"type": "string", "pattern": "^LO-[0-9]{4}$"},
        "at": {"type": "string", "format": "date-time"},
        "born": {"type": "string", "format": "date"},
        "note": {"type": ["string", "null"], "minLength": 2, "maxLength": 4},
        "urgent": {"type": "boolean"},
        "volume": {"type": "number", "minimum": 0, "exclusiveMaximum": 10},
        "tests": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"$ref": "#/$defs/test"}},
    },
    "$defs": {
        "test": {
            "type": "object",
            "required": ["code"],
            "properties": {"code": {"enum": ["Hb", "K"]}, "count": {"type": "integer", "format": "int32"}},
        }
    },
}


def bundled(schema, dialect=Dialect.DRAFT_2020_12):
    return bundle(schema, root=schema, dialect=dialect, direction=None).schema


def skim(schema, **more) -> Skim:
    made = skim_of(bundled(schema, **more))
    assert made is not None
    return made


def says(schema, text: str | bytes) -> bool:
    """Ask the skim, and hold its yes against the strict reader and the engine."""
    data = text.encode() if isinstance(text, str) else text
    made = skim_of(bundled(schema))
    yes = made is not None and made.conforms(data)
    assert not yes or conforms(schema, data)
    return yes


def conforms(schema, data: bytes) -> bool:
    validator = compile_schema(schema, root=schema, dialect=Dialect.DRAFT_2020_12)
    try:
        return validator.accepts(read_json(data, exact=validator.exact))
    except Undecodable:
        return False


def order(**more):
    return json.dumps({"id": "LO-2026", "tests": [{"code": "Hb"}], **more}, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        order(),
        order(note=None, urgent=True, volume=0, born="2024-01-31"),
        order(volume=9.99, urgent=False, note="éèê"),
        order(at="2026-11-27T10:31:04Z"),
        order(at="2026-11-27T10:31:04.123+01:00"),
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD7ff\\ue000"}]}',
        order(tests=[{"code": "K", "count": -2147483648, "of": {"any": [1, {"kind": None}]}}] * 3),
        '\n{ "tests" :\t[ {"code":"Hb"} ] ,\r\n "id": "LO-0000" }\n ',
    ],
)
def test_what_is_plain_is_known(text):
    assert says(ORDER, text)


@pytest.mark.parametrize(
    "text",
    [
        order(id="LO-20261"),
        order(id="XLO-2026"),
        order(id="LO-2026\n"),
        order(note="a"),
        order(note="abcde"),
        order(note=1),
        order(urgent=None),
        order(volume=10),
        order(volume=-0.1),
        order(at="2026-11-27"),
        order(at="2026-11-27t10:31:04z "),
        order(at="2026-11-27T10:31:04"),
        order(at="2026-11-27T24:31:04Z"),
        order(born="2026-04-31"),
        order(born="2026-00-01"),
        order(born="2026-1-011"),
        order(more=1),
        order(tests=[]),
        order(tests=[{"code": "Hb"}] * 4),
        order(tests=[{"code": "Na"}]),
        order(tests=[{"code": "Hb", "count": 2147483648}]),
        order(tests=[{"code": "Hb", "count": 1.5}]),
        '{"id":"LO-2026"}',
        "[]",
        "",
        " ",
        '{"id":"LO-2026","tests":[{"code":"Hb"}]',
        '{"id":"LO-2026","tests":[{"code":"Hb"}]}}',
        '{"id":"LO-2026","tests":[{"code":"Hb"}],}',
        '{"id":"LO-2026","tests":[{"code":"Hb"},]}',
        '{"id":"LO-2026","id":"LO-2026","tests":[{"code":"Hb"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":1,"y":2,"x":1}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"a\tb"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\n\tb"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\x"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\u12g4"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\ud800"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\uDFFFa"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":01}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":1.}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":-}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":NaN}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":nulL}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","x":trues}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb" "x":1}]}',
        '{"id" "LO-2026"}',
        b'\xef\xbb\xbf{"id":"LO-2026","tests":[{"code":"Hb"}]}',
        b'{"id":"LO-2026","tests":[{"code":"Hb","x":"\xff"}]}',
        b'{"id":"LO-2026","tests":[{"code":"Hb","x":"\xed\xa0\x80"}]}',
    ],
)
def test_what_breaks_the_schema_or_is_no_json_gets_no_yes(text):
    assert not says(ORDER, text)
    assert not conforms(ORDER, text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    "text",
    [
        '{"id":"LO-2026","tests":[{"code":"\\u0048b"}]}',
        order(note='a"b'),
        '{"id":"LO-2026","tests":[{"code":"Hb","x":"\\ud83d\\ude00"}]}',
        '{"id":"LO-2026","tests":[{"code":"Hb","\\u0078":1}]}',
        order(tests=[{"code": "Hb", "x": 1e30}]),
        order(tests=[{"code": "Hb", "count": 1.0}]),
        order(tests=[{"code": "Hb", "x": 1234567890123456}]),
        order(born="2024-02-29"),
        order(born="0000-01-01"),
        order(at="2016-12-31T23:59:60Z"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_engine(text):
    assert not says(ORDER, text)
    assert conforms(ORDER, text.encode())


@pytest.mark.parametrize(
    ("schema", "known", "unknown"),
    [
        (True, ['{"a":[{},[]],"b":"c"}', "null", "-0.5", '[true,false,"é"]'], ["[" * 70 + "]" * 70]),
        ({"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 1}]}, ["null", '"a"'], ['"ab"', "1"]),
        ({"oneOf": [{"type": "null"}, {"$ref": "#/$defs/t"}], "$defs": {"t": {"type": "string"}}}, ['"a"'], ["1"]),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, [], ["1", "1.5"]),
        ({"oneOf": [{"minLength": 1}, {"type": "string"}]}, [], ['"a"']),
        ({"allOf": [{"minimum": 1}, {"type": "integer", "maximum": 3}]}, ["1", "3"], ["0", "4", '"a"']),
        ({"minimum": 0.1, "exclusiveMaximum": 0.3}, ["0.2", '"a"'], ["0.1", "0.3"]),
        ({"type": "integer", "minimum": -(10**400), "maximum": 10**400}, ["-999999999999999"], ["1000000000000000"]),
        ({"type": "number", "exclusiveMinimum": 0, "minimum": 0}, ["0.001"], ["0", "-0"]),
        ({"multipleOf": 0.1}, ['"a"'], ["0.2"]),
        ({"multipleOf": 1}, ["2"], ["2.5"]),
        ({"const": "a"}, ['"a"'], ['"b"', "1"]),
        ({"enum": ["a", None, 1, True]}, ['"a"', "null"], ["1", "true"]),
        ({"type": "string", "maxLength": 10**30}, ['"a"'], ["1"]),
        ({"type": "string", "minLength": 2}, ['"éé"', '"ab"'], ['"é"', '"😀"']),
        ({"type": "string", "format": "uuid"}, ['"6e8bc430-9c3a-11d9-9669-0800200c9a66"'], ['"6e8bc430"']),
        ({"type": "string", "format": "email"}, [], ['"a@example.org"']),
        ({"type": "string", "format": "uri"}, ['"http://loinc.org"', '"https://a.example/b_c/1"'], ['"urn:oid:1.2"', '"http://["']),
        ({"type": "string", "maxLength": 3}, ['"\\n"', '"a\\n"'], ['"\\u00e9"', '"aa\\n"']),
        ({"type": "string", "minLength": 1}, ['"\\n"'], ['""']),
        ({"type": "string", "minLength": 2}, [], ['"\\n"', '"\\n\\n"']),
        ({"type": ["string", "integer"], "format": "email"}, ["1"], ['"a@example.org"']),
        ({"patternProperties": {"^a": {"type": "null"}}}, [], ['{"a":1}', "1"]),
        ({"type": "array", "uniqueItems": True}, [], ["[1,1]", "[]"]),
        ({"additionalProperties": {"type": "integer"}}, ['{"a":1,"b":2}'], ['{"a":"b"}', '{"a":1,"a":1}']),
        ({"required": ["a"]}, ['{"a":1}', "1"], ['{"b":1}']),
        ({"minProperties": 1, "maxProperties": 2}, ['{"a":1}'], ["{}", '{"a":1,"b":2,"c":3}']),
        ({"properties": {"a": {"not": {}}}}, ['{"b":1}'], ['{"a":1}']),
        ({"properties": {f"p{n}": True for n in range(61)}}, ["1"], ['{"p1":1}']),
        ({"properties": {"a": {"$ref": "#"}}, "additionalProperties": False}, ['{"a":{"a":{}}}'], ['{"a":{"b":1}}']),
        ({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}, [], ['{"a":{"a":{}}}']),
    ],
)  # fmt: skip
def test_each_keyword(schema, known, unknown):
    # A number that ends with the text could go on for all that a skim knows.
    for text in known:
        assert says(schema, f"{text} "), text
    for text in unknown:
        assert not says(schema, f"{text} "), text


def test_members_in_another_order_are_known_too():
    made = skim(ORDER)
    for text in (
        order(urgent=True),
        '{"tests":[{"code":"K"}],"urgent":true,"id":"LO-0001"}',
        order(urgent=True),
    ):
        assert made.conforms(text.encode())
    assert not made.conforms(b'{"id":"LO-2026","tests":[{"code":"Hb"}],"id":"LO-2026"}')


def test_a_skim_rests_where_it_seldom_knows_what_was_right_and_tries_again():
    made = skim({"type": "string"})
    for _ in range(31):
        made.missed()
    assert made.conforms(b'"a"')  # which gives one back
    made.missed()
    made.missed()
    assert [made.conforms(b'"a"') for _ in range(1024)] == [False] * 1024
    made.missed()  # said of what it was not asked for in earnest
    assert made.conforms(b'"a"')


# What a yes is worth: held against the strict reader and the engine over schemas and texts of any kind.

words = st.sampled_from(
    ["a", "ab", "http://loinc.org", "http:///", "", "é", "2024-01-31", "2024-02-30", "LO-1", "\n", '"', "😀"]
)
scalars = (
    st.none() | st.booleans() | st.integers(-3, 10**16) | st.sampled_from([0.5, 1.0, 1e30, -0.0]) | words
)
instances = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
counts = st.integers(0, 3)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
keywords = {
    "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
    "enum": st.lists(scalars, min_size=1, max_size=3),
    "const": scalars,
    "minimum": st.sampled_from([0, 1, 0.5]),
    "exclusiveMaximum": st.sampled_from([3, 1.0, 10**17]),
    "multipleOf": st.sampled_from([1, 0.5, 2]),
    "minLength": counts,
    "maxLength": counts,
    "pattern": st.sampled_from(["^[a-z]+$", "^LO-[0-9]$", "a", "^a*", "^(a|b)$"]),
    "format": st.sampled_from(["date", "date-time", "uuid", "int32", "email", "byte", "uri"]),
    "minItems": counts,
    "maxItems": counts,
    "uniqueItems": st.booleans(),
    "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    "minProperties": counts,
    "maxProperties": counts,
}


def with_parts(inner):
    names = st.sampled_from("abc")
    return st.fixed_dictionaries(
        {},
        optional={
            **keywords,
            "properties": st.dictionaries(names, inner, max_size=3),
            "additionalProperties": inner,
            "items": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "$ref": st.just("#/$defs/d"),
        },
    )


schemas = st.recursive(st.booleans() | st.fixed_dictionaries({}, optional=keywords), with_parts, max_leaves=6)


@st.composite
def texts(draw):
    text = json.dumps(
        draw(instances), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
    )
    if draw(st.booleans()) and text:
        at = draw(st.integers(0, len(text) - 1))
        piece = draw(
            st.sampled_from(
                ["", ",", '"', "0", "}", "]", "\t", " ", "-", ".", "\\", "\\u00e9", "\\ud800", "\\n"]
            )
        )
        text = text[:at] + piece + text[at + draw(st.integers(0, 1)) :]
    return text.encode()


@settings(max_examples=600)
@given(schemas, schemas, st.lists(texts(), min_size=4, max_size=4))
def test_a_yes_is_that_of_reader_and_engine(schema, definition, several):
    if isinstance(schema, dict):
        schema = {**schema, "$defs": {"d": definition}}
    try:
        made = skim_of(bundled(schema))
    except SchemaRefused:
        return
    for data in several:
        if made is not None and made.conforms(data):
            assert conforms(schema, data), data


def test_a_schema_without_an_end_in_sight_is_known_down_to_a_depth():
    definitions = {f"d{n}": {"properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(3_000)}
    made = skim_of({"$ref": "#/$defs/d0", "$defs": definitions | {"d3000": {"type": "string"}}})
    assert made is not None
    assert made.conforms(b'{"a":' * 20 + b"{}" + b"}" * 20)
    assert not made.conforms(b'{"a":' * 63 + b"{}" + b"}" * 63)
    wide = {
        "properties": {
            f"p{n}": {"properties": {f"q{m}": {"minLength": m} for m in range(60)}} for n in range(60)
        }
    }
    made = skim_of(wide)
    assert made is not None
    assert made.conforms(b'{"p1":{"q1":"abc"}}')
    assert not made.conforms(b'{"p59":{"q59":"abc"}}')


def test_a_schema_in_use_is_skimmed_where_the_code_is_compiled():
    validator = compile_schema({"type": "string"}, root={}, dialect=Dialect.DRAFT_2020_12)
    assert [validator.conforms(b'"a"') for _ in range(20)] == [False] * 8 + [COMPILED] * 12
    assert not validator.conforms(b"1")
    for _ in range(32):
        validator.missed()
    assert not validator.conforms(b'"a"')
