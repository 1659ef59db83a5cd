"""Compares two AsyncAPI documents: compatible where only notes differ, undecided everywhere else."""

from __future__ import annotations

from itertools import islice
from typing import Any

from kernel.contract.finding import Finding, shown
from kernel.contract.grammar import grammar_of
from kernel.contract.sites import resolve_pointer
from kernel.errors import ReferenceRefused
from registry.compat.notes import MOST_DIFFERENCES, differences
from registry.compat.rules import BY_ID


def compare_asyncapi(old: Any, new: Any) -> list[Finding]:
    """Give one finding for each place that differs, or one note when only notes do."""
    grammar = grammar_of(new)
    if grammar is not grammar_of(old) or old.get("asyncapi") != new.get("asyncapi"):
        return [_finding("kinds-differ", ("/asyncapi", "/asyncapi"), (old, new))]
    found = [
        _finding("asyncapi-change-undecided", pointers, (old, new))
        for pointers in islice(differences(old, new, grammar), MOST_DIFFERENCES)
    ]
    return found or [_finding("notes-changed", ("", ""), (None, None))]


def _finding(name: str, pointers: tuple[str | None, str | None], roots: tuple[Any, Any]) -> Finding:
    rule = BY_ID[name]
    before, after = pointers
    what = "This was added" if before is None else "This was removed" if after is None else "This differs"
    return Finding(
        rule.id,
        rule.severity,
        after if after is not None else before or "",
        what if name != "notes-changed" else "Only notes changed",
        why=rule.why,
        remedy=rule.remedy,
        base_pointer=before,
        before=_shown(roots[0], before),
        after=_shown(roots[1], after),
    )


def _shown(root: Any, pointer: str | None) -> Any:
    """Give the value as a finding repeats it."""
    if not pointer or root is None:
        return None
    try:
        value = resolve_pointer(root, pointer)
    except ReferenceRefused:
        return None
    return shown(value)
