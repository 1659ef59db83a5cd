"""Patterns as regular languages: whether every text that one finds is found by another, or which is not.

The subset is what a linear-time engine takes: literals, classes, alternatives, repetitions, `^` and `$`.
Whatever else a pattern holds, and whatever grows beyond the bounds, has no answer here.
"""

from __future__ import annotations

import re._constants as codes  # type: ignore[import-not-found]  # CPython's own parser has no stubs
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kernel.schema.pattern_text import parsed

MOST_STATES = 4_000  # of one automaton
MOST_PAIRS = 6_000  # sets of states that are compared
MOST_TEXTS = 3_000  # sets of states that are visited while a text is looked for
_LAST = 0x10FFFF
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))  # what `.` leaves out (ECMA-262 §12.3)
_SPACE = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_DIGIT = ((0x30, 0x39),)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}

Ranges = tuple[tuple[int, int], ...]
States = frozenset[int]


class _Beyond(Exception):
    """The pattern holds something that is not modelled, or is too large."""


@dataclass(slots=True)
class _Automaton:
    """States are numbers; `free` are moves without a character, `begin` and `end` those at the ends only."""

    moves: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    free: list[list[int]] = field(default_factory=list)
    begin: list[list[int]] = field(default_factory=list)
    end: list[list[int]] = field(default_factory=list)
    accept: int = -1
    start: States = frozenset()

    def state(self) -> int:
        if len(self.moves) >= MOST_STATES:
            raise _Beyond
        for table in (self.moves, self.free, self.begin, self.end):
            table.append([])
        return len(self.moves) - 1

    def closure(self, states: frozenset[int], *, begin: bool = False, end: bool = False) -> States:
        todo, seen = list(states), set(states)
        while todo:
            state = todo.pop()
            further = [
                *self.free[state],
                *(self.begin[state] if begin else ()),
                *(self.end[state] if end else ()),
            ]
            for other in further:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return frozenset(seen)

    def accepts(self, states: States, *, at_start: bool) -> bool:
        return self.accept in self.closure(states, begin=at_start, end=True)

    def step(self, states: States, char: int) -> States:
        found = {
            target
            for state in states
            for ranges, target in self.moves[state]
            if any(low <= char <= high for low, high in ranges)
        }
        return self.closure(frozenset(found))


def difference(inner: str, outer: str) -> str | bool:
    """Give a text that `inner` finds and `outer` does not, or whether it is known that there is none."""
    first, second = _automaton(inner), _automaton(outer)
    if first is None or second is None:
        return False
    return _search(first, second)


@lru_cache(maxsize=512)
def included(inner: str, outer: str) -> bool:
    """Whether every text that one pattern finds is proven to be found by the other."""
    return difference(inner, outer) is True


def _search(first: _Automaton, second: _Automaton) -> str | bool:
    letters = _letters(first, second)
    begin = (first.start, second.start)
    came: dict[tuple[States, States, bool], tuple[tuple[States, States, bool], int] | None] = {
        (*begin, True): None
    }
    todo = [(*begin, True)]
    while todo:
        here = todo.pop(0)
        left, right, at_start = here
        if first.accepts(left, at_start=at_start) and not second.accepts(right, at_start=at_start):
            return _spelled(here, came)
        for char in letters:
            below = (first.step(left, char), second.step(right, char), False)
            if below[0] and below not in came:
                if len(came) >= MOST_PAIRS:
                    return False
                came[below] = (here, char)
                todo.append(below)
    return True


@lru_cache(maxsize=512)
def text_between(
    holding: tuple[str, ...], failing: tuple[str, ...], least: int = 0, most: int | None = None
) -> str | bool:
    """Give a shortest text in which some patterns are found, and others are not.

    True: it is known that there is none of `least` to `most` code points; False: none was met within the bounds.
    """
    automata = [_automaton(pattern) for pattern in (*holding, *failing)]
    known = [automaton for automaton in automata if automaton is not None]
    if len(known) < len(automata) or least > MOST_TEXTS:
        return False
    letters = _letters(*known)
    start = (tuple(automaton.start for automaton in known), 0, True)
    came: dict[Any, Any] = {start: None}
    todo = deque([start])
    while todo:
        here = todo.popleft()
        states, length, at_start = here
        found = [a.accepts(s, at_start=at_start) for a, s in zip(known, states, strict=True)]
        if length >= least and all(found[: len(holding)]) and not any(found[len(holding) :]):
            return _spelled(here, came)
        if most is not None and length >= most:
            continue
        # Beyond the least length, and without a greatest, how long the text is makes no difference.
        longer = length + 1 if most is not None else min(length + 1, least)
        for char in letters:
            below = (tuple(a.step(s, char) for a, s in zip(known, states, strict=True)), longer, False)
            if below not in came and all(below[0][: len(holding)]):
                if len(came) >= MOST_TEXTS:
                    return False
                came[below] = (here, char)
                todo.append(below)
    return True


def _spelled(here: Any, came: dict[Any, Any]) -> str:
    out = []
    while came[here] is not None:
        here, char = came[here]
        out.append(chr(char))
    return "".join(reversed(out))


def _letters(*automata: _Automaton) -> list[int]:
    """One character of each class that no range tells apart; readable ones where there are any."""
    edges = {0, _LAST + 1}
    for automaton in automata:
        for row in automaton.moves:
            for ranges, _ in row:
                edges |= {edge for low, high in ranges for edge in (low, high + 1)}
    cuts = sorted(edge for edge in edges if edge <= _LAST + 1)
    found = []
    for low, high in pairwise(cuts):
        pleasant = next((c for c in b"aA0 -_xZ9" if low <= c < high), None)
        char = pleasant if pleasant is not None else max(low, 0x21) if max(low, 0x21) < high else low
        if not 0xD800 <= char <= 0xDFFF:  # noqa: PLR2004 - surrogates are no characters
            found.append(char)
    return sorted(found, key=lambda char: (not 0x20 < char < 0x7F, char))  # noqa: PLR2004 - ASCII first


@lru_cache(maxsize=512)
def _automaton(pattern: str) -> _Automaton | None:
    """Build the automaton of texts in which the pattern is found."""
    tree = parsed(pattern)
    if tree is None:
        return None
    made = _Automaton()
    try:
        entry, last = made.state(), made.state()
        start, end = _built(made, list(tree))
        made.free[entry].append(start)
        made.free[end].append(last)
        everything = ((0, _LAST),)
        made.moves[entry].append((everything, entry))
        made.moves[last].append((everything, last))
        made.accept = last
        made.start = made.closure(frozenset({entry}), begin=True)
    except (_Beyond, RecursionError):
        return None
    return made


def _built(made: _Automaton, items: list[Any]) -> tuple[int, int]:
    first = last = made.state()
    for code, argument in items:
        start, end = _piece(made, code, argument)
        made.free[last].append(start)
        last = end
    return first, last


def _piece(made: _Automaton, code: Any, argument: Any) -> tuple[int, int]:
    start, end = made.state(), made.state()
    if code is codes.AT:
        table = {codes.AT_BEGINNING: made.begin, codes.AT_END: made.end}.get(argument)
        if table is None:
            raise _Beyond
        table[start].append(end)
    elif code is codes.BRANCH:
        for choice in argument[1]:
            inside, out = _built(made, list(choice))
            made.free[start].append(inside)
            made.free[out].append(end)
    elif code is codes.SUBPATTERN:
        inside, out = _built(made, list(argument[3]))
        made.free[start].append(inside)
        made.free[out].append(end)
    elif code in _REPEATS:
        _repeat(made, argument, start, end)
    else:
        made.moves[start].append((_ranges(code, argument), end))
    return start, end


def _repeat(made: _Automaton, argument: Any, start: int, end: int) -> None:
    low, high, inner = argument
    last = start
    for _ in range(low):
        inside, out = _built(made, list(inner))
        made.free[last].append(inside)
        last = out
    made.free[last].append(end)
    if high is codes.MAXREPEAT:
        inside, out = _built(made, list(inner))
        made.free[last].append(inside)
        made.free[out] += [inside, end]
        return
    for _ in range(high - low):
        inside, out = _built(made, list(inner))
        made.free[last].append(inside)
        made.free[out].append(end)
        last = out


def _ranges(code: Any, argument: Any) -> Ranges:
    if code is codes.LITERAL:
        return ((argument, argument),)
    if code is codes.NOT_LITERAL:
        return _complement(((argument, argument),))
    if code is codes.ANY:
        return _complement(_LINE_ENDS)
    if code is codes.IN:
        negated = argument[0][0] is codes.NEGATE
        members = tuple(sorted(one for item in argument[negated:] for one in _member(*item)))
        return _complement(members) if negated else members
    raise _Beyond


def _member(code: Any, argument: Any) -> Iterator[tuple[int, int]]:
    plain = {codes.CATEGORY_DIGIT: _DIGIT, codes.CATEGORY_WORD: _WORD, codes.CATEGORY_SPACE: _SPACE}
    other = {
        codes.CATEGORY_NOT_DIGIT: _DIGIT,
        codes.CATEGORY_NOT_WORD: _WORD,
        codes.CATEGORY_NOT_SPACE: _SPACE,
    }
    if code is codes.LITERAL:
        yield (argument, argument)
    elif code is codes.RANGE:
        yield argument
    elif code is codes.CATEGORY and argument in plain:
        yield from plain[argument]
    elif code is codes.CATEGORY and argument in other:
        yield from _complement(other[argument])
    else:
        raise _Beyond


def _complement(ranges: Ranges) -> Ranges:
    out, low = [], 0
    for first, last in sorted(ranges):
        if first > low:
            out.append((low, first - 1))
        low = max(low, last + 1)
    return (*out, (low, _LAST)) if low <= _LAST else tuple(out)
