"""Compares two JSON Schemas: canonical schemas, and any other schema file."""

from __future__ import annotations

from typing import Any, Literal

from kernel.contract.finding import Finding
from kernel.errors import SchemaRefused
from kernel.schema.dialects import dialect_of
from registry.compat.containment import Answer, Comparer
from registry.compat.rules import BY_ID
from registry.compat.schema_change import Change, Direction, finding, judged
from registry.compat.schema_side import Side

Role = Literal["accepts", "emits", "both"]
_DIRECTIONS: dict[Role, tuple[Direction, ...]] = {
    "accepts": ("accepts",),
    "emits": ("emits",),
    "both": ("accepts", "emits"),
}
_KEPT: dict[Direction, str] = {
    "accepts": "The new version accepts at least what the old one did",
    "emits": "The new version allows nothing to be sent that the old one did not",
}


def compare_schemas(old: Any, new: Any, role: Role) -> list[Finding]:
    """Give the findings of a change; `role` says whether we read such values, write them, or both."""
    try:
        sides = [Side(root, dialect_of(root), tag=tag) for root, tag in ((old, "old"), (new, "new"))]
    except SchemaRefused as error:
        rule = BY_ID["kinds-differ"]
        return [Finding(rule.id, rule.severity, "", error.message, why=rule.why, remedy=rule.remedy)]
    first, second = (side.at("") for side in sides)
    comparer = Comparer(declared_only=False)
    if comparer.same(first, second):
        return [_safe("notes-changed", "Only notes changed")]
    found: list[Finding] = []
    for direction in _DIRECTIONS[role]:
        change = Change(first, second, direction, "The schema")
        answer = judged(comparer, change)
        if answer.answer is not Answer.YES:
            found.append(finding(change, answer))
        else:
            found.append(_safe("schema-changed-compatibly", _KEPT[direction], direction))
    return found


def _safe(name: str, what: str, direction: Direction | None = None) -> Finding:
    rule = BY_ID[name]
    return Finding(rule.id, rule.severity, "", what, why=rule.why, base_pointer="", direction=direction)
