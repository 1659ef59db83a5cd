"""Type one piece of text by what a schema admits: the wire knows strings only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.errors import NumberRefused
from kernel.contract.numbers import number_of

if TYPE_CHECKING:
    from decimal import Decimal

    from kernel.operation.shapes import JsonType

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def scalars_of(text: str, types: tuple[JsonType, ...], max_digits: int) -> list[Any]:
    """Read a text as each of the admitted scalar types, in their order; empty when it fits none.

    Numbers follow the JSON grammar, integers without fraction or exponent; booleans are `true` and
    `false`; null is `null` or nothing at all, and only where the text could not be a string.
    """
    found: list[Any] = []
    for name in types:
        if name == "string":
            found.append(text)
        elif name == "integer":
            if _INTEGER.fullmatch(text) and len(text) <= max_digits:
                found.append(int(text))
        elif name == "number":
            if _NUMBER.fullmatch(text) and len(text) <= max_digits:
                found += _number(text)
        elif name == "boolean":
            if text in {"true", "false"}:
                found.append(text == "true")
        elif name == "null" and "string" not in types and text in {"null", ""}:
            found.append(None)
    return found


def _number(text: str) -> list[int | float | Decimal]:
    if _INTEGER.fullmatch(text):
        return [int(text)]
    try:
        return [number_of(text)]
    except NumberRefused:
        return []
