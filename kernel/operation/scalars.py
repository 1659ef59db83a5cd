"""Type one piece of text by what a schema admits: the wire knows strings only."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.errors import NumberRefused
from kernel.contract.numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

JsonType = str  # one of shapes.TYPES

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def scalars_of(text: str, types: tuple[JsonType, ...], max_digits: int) -> list[Any]:
    """Read a text as each of the admitted scalar types, in their order; empty when it fits none.

    Numbers follow the JSON grammar, integers without fraction or exponent; booleans are `true` and
    `false`; null is `null` or nothing at all, and only where the text could not be a string.
    """
    if len(types) == 1 and types != _NULL:
        return _READERS[types[0]](text, max_digits)
    found: list[Any] = []
    for name in types:
        if name != "null":
            found += _READERS[name](text, max_digits)
        elif "string" not in types and text in {"null", ""}:
            found.append(None)
    return found


def type_of(value: Any) -> JsonType:
    """Name the JSON type of a decoded value; integers by their own name."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, (float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _string(text: str, _max_digits: int) -> list[Any]:
    return [text]


def _boolean(text: str, _max_digits: int) -> list[Any]:
    return [text == "true"] if text in {"true", "false"} else []


def _integer(text: str, max_digits: int) -> list[Any]:
    return [int(text)] if len(text) <= max_digits and _INTEGER.fullmatch(text) else []


def _number(text: str, max_digits: int) -> list[Any]:
    if len(text) > max_digits or not _NUMBER.fullmatch(text):
        return []
    if _INTEGER.fullmatch(text):
        return [int(text)]
    try:
        return [number_of(text)]
    except NumberRefused:
        return []


_NULL: Final = ("null",)
_READERS: Final[dict[str, Callable[[str, int], list[Any]]]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
