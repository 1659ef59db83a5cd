"""What the writers of candidate lists and objects may ask of the search that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from registry.compat.facts import Case
from registry.compat.schema_view import Node
from registry.compat.text_rules import TextRules

MOST_EACH = 60  # candidates for one part of a value
MOST_EXPECTED = 24  # values where the difference is expected, before others are tried
MOST_ITEMS = 40  # items or properties that are written one by one to pass a bound
MOST_ALIKE = 2_000  # items that are repeated to pass one
ANYTHING: tuple[Any, ...] = ("text", 0, 1.5, True, None, [], {})
Nodes = frozenset[Node]
Trail = tuple[Nodes, ...]  # what is known of the value and of those around it, the outermost first


@dataclass(frozen=True, slots=True)
class Steer:
    """Where a difference is expected: a path in the value, and the alternatives that hold along it."""

    path: tuple[str, ...] = ()
    cases: tuple[Nodes, ...] = ()

    def step(self, depth: int) -> str | None:
        """Give the step that leads on from a depth."""
        return self.path[depth] if depth < len(self.path) else None

    def first(self, depth: int, found: list[Case]) -> list[Case]:
        """Order the cases at a depth: that which shares most with the expected one first."""
        if depth >= len(self.cases) or len(found) < 2:  # noqa: PLR2004 - one case needs no order
            return found
        return sorted(found, key=lambda case: -len(case.nodes & self.cases[depth]))


@dataclass(slots=True)
class Memory:
    """What was written before for the same schemas; one serves all searches of a comparison."""

    cases: dict[Nodes, list[Case]] = field(default_factory=dict)
    plain: dict[Nodes, tuple[Any, ...]] = field(default_factory=dict)
    scalars: dict[tuple[Nodes, Nodes], tuple[Any, ...]] = field(default_factory=dict)


class Writes(Protocol):
    """The search, as the writers of lists and objects see it (`registry.compat.candidates.Candidates`)."""

    declared_only: bool
    steer: Steer
    text: TextRules

    def part(self, inner: Nodes, outer: Nodes, trail: Trail, most: int = MOST_EACH) -> Iterator[Any]:
        """Give candidates for a part of the value."""

    def plain(self, nodes: Nodes, trail: Trail = ()) -> Iterator[Any]:
        """Give at most one value that these schemas are not seen to refuse."""


def in_turn(streams: list[Iterator[Any]]) -> Iterator[Any]:
    """Take one from each stream in turn, until all are empty."""
    while streams:
        left = []
        for stream in streams:
            for value in islice(stream, 1):
                yield value
                left.append(stream)
        streams = left
