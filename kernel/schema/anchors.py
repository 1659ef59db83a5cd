"""The dynamic anchors of schemas: what `$dynamicRef` may mean, found once for each node."""

from __future__ import annotations

from typing import Any, Final

_DATA: Final = frozenset({"const", "enum", "default", "example", "examples"})


class Anchors:
    """Numbers the nodes that have a `$dynamicAnchor`; `nodes` gives them by their number.

    A component of an OpenAPI document counts as a schema resource of its own even without an `$id`, since
    that is how generic schemas are written there: each fills the same anchor in its own way.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._known: dict[int, tuple[Any, dict[str, int]]] = {}

    def of(self, node: Any) -> dict[str, int]:
        """Give the anchors of a node and of what stands below it, the outer and earlier ones first."""
        if id(node) not in self._known:
            self._known[id(node)] = (node, self._found(node))
        return self._known[id(node)][1]

    def _found(self, node: Any) -> dict[str, int]:
        found: dict[str, int] = {}
        waiting = [node]
        for item in waiting:  # grows while it is walked: level by level
            if isinstance(item, dict):
                name = item.get("$dynamicAnchor")
                if isinstance(name, str):
                    found.setdefault(name, self._number(item))
                waiting.extend(value for key, value in item.items() if key not in _DATA)
            elif isinstance(item, list):
                waiting.extend(item)
        return found

    def _number(self, node: Any) -> int:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[id(node)]
