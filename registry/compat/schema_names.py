"""What schemas are called, and references by such names: they move what is meant, and say nothing of values."""

from __future__ import annotations

from typing import Any

from kernel.schema.dialects import Dialect, base_keyword
from registry.compat.schema_view import Node, Unreadable, refers

_DYNAMIC = frozenset({"$dynamicRef", "$dynamicAnchor"})
_NEWEST = frozenset({Dialect.OPENAPI_31, Dialect.DRAFT_2020_12})


def is_name(node: Node, key: str, value: Any, found: dict[str, Any]) -> bool:
    """Read what a schema is called, which moves references and says nothing else; False for all other keywords.

    A dynamic reference means no other schema where the document has one of that name.
    """
    if key == base_keyword(node.dialect):
        if node.pointer and refers(node.raw):
            raise Unreadable(f"the schema at #{node.pointer} names itself, which moves its references")
        return True
    if key not in _DYNAMIC or node.dialect not in _NEWEST or not isinstance(value, str):
        return False
    anchors = node.side.dynamic(value.removeprefix("#"))
    if len(anchors) != 1 or (key == "$dynamicRef" and "$ref" in node.raw):
        return False
    if key == "$dynamicRef":
        found["ref"] = node.side.at(anchors[0])
    return True
