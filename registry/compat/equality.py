"""Whether two schemas say the same: equality of their views, references followed, recursion and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter

from kernel.contract.digest import canonical_bytes
from registry.compat.schema_view import Node, View, refers

_SINGLE = ("items", "contains", "additional", "unevaluated", "unlooked", "names", "ref", "negated")
_TUPLES = ("prefix", "all_of", "inert", "any_of", "one_of")
_MAPS = ("properties", "patterns", "dependents")
_SPECIAL = {*_SINGLE, *_TUPLES, *_MAPS, "condition", "enum", "opaque", "discriminator"}
_PLAIN = attrgetter(*(row.name for row in fields(View) if row.name not in _SPECIAL))
_REST = attrgetter(*(row.name for row in fields(View) if row.name not in {"ref", "all_of"}))
_SAYS_NOTHING = _REST(View())

MOST_MARKED = 40  # pairs around a difference that are remembered as different
_Pair = tuple[Node, Node]


class Sameness:
    """Remembers which pairs of nodes were found equal, so that shared parts are walked once."""

    def __init__(self) -> None:
        self._equal: set[tuple[Node, Node]] = set()
        self._different: set[tuple[Node, Node]] = set()
        self._targets: dict[Node, Node] = {}

    def same(self, first: Node, second: Node) -> bool:
        """Whether both accept the same for the same written reason.

        Recursion is met coinductively: a pair under comparison is taken as equal, which is right since
        a difference found anywhere makes the whole answer *no*. Raises `Unreadable`.
        """
        if (first, second) in self._equal:
            return True
        if (first, second) in self._different:
            return False
        seen: set[_Pair] = set()
        todo: list[tuple[_Pair, tuple[_Pair, ...]]] = [((first, second), ())]
        while todo:
            written, above = todo.pop()
            pair = (self.target(written[0]), self.target(written[1]))
            if pair in seen or pair in self._equal or pair[0] == pair[1] or _steady(*pair):
                continue
            seen.add(pair)
            children = None if pair in self._different else _compare(pair[0].view, pair[1].view)
            above = (*above[-MOST_MARKED:], written, pair)
            if children is None or not self._different.isdisjoint(children):
                self._different.update(above)  # what holds a difference differs
                self._different.add((first, second))
                return False
            todo.extend((child, above) for child in children)
        self._equal |= seen
        self._equal.add((first, second))
        return True

    def target(self, node: Node) -> Node:
        """Give the schema that a node stands for, where it does nothing but refer to it."""
        found = self._targets.get(node)
        if found is None:
            found = self._targets[node] = _target(node)
        return found


def _steady(first: Node, second: Node) -> bool:
    """Whether two documents are known to have the very same there, references included."""
    return first.pointer == second.pointer and first.side.steady(first.pointer)


def _target(node: Node) -> Node:
    """Follow references and lists of one that stand alone; a circle of nothing else stays where it is."""
    for _ in range(64):
        view = node.view
        inside = ((view.ref,) if view.ref else ()) + view.all_of
        if len(inside) != 1 or _REST(view) != _SAYS_NOTHING:
            return node
        node = inside[0]
    return node


def _compare(first: View, second: View) -> list[tuple[Node, Node]] | None:
    """Give the pairs of children that must be equal, or None when the keywords already differ."""
    if _PLAIN(first) != _PLAIN(second):
        return None
    if (first.enum is None) != (second.enum is None) or not _same_opaque(first, second):
        return None
    pairs: list[tuple[Node | None, Node | None]] = [(getattr(first, n), getattr(second, n)) for n in _SINGLE]
    for name in _TUPLES:
        here, there = getattr(first, name), getattr(second, name)
        if len(here) != len(there):
            return None
        pairs.extend(zip(here, there, strict=True))
    for name in _MAPS:
        left: Mapping[str, Node] = getattr(first, name)
        right: Mapping[str, Node] = getattr(second, name)
        if left.keys() != right.keys():
            return None
        pairs.extend((left[key], right[key]) for key in left)
    if (first.condition is None) != (second.condition is None):
        return None
    pairs.extend(zip(first.condition or (), second.condition or (), strict=True))
    return _both_or_none(pairs)


def _both_or_none(pairs: Iterable[tuple[Node | None, Node | None]]) -> list[tuple[Node, Node]] | None:
    found: list[tuple[Node, Node]] = []
    for here, there in pairs:
        if here is not None and there is not None:
            found.append((here, there))
        elif here is not there:
            return None
    return found


def _same_opaque(first: View, second: View) -> bool:
    """Unread keywords are equal when their text is, and no reference in them could lead elsewhere."""
    if not (first.opaque or second.opaque or first.discriminator or second.discriminator):
        return True
    here = canonical_bytes([first.opaque, first.discriminator])
    return here == canonical_bytes([second.opaque, second.discriminator]) and not refers(first.opaque)
