r"""Look-ahead at the start of an anchored pattern, taken apart into patterns of which each is linear.

`^(?=A)(?!B)C` matches where `^(?:A)` and `^C` match and `^(?:B)` does not: what password rules are made
of. Look-around anywhere else has no such form, and stays in the pattern for patterns.py to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator

_OPENINGS = {"(?=": True, "(?!": False}
MOST = 16  # look-aheads of one pattern


def without_lookaheads(pattern: str) -> tuple[str, tuple[tuple[bool, str], ...]]:
    """Give what is left of the pattern, and the pattern of each look-ahead with whether it must match."""
    found: list[tuple[bool, str]] = []
    at = 1
    while pattern[:1] == "^" and pattern[at : at + 3] in _OPENINGS:
        end = next((place for place, depth in _closings(pattern, at) if depth == 0), -1)
        if end < 0 or len(found) == MOST:
            return pattern, ()
        found.append((_OPENINGS[pattern[at : at + 3]], f"^(?:{pattern[at + 3 : end]})"))
        at = end + 1
    rest = pattern[at:]
    # A quantifier would repeat the look-ahead, and `^(?=A)B|C` asks nothing of what C matches.
    if not found or rest[:1] in {"*", "+", "?", "{"} or _has_branches(rest):
        return pattern, ()
    return "^" + rest, tuple(found)


def _has_branches(pattern: str) -> bool:
    return any(char == "|" and depth == 0 for _, char, depth in _walk(pattern, 0))


def _closings(pattern: str, start: int) -> Iterator[tuple[int, int]]:
    for place, char, depth in _walk(pattern, start):
        if char == ")":
            yield place, depth


def _walk(pattern: str, start: int) -> Iterator[tuple[int, str, int]]:
    """Give each `(`, `)` and `|` that is syntax, with the depth of groups after it."""
    depth, at, in_class = 0, start, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char in "()|":
            depth += {"(": 1, ")": -1, "|": 0}[char]
            yield at, char, depth
        at += 1
