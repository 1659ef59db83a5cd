"""Compares two JSON Schemas: canonical schemas, and any other schema file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from kernel.contract.finding import Finding
from kernel.contract.positions import token
from kernel.errors import DocumentError, SchemaRefused
from kernel.schema.dialects import Dialect, dialect_of
from registry.compat.containment import Answer, Comparer
from registry.compat.rules import BY_ID
from registry.compat.schema_breaks import breaks
from registry.compat.schema_change import Change, Direction, judged
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node

Role = Literal["accepts", "emits", "both"]
_DIRECTIONS: dict[Role, tuple[Direction, ...]] = {
    "accepts": ("accepts",),
    "emits": ("emits",),
    "both": ("accepts", "emits"),
}
_NOTHING = Side({}, Dialect.DRAFT_2020_12, tag="nothing").at("")
_KEPT: dict[Direction, str] = {
    "accepts": "The new version accepts at least what the old one did",
    "emits": "The new version allows nothing to be sent that the old one did not",
}


def compare_schemas(old: Any, new: Any, role: Role) -> list[Finding]:
    """Give the findings of a change; `role` says whether we read such values, write them, or both."""
    try:
        sides = [Side(root, dialect_of(root), tag=tag) for root, tag in ((old, "old"), (new, "new"))]
    except (DocumentError, SchemaRefused) as error:
        rule = BY_ID["kinds-differ"]
        return [Finding.of(rule, "", error.message)]
    first, second = (side.at("") for side in sides)
    comparer = Comparer(declared_only=False)
    if not comparer.same(first, second):
        return _directions(comparer, first, second, role, "The schema")
    found = _library(comparer, sides[0], sides[1], role) if comparer.same(first, _NOTHING) else []
    return found or [_safe("notes-changed", "Only notes changed")]


def _directions(comparer: Comparer, old: Node, new: Node, role: Role, where: str) -> list[Finding]:
    found: list[Finding] = []
    for direction in _DIRECTIONS[role]:
        change = Change(old, new, direction, where)
        answer = judged(comparer, change)
        if answer.answer is not Answer.YES:
            found += breaks(comparer, change, answer)
        else:
            safe = _safe("schema-changed-compatibly", _KEPT[direction], direction)
            found.append(replace(safe, pointer=new.pointer, base_pointer=old.pointer))
    return found


def _library(comparer: Comparer, old: Side, new: Side, role: Role) -> list[Finding]:
    """Judge each definition of a file whose root says nothing: others refer to them by name."""
    before, after = (_definitions(side.root) for side in (old, new))
    found: list[Finding] = []
    for pointer in dict.fromkeys((*before, *after)):
        where = f"The definition #{pointer}"
        if pointer in before and pointer in after:
            ends = old.at(pointer), new.at(pointer)
            if not comparer.same(*ends):
                found += _directions(comparer, *ends, role, where)
        elif pointer in before:
            rule = BY_ID["change-unclassified"]
            what = f"{where} was removed; who refers to it is not written here"
            gone = Finding.of(rule, "", what)
            found.append(replace(gone, base_pointer=pointer))
        else:
            added = _safe("schema-changed-compatibly", f"{where} was added")
            found.append(replace(added, pointer=pointer, base_pointer=None))
    return found


def _definitions(root: Any) -> list[str]:
    """Give the pointers of the definitions of a file."""
    held = [(word, root.get(word)) for word in ("$defs", "definitions")] if isinstance(root, dict) else []
    return [f"/{word}{token(name)}" for word, group in held if isinstance(group, dict) for name in group]


def _safe(name: str, what: str, direction: Direction | None = None) -> Finding:
    rule = BY_ID[name]
    return Finding.of(rule, "", what, base_pointer="", direction=direction)
