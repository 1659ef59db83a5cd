"""Which of two values comes after the other, as Spectral's function `alphabetical` has it."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from registry.lint.spectral.values import is_number, number


def comes_after(first: Any, second: Any) -> bool:
    """Whether one comes after the other, with Spectral's own idea of what is a number.

    A text before something that reads as a number is never out of order; two texts are sorted as in a
    dictionary, and so are two that read as numbers.
    """
    if (is_number(first) or _is_nan(first)) and (is_number(second) or not _is_nan(second)):
        return bool(number(first) - number(second) >= 1)  # type: ignore[operator]
    return isinstance(first, str) and isinstance(second, str) and _collated(first) > _collated(second)


def _is_nan(value: Any) -> bool:
    return math.isnan(number(value))


def _collated(text: str) -> tuple[Any, ...]:
    """Sort as the root collation does, near enough: marks, digits, letters; small before capital where else equal."""
    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    primary = tuple((_rank(char), char.lower()) for char in plain)
    return primary, text.swapcase()


def _rank(char: str) -> tuple[int, int]:
    if char.isalpha():
        return 3, 0
    if char.isdigit():
        return 2, 0
    return 1, _MARKS.find(char) if char in _MARKS else len(_MARKS)


_MARKS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"  # the order of CLDR's root collation
