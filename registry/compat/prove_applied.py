"""Goals about what applies other schemas to the same value: references, alternatives, `not`, conditions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from kernel.contract.digest import canonical_bytes
from registry.compat.facts import Case
from registry.compat.proving import Proving
from registry.compat.schema_view import OBJECT, Node, View, refers

MOST_TYPES = 2  # types of a value up to which it is judged as a whole by a `oneOf`


def applied(prover: Proving, case: Case, goal: Node) -> bool:  # noqa: PLR0911 - one return for each keyword
    """Prove the keywords that apply other schemas to the same value."""
    view = goal.view
    needed = ((view.ref,) if view.ref else ()) + view.all_of + view.inert
    if not all(prover.holds(case.known, node) for node in needed):
        return False
    if view.any_of and not _any(prover, case, view.any_of):
        return prover.fails("anyOf", goal)
    if view.one_of and not _one(prover, case, view.one_of):
        return prover.fails("oneOf", goal)
    if view.negated is not None and not prover.apart(case, view.negated):
        return prover.fails("not", goal)
    if view.condition is not None and not _conditional(prover, case, view):
        return prover.fails("if", goal)
    if view.discriminator is not None and not _discriminated(case, view):
        return prover.fails("discriminator", goal)
    return True


def _any(prover: Proving, case: Case, choices: tuple[Node, ...]) -> bool:
    return prover.some(choices, lambda node: prover.holds(case.known, node)) or (
        len(case.types) > 1
        and all(
            prover.some(choices, partial(prover.holds, replace(case.known, types=frozenset({atom}))))
            for atom in sorted(case.types)
        )
    )


def _one(prover: Proving, case: Case, choices: tuple[Node, ...]) -> bool:
    if len(case.types) <= MOST_TYPES and _exactly_one(prover, case, choices):
        return True
    return len(case.types) > 1 and all(
        (atom != OBJECT and prover.torn(part)) or _exactly_one(prover, part, choices)
        for atom in sorted(case.types)
        for part in prover.cases(replace(case.known, types=frozenset({atom})))
    )


def _exactly_one(prover: Proving, case: Case, choices: tuple[Node, ...]) -> bool:
    def alone(node: Node) -> bool:
        return prover.holds(case.known, node) and all(
            prover.apart(case, other) for other in choices if other != node
        )

    return prover.some(choices, alone)


def _conditional(prover: Proving, case: Case, view: View) -> bool:
    assert view.condition is not None
    test, then, other = view.condition
    known = case.known
    holds = replace(known, nodes=known.nodes | {test})
    if then is not None and not prover.apart(case, test) and not prover.holds(holds, then):
        return False
    return other is None or prover.holds(replace(known, without=known.without | {test}), other)


def _discriminated(case: Case, view: View) -> bool:
    """Whether a discriminator reads the same property and never sends a known value elsewhere."""
    goal = view.discriminator or {}
    for part in case.parts:
        have = part.discriminator
        if have is None or have.get("propertyName") != goal.get("propertyName"):
            continue
        mine, theirs = have.get("mapping") or {}, goal.get("mapping") or {}
        return isinstance(mine, dict) and all(theirs.get(key) == target for key, target in mine.items())
    return False


def unread(prover: Proving, case: Case, goal: Node) -> bool:
    """Prove the keywords that no dialect knows: they hold only where they are asked of the value already."""
    left = [key for key, value in goal.view.opaque.items() if not _kept(case, key, value)]
    return not left or prover.fails(min(left), goal)


def _kept(case: Case, key: str, value: object) -> bool:
    """Whether an unread keyword is asked of the value already, in the same words and by no reference."""
    if key.startswith("$") or refers(value):
        return False
    return any(
        key in part.opaque and canonical_bytes(part.opaque[key]) == canonical_bytes(value)
        for part in case.parts
    )
