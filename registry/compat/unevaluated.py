"""What `unevaluatedProperties` and `unevaluatedItems` leave: what the schema's parts have not looked at.

It is given twice: what is looked at whatever the value is, and what may be, where an alternative or a
condition applies. The first can be relied on, the second can be hoped for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from registry.compat.schema_view import Node, View

_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Looked:
    """Names and patterns of properties; `everything`: no property is left over."""

    names: frozenset[str]
    patterns: frozenset[str]
    everything: bool = False


@dataclass(frozen=True, slots=True)
class LookedItems:
    """The first items, and those that fit one of `fitting`; `everything`: no item is left over."""

    first: int
    fitting: tuple[Node, ...] = ()
    everything: bool = False

    def leaves(self, index: int) -> bool:
        """Whether the item at an index is not among them, whatever it is."""
        return not self.everything and not self.fitting and index >= self.first


@lru_cache(maxsize=4096)
def looked_at(node: Node, *, surely: bool) -> Looked:
    """Collect over all parts that apply to the same value; with `surely` only those that always apply."""
    names: set[str] = set()
    patterns: set[str] = set()
    everything = False
    for count, (here, view) in enumerate(_parts(node, surely=surely)):
        if count > _MOST:
            return Looked(frozenset(), frozenset(), everything=not surely)
        names |= view.properties.keys()
        patterns |= view.patterns.keys()
        inner = view.unevaluated is not None and here != node
        everything = everything or view.additional is not None or inner
    return Looked(frozenset(names), frozenset(patterns), everything)


@lru_cache(maxsize=4096)
def looked_at_items(node: Node, *, surely: bool) -> LookedItems:
    """Collect as `looked_at` does, for the items of arrays."""
    first = 0
    fitting: dict[Node, None] = {}
    everything = False
    for count, (here, view) in enumerate(_parts(node, surely=surely)):
        if count > _MOST:
            return LookedItems(0, everything=not surely)
        first = max(first, len(view.prefix))
        if view.contains is not None:
            fitting[view.contains] = None
        inner = view.unlooked is not None and here != node
        everything = everything or view.items is not None or inner
    return LookedItems(first, tuple(fitting), everything)


def _parts(node: Node, *, surely: bool) -> Iterator[tuple[Node, View]]:
    """Every part whose looking counts for the node; what stands under two nots looks at nothing."""
    seen: set[Node] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        view = here.view
        yield here, view
        todo += [*((view.ref,) if view.ref else ()), *view.all_of]
        if not surely:
            todo += [*view.any_of, *view.one_of, *view.dependents.values()]
            todo += [part for part in view.condition or () if part]
