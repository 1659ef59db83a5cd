"""Every schema that may be applied to one value or to a part of it, alternatives included: hints, no proof."""

from __future__ import annotations

from registry.compat.schema_view import Node, View
from registry.compat.text_rules import TextRules

Nodes = frozenset[Node]


def applied(outer: Nodes) -> list[View]:
    """Every view that is applied to the same value by the outer schemas, alternatives included."""
    found: dict[Node, View] = {}
    todo = sorted(outer, key=lambda node: (node.side.tag, node.pointer))
    while todo and len(found) < 64:  # noqa: PLR2004 - hints only steer
        node = todo.pop(0)
        if node in found:
            continue
        view = found[node] = node.view
        todo += [*view.all_of, *view.inert, *view.any_of, *view.one_of, *(view.dependents.values())]
        todo += [other for other in (view.ref, view.negated, *(view.condition or ())) if other is not None]
    return list(found.values())


def at_item(hints: list[View], index: int) -> Nodes:
    """Give the schemas that those views apply to an item, `contains` included."""
    found = [v.prefix[index] if index < len(v.prefix) else v.items for v in hints]
    return frozenset([node for node in found if node] + [v.contains for v in hints if v.contains])


def at_property(hints: list[View], name: str, text: TextRules) -> Nodes:
    """Give the schemas that those views apply to a property."""
    found: list[Node] = []
    for view in hints:
        matched = [node for pattern, node in view.patterns.items() if text.matches(pattern, name)]
        if name in view.properties:
            found.append(view.properties[name])
        elif not matched and view.additional is not None:
            found.append(view.additional)
        found += matched
    return frozenset(found)
