"""Goals about arrays and objects: items, uniqueness, properties, names, openness, dependencies."""

from __future__ import annotations

from dataclasses import replace

from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, Known, pattern_names
from registry.compat.proving import Proving
from registry.compat.schema_view import ARRAY, OBJECT, Node, View
from registry.compat.unevaluated import Looked, looked_at, looked_at_items


def arrays(prover: Proving, case: Case, goal: Node) -> bool:
    """Prove the array keywords of the goal for the arrays of the case."""
    if ARRAY not in case.types:
        return True
    view = goal.view
    least, most = _length(prover, case)
    if least < view.min_items:
        return prover.fails("minItems", goal)
    if view.max_items is not None and (most is None or most > view.max_items):
        return prover.fails("maxItems", goal)
    if view.unique and not (any(part.unique for part in case.parts) or (most is not None and most <= 1)):
        return prover.fails("uniqueItems", goal)
    return _items(prover, case, goal, most) and _contains(prover, case, goal, least, most)


def _length(prover: Proving, case: Case) -> tuple[int, int | None]:
    """Give the least and the greatest number of items."""
    least, most = case.least("min_items"), case.most("max_items")
    wanted = [part.min_contains for part in case.parts if part.contains is not None]
    prefix = case.prefix()
    for index in (*range(prefix), None):
        if prover.impossible(Known(case.item(index))):
            end = prefix if index is None else index
            return max(least, *wanted, 0), end if most is None else min(end, most)
    return max(least, *wanted, 0), most


def _items(prover: Proving, case: Case, goal: Node, most: int | None) -> bool:
    view = goal.view
    prefix = max(len(view.prefix), case.prefix())
    looked = looked_at_items(goal, surely=True) if view.unlooked else None
    for index in (*range(prefix if most is None else min(prefix, most)), None):
        if index is None and most is not None and most <= prefix:
            continue
        step, item = ("*" if index is None else str(index)), Known(case.item(index))
        want = view.prefix[index] if index is not None and index < len(view.prefix) else view.items
        if want is not None and not prover.within(step, item, want):
            return False
        if view.unlooked is None or looked is None or looked.everything:
            continue
        unseen = index is None or index >= looked.first
        if unseen and not prover.within_any(step, item, (*looked.fitting, view.unlooked)):
            return prover.fails("unevaluatedItems", goal, step)
    return True


def _contains(prover: Proving, case: Case, goal: Node, least: int, most: int | None) -> bool:
    view = goal.view
    want = view.contains
    if want is None:
        return True
    held = [part for part in case.parts if part.contains is not None]
    fitting = [part for part in held if part.min_contains >= view.min_contains]
    if view.min_contains > 0 and not any(
        prover.within_any("*", Known(_found(case, part)), (want,)) for part in fitting
    ):
        first = [str(index) for index in range(min(case.prefix(), least))]
        known = [Known(case.item(index)) for index in range(len(first))]
        rest = [("*", Known(case.item(None)))] * (least > case.prefix())
        sure = sum(
            (least - case.prefix() if step == "*" else 1)
            for step, item in (*zip(first, known, strict=True), *rest)
            if prover.within_any(step, item, (want,))
        )
        if sure < view.min_contains:
            return prover.fails("contains", goal)
    bounded = view.max_contains is None or (most is not None and most <= view.max_contains)
    counted = [p for p in held if p.max_contains is not None and p.max_contains <= (view.max_contains or 0)]
    everywhere = Known(_anywhere(case) | {want})
    if not bounded and not any(
        part.contains is not None and prover.within_any("*", everywhere, (part.contains,)) for part in counted
    ):
        return prover.fails("maxContains", goal)
    return True


def _found(case: Case, part: View) -> frozenset[Node]:
    """Say what is known of an item that a `contains` has found."""
    return _anywhere(case) | ({part.contains} if part.contains else set())


def _anywhere(case: Case) -> frozenset[Node]:
    """Say what is known of an item at an unknown index."""
    return case.item(None) if case.prefix() == 0 else frozenset()


def objects(prover: Proving, case: Case, goal: Node) -> bool:
    """Prove the object keywords of the goal for the objects of the case."""
    if OBJECT not in case.types:
        return True
    view = goal.view
    missing = view.required - view.hidden - case.required()
    if missing:
        return prover.fails("required", goal, min(missing))
    return (
        _counts(prover, case, goal)
        and all(_property(prover, case, name, node) for name, node in view.properties.items())
        and _patterns(prover, case, goal)
        and _additional(prover, case, goal)
        and _names(prover, case, goal)
        and _dependencies(prover, case, goal)
    )


def _counts(prover: Proving, case: Case, goal: Node) -> bool:
    view = goal.view
    if max(case.least("min_properties"), len(case.required())) < view.min_properties:
        return prover.fails("minProperties", goal)
    if view.max_properties is None:
        return True
    most = case.most("max_properties")
    if closed(prover, case) and not pattern_names(case):
        possible = [name for name in case.declared() if not absent(prover, case, name)]
        most = len(possible) if most is None else min(most, len(possible))
    return (most is not None and most <= view.max_properties) or prover.fails("maxProperties", goal)


def closed(prover: Proving, case: Case) -> bool:
    """Whether no property can stand beside the declared ones and those of a pattern."""
    return prover.impossible(Known(case.rest()))


def absent(prover: Proving, case: Case, name: str) -> bool:
    """Whether no object of the case can have this property."""
    named = (part.names for part in case.parts if part.names is not None)
    if any(evaluate(node, name, prover.text) is False for node in named):
        return True
    found = case.property(name, prover.text.matches)
    return bool(found) and prover.impossible(Known(found))


def _unwritten(prover: Proving, case: Case, name: str) -> bool:
    """Whether a writer who declares other properties neither declares nor mentions this one."""
    written = case.written(prover.writer)
    if not prover.declared_only or not written or name in written or name in case.required():
        return False
    return not case.property(name, prover.text.matches)


def asks_unwritten(prover: Proving, case: Case, other: Node) -> bool:
    """Whether a schema asks for a property that the writer of the case never sends."""
    waiting, seen = [other], set[Node]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        view = node.view
        if case.types & view.types <= {OBJECT} and any(
            _unwritten(prover, case, name) for name in sorted(view.required - view.hidden)
        ):
            return True
        waiting += [*((view.ref,) if view.ref else ()), *view.all_of, *view.inert]
    return False


def _never_sent(prover: Proving, case: Case, name: str) -> bool:
    return _unwritten(prover, case, name) or absent(prover, case, name)


def _property(prover: Proving, case: Case, name: str, goal: Node) -> bool:
    if _never_sent(prover, case, name):
        return True
    return prover.within(name, Known(case.property(name, prover.text.matches)), goal)


def _patterns(prover: Proving, case: Case, goal: Node) -> bool:
    for pattern, want in goal.view.patterns.items():
        for name in case.declared():
            hit = prover.text.matches(pattern, name)
            if hit is not False and not _property(prover, case, name, want):
                return False
        known = pattern_names(case)
        wider = [nodes for other, nodes in known.items() if prover.text.pattern_within(pattern, other)]
        if any(prover.within("*", Known(nodes), want) for nodes in wider):
            continue
        others = [*known.values(), *([] if closed(prover, case) else [case.rest()])]
        if not all(prover.within("*", Known(nodes), want) for nodes in others):
            return prover.fails("patternProperties", goal)
    return True


def _additional(prover: Proving, case: Case, goal: Node) -> bool:
    view = goal.view
    want = view.additional
    if want is not None and not (want.view.always is True or want.raw == {}):
        looked = Looked(frozenset(view.properties), frozenset(view.patterns))
        if not _nothing_else(prover, case, goal, want, looked):
            return prover.fails("additionalProperties", goal)
    if view.unevaluated is not None:
        looked = looked_at(goal, surely=True)
        if not looked.everything and not _nothing_else(prover, case, goal, view.unevaluated, looked):
            return prover.fails("unevaluatedProperties", goal)
    return True


def _nothing_else(prover: Proving, case: Case, goal: Node, want: Node, looked: Looked) -> bool:
    """Prove of every property outside the names and patterns that `looked` holds what is wanted of it."""
    keyword = "additionalProperties" if want is goal.view.additional else "unevaluatedProperties"
    for name in case.declared():
        covered = name in looked.names or any(prover.text.matches(p, name) for p in looked.patterns)
        if not covered and not prover.within(name, Known(case.property(name, prover.text.matches)), want):
            return prover.fails(keyword, goal, name)
    for pattern, nodes in pattern_names(case).items():
        covered = any(prover.text.pattern_within(pattern, other) for other in looked.patterns)
        if not covered and not prover.within("*", Known(nodes), want):
            return False
    return closed(prover, case) or prover.within("*", Known(case.rest()), want)


def _names(prover: Proving, case: Case, goal: Node) -> bool:
    want = goal.view.names
    if want is None:
        return True
    have = frozenset(part.names for part in case.parts if part.names is not None)
    if have and prover.within("*", Known(have, types=frozenset({"string"})), want):
        return True
    declared = [name for name in case.declared() if not absent(prover, case, name)]
    if not all(evaluate(want, name, prover.text) is True for name in declared):
        return prover.fails("propertyNames", goal)
    return (closed(prover, case) and not pattern_names(case)) or prover.fails("propertyNames", goal)


def _dependencies(prover: Proving, case: Case, goal: Node) -> bool:
    view = goal.view
    have = case.required()
    for trigger, needed in view.needs.items():
        known = any(trigger in part.needs and needed <= part.needs[trigger] | have for part in case.parts)
        if not (needed <= have or known or _never_sent(prover, case, trigger)):
            return prover.fails("dependentRequired", goal, trigger)
    for trigger, want in view.dependents.items():
        if _never_sent(prover, case, trigger):
            continue
        held = frozenset(part.dependents[trigger] for part in case.parts if trigger in part.dependents)
        if not prover.holds(replace(case.known, nodes=case.nodes | held), want):
            return prover.fails("dependentSchemas", goal, trigger)
    return True
