"""Digests of schemas with everything that they refer to: what a finding is bound to where a keyword does not say all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.digest import canonical_bytes, canonical_object, digest_of_bytes
from registry.compat.schema_view import Node, Unreadable


class SchemaDigests:
    """Gives digests; a part that several schemas refer to is written once."""

    def __init__(self) -> None:
        self._parts: dict[Node, tuple[bytes, tuple[Node, ...]]] = {}

    def of(self, node: Node) -> str:
        """Give the digest of a schema with everything that it refers to, each part once by its pointer."""
        parts: dict[str, bytes] = {}
        todo = [node]
        while todo:
            part = todo.pop()
            if part.pointer not in parts:
                if part not in self._parts:
                    self._parts[part] = (canonical_bytes(part.raw), tuple(_referred(part)))
                parts[part.pointer], targets = self._parts[part]
                todo += targets
        return digest_of_bytes(canonical_object(parts))


def _referred(part: Node) -> Iterator[Node]:
    """Give what a schema refers to by name; a reference that leads nowhere binds by its own text alone."""
    todo: list[Any] = [part.raw]
    while todo:
        raw = todo.pop()
        if isinstance(raw, list):
            todo += raw
        elif isinstance(raw, dict):
            todo += raw.values()
            reference = raw.get("$ref")
            if isinstance(reference, str):
                try:
                    yield part.side.resolve(reference, part.pointer)
                except Unreadable:
                    continue
