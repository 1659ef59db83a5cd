"""Tells alternatives apart by what their objects always say of themselves: properties that hold constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry.compat.schema_view import Node, View

_MOST = 40  # parts of one schema that are looked through


class Constants:
    """Remembers, for a schema, the properties that its objects must have and the constants that these hold."""

    def __init__(self) -> None:
        self._known: dict[Node, Mapping[str, frozenset[bytes]]] = {}

    def differ(self, nodes: Iterable[Node], other: Node) -> bool:
        """Whether no object can fit all of the nodes and the other one, by a constant alone."""
        theirs = self._of(other)
        return bool(theirs) and any(
            name in theirs and theirs[name].isdisjoint(keys)
            for node in nodes
            for name, keys in self._of(node).items()
        )

    def _of(self, node: Node) -> Mapping[str, frozenset[bytes]]:
        if node not in self._known:
            parts = _parts(node)
            needed = frozenset[str]().union(*(view.required - view.hidden for view in parts))
            found: dict[str, frozenset[bytes]] = {}
            for view in parts:
                for name in needed & view.properties.keys():
                    listed = [p.enum_keys for p in _parts(view.properties[name]) if p.enum is not None]
                    if listed:
                        keys = listed[0].intersection(*listed[1:])
                        found[name] = found[name] & keys if name in found else keys
            self._known[node] = found
        return self._known[node]


def _parts(node: Node) -> list[View]:
    """Give the views that always hold of a value of the node."""
    found: list[View] = []
    waiting, seen = [node], set[Node]()
    while waiting and len(found) < _MOST:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            view = here.view
            found.append(view)
            waiting += [*((view.ref,) if view.ref else ()), *view.all_of, *view.inert]
    return found
