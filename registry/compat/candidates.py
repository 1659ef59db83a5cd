"""Writes candidate values for one schema, steered by another: where a difference would show.

The first value is the plainest that should be accepted; each further one departs from it in one place,
with the constants and boundaries of both schemas. Nothing here is trusted: whoever uses a candidate has
it judged by validators. Everything is bounded and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, islice
from typing import Any

from kernel.contract.digest import canonical_bytes
from registry.compat.applied import applied
from registry.compat.candidate_lists import arrays
from registry.compat.candidate_objects import objects
from registry.compat.candidate_parts import (
    ANYTHING,
    MOST_EACH,
    MOST_EXPECTED,
    Memory,
    Nodes,
    Steer,
    Trail,
    in_turn,
)
from registry.compat.candidate_values import number_values, string_values
from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, Known, cases
from registry.compat.schema_view import (
    ARRAY,
    BOOLEAN,
    FRACTION,
    INTEGER,
    NULL,
    OBJECT,
    STRING,
    Node,
    View,
)
from registry.compat.text_rules import TextRules

MOST_DEPTH = 14
MOST_CASES = 12
MOST_ROUNDS = 2  # how often a recursive part may stand within itself
MOST_WORK = 6_000  # parts for which values are written, in one search
MOST_VALUES = 2_000
MOST_OVERLAPS = 8  # alternatives, and pairs of them, that are tried together
MOST_TRIED = 24  # candidates among which a plain value is looked for
_HOLDING = frozenset({ARRAY, OBJECT})
_ORDER = (OBJECT, ARRAY, STRING, INTEGER, FRACTION, BOOLEAN, NULL)


class Candidates:
    """Candidates for values of one schema that another may refuse.

    With `declared_only` no invented property has a name that the outer schema declares (see `Prover`).
    """

    def __init__(
        self,
        *,
        declared_only: bool = False,
        text: TextRules | None = None,
        steer: Steer | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.declared_only = declared_only
        self.steer = steer or Steer()  # tried first
        self.text = text or TextRules()
        self.memory = memory or Memory()
        self._spent = 0
        self._overlapping = False

    def values(self, inner: Node, outer: Node) -> Iterator[Any]:
        """Give distinct candidates, the plainest first; raises `Unreadable`."""
        seen: set[bytes] = set()
        for value in self.part(frozenset({inner}), frozenset({outer}), (), MOST_VALUES):
            key = canonical_bytes(value)
            if key not in seen:
                seen.add(key)
                yield value

    def part(self, inner: Nodes, outer: Nodes, trail: Trail, most: int = MOST_EACH) -> Iterator[Any]:
        """Values for a part; `trail` holds what was known of the parts around it, for recursion to end."""
        if len(trail) >= MOST_DEPTH or trail.count(inner) >= MOST_ROUNDS or self._spent >= MOST_WORK:
            return
        self._spent += 1
        if not inner:
            yield from islice(self._free(outer, (*trail, inner)), most)
            return
        if inner not in self.memory.cases:
            self.memory.cases[inner] = [case for case in cases(Known(inner)) if case.types]
        found = self.memory.cases[inner]
        if any(case.types & _HOLDING for case in found):
            yield from islice(self._of_cases(found, inner, outer, trail), most)
            return
        key = (inner, outer)  # what holds no parts is the same wherever it stands
        if key not in self.memory.scalars:
            written = self._of_cases(found, inner, outer, ())
            self.memory.scalars[key] = tuple(islice(written, MOST_EACH))
        yield from self.memory.scalars[key][:most]

    def _of_cases(self, found: list[Case], inner: Nodes, outer: Nodes, trail: Trail) -> Iterator[Any]:
        """Values of several cases in turn, after some of the one in which the difference is expected."""
        hints = applied(outer)
        depth, trail = len(trail), (*trail, inner)
        ordered = self.steer.first(depth, found)[:MOST_CASES]
        streams = [self._of_case(case, hints, trail) for case in ordered]
        if len(streams) > 1 and depth < len(self.steer.cases):
            if (way := self._on_the_way(depth, ordered[0])) is not None:
                yield from islice(self._of_case(way, hints, trail), MOST_EXPECTED)
            yield from islice(streams[0], MOST_EXPECTED)
        if not self._overlapping:
            streams.append(self._overlaps(inner, hints, trail))
        yield from in_turn(streams)

    def _on_the_way(self, depth: int, case: Case) -> Case | None:
        """Give a case without the types that hold no such part; None where a difference is not expected below."""
        step = self.steer.step(depth)
        if step is None:
            return None
        types = case.types & (frozenset({OBJECT}) if step in case.declared() else _HOLDING)
        return replace(case, types=types) if types and types != case.types else None

    def _overlaps(self, inner: Nodes, hints: list[View], trail: Trail) -> Iterator[Any]:
        """Values that match two alternatives of a `oneOf` at once."""
        pairs = [pair for view in hints for pair in combinations(view.one_of[:MOST_OVERLAPS], 2)]
        for first, second in pairs[:MOST_OVERLAPS]:
            self._overlapping = True
            found = list(self.part(inner | {first, second}, frozenset(), trail, 3))
            self._overlapping = False
            yield from found

    def _free(self, outer: Nodes, trail: Trail) -> Iterator[Any]:
        """Values where nothing is known: one of each type, and what the other schema names."""
        yield from ANYTHING
        if outer:
            yield from self.part(outer, frozenset(), trail, 12)

    def _of_case(self, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
        if case.values is not None:
            yield from case.values
            return
        streams = [self._of_type(case, atom, hints, trail) for atom in _ORDER if atom in case.types]
        yield from in_turn(streams)

    def _of_type(self, case: Case, atom: str, hints: list[View], trail: Trail) -> Iterator[Any]:
        views = [*case.parts, *hints]
        if atom == STRING:
            yield from string_values(case, views)
        elif atom in {INTEGER, FRACTION}:
            yield from number_values(case, views, atom)
        elif atom == BOOLEAN:
            yield from (True, False)
        elif atom == NULL:
            yield None
        elif atom == ARRAY:
            yield from arrays(self, case, hints, trail)
        else:
            yield from objects(self, case, hints, trail)

    def plain(self, nodes: Nodes, trail: Trail = ()) -> Iterator[Any]:
        """Give at most one value: the first that the schemas are not seen to refuse."""
        known = self.memory.plain
        if nodes not in known:
            known[nodes] = ()  # met again below itself: a recursive part that is left out
            known[nodes] = self._plainest(nodes, trail)
            if not known[nodes] and len(trail) > MOST_DEPTH // 2:
                del known[nodes]  # perhaps only too deep here
                return
        yield from known[nodes]

    def _plainest(self, nodes: Nodes, trail: Trail) -> tuple[Any, ...]:
        steer, self.steer = self.steer, Steer()
        first: tuple[Any, ...] = ()
        try:
            for value in islice(self.part(nodes, frozenset(), trail, MOST_TRIED), MOST_TRIED):
                if all(evaluate(node, value, self.text) is not False for node in nodes):
                    return (value,)
                first = first or (value,)
        finally:
            self.steer = steer
        return first
