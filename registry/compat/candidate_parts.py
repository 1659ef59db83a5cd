"""What the writers of candidate lists and objects may ask of the search that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

from registry.compat.schema_view import Node
from registry.compat.text_rules import TextRules

MOST_EACH = 60  # candidates for one part of a value
MOST_ITEMS = 40  # items or properties that are written one by one to pass a bound
MOST_ALIKE = 2_000  # items that are repeated to pass one
ANYTHING: tuple[Any, ...] = ("text", 0, 1.5, True, None, [], {})
Nodes = frozenset[Node]
Trail = tuple[Nodes, ...]  # what is known of the value and of those around it, the outermost first


class Writes(Protocol):
    """The search, as the writers of lists and objects see it (`registry.compat.candidates.Candidates`)."""

    declared_only: bool
    steer: tuple[str, ...]
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
