"""Tells every break of one schema, not only the first: each with its own place, values and witness.

Whoever waives one break must not waive the next one with it. So a break that was found is set aside (the
keyword at which the proof stopped is taken out of the schema that refuses), and the rest is compared again,
until nothing is left. Where that does not come to an end, the first break is bound to the digests of both
schemas in whole: whatever is changed in them later is another finding.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding
from registry.compat.containment import Answer, Comparer, Containment
from registry.compat.schema_change import Change, finding
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node, Unreadable, reachable

MOST_BREAKS: Final = 8  # of one schema
MOST_PARTS: Final = 60  # schemas within the two: beyond, only the first break is told, bound to all of them
# Keywords whose value says all that they mean; others lean on schemas that stand elsewhere.
_PLAIN: Final = frozenset(
    {
        "type", "nullable", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems",
        "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties", "dependentRequired",
    }
)  # fmt: skip


def breaks(comparer: Comparer, change: Change, found: Containment) -> tuple[Finding, ...]:
    """Give the findings of a change that is not YES, the first one first; `found` is the first answer."""
    inner, outer = (change.old, change.new) if change.direction == "accepts" else (change.new, change.old)
    told = [_by_value(comparer, change, finding(change, found))]
    left, answer = outer, found
    set_aside: set[tuple[str, str]] = set()
    for _ in range(MOST_BREAKS if inner.raw not in (True, {}) and _small(inner, outer) else 0):
        masked = _without(left, answer, set_aside)
        if masked is None:
            break
        left, answer = masked, comparer.contains(inner, masked, wire=change.wire)
        if answer.answer is Answer.YES:
            return tuple(told)
        if answer.answer is Answer.NO and not _refused(comparer, outer, change, answer.witness):
            break
        accepts = change.direction == "accepts"
        seen = replace(change, new=left, bound=None) if accepts else replace(change, old=left, bound=None)
        told.append(_by_value(comparer, change, finding(seen, answer)))
    return (_by_schema(comparer, change, told[0]), *told[1:])


def _small(*nodes: Node) -> bool:
    try:
        return all(len(list(islice(reachable(node), MOST_PARTS + 1))) <= MOST_PARTS for node in nodes)
    except Unreadable:
        return False


def _refused(comparer: Comparer, outer: Node, change: Change, witness: Any) -> bool:
    """Whether the schema as it is written refuses the witness too."""
    accepts = comparer.accepts(outer)
    if accepts is None:
        return False
    readings = change.wire.readings(witness) if change.wire else (witness,)
    return not any(accepts(reading) for reading in readings)


def _without(outer: Node, found: Containment, set_aside: set[tuple[str, str]]) -> Node | None:
    """Give the schema without the keyword at which the proof stopped; None where that cannot be done."""
    gap = found.gap
    if gap is None or gap.goal.side is not outer.side or not isinstance(outer.side, Side):
        return None
    place = (gap.goal.pointer, gap.keyword)
    raw: Any = gap.goal.raw
    if place in set_aside:
        return None
    set_aside.add(place)
    if raw is False:
        made: Any = True
    elif isinstance(raw, dict) and gap.keyword in raw:
        made = {key: value for key, value in raw.items() if key != gap.keyword}
    else:
        return None
    try:
        return _rewritten(outer, gap.goal.pointer, made)
    except (Unreadable, LookupError, ValueError):
        return None


def _rewritten(outer: Node, pointer: str, made: Any) -> Node:
    """Give the same schema in a document with another value at a pointer; nothing is changed in place."""
    side = outer.side
    assert isinstance(side, Side)
    root = _with_value(side.root, _steps(pointer), made)
    clone = copy(side)
    clone.root, clone.steady = root, _nothing_is_steady
    clone.forget()
    raw = root
    for step in _steps(outer.pointer):
        raw = raw[int(step)] if isinstance(raw, list) else raw[step]
    if canonical_bytes(_value_at(side.root, outer.pointer)) != canonical_bytes(outer.raw):
        raise Unreadable("the schema does not stand in the document as it is compared")
    return clone.node(outer.pointer, raw, outer.dialect)


def _nothing_is_steady(pointer: str) -> bool:
    del pointer
    return False


def _value_at(root: Any, pointer: str) -> Any:
    for step in _steps(pointer):
        root = root[int(step)] if isinstance(root, list) else root[step]
    return root


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _with_value(node: Any, steps: list[str], made: Any) -> Any:
    if not steps:
        return made
    head, rest = steps[0], steps[1:]
    if isinstance(node, list):
        index = int(head)
        return [*node[:index], _with_value(node[index], rest, made), *node[index + 1 :]]
    return {**node, head: _with_value(node[head], rest, made)}


def _by_value(comparer: Comparer, change: Change, told: Finding) -> Finding:
    """Let the keyword's value stand for the change, where it says all of it."""
    keyword = told.pointer.rpartition("/")[2] or (told.base_pointer or "").rpartition("/")[2]
    same = canonical_bytes(told.before) == canonical_bytes(told.after)
    plain = keyword in _PLAIN or (isinstance(told.before, bool) and isinstance(told.after, bool))
    return told if plain and not same else _by_schema(comparer, change, told)


def _by_schema(comparer: Comparer, change: Change, told: Finding) -> Finding:
    """Add the digests of both schemas: whatever is changed in them later makes another finding of it."""
    if isinstance(told.before, dict) and "schema" in told.before:
        return told
    return replace(
        told,
        before={"value": told.before, "schema": comparer.digests.of(change.old)},
        after={"value": told.after, "schema": comparer.digests.of(change.new)},
    )
