"""The nearest valid instance of a schema that refuses a witness, and what lies between: the reason, shown.

    found = nearest(outer, witness)            # outer: the schema that refuses it
    found.value                                # what it would have taken
    found.difference                           # JSON Patch from there to the witness, as a finding holds it

It is searched by repairing the witness, one change at a time, each asked of the compiled runtime validator;
near means few and small changes, and is no promise that no nearer instance exists. Nothing is changed in
place, and the same schema and witness give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Edit
from kernel.contract.positions import token
from kernel.errors import InterlockError
from kernel.schema.validator import CompiledSchema
from registry.compat.candidates import Candidates
from registry.compat.repairs import Plains, Repairs, with_part
from registry.compat.schema_view import Node, reachable
from registry.compat.validators import Validators

MOST_CHANGES = 12  # repairs after another
MOST_ASKED = 1_500  # values that are shown to the validator
MOST_COUNTED = 40  # repairs of one round whose violations are counted
MOST_VIOLATIONS = 32
MOST_PARTS = 250  # schemas within one: beyond, a witness is mended member by member, or not at all


@dataclass(frozen=True, slots=True)
class Nearest:
    """A valid instance, and the operations (RFC 6902) that make the witness of it, outer places first."""

    value: Any
    difference: tuple[Edit, ...]


class Surroundings:
    """What was compiled and written for earlier searches of a comparison, and serves the next."""

    def __init__(self, validators: Validators) -> None:
        self.validators = validators
        self.plains: Plains = {}


def nearest(
    node: Node,
    witness: Any,
    also: Callable[[Any], bool] | None = None,
    known: Surroundings | None = None,
) -> Nearest | None:
    """Give the nearest instance that `node` takes; None where none was found within the bounds.

    `also`, where given, must hold for it too: that the other version takes it, for example. `known` is what
    earlier searches left. A schema that cannot be compiled or read has no nearest instance.
    """
    known = known or Surroundings(Validators())
    try:
        compiled = known.validators.of(node)
        if isinstance(compiled, str):
            return None
        found = _Search(node, compiled, also or _anything, known.plains).run(witness)
    except (InterlockError, RecursionError):
        return None
    return None if found is None else Nearest(found[0], tuple(edits(found[0], witness)))


def _anything(value: Any) -> bool:
    del value
    return True


class _Search:
    """One search: repairs are applied until the value is taken, and taken back where they were not needed."""

    def __init__(
        self, node: Node, compiled: CompiledSchema, also: Callable[[Any], bool], plains: Plains
    ) -> None:
        self.node = node
        self.compiled = compiled
        self.also = also
        parts = len(list(islice(reachable(node), MOST_PARTS + 1)))
        self.large = parts > MOST_PARTS
        self.repairs = Repairs(whole=not self.large, plains=plains)
        self.left = MOST_ASKED

    def takes(self, value: Any) -> bool:
        self.left -= 1
        return self.left >= 0 and self.compiled.accepts(value) and self.also(value)

    def run(self, witness: Any) -> tuple[Any] | None:
        """Give the value in a tuple, since None is a value too."""
        if self.takes(witness):
            return (witness,)
        single = self._enough(witness)
        several = self._chained(witness, single[0] if single else None)
        found = several or (single[1:] if single else None)
        return found or (None if self.large else self._plainest())

    def _enough(self, value: Any) -> tuple[int, Any] | None:
        """Give the cheapest repair that is enough alone, with its cost."""
        for repair in self.repairs.of(value, frozenset({self.node})):
            made = with_part(value, repair.steps, repair.value)
            if self.takes(made):
                return repair.cost, made
        return None

    def _chained(self, value: Any, limit: int | None) -> tuple[Any] | None:
        """Apply repairs one after another, each the one that leaves least wrong, below a cost."""
        for _ in range(MOST_CHANGES):
            if limit is not None and limit <= 1:
                return None
            step = self._better(value, limit)
            if step is None:
                return None
            value = step[1]
            limit = None if limit is None else limit - step[0]
            if self.takes(value):
                return (value,)
        return None

    def _better(self, value: Any, limit: int | None) -> tuple[int, Any] | None:
        least = self._wrong(value)
        best: tuple[int, Any] | None = None
        repairs = self.repairs.of(value, frozenset({self.node}))
        for repair in islice(repairs, MOST_COUNTED):
            if limit is not None and repair.cost >= limit:
                break
            made = with_part(value, repair.steps, repair.value)
            wrong = self._wrong(made)
            if wrong < least:
                least, best = wrong, (repair.cost, made)
        return best

    def _wrong(self, value: Any) -> int:
        return len(self.compiled.violations(value, MOST_VIOLATIONS))

    def _plainest(self) -> tuple[Any] | None:
        for plain in Candidates().values(self.node, self.node):
            if self.left < 0:
                return None
            if self.takes(plain):
                return (plain,)
        return None


def edits(before: Any, after: Any, pointer: str = "") -> Iterator[Edit]:
    """Give JSON Patch operations (RFC 6902) that turn one value into another, member by member."""
    if isinstance(before, dict) and isinstance(after, dict):
        gone = (name for name in before if name not in after)
        yield from (Edit(op="remove", path=pointer + token(name)) for name in gone)
        for name, item in after.items():
            if name in before:
                yield from edits(before[name], item, pointer + token(name))
            else:
                yield {"op": "add", "path": pointer + token(name), "value": item}
    elif isinstance(before, list) and isinstance(after, list):
        yield from _item_edits(before, after, pointer)
    elif canonical_bytes(before) != canonical_bytes(after):
        yield {"op": "replace", "path": pointer, "value": after}


def _item_edits(before: list[Any], after: list[Any], pointer: str) -> Iterator[Edit]:
    shared = min(len(before), len(after))
    for index in range(shared):
        yield from edits(before[index], after[index], pointer + token(index))
    for index in reversed(range(shared, len(before))):
        yield {"op": "remove", "path": pointer + token(index)}
    for item in after[shared:]:
        yield {"op": "add", "path": f"{pointer}/-", "value": item}
