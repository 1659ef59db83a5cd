"""Writes candidate values for one schema, steered by another: where a difference would show.

The first value is the plainest that should be accepted; each further one departs from it in one place,
with the constants and boundaries of both schemas. Nothing here is trusted: whoever uses a candidate has
it judged by validators. Everything is bounded and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice
from typing import Any

from kernel.contract.digest import canonical_bytes
from registry.compat.applied import applied, at_item, at_property
from registry.compat.candidate_values import number_values, string_values
from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, Known, cases, pattern_names, place
from registry.compat.schema_view import (
    ARRAY,
    BOOLEAN,
    FRACTION,
    INTEGER,
    NULL,
    OBJECT,
    STRING,
    Node,
    View,
    atom_of,
)
from registry.compat.text_rules import TextRules

MOST_DEPTH = 14
MOST_EACH = 60  # candidates for one part of a value
MOST_ITEMS = 40  # items that are written to pass a bound
MOST_CASES = 12
MOST_ROUNDS = 2  # how often a recursive part may stand within itself
MOST_WORK = 6_000  # parts for which values are written, in one search
MOST_VALUES = 2_000
MOST_OVERLAPS = 8  # alternatives, and pairs of them, that are tried together
MOST_TRIED = 24  # candidates among which a plain value is looked for
_ANYTHING: tuple[Any, ...] = ("text", 0, 1.5, True, None, [], {})
_ORDER = (OBJECT, ARRAY, STRING, INTEGER, FRACTION, BOOLEAN, NULL)
Nodes = frozenset[Node]
Trail = tuple[Nodes, ...]


class Candidates:
    """Candidates for values of one schema that another may refuse.

    With `declared_only` no invented property has a name that the outer schema declares (see `Prover`).
    """

    def __init__(
        self, *, declared_only: bool = False, text: TextRules | None = None, steer: tuple[str, ...] = ()
    ) -> None:
        self.declared_only = declared_only
        self.steer = steer  # the path at which a difference is expected: tried first
        self.text = text or TextRules()
        self._plainest: dict[Nodes, tuple[Any, ...]] = {}
        self._spent = 0
        self._overlapping = False

    def values(self, inner: Node, outer: Node) -> Iterator[Any]:
        """Give distinct candidates, the plainest first; raises `Unreadable`."""
        seen: set[bytes] = set()
        for value in self._values(frozenset({inner}), frozenset({outer}), (), MOST_VALUES):
            key = canonical_bytes(value)
            if key not in seen:
                seen.add(key)
                yield value

    def plain(self, nodes: Nodes) -> Iterator[Any]:
        """Give at most one value that all these schemas are not seen to refuse, the plainest."""
        yield from self._plain(nodes, ())

    def _values(self, inner: Nodes, outer: Nodes, trail: Trail, most: int = MOST_EACH) -> Iterator[Any]:
        """Values for a part; `trail` holds what was known of the parts around it, for recursion to end."""
        if len(trail) >= MOST_DEPTH or trail.count(inner) >= MOST_ROUNDS or self._spent >= MOST_WORK:
            return
        self._spent += 1
        trail = (*trail, inner)
        if not inner:
            yield from islice(self._free(outer, trail), most)
            return
        hints = applied(outer)
        found = [case for case in islice(cases(Known(inner)), MOST_CASES) if case.types]
        streams = [self._of_case(case, hints, trail) for case in found]
        if not self._overlapping:
            streams.append(self._overlaps(inner, hints, trail))
        yield from islice(_in_turn(streams), most)

    def _overlaps(self, inner: Nodes, hints: list[View], trail: Trail) -> Iterator[Any]:
        """Values that match two alternatives of a `oneOf` at once."""
        pairs = [pair for view in hints for pair in combinations(view.one_of[:MOST_OVERLAPS], 2)]
        for first, second in pairs[:MOST_OVERLAPS]:
            self._overlapping = True
            found = list(self._values(inner | {first, second}, frozenset(), trail, 3))
            self._overlapping = False
            yield from found

    def _free(self, outer: Nodes, trail: Trail) -> Iterator[Any]:
        """Values where nothing is known: one of each type, and what the other schema names."""
        yield from _ANYTHING
        if outer:
            yield from self._values(outer, frozenset(), trail, 12)

    def _of_case(self, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
        if case.values is not None:
            yield from case.values
            return
        streams = [self._of_type(case, atom, hints, trail) for atom in _ORDER if atom in case.types]
        yield from _in_turn([*streams, _noted(case)])

    def _of_type(self, case: Case, atom: str, hints: list[View], trail: Trail) -> Iterator[Any]:
        views = [*case.parts, *hints]
        if atom == STRING:
            yield from string_values(case, views)
        elif atom in {INTEGER, FRACTION}:
            yield from number_values(case, views, atom)
        elif atom == BOOLEAN:
            yield from (True, False)
        elif atom == NULL:
            yield None
        elif atom == ARRAY:
            yield from self._arrays(case, hints, trail)
        else:
            yield from self._objects(case, hints, trail)

    def _arrays(self, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
        fixed = max((len(view.prefix) for view in (*case.parts, *hints)), default=0)
        least, most = case.least("min_items"), case.most("max_items")
        unique = any(part.unique for part in case.parts)
        needed = min(max(least, *(p.min_contains if p.contains else 0 for p in case.parts), 0), MOST_ITEMS)
        base = self._items(case, hints, needed, trail, unique=unique)
        yield base
        lengths = {
            0,
            1,
            2,
            least,
            *(p for v in hints for p in (v.min_items - 1, v.min_items, v.max_items) if p),
        }
        lengths |= {v.max_items + 1 for v in hints if v.max_items is not None} | ({most} if most else set())
        for length in sorted(lengths):
            if needed <= length <= MOST_ITEMS:
                yield self._items(case, hints, length, trail, unique=unique)
        for index in range(min(max(fixed + 1, len(base), 1), 6)):
            start = base if len(base) > index else self._items(case, hints, index + 1, trail, unique=unique)
            if len(start) <= index:
                break
            for value in self._values(case.item(index), at_item(hints, index), trail):
                yield [*start[:index], value, *start[index + 1 :]]
        twice = next(self._plain(case.item(fixed), trail), "text")
        yield [*base[:fixed], twice, twice]

    def _items(self, case: Case, hints: list[View], length: int, trail: Trail, *, unique: bool) -> list[Any]:
        out: list[Any] = []
        seen: set[bytes] = set()
        contains = frozenset(part.contains for part in case.parts if part.contains)
        for index in range(length):
            nodes = case.item(index) | (contains if index < 1 or len(contains) == 1 else frozenset())
            more = self._values(nodes, at_item(hints, index) if unique else frozenset(), trail)
            choices = chain(self._plain(nodes, trail), more)
            for value in choices:
                key = canonical_bytes(value)
                if not (unique and key in seen):
                    seen.add(key)
                    out.append(value)
                    break
            else:
                break
        return out

    def _objects(self, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
        step = self.steer[len(trail) - 1] if len(trail) <= len(self.steer) else None
        names = self._names(case, hints, applied(trail[-1]))
        names.sort(key=lambda name: name != step and not (step == "*" and name not in case.declared()))
        required = [name for name in names if name in case.required()]
        base = self._object(case, required, trail)
        yield base
        full = self._object(case, [name for name in names if name in case.declared()], trail)
        yield {**base, **full}
        first = {*case.declared(), *base, step}
        streams = [self._variants(case, hints, base, name, trail) for name in names if name in first]
        if streams and names[0] == step:
            yield from streams.pop(0)  # where the difference is expected
        yield from self._barring(case, base)
        whole = {**base, **full}
        lacking = ({key: item for key, item in whole.items() if key != n} for n in full if n not in base)
        streams += [self._sizes(case, hints, base, full, trail), lacking]
        yield from _in_turn(streams)
        yield from _in_turn([self._variants(case, hints, base, n, trail) for n in names if n not in first])

    def _barring(self, case: Case, base: dict[str, Any]) -> Iterator[Any]:
        """Objects in which every schema that must not hold is broken at one of its properties."""
        wrong: dict[str, Any] = {}
        for barred in sorted(case.without, key=place):
            declared = [
                (n, child) for view in applied(frozenset({barred})) for n, child in view.properties.items()
            ]
            for name, child in declared[:1]:
                bad = [value for value in _ANYTHING if evaluate(child, value, self.text) is False]
                wrong.update({name: bad[0]} if bad else {})
        if wrong:
            yield {**base, **wrong}

    def _variants(
        self, case: Case, hints: list[View], base: dict[str, Any], name: str, trail: Trail
    ) -> Iterator[Any]:
        needs = {other for part in case.parts for other in part.needs.get(name, ())} - base.keys() - {name}
        more = self._object(case, sorted(needs), trail) if needs else {}
        inner = case.property(name, self.text.matches)
        for value in self._values(inner, at_property(hints, name, self.text), trail):
            yield {**base, **more, name: value}

    def _object(self, case: Case, names: list[str], trail: Trail) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name in names:
            for value in self._plain(case.property(name, self.text.matches), trail):
                out[name] = value
        return out

    def _plain(self, nodes: Nodes, trail: Trail) -> Iterator[Any]:
        """Give at most one value: the first that the schemas are not seen to refuse."""
        if nodes not in self._plainest:
            self._plainest[nodes] = ()  # met again below itself: a recursive part that is left out
            tried = list(islice(self._values(nodes, frozenset(), trail, MOST_TRIED), MOST_TRIED))
            fitting = (v for v in tried if all(evaluate(n, v, self.text) is not False for n in nodes))
            self._plainest[nodes] = (*islice(fitting, 1), *tried[:1])[:1]
        yield from self._plainest[nodes]

    def _names(self, case: Case, hints: list[View], own: list[View]) -> list[str]:
        """Names that may stand in the object: required, declared, matching a pattern, invented."""
        names = [*sorted(case.required()), *case.declared()]
        foreign = [name for view in hints for name in (*view.properties, *view.required, *view.needs)]
        for pattern in [*pattern_names(case), *(pattern for view in hints for pattern in view.patterns)]:
            names += [text for text in string_samples(pattern) if text not in foreign]
        if not (self.declared_only and case.declared()):
            names += foreign
        names += [name for view in own for name in view.properties]  # of other alternatives
        names += [name for name in ("other", "x", "Other-Name_17", "o" * 70) if name not in foreign]
        return list(dict.fromkeys(names))

    def _sizes(
        self, case: Case, hints: list[View], base: dict[str, Any], full: dict[str, Any], trail: Trail
    ) -> Iterator[Any]:
        """Objects with as many properties as a bound asks for, and one more or fewer."""
        wanted = {case.least("min_properties"), *(v.min_properties - 1 for v in hints if v.min_properties)}
        wanted |= {v.max_properties + 1 for v in hints if v.max_properties is not None}
        extra = {f"other{index}": "text" for index in range(MOST_ITEMS)}
        free = next(self._plain(case.rest(), trail), "text")
        pool = list({**base, **full, **dict.fromkeys(extra, free)}.items())
        for count in sorted(wanted):
            if len(base) <= count <= len(pool):
                yield dict(pool[:count])


def string_samples(pattern: str) -> list[str]:
    """Give a few texts for a pattern of names."""
    from kernel.schema.pattern_text import samples  # noqa: PLC0415 - only where names have patterns

    return list(dict.fromkeys(samples(pattern, 3)))


def _noted(case: Case) -> Iterator[Any]:
    """Values that the schemas themselves give as examples."""
    for node in sorted(case.nodes, key=lambda node: (node.side.tag, node.pointer)):
        if isinstance(node.raw, dict):
            examples = node.raw.get("examples")
            noted = [
                node.raw.get("default"),
                node.raw.get("example"),
                *(examples if isinstance(examples, list) else ()),
            ]
            yield from (value for value in noted if value is not None and atom_of(value) in case.types)


def _in_turn(streams: list[Iterator[Any]]) -> Iterator[Any]:
    """Take one from each stream in turn, until all are empty."""
    while streams:
        left = []
        for stream in streams:
            for value in islice(stream, 1):
                yield value
                left.append(stream)
        streams = left
