"""Reads ECMA-262 patterns far enough to know the lengths that they allow and to write texts that match.

Both are used only where a mistake shows: lengths from fully anchored patterns without alternatives at
the top, samples as candidates that the validators must confirm.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # CPython's own parser has no stubs
import re._parser as parser  # type: ignore[import-not-found]  # as above
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

# What Python reads otherwise than ECMA-262: string anchors, open repeats, surrogate pairs, inline flags,
# and what it warns that it may read otherwise one day (nested sets and set operators).
_OTHERWISE = re.compile(r"\\[AZ]|\{,|\\u[dD][89a-fA-F]|\(\?[aiLmsux-]|\[\^?\[|--|&&|~~|\|\|")
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
_UNBOUNDED = 2**16
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
_ENDS = {codes.AT_END, codes.AT_END_STRING}
_STARTS = {codes.AT_BEGINNING, codes.AT_BEGINNING_STRING}
_CLASS = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_WORD: "-",
}


@lru_cache(maxsize=1024)
def width(pattern: str) -> tuple[int, int | None]:
    """Give the least and greatest length of texts that match, (0, None) when that is not plain."""
    tree = parsed(pattern)
    if tree is None or len(tree) < 2:  # noqa: PLR2004 - the two anchors
        return 0, None
    anchored = tree[0] in [(codes.AT, start) for start in _STARTS] and tree[-1] in [
        (codes.AT, end) for end in _ENDS
    ]
    if not anchored or _holds_lookaround(tree):
        return 0, None
    low, high = tree.getwidth()
    return low, None if high >= _UNBOUNDED else high


def samples(pattern: str, count: int = 6) -> Iterator[str]:
    """Write a few texts that should match: shortest first, then longer, then other alternatives."""
    tree = parsed(pattern)
    if tree is None:
        return
    for variant in range(count):
        text = _write(list(tree), variant)
        if text is not None:
            yield text


@lru_cache(maxsize=1024)
def parsed(pattern: str) -> Any:
    """Give CPython's tree of a pattern, None where the two dialects would read it otherwise."""
    if _OTHERWISE.search(pattern):
        return None
    named = _NAMED_GROUP.sub("(?P<", pattern.replace(r"\/", "/"))
    try:
        return parser.parse(named)
    except (re.error, OverflowError, RecursionError, ValueError):
        return None


def _holds_lookaround(tree: Any) -> bool:
    text = repr(tree)
    return "ASSERT" in text or "GROUPREF" in text


def _write(items: list[Any], variant: int) -> str | None:
    out: list[str] = []
    for code, argument in items:
        piece = _piece(code, argument, variant)
        if piece is None:
            return None
        out.append(piece)
    return "".join(out)


def _piece(code: Any, argument: Any, variant: int) -> str | None:  # noqa: PLR0911 - one line for each kind of node
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.NOT_LITERAL:
        return "b" if chr(argument) == "a" else "a"
    if code is codes.ANY:
        return "a"
    if code is codes.AT:
        return ""
    if code is codes.IN:
        return _member(argument, variant)
    if code is codes.BRANCH:
        choices = argument[1]
        return _write(list(choices[variant % len(choices)]), variant // len(choices))
    if code is codes.SUBPATTERN:
        return _write(list(argument[3]), variant)
    if code in _REPEATS:
        low, high, inner = argument
        times = min(low + variant, int(high), low + 64)
        piece = _write(list(inner), variant)
        return None if piece is None else piece * times
    return None


def _member(choices: list[Any], variant: int) -> str | None:
    if choices and choices[0][0] is codes.NEGATE:
        refused = _members(choices[1:])
        return next((c for c in "a0 -_~Zé" if c not in refused), None)
    found = _members(choices)
    return found[variant % len(found)] if found else None


def _members(choices: list[Any]) -> str:
    out = ""
    for code, argument in choices:
        if code is codes.LITERAL:
            out += chr(argument)
        elif code is codes.RANGE:
            out += "".join(map(chr, range(argument[0], min(argument[1], argument[0] + 127) + 1)))
        elif code is codes.CATEGORY:
            out += _CLASS.get(argument, "")
    return out
