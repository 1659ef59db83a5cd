"""The runtime validators of the schemas that a comparison meets, each text of a schema compiled once."""

from __future__ import annotations

from typing import Any

from kernel.errors import InterlockError
from kernel.schema.dialects import Dialect
from kernel.schema.validator import CompiledSchema, Direction, compile_schema
from registry.compat.openapi_touched import text_of
from registry.compat.schema_view import Node, Unreadable

TOO_DEEP = "the schema is nested too deep to be compared"

# A document by its identity, the direction of its values, the dialect, the text of a schema in it.
_Key = tuple[int, Direction | None, Dialect, bytes]


class Validators:
    """Compiles the schemas of nodes.

    Two places of one document with the same text, read in one way, are one schema to a validator: references
    count from the document. So the body that an operation takes in three media types is compiled once.
    """

    def __init__(self) -> None:
        self._by_node: dict[Node, CompiledSchema | str] = {}
        # The document is kept beside, so that its identity stays its own.
        self._by_text: dict[_Key, tuple[Any, CompiledSchema | str]] = {}

    def of(self, node: Node) -> CompiledSchema | str:
        """Give the validator, or why there is none."""
        found = self._by_node.get(node)
        if found is None:
            found = self._by_node[node] = self._of_text(node)
        return found

    def made(
        self, root: Any, schema: Any, dialect: Dialect, direction: Direction | None
    ) -> CompiledSchema | None:
        """Give the validator of a schema of a document where it was compiled already."""
        try:
            found = self._by_text.get((id(root), direction, dialect, text_of(schema)))
        except Unreadable:
            return None
        return None if found is None or isinstance(found[1], str) else found[1]

    def _of_text(self, node: Node) -> CompiledSchema | str:
        side = node.side
        if node.dialect is None:
            return "the schema follows a dialect that is not known here"
        try:
            key = (id(side.root), side.traffic, node.dialect, text_of(node.raw))
        except Unreadable:  # no text of its own to know it by
            return _compiled(node, node.dialect)
        if key not in self._by_text:
            self._by_text[key] = (side.root, _compiled(node, node.dialect))
        return self._by_text[key][1]


def _compiled(node: Node, dialect: Dialect) -> CompiledSchema | str:
    try:
        return compile_schema(node.raw, root=node.side.root, dialect=dialect, direction=node.side.traffic)
    except InterlockError as error:
        return error.message
    except RecursionError:
        return TOO_DEEP
