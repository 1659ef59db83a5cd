"""Which properties `unevaluatedProperties: false` leaves: those that the schema's parts have looked at.

The names are given twice: those that are looked at whatever the value is, and those that may be, where an
alternative or a condition applies. The first set is what can be relied on, the second what can be hoped for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from registry.compat.schema_view import Node

_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Looked:
    """Names and patterns of properties; `everything`: no property is left over."""

    names: frozenset[str]
    patterns: frozenset[str]
    everything: bool = False


@lru_cache(maxsize=4096)
def looked_at(node: Node, *, surely: bool) -> Looked:
    """Collect over all parts that apply to the same value; with `surely` only those that always apply."""
    names: set[str] = set()
    patterns: set[str] = set()
    everything = False
    seen: set[Node] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        if len(seen) > _MOST:
            return Looked(frozenset(), frozenset(), everything=not surely)
        view = here.view
        names |= view.properties.keys()
        patterns |= view.patterns.keys()
        everything = (
            everything or view.additional is not None or (view.unevaluated is not None and here != node)
        )
        todo += [*((view.ref,) if view.ref else ()), *view.all_of]
        if not surely:
            todo += [
                *view.any_of,
                *view.one_of,
                *view.dependents.values(),
                *(p for p in view.condition or () if p),
            ]
    return Looked(frozenset(names), frozenset(patterns), everything)
