"""Circles on the same value: found wherever they hide, and no recursion into the value is taken for one."""

import pytest

from kernel.settings import load
from registry.compat.circles import circles
from registry.compat.policy import compare


def ref(name):
    return {"$ref": f"#/$defs/{name}"}


@pytest.mark.parametrize(
    ("defs", "found"),
    [
        ({"a": ref("a")}, ["a"]),
        ({"a": ref("b"), "b": {"allOf": [{"type": "object"}, ref("a")]}}, ["a", "b"]),
        ({"a": {"anyOf": [ref("b"), {"type": "null"}]}, "b": {"not": ref("a")}}, ["a", "b"]),
        ({"a": {"if": {}, "then": ref("a")}}, ["a"]),
        ({"a": {"dependentSchemas": {"x": ref("a")}}}, ["a"]),
        ({"a": ref("b"), "b": ref("b"), "c": {"type": "string"}}, ["a", "b"]),
        ({"a": {"properties": {"below": ref("a")}, "items": ref("a")}}, []),
        ({"a": {"allOf": [ref("b"), ref("b")]}, "b": {"type": "object"}}, []),  # twice is not for ever
        ({"a": ref("gone")}, []),
    ],
)
def test_what_leads_back_on_the_same_value(defs, found):
    assert list(circles({"$defs": defs})) == [f"/$defs/{name}" for name in found]


def test_a_root_may_be_the_circle():
    assert list(circles({"$ref": "#"})) == [""]


def api(pet):
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}
    cat = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"name": {"type": "string"}}}]}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pets", "version": "1"},
        "paths": {"/pets": {"get": {"responses": {"200": {"description": "Pets", "content": content}}}}},
        "components": {"schemas": {"Pet": pet, "Cat": cat}},
    }


def test_a_circle_that_is_new_is_never_compatible():
    plain = {"type": "object", "properties": {"kind": {"type": "string"}}}
    circle = {**plain, "oneOf": [{"$ref": "#/components/schemas/Cat"}]}
    for old, new in ((plain, circle), (circle, plain)):
        verdict = compare(api(old), api(new), "openapi", settings=load(environ={}))
        told = [found.pointer for found in verdict.findings if found.rule == "document-not-comparable"]
        assert (str(verdict.outcome), told) == (
            "undecided",
            ["/components/schemas/Cat", "/components/schemas/Pet"],
        )


def test_a_circle_of_both_does_not_hide_what_changes_elsewhere():
    circle = {"type": "object", "oneOf": [{"$ref": "#/components/schemas/Cat"}]}
    old, new = api(circle), api(circle)
    new["paths"]["/pets"]["delete"] = {"responses": {"204": {"description": "Gone"}}}
    assert str(compare(old, new, "openapi", settings=load(environ={})).outcome) == "compatible"
