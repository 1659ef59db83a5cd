"""Whether a case is seen to admit no value at all: what then is asked of it holds."""

from __future__ import annotations

from registry.compat import prove_values
from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, Known
from registry.compat.proving import Proving
from registry.compat.schema_view import atom_of


def empty(prover: Proving, case: Case, depth: int = 3) -> bool:
    """Whether a case is seen to admit no value."""
    if not case.types:
        return True
    if case.values is not None and not any(possible(prover, case, value) for value in case.values):
        return True
    types = frozenset(atom for atom in case.types if not prove_values.barren(prover.text, case, atom))
    if "object" in types and depth > 0 and any(_unnamed(prover, case, n, depth) for n in case.required()):
        types -= {"object"}
    if "array" in types and depth > 0 and _unfilled(prover, case, depth):
        types -= {"array"}
    return not types


def _unnamed(prover: Proving, case: Case, name: str, depth: int) -> bool:
    """Whether a property can have no value, or no such name."""
    named = (part.names for part in case.parts if part.names is not None)
    return any(evaluate(node, name, prover.text) is False for node in named) or prover.impossible(
        Known(case.property(name, prover.text.matches)), depth - 1
    )


def _unfilled(prover: Proving, case: Case, depth: int) -> bool:
    """Whether one of the items that every such array has can have no value."""
    first = range(min(case.least("min_items"), case.prefix() + 1))
    return any(prover.impossible(Known(case.item(index)), depth - 1) for index in first)


def possible(prover: Proving, case: Case, value: object) -> bool:
    """Whether one listed value can be the value of a case."""
    if atom_of(value) not in case.types:
        return False
    return all(evaluate(node, value, prover.text) is not False for node in case.nodes) and all(
        evaluate(node, value, prover.text) is not True for node in case.without
    )
