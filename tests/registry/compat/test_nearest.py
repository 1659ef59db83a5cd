"""The nearest valid instance is valid, near, and the steps from it make the witness again."""

import copy

import pytest

from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat import containment, validators
from registry.compat.containment import Comparer
from registry.compat.nearest import Surroundings, edits, nearest
from registry.compat.schema_side import Side
from registry.compat.schema_view import UNRESOLVED, unresolved
from registry.compat.validators import Validators

S, INT = {"type": "string"}, {"type": "integer"}
D12 = Dialect.DRAFT_2020_12


def obj(**keywords):
    return {"type": "object", **keywords}


def at(schema, dialect=D12, **reading):
    return Side(schema, dialect, tag="new", **reading).at("")


def patched(value, steps):
    """Apply JSON Patch (RFC 6902), as far as `edits` writes it."""
    value = copy.deepcopy(value)
    for step in steps:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]] or [
            None
        ]
        if last is None:
            value = step["value"]
            continue
        holder = value
        for part in way:
            holder = holder[int(part) if isinstance(holder, list) else part]
        key = int(last) if isinstance(holder, list) and last != "-" else last
        if step["op"] == "remove":
            del holder[key]
        elif key == "-":
            holder.append(step["value"])
        else:
            holder[key] = step["value"]
    return value


LINE = obj(properties={"dose": INT, "unit": S}, required=["dose", "unit"])
ROWS = [
    (INT, 0.5, 0),
    ({"type": "string", "maxLength": 3}, "xxxxx", "xxx"),
    ({"type": "string", "minLength": 4}, "ab", "abbb"),
    ({"enum": ["ml", "mg"]}, "g", "ml"),
    (obj(required=["a"], properties={"a": S}), {}, {"a": "text"}),
    (obj(properties={"a": INT}, additionalProperties=False), {"a": 1, "b": 2}, {"a": 1}),
    (obj(maxProperties=1), {"a": 1, "b": 2, "c": 3}, {"a": 1}),
    (obj(dependentRequired={"a": ["b"]}), {"a": 1}, {}),
    (obj(properties={"lines": {"type": "array", "items": LINE}}), {"lines": [{"dose": 0.5}]},
     {"lines": [{"dose": 0, "unit": "text"}]}),
    ({"type": "array", "maxItems": 2}, [1, 2, 3, 4], [1, 2]),
    ({"type": "array", "minItems": 2}, [], ["", ""]),
    ({"type": "array", "uniqueItems": True}, ["a", "a"], ["a"]),
    ({"type": "array", "contains": INT}, [], [0]),
    ({"type": "integer", "minimum": 5}, 3, 5),
    ({"type": "number", "exclusiveMaximum": 5}, 5, 4),
    ({"type": "number", "multipleOf": 0.25}, 0.3, 0.25),
    ({"type": "string", "pattern": "^[A-Z]{3}$"}, "ab", "AAA"),
    ({"type": "string", "format": "date"}, "text", "2026-11-20"),
    ({"anyOf": [obj(required=["a"]), obj(required=["b"])]}, {}, {"a": ""}),
    ({"$defs": {"t": obj(properties={"v": INT, "k": {"$ref": "#/$defs/t"}})}, "$ref": "#/$defs/t"},
     {"k": {"k": {"v": "x"}}}, {"k": {"k": {}}}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "witness", "expected"), ROWS, ids=lambda v: str(v)[:60])
def test_the_nearest_instance_is_valid_and_the_steps_lead_back(schema, witness, expected):
    before = copy.deepcopy(witness)
    found = nearest(at(schema), witness)
    assert found.value == expected
    assert compile_schema(schema, root=schema, dialect=D12).accepts(found.value)
    assert patched(found.value, found.difference) == witness
    assert witness == before
    assert nearest(at(schema), witness) == found


def test_the_difference_names_places_and_nothing_else():
    schema = obj(properties={"a/b": INT, "kept": S}, required=["kept"], additionalProperties=False)
    found = nearest(at(schema), {"a/b": 1.5, "kept": "as it was", "gone": [1]})
    assert found.value == {"a/b": 1, "kept": "as it was"}
    assert list(found.difference) == [
        {"op": "replace", "path": "/a~1b", "value": 1.5},
        {"op": "add", "path": "/gone", "value": [1]},
    ]


def test_what_the_other_version_must_take_too_is_asked():
    new = obj(properties={"unit": {"enum": ["ml", "mg"]}}, required=["unit"])
    old = compile_schema({"properties": {"unit": {"enum": ["mg", "g"]}}}, root={}, dialect=D12)
    assert nearest(at(new), {"unit": "g"}).value == {"unit": "ml"}
    assert nearest(at(new), {"unit": "g"}, old.accepts).value == {"unit": "mg"}


def test_an_object_of_openapi_3_0_is_read_as_it_travels():
    schema = obj(properties={"id": {"type": "string", "readOnly": True}, "n": INT}, required=["id", "n"])
    assert nearest(at(schema, Dialect.OPENAPI_30, traffic="request"), {}).value == {"n": 0}
    assert nearest(at(schema, Dialect.OPENAPI_30, traffic="response"), {}).value == {"id": "text", "n": 0}


def test_where_there_is_no_instance_there_is_none():
    assert nearest(at(False), 1) is None
    assert nearest(at({"type": "string", "pattern": "(?<=a)b"}), 1) is None
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert nearest(at(loop), 1) is None


def test_null_is_an_instance():
    found = nearest(at({"type": "null"}), "x")
    assert found is not None
    assert found.value is None


def test_edits_of_equal_values_are_none():
    assert list(edits({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]})) == []


def test_what_earlier_searches_left_changes_no_answer():
    known = Surroundings(Validators())
    for schema, witness, expected in ROWS + ROWS[::-1]:
        assert nearest(at(schema), witness, known=known).value == expected
    both = obj(properties={"a": {"$ref": "#/$defs/p"}, "b": {"$ref": "#/$defs/p"}}, required=["a", "b"])
    both["$defs"] = {"p": {"anyOf": [obj(properties={"v": INT}, required=["v"]), {"type": "null"}]}}
    root, known = at(both), Surroundings(Validators())
    found = [nearest(root, {"a": 1, "b": {"v": "x"}}, known=known) for _ in range(2)]
    assert found[0] == found[1] == nearest(at(both), {"a": 1, "b": {"v": "x"}})


def test_one_text_in_one_document_is_compiled_once(monkeypatch):
    compiled = []

    def counted(schema, **reading):
        compiled.append((schema, reading["dialect"], reading["direction"]))
        return compile_schema(schema, **reading)

    monkeypatch.setattr(validators, "compile_schema", counted)
    text = {"$ref": "#/$defs/n"}
    root = {
        "$defs": {"n": {"type": "number", "minimum": 1}},
        "a": text,
        "b": dict(text),
        "c": {"minimum": 1.0},
    }
    root["d"] = {"minimum": 1}
    comparer = Comparer(declared_only=True)
    side = Side(root, Dialect.OPENAPI_30, tag="old", traffic="request")
    checks = [comparer.accepts(side.at(f"/{name}")) for name in ("a", "b", "a", "c", "d")]
    assert [check(0) for check in checks] == [False] * 5
    assert [check(2) for check in checks] == [True] * 5
    assert len(compiled) == 3  # 1.0 and 1 are two texts
    other = Side(root, Dialect.OPENAPI_30, tag="old", traffic="response")
    elsewhere = Side(copy.deepcopy(root), Dialect.OPENAPI_30, tag="new", traffic="request")
    for node in (other.at("/a"), elsewhere.at("/a"), elsewhere.at("/b")):
        assert comparer.accepts(node)(2)
    assert len(compiled) == 5


def test_places_with_one_text_are_searched_once(monkeypatch):
    searched = []

    def counted(node, witness, *more):
        searched.append(node.pointer)
        return nearest(node, witness, *more)

    monkeypatch.setattr(containment, "nearest", counted)
    body = {"$ref": "#/$defs/n"}
    root = {
        "$defs": {"n": obj(properties={"v": INT})},
        "a": body,
        "b": dict(body),
        "c": obj(properties={"v": S}),
    }
    comparer, side = Comparer(declared_only=True), Side(root, D12, tag="new")
    found = [comparer.nearest(side.at(place), {"v": 0.5}) for place in ("/a", "/b", "/c")]
    assert [one.value for one in found] == [{"v": 0}, {"v": 0}, {}]
    assert searched == ["/a", "/c"]
    assert comparer.nearest(side.at("/b"), {"v": 1.5}).value == {"v": 1}
    assert comparer.nearest(side.at("/b"), {"v": 0.5}, side.at("/c")).value == {}
    assert searched == ["/a", "/c", "/b", "/b"]


def test_what_leans_on_an_unknown_reference_is_seen_whatever_was_looked_at_before():
    unknown, plain = {UNRESOLVED: "urn:x"}, obj(properties={"v": {"$ref": "#/s"}})
    root = {
        "s": S,
        "p": plain,
        "u": obj(properties={"p": {"$ref": "#/p"}, "x": unknown}),
        "w": {"items": {"$ref": "#/u"}},
    }
    for order in (("/p", "/u", "/w", "/s"), ("/w", "/p", "/u", "/s"), ("/s", "/u", "/p", "/w")):
        side, whole = Side(root, D12, tag="new"), set()
        assert {place: unresolved(side.at(place), whole) for place in order} == {
            "/p": False, "/u": True, "/w": True, "/s": False,
        }  # fmt: skip
