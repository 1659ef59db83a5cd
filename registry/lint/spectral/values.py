"""JSON values as JavaScript compares, converts and prints them (ECMA-262 §7.1, §7.2), for filters and functions."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, Final


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = _Undefined()
_NUMBERS = (int, float, Decimal)


def is_number(value: Any) -> bool:
    """Whether a value is a number; booleans are none."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def truthy(value: Any) -> bool:
    """ToBoolean: empty texts, zero, NaN, null and undefined are false; empty objects and lists are true."""
    if isinstance(value, dict | list):
        return True
    if is_number(value):
        return bool(value == value and value != 0)  # noqa: PLR0124 - NaN is not itself
    return bool(value)


def kind(value: Any) -> str:
    """Say what `typeof` says."""
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    return "string" if isinstance(value, str) else "object"


def strictly_equal(first: Any, second: Any) -> bool:
    """Apply the operator `===`: objects and lists are equal to themselves only."""
    if kind(first) != kind(second):
        return False
    if first is None or isinstance(first, dict | list) or second is None:
        return first is second
    return bool(first == second)


def loosely_equal(first: Any, second: Any) -> bool:
    """Apply the operator `==`: null is undefined, texts and booleans are compared as numbers with numbers."""
    nothing = (first is None or first is UNDEFINED, second is None or second is UNDEFINED)
    if any(nothing):
        return all(nothing)
    if kind(first) == kind(second):
        return strictly_equal(first, second)
    if isinstance(first, dict | list) != isinstance(second, dict | list):
        return loosely_equal(primitive(first), primitive(second))
    return bool(number(first) == number(second))


def primitive(value: Any) -> Any:
    """ToPrimitive: a list is its members joined by commas, an object the well-known text."""
    if isinstance(value, list):
        return ",".join("" if item is None or item is UNDEFINED else text(item) for item in value)
    return "[object Object]" if isinstance(value, dict) else value


def number(value: Any) -> float | int | Decimal:
    """ToNumber; NaN for what is none."""
    value = primitive(value)
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        found: float | int | Decimal = value
        return found
    if value is None:
        return 0
    if isinstance(value, str):
        try:
            return float(value.strip() or 0) if "_" not in value else math.nan
        except ValueError:
            return math.nan
    return math.nan


def text(value: Any) -> str:
    """ToString."""
    value = primitive(value)
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if is_number(value):
        if isinstance(value, float) and math.isnan(value):
            return "NaN"
        return str(int(value)) if value == int(value) and abs(value) < 1e21 else str(value)  # noqa: PLR2004
    return "undefined"


def printed(value: Any) -> str:
    """Print a value as Spectral's messages do: lists and objects without what they hold."""
    if isinstance(value, list):
        return "Array[]"
    if isinstance(value, dict):
        return "Object{}"
    if isinstance(value, str):
        return json.dumps(value[:200], ensure_ascii=False)
    return text(value)
