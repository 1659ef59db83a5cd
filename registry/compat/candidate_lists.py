"""Candidate arrays: the lengths, items and counts at which two schemas may differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from kernel.contract.digest import canonical_bytes
from registry.compat.applied import at_item
from registry.compat.candidate_parts import (
    MOST_ALIKE,
    MOST_EXPECTED,
    MOST_ITEMS,
    Nodes,
    Trail,
    Writes,
    in_turn,
)
from registry.compat.facts import Case
from registry.compat.schema_view import View

MOST_PLACES = 6  # items that are varied one by one
MOST_COUNTED = 12  # items that are counted by `contains`


def arrays(writes: Writes, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
    """Give arrays of one case, the plainest first."""
    writer = _Arrays(writes, case, hints, trail)
    yield writer.base
    step = writes.steer.step(len(trail) - 1)
    streams = writer.varied()
    expected = case.prefix() if step == "*" else int(step) if step is not None and step.isdecimal() else None
    if expected is not None and expected < len(streams):
        yield from islice(streams[expected], MOST_EXPECTED)
    yield from in_turn([writer.of_length(), *streams, writer.counted()])


class _Arrays:
    def __init__(self, writes: Writes, case: Case, hints: list[View], trail: Trail) -> None:
        self.writes = writes
        self.case = case
        self.hints = hints
        self.trail = trail
        self.unique = any(part.unique for part in case.parts)
        held = [part for part in case.parts if part.contains is not None]
        self.contained: Nodes = frozenset(
            part.contains for part in held if part.contains and part.min_contains
        )
        self.needed = min(max(case.least("min_items"), *(part.min_contains for part in held), 0), MOST_ITEMS)
        self.base = self.items(self.needed)

    def items(self, length: int) -> list[Any]:
        """Write a list of plain items; shorter where no further item could be written."""
        out: list[Any] = []
        seen: set[bytes] = set()
        for index in range(length):
            first = index < 1 or len(self.contained) == 1
            nodes = self.case.item(index) | (self.contained if first else frozenset())
            hints = at_item(self.hints, index) if self.unique else frozenset()
            choices = chain(self.writes.plain(nodes, self.trail), self.writes.part(nodes, hints, self.trail))
            for value in choices:
                key = canonical_bytes(value)
                if not (self.unique and key in seen):
                    seen.add(key)
                    out.append(value)
                    break
            else:
                break
        return out

    def of_length(self) -> Iterator[Any]:
        """Give lists of the lengths at which a bound is met, and passed by one."""
        most = self.case.most("max_items")
        wanted = {0, 1, 2, self.needed} | ({most} if most is not None else set())
        for view in self.hints:
            wanted |= {view.min_items - 1, view.min_items, len(view.prefix) + 1}
            wanted |= {view.min_contains - 1} if view.contains is not None else set()
            wanted |= {view.max_items, view.max_items + 1} if view.max_items is not None else set()
        for length in sorted(wanted):
            if self.needed <= length <= MOST_ITEMS:
                yield self.items(length)
            elif MOST_ITEMS < length <= MOST_ALIKE and not self.unique:
                start = self.items(min(self.case.prefix() + 1, MOST_ITEMS))
                yield [*start, *start[-1:] * (length - len(start))]

    def varied(self) -> list[Iterator[Any]]:
        """Give lists in which one item departs, a stream for each place."""
        fixed = max((len(view.prefix) for view in (*self.case.parts, *self.hints)), default=0)
        streams = []
        for index in range(min(max(fixed + 1, len(self.base), 1), MOST_PLACES)):
            start = self.base if len(self.base) > index else self.items(index + 1)
            if len(start) <= index:
                break
            streams.append(self._at(index, start))
        return streams

    def _at(self, index: int, start: list[Any]) -> Iterator[Any]:
        nodes = self.case.item(index)
        if index == 0 and self.contained:
            for value in self.writes.part(nodes | self.contained, at_item(self.hints, index), self.trail):
                yield [value, *start[1:]]
        for value in self.writes.part(nodes, at_item(self.hints, index), self.trail):
            yield [*start[:index], value, *start[index + 1 :]]

    def counted(self) -> Iterator[Any]:
        """Give lists with an item twice, and with items beside those that are needed."""
        fixed = self.case.prefix()
        more = self.writes.part(self.case.item(fixed), at_item(self.hints, fixed), self.trail)
        start = self.items(max(fixed, len(self.base)))
        for value in islice(more, MOST_COUNTED):
            yield [*start[:fixed], value, value]
            yield [*start, value]
            yield [*start, value, value]
