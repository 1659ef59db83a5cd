"""Regular expressions of rulesets: ECMA-262 through the linear-time engine, never a backtracking one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import jsonschema_rs

from kernel.errors import SchemaRefused
from kernel.schema.lookaheads import without_lookaheads
from kernel.schema.patterns import linear
from registry.lint.spectral.faults import Refused

Test = Callable[[str], bool]
_WRITTEN = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_OPTIONS = jsonschema_rs.RegexOptions(size_limit=16 * 1024 * 1024)
_HINT = "write it without back references and look-behind; look-ahead only right after ^"


def written(pattern: str) -> Test:
    """Read a pattern as the function `pattern` does: `/source/flags`, or the source alone."""
    found = _WRITTEN.fullmatch(pattern)
    return compiled(found[1], found[2]) if found else compiled(pattern, "")


@lru_cache(maxsize=1024)
def compiled(source: str, flags: str) -> Test:
    """Give a test whether a text holds a match anywhere; raises `Refused` for what no linear engine does."""
    unknown = set(flags) - set("dgimu")
    if unknown:
        raise Refused(
            f"the flag `{min(unknown)}` of /{source[:80]}/ is not supported", "the flags are i, m, u and g"
        )
    inner = "".join(flag for flag in "im" if flag in flags)
    try:
        rest, parts = without_lookaheads(source)
        tests = [(True, _engine(rest, inner)), *((must, _engine(part, inner)) for must, part in parts)]
    except SchemaRefused as error:
        raise Refused(error.message, _HINT) from None
    if len(tests) == 1:
        return tests[0][1]
    return lambda text: all(test(text) is must for must, test in tests)


def _engine(source: str, flags: str) -> Test:
    pattern = f"(?{flags}:{linear(source)})" if flags else linear(source)
    try:
        accepts: Test = jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=_OPTIONS
        ).is_valid
    except ValueError as error:
        raise Refused(
            f"the pattern /{source[:80]}/ is not taken: {str(error).splitlines()[0][:120]}", _HINT
        ) from None
    return accepts
