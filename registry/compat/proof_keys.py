"""By what a proof is remembered while it runs and after: the goal, and what is known, each in one form."""

from __future__ import annotations

from dataclasses import dataclass

from registry.compat.equality import Sameness
from registry.compat.facts import Known
from registry.compat.schema_view import Node

Key = tuple[Known, Node]


@dataclass(slots=True)
class Opened:
    """A goal under proof: how deep in the value it began, in which words, and whether somebody relied on it."""

    level: int
    forms: set[Key]
    used: bool = False


class Keys:
    """Gives keys. What only refers is the same as what it refers to.

    So a hundred places that refer to one schema ask for one proof, and a recursion through them is met at the
    first place where it comes round, not when all have been walked.
    """

    def __init__(self, sameness: Sameness) -> None:
        self._sameness = sameness
        self._meant: dict[frozenset[Node], frozenset[Node]] = {}

    def of(self, known: Known, goal: Node) -> Key:
        """Give the key of a goal."""
        nodes, without = self._targets(known.nodes), self._targets(known.without)
        if nodes is not known.nodes or without is not known.without:
            known = Known(nodes, without, known.types)
        return known, self._sameness.target(goal)

    def _targets(self, nodes: frozenset[Node]) -> frozenset[Node]:
        found = self._meant.get(nodes)
        if found is None:
            found = frozenset(map(self._sameness.target, nodes))
            found = self._meant[nodes] = nodes if found == nodes else found
        return found
