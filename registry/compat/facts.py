"""What is known of a value that some schemas accept: the cases over which the prover argues.

A `Known` is a conjunction of schemas (and schemas that are known not to hold). `cases` splits it at its
alternatives into `Case`s, each a plain conjunction of keywords. A case may admit more than the schemas
do (`not`, conditions and unread keywords are only remembered), never less: what holds for all cases
holds for all values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

from registry.compat.schema_view import ATOMS, BOOLEAN, FRACTION, INTEGER, NULL, Node, Reads, View
from registry.compat.unevaluated import looked_at, looked_at_items

MOST_CASES = 200

Matches = Callable[[str, str], bool | None]  # (pattern, text) -> matched, or None when that is not known


@dataclass(frozen=True, slots=True)
class Known:
    """A value that all `nodes` accept, none of `without` accepts, and whose type is among `types`."""

    nodes: frozenset[Node]
    without: frozenset[Node] = frozenset()
    types: frozenset[str] = ATOMS


@dataclass(frozen=True, slots=True)
class Case:
    """One plain conjunction; `values` is the finite list of what can stand there, where there is one."""

    nodes: frozenset[Node]
    parts: tuple[View, ...]
    without: frozenset[Node]
    types: frozenset[str]
    values: tuple[Any, ...] | None

    @property
    def known(self) -> Known:
        """The same as a conjunction, for a goal that is argued on its own."""
        return Known(self.nodes, self.without, self.types)

    def lower(self, atom: str) -> tuple[Fraction, bool] | None:
        """Greatest lower bound of numbers of one atom (bound, exclusive)."""
        bounds = [part.minimum for part in self.parts if part.minimum is not None]
        if atom == INTEGER:
            bounds = [
                (Fraction(floor(b) + 1 if ex and b == floor(b) else ceil(b)), False) for b, ex in bounds
            ]
        return max(bounds, default=None)

    def upper(self, atom: str) -> tuple[Fraction, bool] | None:
        """Least upper bound of numbers of one atom (bound, exclusive)."""
        bounds = [part.maximum for part in self.parts if part.maximum is not None]
        if atom == INTEGER:
            bounds = [(Fraction(ceil(b) - 1 if ex and b == ceil(b) else floor(b)), False) for b, ex in bounds]
        return min(bounds, key=lambda bound: (bound[0], not bound[1]), default=None)

    def most(self, name: str) -> int | None:
        """Least of the upper bounds called `name`, None when there is none."""
        return min((value for part in self.parts if (value := getattr(part, name)) is not None), default=None)

    def least(self, name: str) -> int:
        """Greatest of the lower bounds called `name`."""
        return max((getattr(part, name) for part in self.parts), default=0)

    def required(self) -> frozenset[str]:
        """Names that every such object has; what does not travel this way is not asked for."""
        hidden = frozenset[str]().union(*(part.hidden for part in self.parts))
        return frozenset[str]().union(*(part.required for part in self.parts)) - hidden

    def declared(self) -> list[str]:
        """Names of the properties that some part declares, in the order of the schemas.

        Beside `unevaluatedProperties: false` also those of alternatives that may hold as well.
        """
        names = [name for part in self.parts for name in part.properties]
        hoped = (name for node in self._sealed() for name in sorted(looked_at(node, surely=False).names))
        return list(dict.fromkeys((*names, *hoped)))

    def written(self, side: Reads | None) -> frozenset[str]:
        """Names of the properties that the schemas of one document declare, which its writers may send.

        Those of every `anyOf` beside the case count, since several may hold; of a `oneOf` one is chosen.
        """
        names: set[str] = set()
        seen: set[Node] = set()
        todo = [node for node in self.nodes if node.side is side]
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            view = node.view
            names |= view.properties.keys()
            todo += [*((view.ref,) if view.ref else ()), *view.all_of, *view.dependents.values()]
            todo += view.any_of if node.raw is not None else ()  # a discriminator's are exclusive
        return frozenset(names)

    def _sealed(self) -> list[Node]:
        """Give the schemas whose `unevaluatedProperties: false` is known to leave something over."""
        own = {pattern for part in self.parts for pattern in part.patterns}
        found = []
        for node in sorted((n for n in self.nodes if n.view.unevaluated), key=place):
            looked = looked_at(node, surely=False)
            if not looked.everything and looked.patterns <= own:
                found.append(node)
        return found

    def property(self, name: str, matches: Matches) -> frozenset[Node]:
        """Everything known of the value of one property (empty: nothing)."""
        found: set[Node] = set()
        for part in self.parts:
            hit = False
            if name in part.properties:
                found.add(part.properties[name])
                hit = True
            for pattern, node in part.patterns.items():
                answer = matches(pattern, name)
                if answer:
                    found.add(node)
                hit = hit or answer is not False
            if not hit and part.additional is not None:
                found.add(part.additional)
        for node in self._sealed():
            looked = looked_at(node, surely=False)
            kept = name in looked.names or any(matches(p, name) is not False for p in looked.patterns)
            if not kept and node.view.unevaluated:
                found.add(node.view.unevaluated)
        return frozenset(found)

    def rest(self) -> frozenset[Node]:
        """Say what is known of properties that no part declares or matches."""
        open_to = {part.additional for part in self.parts if part.additional is not None}
        return frozenset(
            open_to | {node.view.unevaluated for node in self._sealed() if node.view.unevaluated}
        )

    def item(self, index: int | None) -> frozenset[Node]:
        """Say what is known of the item at an index; None: of those beyond every prefix."""
        found: set[Node] = set()
        for part in self.parts:
            if index is not None and index < len(part.prefix):
                found.add(part.prefix[index])
            elif part.items is not None:
                found.add(part.items)
        for node in self.nodes:
            rest = node.view.unlooked
            if rest is not None and looked_at_items(node, surely=False).leaves(
                self.prefix() if index is None else index
            ):
                found.add(rest)
        return frozenset(found)

    def prefix(self) -> int:
        """Give the number of items that are described one by one."""
        return max((len(part.prefix) for part in self.parts), default=0)


def cases(known: Known) -> list[Case]:
    """Split at every alternative; too many of them are left unsplit, which admits more."""
    start = Case(frozenset(), (), known.without, known.types, None)
    todo = tuple(sorted(known.nodes, key=place))
    return [_settled(case) for case in _expand(start, todo, known.nodes, [MOST_CASES])]


def place(node: Node) -> tuple[str, str]:
    """Order nodes by document and pointer, so that nothing depends on where they lie in memory."""
    return (node.side.tag, node.pointer)


def _expand(case: Case, todo: tuple[Node, ...], given: frozenset[Node], left: list[int]) -> Iterable[Case]:
    while todo:
        node, todo = todo[0], todo[1:]
        if node in case.nodes:
            continue
        view = node.view
        if view.always is False or not case.types & view.types:
            return
        case = _joined(case, node, view)
        todo = todo + ((view.ref,) if view.ref else ()) + view.all_of + view.inert
        branches = _branches(view, given, case.without, left)
        if branches:
            left[0] -= len(branches) - 1
            for with_, without in branches:
                yield from _expand(replace(case, without=case.without | without), todo + with_, given, left)
            return
    yield case


def _joined(case: Case, node: Node, view: View) -> Case:
    without = case.without | ({view.negated} if view.negated else set())
    values = case.values
    if view.enum is not None:
        values = view.enum if values is None else values  # the tighter of two lists is found by `evaluate`
        values = view.enum if len(view.enum) < len(values) else values
    return Case(case.nodes | {node}, (*case.parts, view), without, case.types & view.types, values)


_Option = tuple[tuple[Node, ...], frozenset[Node]]  # (holding, not holding)


def _branches(view: View, given: frozenset[Node], without: frozenset[Node], left: list[int]) -> list[_Option]:
    """Give the alternatives of one view, several groups multiplied out; empty when none is to be split."""
    found: list[_Option] = [((), frozenset())]
    for group, chosen in _groups(view):
        # A group of which one is known to hold is split already; what that leaves out is left out.
        taken = next((b for h, b in group if given.issuperset(h) and (chosen or without >= b)), None)
        if taken is not None:
            found = [(holding, barred | taken) for holding, barred in found]
        elif len(found) * len(group) <= left[0]:  # one that would make too many cases says nothing
            found = [(a + c, b | d) for a, b in found for c, d in group]
    return [] if found == [((), frozenset())] else found


@lru_cache(maxsize=1024)
def _groups(view: View) -> tuple[tuple[tuple[_Option, ...], bool], ...]:
    """Give the groups of alternatives, and whether one that holds is all that there is to choose."""
    found: list[tuple[tuple[_Option, ...], bool]] = []
    if view.any_of:
        found.append((tuple(((node,), frozenset[Node]()) for node in view.any_of), True))
    if view.one_of:
        every = frozenset(view.one_of)
        found.append((tuple(((node,), every - {node}) for node in view.one_of), True))
    if view.condition:
        test, then, other = view.condition
        holds = (test, then) if then else (test,)
        otherwise: _Option = ((other,) if other else (), frozenset({test}))
        found.append((((holds, frozenset()), otherwise), False))
    return tuple(found)


def _settled(case: Case) -> Case:
    """Draw the plain conclusions: no fractions where a multiple is whole, finite types as values."""
    types = case.types
    if FRACTION in types and any(
        m is not None and m.denominator == 1 for m in (p.multiple_of for p in case.parts)
    ):
        types = types - {FRACTION}
    values = case.values
    if values is None and types and types <= {NULL, BOOLEAN}:
        values = (*((None,) if NULL in types else ()), *((False, True) if BOOLEAN in types else ()))
    return replace(case, types=types, values=values)


def pattern_names(case: Case) -> Mapping[str, frozenset[Node]]:
    """Give the patterns of property names with what each asks for."""
    found: dict[str, set[Node]] = {}
    for part in case.parts:
        for pattern, node in part.patterns.items():
            found.setdefault(pattern, set()).add(node)
    return {pattern: frozenset(nodes) for pattern, nodes in found.items()}
