"""The operators and names that filters may use, as JavaScript and JSONPath-plus mean them: tables, and nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from registry.lint.spectral.values import (
    UNDEFINED,
    kind,
    loosely_equal,
    number,
    primitive,
    strictly_equal,
    text,
)


class Candidate(NamedTuple):
    """What a filter is asked about: a value, its key, the value and key around it, and where that is."""

    value: Any
    key: str | int
    around: Any  # what JSONPath-plus calls @parent: the value that holds the object or list of the candidate
    around_key: Any
    path: Callable[[], str]
    root: Any


Expression = Callable[[Candidate], Any]
BINARY: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "==": (6, loosely_equal),
    "!=": (6, lambda a, b: not loosely_equal(a, b)),
    "===": (6, strictly_equal),
    "!==": (6, lambda a, b: not strictly_equal(a, b)),
    "<": (7, lambda a, b: _ordered(a, b, operator.lt)),
    ">": (7, lambda a, b: _ordered(a, b, operator.gt)),
    "<=": (7, lambda a, b: _ordered(a, b, operator.le)),
    ">=": (7, lambda a, b: _ordered(a, b, operator.ge)),
    "+": (9, lambda a, b: _sum(primitive(a), primitive(b))),
    "-": (9, lambda a, b: number(a) - number(b)),  # type: ignore[operator]
    "*": (10, lambda a, b: number(a) * number(b)),  # type: ignore[operator]
}
LOGICAL = {"||": 1, "&&": 2}
IN, MATCHES = 12, 20
TYPES: dict[str, Callable[[Any], bool]] = {
    "@string": lambda value: kind(value) == "string",
    "@number": lambda value: kind(value) == "number",
    "@boolean": lambda value: kind(value) == "boolean",
    "@scalar": lambda value: not isinstance(value, dict | list),
    "@array": lambda value: isinstance(value, list),
    "@null": lambda value: value is None,
    "@object": lambda value: isinstance(value, dict | list),
    "@integer": lambda value: kind(value) == "number" and value == int(value),
}
NAMES: dict[str, Expression] = {
    "@": lambda one: one.value,
    "@property": lambda one: one.key,
    "@parent": lambda one: one.around,
    "@parentProperty": lambda one: one.around_key,
    "@path": lambda one: one.path(),
    "@root": lambda one: one.root,
    "index": lambda one: one.key,
    "true": lambda _: True,
    "false": lambda _: False,
    "null": lambda _: None,
    "undefined": lambda _: UNDEFINED,
    **{name: (lambda one, test=test: test(one.value)) for name, test in TYPES.items()},  # type: ignore[misc]
}


def _ordered(first: Any, second: Any, compare: Callable[[Any, Any], bool]) -> bool:
    first, second = primitive(first), primitive(second)
    if isinstance(first, str) and isinstance(second, str):
        return compare(first, second)
    return compare(number(first), number(second))


def _sum(first: Any, second: Any) -> Any:
    if isinstance(first, str) or isinstance(second, str):
        return text(first) + text(second)
    return number(first) + number(second)  # type: ignore[operator]
