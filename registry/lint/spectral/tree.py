"""A document as rules walk it: nodes with their place in the source, references followed as they are met.

Spectral puts the target in the place of each `$ref` before it looks (the siblings of a `$ref` are lost, a
circle is left as it stands) and maps what it finds back to where that is written. Here a node knows both,
so that shared parts need not be copied, nor looked at more than once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Key = str | int
Path = tuple[Key, ...]
_CHAIN = 100  # references to references


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value, where it is written, and the node through which it was reached.

    `home` is where its members are written: another place than `place` where a reference has siblings.
    """

    value: Any
    place: Path
    home: Path
    key: Key
    parent: Node | None
    siblings: dict[str, Any] | None = None
    through: bool = False  # whether a reference was followed on the way to it

    @property
    def way(self) -> Path:
        """The keys by which it was reached."""
        keys: list[Key] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            keys.append(node.key)
            node = node.parent
        return tuple(reversed(keys))

    @property
    def printed(self) -> str:
        """`$['paths']['/orders'][0]`, as `@path` says it."""
        return "$" + "".join(f"['{key}']" if isinstance(key, str) else f"[{key}]" for key in self.way)


class Tree:
    """One document, seen with its references followed or as it is written."""

    def __init__(self, root: Any, *, resolved: bool) -> None:
        self.document = root
        self._resolved = resolved
        self.root = Node(root, (), (), "", None)

    def members(self, node: Node) -> Iterator[Node]:
        """Give the members of an object or a list; nothing for other values."""
        if isinstance(node.value, dict):
            for key in node.value:
                yield self._member(node, key)
        elif isinstance(node.value, list):
            for index in range(len(node.value)):
                yield self._member(node, index)

    def member(self, node: Node, name: str) -> Node | None:
        """Give the member of a name; of a list, the one at a position."""
        if isinstance(node.value, dict):
            return self._member(node, name) if name in node.value else None
        if isinstance(node.value, list) and name.isdecimal() and int(name) < len(node.value):
            return self._member(node, int(name))
        return None

    def _member(self, node: Node, key: Key) -> Node:
        raw = node.value[key]
        written = node.siblings is not None and key in node.siblings
        place = (*(node.place if written else node.home), key)
        if not (self._resolved and isinstance(raw, dict) and isinstance(raw.get("$ref"), str)):
            return Node(raw, place, place, key, node, through=node.through)
        target, home = self._follow(raw, place)
        if home == place or _is_above(home, node):
            return Node(raw, place, place, key, node, through=node.through)
        # Spectral tells a reference with siblings at its own place, unless it came there by another reference.
        if len(raw) == 1 or node.through:
            return Node(target, home, home, key, node, through=True)
        return Node(target, place, home, key, node, raw, through=True)

    def _follow(self, raw: Any, place: Path) -> tuple[Any, Path]:
        """Follow local references to the end; what leads nowhere, or round, stays where it is."""
        start, home = raw, place
        seen: set[Path] = set()
        while isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
            found = self._target(raw["$ref"])
            if found is None or found[1] in seen or len(seen) > _CHAIN:
                return start, place
            raw, home = found
            seen.add(home)
        return raw, home

    def _target(self, ref: str) -> tuple[Any, Path] | None:
        if not ref.startswith("#"):
            return None
        node: Any = self.document
        path: list[Key] = []
        for step in unquote(ref[1:]).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
                path.append(name)
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
                path.append(int(name))
            else:
                return None
        return node, tuple(path)


def _is_above(home: Path, node: Node) -> bool:
    above: Node | None = node
    while above is not None:
        if above.home == home:
            return True
        above = above.parent
    return False
