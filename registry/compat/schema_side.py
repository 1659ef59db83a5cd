"""One document as a source of nodes: pointers, local references, and which way its values travel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from kernel.contract.positions import token
from kernel.errors import SchemaRefused
from kernel.schema.dialects import Dialect, base_keyword, named
from registry.compat.schema_reading import read_view
from registry.compat.schema_view import Node, Traffic, Unreadable, View


class Side:
    """One document, read in one dialect for one direction of traffic.

    `traffic` is request or response for OpenAPI 3.0, where `readOnly` properties are not sent in requests
    and `writeOnly` ones not in responses; None for bare schemas, where both words are notes. In OpenAPI 3.1
    they are notes too, which many take for more: `notes_bind` reads them as 3.0 does. `keep` names
    keywords that count here although they are notes to a validator (`xml`, where the bytes are XML).
    `steady` says of a pointer that the document on the other side has the very same there.
    """

    def __init__(
        self,
        root: Any,
        dialect: Dialect,
        *,
        tag: str,
        traffic: Traffic = None,
        notes_bind: bool = False,
        keep: frozenset[str] = frozenset(),
        steady: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.root = root
        self.dialect = _own_dialect(root, dialect)
        self.tag = tag
        self.traffic: Traffic = traffic
        self.keep = keep
        self.steady = steady
        self.as_validated = not (notes_bind or keep)
        self._note = {"request": "readOnly", "response": "writeOnly"}.get(traffic or "")
        self._binding = {Dialect.OPENAPI_30} | ({Dialect.OPENAPI_31} if notes_bind else set())
        self._views: dict[str, View] = {}
        self._nodes: dict[str, Node] = {}
        self._dynamic: dict[str, tuple[str, ...]] | None = None

    def forget(self) -> None:
        """Read everything anew: another root stands here now."""
        self._views, self._nodes, self._dynamic = {}, {}, None

    def node(self, pointer: str, raw: Any, dialect: Dialect | None) -> Node:
        """Give the one node of a place; a `$schema` of its own decides its dialect."""
        found = self._nodes.get(pointer)
        if found is None:
            found = self._nodes[pointer] = Node(self, pointer, raw, _own_dialect(raw, dialect))
        return found

    def at(self, pointer: str) -> Node:
        """Give the node at a JSON pointer; raises `Unreadable` when there is nothing."""
        value, dialect = self.root, self.dialect
        for step in pointer.split("/")[1:]:
            value = _step(value, step.replace("~1", "/").replace("~0", "~"), pointer)
            dialect = _own_dialect(value, dialect)
        return self.node(pointer, value, dialect)

    def view(self, node: Node) -> View:
        """Read a node's keywords once."""
        view = self._views.get(node.pointer)
        if view is None:
            view = self._views[node.pointer] = read_view(node)
        return view

    def made(self, pointer: str, view: View, dialect: Dialect | None) -> Node:
        """Give a node that no text stands for: what keywords mean together, in other words."""
        self._views.setdefault(pointer, view)
        return self.node(pointer, None, dialect)

    def dynamic(self, name: str) -> tuple[str, ...]:
        """Give the pointers of the schemas with a dynamic anchor of that name; data that looks like one counts."""
        if self._dynamic is None:
            self._dynamic = _dynamic_anchors(self.root)
        return self._dynamic.get(name, ())

    def hides(self, node: Node) -> bool:
        """Whether a property with this schema does not travel in the direction of this side."""
        if self._note is None or node.dialect not in self._binding:
            return False
        for _ in range(32):
            if not isinstance(node.raw, dict):
                return False
            if node.raw.get(self._note) is True and (
                node.dialect is not Dialect.OPENAPI_30 or "$ref" not in node.raw
            ):
                return True
            if "$ref" not in node.raw:
                return False
            node = self.resolve(node.raw["$ref"], node.pointer)
        return False

    def resolve(self, reference: Any, pointer: str) -> Node:
        """Follow a `$ref` within the document; raises `Unreadable` for anything else."""
        if not isinstance(reference, str):
            raise Unreadable(f"the $ref at #{pointer} is no string")
        base = self.root.get(base_keyword(self.dialect)) if isinstance(self.root, dict) else None
        text = reference
        if isinstance(base, str) and base.rstrip("#") and text.split("#")[0] == base.rstrip("#"):
            text = "#" + text.partition("#")[2]
        if not text.startswith("#"):
            raise Unreadable(f"the $ref at #{pointer} leads out of the document")
        fragment = unquote(text[1:])
        if fragment and not fragment.startswith("/"):
            raise Unreadable(f"the $ref at #{pointer} names an anchor")
        return self.at(fragment)


def _dynamic_anchors(root: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        pointer, node = stack.pop()
        if isinstance(node, dict):
            name = node.get("$dynamicAnchor")
            if isinstance(name, str):
                found[name] = (*found.get(name, ()), pointer)
            stack += [(pointer + token(key), value) for key, value in node.items()]
        elif isinstance(node, list):
            stack += [(f"{pointer}/{index}", value) for index, value in enumerate(node)]
    return found


def _own_dialect(raw: Any, dialect: Dialect | None) -> Dialect | None:
    declared = raw.get("$schema") if isinstance(raw, dict) else None
    if not isinstance(declared, str):
        return dialect
    try:
        return named(declared)
    except SchemaRefused:
        return None


def _step(value: Any, step: str, pointer: str) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    raise Unreadable(f"a $ref points to #{pointer}, where nothing stands")
