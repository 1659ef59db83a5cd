"""Candidate objects: the names, sizes and members at which two schemas may differ."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from kernel.schema.pattern_text import samples
from registry.compat.applied import applied, at_property
from registry.compat.candidate_parts import ANYTHING, MOST_EXPECTED, MOST_ITEMS, Trail, Writes, in_turn
from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, pattern_names, place
from registry.compat.schema_view import View

INVENTED = ("other", "x", "Other-Name_17", "o" * 70)
MOST_NAMED = 400  # properties that are written to pass a bound
MOST_NAMES = 6  # that a schema of names gives
Object = dict[str, Any]


def objects(writes: Writes, case: Case, hints: list[View], trail: Trail) -> Iterator[Any]:
    """Give objects of one case, the plainest first; where the difference is expected comes before the rest."""
    writer = _Objects(writes, case, hints, trail)
    base = writer.base
    yield base
    declared = frozenset(writer.declared)
    names = writer.names
    yield {**base, **writer.full}
    streams = {name: writer.varied(name) for name in names}
    step = writes.steer.step(len(trail) - 1)
    expected = next((n for n in names if n == step or (step == "*" and n not in declared)), None)
    if expected is not None:
        yield from islice(streams[expected], MOST_EXPECTED)
    yield from writer.barring()
    first = [name for name in names if name in declared or name in base or name == expected]
    rest = in_turn([streams[name] for name in names if name not in first])
    yield from in_turn([*(streams[name] for name in first), writer.sized(), writer.lacking(), rest])


class _Objects:
    def __init__(self, writes: Writes, case: Case, hints: list[View], trail: Trail) -> None:
        self.writes = writes
        self.case = case
        self.hints = hints
        self.trail = trail
        self.declared = case.declared()
        self.base = self.plain(sorted(case.required()))

    @cached_property
    def full(self) -> Object:
        """An object with all that is declared."""
        return self.plain(self.declared)

    @cached_property
    def names(self) -> list[str]:
        """Names that may stand in the object: required, declared, matching a pattern, invented."""
        return self._names(self.declared)

    def plain(self, names: list[str]) -> Object:
        """Write an object with a plain value for each name that can have one."""
        out: Object = {}
        for name in names:
            for value in self.writes.plain(self.case.property(name, self.writes.text.matches), self.trail):
                out[name] = value
        return out

    def varied(self, name: str) -> Iterator[Object]:
        """Objects in which one property departs, with what its presence asks for."""
        needs = {n for part in self.case.parts for n in part.needs.get(name, ())} - self.base.keys() - {name}
        more = self.plain(sorted(needs)) if needs else {}
        inner = self.case.property(name, self.writes.text.matches)
        outer = at_property(self.hints, name, self.writes.text)
        for value in self.writes.part(inner, outer, self.trail):
            yield {**self.base, **more, name: value}

    def lacking(self) -> Iterator[Object]:
        """Objects with all that is declared but one."""
        whole = {**self.base, **self.full}
        for gone in self.full:
            if gone not in self.base:
                yield {name: item for name, item in whole.items() if name != gone}

    def barring(self) -> Iterator[Object]:
        """Objects in which every schema that must not hold is broken at one of its properties."""
        wrong: Object = {}
        for barred in sorted(self.case.without, key=place):
            views = applied(frozenset({barred}))
            for name, child in [pair for view in views for pair in view.properties.items()][:1]:
                bad = [value for value in ANYTHING if evaluate(child, value, self.writes.text) is False]
                wrong |= {name: bad[0]} if bad else {}
        if wrong:
            yield {**self.base, **wrong}

    def sized(self) -> Iterator[Object]:
        """Objects with as many properties as a bound asks for, and one more or fewer."""
        wanted = {self.case.least("min_properties")}
        for view in self.hints:
            wanted |= {view.min_properties - 1} if view.min_properties else set()
            wanted |= {view.max_properties + 1} if view.max_properties is not None else set()
        most = max((count for count in wanted if count <= MOST_NAMED), default=-1)
        if most < len(self.base):
            return
        extra = [f"other{index}" for index in range(most)]
        matching = [text for pattern in pattern_names(self.case) for text in samples(pattern, MOST_ITEMS)]
        plain = [name for name in self.names if name not in INVENTED]
        names = [name for name in (*plain, *matching, *extra, *INVENTED) if self._named(name)]
        pool = list({**self.base, **self.full, **self.plain(list(dict.fromkeys(names)))}.items())
        for count in sorted(wanted):
            if len(self.base) <= count <= len(pool):
                yield dict(pool[:count])

    def _named(self, name: str) -> bool:
        """Whether no schema of names is seen to refuse a name."""
        asked = (part.names for part in self.case.parts if part.names is not None)
        return all(evaluate(node, name, self.writes.text) is not False for node in asked)

    def _names(self, declared: list[str]) -> list[str]:
        names = [*sorted(self.case.required()), *declared]
        foreign = [name for view in self.hints for name in (*view.properties, *view.required, *view.needs)]
        patterns = [*pattern_names(self.case), *(pattern for view in self.hints for pattern in view.patterns)]
        for pattern in patterns:
            names += [text for text in dict.fromkeys(samples(pattern, 3)) if text not in foreign]
        if not (self.writes.declared_only and declared) or self.case.rest():  # what it opens, it may send
            names += foreign
        names += [
            name for view in applied(self.trail[-1]) for name in view.properties
        ]  # of other alternatives
        names += [name for name in (*self._listed(), *INVENTED) if name not in foreign]
        return [name for name in dict.fromkeys(names) if self._named(name) or name in self.case.required()]

    def _listed(self) -> Iterator[str]:
        """Names that the schemas of names give."""
        own = frozenset(part.names for part in self.case.parts if part.names is not None)
        theirs = frozenset(view.names for view in self.hints if view.names is not None)
        for nodes, others in ((own, theirs), (theirs, own)):
            found = self.writes.part(nodes, others, self.trail, MOST_NAMES * 3) if nodes else iter(())
            yield from islice((name for name in found if isinstance(name, str)), MOST_NAMES)
