"""Schemas that lead back to themselves on the same value: no value can be judged by them.

JSON Schema forbids them ("A schema MUST NOT be run into an infinite loop", 2020-12 core, section 9.4.1), and
the runtime refuses to compile them. A recursion below a property or an item is none of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from kernel.contract.finding import Finding
from kernel.contract.positions import token
from kernel.contract.sites import resolve_pointer
from kernel.errors import ReferenceRefused
from registry.compat.rules import BY_ID

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
_HOMES: Final = (("components", "schemas"), ("$defs",), ("definitions",))


def new_circles(old: Any, new: Any) -> list[Finding]:
    """Give a finding for each named schema that is a circle in one of the two documents only."""
    before, after = set(circles(old)), set(circles(new))
    rule = BY_ID["document-not-comparable"]
    what = "The schema leads back to itself on the same value: nothing can be judged by it"
    return [Finding.of(rule, place, what, base_pointer=place) for place in sorted(before ^ after)]


def circles(root: Any) -> Iterator[str]:
    """Give the pointers of the named schemas, and of the root, from which a circle is reached on the same value."""
    endless: dict[int, bool] = {}
    for pointer, schema in _named(root):
        if _leads_back(root, schema, endless):
            yield pointer


def _named(root: Any) -> Iterator[tuple[str, Any]]:
    yield "", root
    for home in _HOMES:
        node, pointer = root, ""
        for step in home:
            node = node.get(step) if isinstance(node, Mapping) else None
            pointer += token(step)
        if isinstance(node, Mapping):
            for name, schema in node.items():
                yield pointer + token(name), schema


def _leads_back(root: Any, start: Any, endless: dict[int, bool]) -> bool:
    """Walk in depth; `endless` holds what is known of nodes: True also while a node is being walked."""
    open_nodes: list[tuple[Any, Iterator[Any]]] = []
    node = start
    while True:
        if isinstance(node, dict) and id(node) not in endless:
            endless[id(node)] = True
            open_nodes.append((node, _beside(root, node)))
        elif isinstance(node, dict) and endless[id(node)]:
            return True  # all that are open stay endless, as they are
        while open_nodes:
            found = next(open_nodes[-1][1], None)
            if found is not None:
                node = found
                break
            endless[id(open_nodes.pop()[0])] = False
        else:
            return False


def _beside(root: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Give the schemas that judge the same value."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        with suppress(ReferenceRefused):  # the comparison tells of it
            yield resolve_pointer(root, reference)
    for key in _LISTS:
        branches = schema.get(key)
        yield from (branch for branch in branches if branch is not None) if isinstance(branches, list) else ()
    yield from (schema[key] for key in _SINGLE if schema.get(key) is not None)
    dependents = schema.get("dependentSchemas")
    yield from dependents.values() if isinstance(dependents, dict) else ()
