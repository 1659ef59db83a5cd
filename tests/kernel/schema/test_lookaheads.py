"""Look-ahead after `^` is taken apart, and judged as ECMA-262 would."""

from __future__ import annotations

import re

import pytest

from kernel.errors import SchemaRefused
from kernel.schema.lookaheads import without_lookaheads
from kernel.schema.validator import Dialect, SchemaViolation, compile_schema

PATTERNS = [
    r"^(?=.*[A-Z])(?=.*[0-9]).{4,8}$",
    r"^(?!admin$)[a-z]+$",
    r"^(?!.*\.\.)(?!\.)[a-z.]+$",
    r"^(?=a|b)[a-z]+$",
    r"^(?=[)(|]|\)|a)(?:a|b|\)).*$",
    r"^(?!\s*$).+",
    r"^(?=abc)",
]
VALUES = [
    "",
    "a",
    "ab",
    "abc",
    "admin",
    "admins",
    "Abc1",
    "ABC1abcd",
    "ABC1abcde",
    "a.b",
    "a..b",
    ".a",
    " ",
    " a",
]
VALUES += ["b", ")", "(", "|x", ")x", "xabc"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_in_parts_means_the_same(pattern):
    compiled = compile_schema({"pattern": pattern}, root={}, dialect=Dialect.OPENAPI_31)
    # Python's re has look-ahead, and reads these patterns and values as ECMA-262 does.
    wanted = {value: re.search(pattern, value) is not None for value in VALUES}
    assert {value: compiled.accepts(value) for value in VALUES} == wanted
    assert {True, False} == set(wanted.values())
    assert compiled.accepts(7)


@pytest.mark.parametrize(
    "pattern", [r"^(?=a)*b", r"^(?=a)b|c", r"^(?=a", r"(?=a)b", r"^(?<=a)b", r"^a(?=b)", ""]
)
def test_what_has_no_such_form_is_left_alone(pattern):
    assert without_lookaheads(pattern) == (pattern, ())


@pytest.mark.parametrize("pattern", [r"^(?=a)b|c", r"^(?=a(?!b))c", r"^(?=(a)\1)c", "^" + "(?=a)" * 17])
def test_what_has_no_linear_form_is_refused(pattern):
    with pytest.raises(SchemaRefused, match="linear-time"):
        compile_schema({"pattern": pattern}, root={}, dialect=Dialect.OPENAPI_30)


def test_a_violation_is_of_the_pattern_and_other_parts_of_the_schema_stay():
    schema = {"pattern": "^(?!x)[a-z]+$", "allOf": [{"maxLength": 2}], "format": "byte"}
    compiled = compile_schema(schema, root={}, dialect=Dialect.OPENAPI_31)
    assert compiled.violations("xy") == (SchemaViolation("", "format"), SchemaViolation("", "pattern"))
    assert [item.keyword for item in compiled.violations("abc")] == ["maxLength", "format"]
