"""Names cut into words: what a name says, and how it is spelled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_CUT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
CAMEL = re.compile(r"[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)*")
PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
HEADER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
STYLES = {"camelCase": CAMEL, "snake_case": SNAKE, "kebab-case": KEBAB, "PascalCase": PASCAL}
LONGEST = 200  # characters of a name that are looked at


def words(name: str) -> tuple[str, ...]:
    """Give the words of a name in lower case, without digits: cut at capitals, digits and marks."""
    return tuple(word.lower() for word in _CUT.findall(name[:LONGEST]) if not word.isdigit())


def folded(name: str) -> str:
    """Give a name without the marks and capitals by which spellings of the same words differ."""
    return "".join(_CUT.findall(name[:LONGEST])).lower()


def one_edit(first: str, second: str) -> bool:
    """Whether one letter more, less, other, or two that changed places make one name of the other."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    left, right = first[start:], second[start:]
    if len(left) == len(right):
        swapped = left[1:2] + left[:1] + left[2:]
        return left[1:] == right[1:] or swapped == right
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[1:] == shorter


def prevailing(names: Iterable[str], *styles: str) -> str:
    """Give the style of most names that show one; the first of `styles` where none prevails.

    A single lower-case word is of every style, and shows none.
    """
    counts = Counter[str]()
    for name in set(names):
        fitting = [style for style in styles if STYLES[style].fullmatch(name)]
        if 0 < len(fitting) < len(styles):
            counts.update(fitting)
    best = max(counts.values(), default=0)
    return next((style for style in styles if counts[style] == best), styles[0])
