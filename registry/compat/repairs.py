"""Single changes that may make a refused value valid: a member left out or added, a text cut, a number moved.

Nothing here is trusted: whoever applies a repair asks a validator. The order is fixed, and each repair has
a cost, so that the plainest one is tried first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from kernel.contract.digest import canonical_bytes
from registry.compat.applied import Nodes, applied, at_item, at_property
from registry.compat.candidate_values import fitting_texts, written
from registry.compat.candidates import Candidates
from registry.compat.schema_view import ARRAY, FRACTION, INTEGER, OBJECT, STRING, View, atom_of, exact
from registry.compat.text_rules import TextRules

MOST_LISTED = 12  # constants of one `enum` that are tried
MOST_PLACES = 400  # parts of one value that are repaired
MOST_DEPTH = 16
LONGEST = 5_000  # characters to which a text is filled up

# What a repair costs: what says the same in another form is nearer than what says something else.
MOVED, ADDED, DROPPED, OTHER, ELSE = 1, 2, 2, 4, 6  # DROPPED: for each part that goes

Steps = tuple[str | int, ...]
Plains = dict[Nodes, tuple[Any, ...]]  # the plain value of some schemas, if there is one


@dataclass(frozen=True, slots=True)
class Repair:
    """A value that stands in the place of another at `steps`; `cost` is how far that is."""

    cost: int
    steps: Steps
    value: Any


class Repairs:
    """Writes the repairs of values that some schemas refuse."""

    def __init__(
        self, text: TextRules | None = None, *, whole: bool = True, plains: Plains | None = None
    ) -> None:
        self.text = text or TextRules()
        self._left = MOST_PLACES
        self._whole = whole  # whether parts may be replaced by whole plain values
        self._plains: Plains = {} if plains is None else plains

    def of(self, value: Any, nodes: Nodes) -> Iterator[Repair]:
        """Give the repairs of a value, the cheapest first and the deeper place first among equals.

        Whole plain values in the place of parts are written only when nothing that is as cheap is left: in
        large unions they are what takes time.
        """
        given: set[tuple[int, Steps, bytes]] = set()
        for plain in (False, True) if self._whole else (False,):
            self._left = MOST_PLACES
            found = [
                one
                for one in self._at(value, nodes, (), plain=plain)
                if plain or not self._whole or one.cost <= OTHER
            ]
            for one in sorted(found, key=lambda repair: (repair.cost, -len(repair.steps))):
                key = (one.cost, one.steps, canonical_bytes(one.value))
                if key not in given:
                    given.add(key)
                    yield one

    def _at(self, value: Any, nodes: Nodes, steps: Steps, *, plain: bool) -> Iterator[Repair]:
        self._left -= 1
        if self._left < 0 or len(steps) > MOST_DEPTH:
            return
        views = applied(nodes)
        for cost, other in self._others(value, nodes if plain else frozenset(), views):
            yield Repair(cost, steps, other)
        if isinstance(value, dict):
            for name, item in value.items():
                below = at_property(views, name, self.text)
                yield from self._at(item, below, (*steps, name), plain=plain)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._at(item, at_item(views, index), (*steps, index), plain=plain)

    def _others(self, value: Any, nodes: Nodes, views: list[View]) -> Iterator[tuple[int, Any]]:
        atom = atom_of(value)
        if atom == OBJECT:
            yield from self._objects(value, views)
        elif atom == ARRAY:
            yield from self._arrays(value, views)
        elif atom == STRING:
            yield from self._texts(value, views)
        elif atom in {INTEGER, FRACTION}:
            yield from ((MOVED, number) for number in _numbers(value, views))
        listed = [constant for view in views for constant in view.enum or ()][:MOST_LISTED]
        for constant in listed:
            yield (OTHER if atom_of(constant) == atom else ELSE), constant
        if nodes:
            for plain in self._plain(nodes):
                yield (OTHER if atom_of(plain) == atom else ELSE) + DROPPED * (_size(value) - 1), plain

    def _objects(self, value: dict[str, Any], views: list[View]) -> Iterator[tuple[int, Any]]:
        for name, gone in value.items():
            yield DROPPED * _size(gone), {key: item for key, item in value.items() if key != name}
        most = min((view.max_properties for view in views if view.max_properties is not None), default=None)
        if most is not None and len(value) > most + 1:
            yield DROPPED * (len(value) - most), dict(list(value.items())[:most])
        wanted = [name for view in views for name in sorted(view.required)]
        wanted += [
            name
            for view in views
            for key, names in view.needs.items()
            if key in value
            for name in sorted(names)
        ]
        wanted += [name for view in views if view.min_properties > len(value) for name in view.properties]
        for name in dict.fromkeys(wanted):
            if name not in value:
                for item in self._plain(at_property(views, name, self.text)):
                    yield ADDED, {**value, name: item}

    def _arrays(self, value: list[Any], views: list[View]) -> Iterator[tuple[int, Any]]:
        most = [view.max_items for view in views if view.max_items is not None]
        if most and len(value) > min(most) + 1:
            yield DROPPED * _size(value[min(most) :]), value[: min(most)]
        for index in reversed(range(len(value))):
            yield DROPPED * _size(value[index]), [*value[:index], *value[index + 1 :]]
        least = max((view.min_items for view in views), default=0)
        contained = frozenset(view.contains for view in views if view.contains)
        # A further item mends only what wants more of them: plain ones of large unions are dear to write.
        further = at_item(views, len(value)) if len(value) < least else None
        for nodes in (further, contained or None):
            for item in self._plain(nodes) if nodes is not None else ():
                yield ADDED, [*value, item]
                if len(value) + 1 < least <= LONGEST:
                    yield ADDED, [*value, *[item] * (least - len(value))]

    def _plain(self, nodes: Nodes) -> Iterable[Any]:
        """Give at most one plain value, the same one whenever it is asked for."""
        if nodes not in self._plains:
            self._plains[nodes] = tuple(Candidates(text=self.text).plain(nodes)) if nodes else ("",)
        return self._plains[nodes]

    def _texts(self, value: str, views: list[View]) -> Iterator[tuple[int, Any]]:
        for view in views:
            if view.max_length is not None and len(value) > view.max_length:
                yield MOVED, value[: view.max_length]
            if len(value) < view.min_length <= LONGEST:
                yield MOVED, value + (value[-1:] or "x") * (view.min_length - len(value))
            yield from ((OTHER, text) for text in fitting_texts(view))
        if any(INTEGER in view.types for view in views):
            yield from ((OTHER, int(value)) for _ in range(value.isascii() and value.isdecimal()))


def _size(value: Any) -> int:
    """Count the parts of a value, itself included, up to some."""
    waiting, count = [value], 0
    while waiting and count < MOST_PLACES:
        part = waiting.pop()
        count += 1
        if isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part
    return count


def _numbers(value: Any, views: list[View]) -> Iterator[Any]:
    """Give the nearest whole numbers, bounds and multiples."""
    number = exact(value, "")
    found: list[Fraction] = [Fraction(floor(number)), Fraction(ceil(number))]
    for view in views:
        step = view.multiple_of or Fraction(1)
        for bound in (view.minimum, view.maximum):
            if bound is not None:
                below, above = floor(bound[0] / step) * step, ceil(bound[0] / step) * step
                found += [bound[0], below, above, below - step, above + step]
        if view.multiple_of is not None:
            found += [floor(number / step) * step, ceil(number / step) * step]
    near = sorted(dict.fromkeys(found), key=lambda other: (abs(other - number), other))
    yield from (made for other in near if other != number and (made := written(other)) is not None)


def with_part(value: Any, steps: Steps, part: Any) -> Any:
    """Give a value with another part at a place."""
    if not steps:
        return part
    head, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        return {**value, head: with_part(value[head], rest, part)}
    assert isinstance(head, int)
    return [*value[:head], with_part(value[head], rest, part), *value[head + 1 :]]
