"""Which nodes of a document a JSONPath expression means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from registry.lint.spectral.faults import Refused
from registry.lint.spectral.operators import Candidate
from registry.lint.spectral.paths import JsonPath, Step
from registry.lint.spectral.tree import Node, Path, Tree
from registry.lint.spectral.values import UNDEFINED


@dataclass
class Budget:
    """How many nodes may still be looked at; raises `Refused` when there are too many."""

    left: int

    def spend(self) -> None:
        """Count one node."""
        self.left -= 1
        if self.left < 0:
            raise Refused(
                "it would look at too many nodes", "make the path narrower, or set `resolved: false`"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A node that an expression means; `as_key` where its key is meant (`~`)."""

    node: Node
    as_key: bool = False

    @property
    def value(self) -> Any:
        """What the rule's functions judge."""
        return self.node.key if self.as_key else self.node.value


def matches(tree: Tree, path: JsonPath, budget: Budget) -> list[Match]:
    """Give the nodes that a path means, each once; raises `Refused` where a filter cannot be answered."""
    found = [tree.root]
    as_key = False
    walk = _Walk(tree, budget, contextual=path.contextual)
    for step in path.steps:
        if step.form == "key":
            as_key = True
        elif step.form == "parent":
            as_key = False
            found = walk.once(node.parent for node in found if node.parent is not None)
        else:
            found = walk.once(walk.step(found, step))
    return [Match(node, as_key) for node in found]


class _Walk:
    def __init__(self, tree: Tree, budget: Budget, *, contextual: bool) -> None:
        self._tree = tree
        self._budget = budget
        self._contextual = contextual

    def once(self, nodes: Iterable[Node]) -> list[Node]:
        """Leave out what was found before: the same place under the same key, or by the same way."""
        return list({self._identity(node): node for node in nodes}.values())

    def _identity(self, node: Node) -> tuple[Path, Path]:
        return (node.way, ()) if self._contextual else (node.place, (node.key, node.through, *node.home))

    def step(self, nodes: Iterable[Node], step: Step) -> Iterator[Node]:
        """Take one step from each node."""
        starts = self._below(nodes) if step.deep else nodes
        for node in starts:
            if step.form == "self":
                if isinstance(node.value, dict | list):
                    yield node
            else:
                yield from self._members(node, step)

    def _below(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Give the nodes and everything below them, in the order of the document."""
        seen: set[tuple[Path, Path]] = set()
        stack = list(nodes)[::-1]
        while stack:
            node = stack.pop()
            identity = self._identity(node)
            if identity in seen or not isinstance(node.value, dict | list):
                continue
            seen.add(identity)
            self._budget.spend()
            yield node
            stack.extend(reversed(list(self._tree.members(node))))

    def _members(self, node: Node, step: Step) -> Iterator[Node]:
        if step.form == "names":
            for name in step.names:
                found = self._tree.member(node, name)
                if found is not None:
                    self._budget.spend()
                    yield found
            return
        chosen = list(self._tree.members(node))
        if step.form == "slice":
            start, end, stride = step.bounds
            chosen = chosen[start:end:stride] if isinstance(node.value, list) else []
        for found in chosen:
            self._budget.spend()
            if step.filter is None or step.filter.holds(self._candidate(found)):
                yield found

    def _candidate(self, node: Node) -> Candidate:
        holder = node.parent
        around = holder.parent if holder else None
        return Candidate(
            node.value,
            node.key,
            around.value if around else UNDEFINED,
            holder.key if holder and around else UNDEFINED,
            lambda: node.printed,
            self._tree.document,
        )
