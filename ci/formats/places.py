"""Where a finding stands, in words: the file and line, the operation, and which part of it."""

from __future__ import annotations

from kernel.contract.finding import Finding
from kernel.contract.positions import tokens_of

_PARTS = {
    "requestBody": "request body",
    "responses": "answer",
    "parameters": "parameter",
    "headers": "header",
    "callbacks": "callback",
    "security": "security",
    "servers": "server",
    "schema": "",
    "content": "",
    "properties": "",
    "components": "",
}
_STATUS = 3  # digits: other numbers are places in lists, which a line number tells better
MOST_STEPS = 12  # of a place in words; what is deeper is cut in the middle
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})


def where(finding: Finding) -> str:
    """Say where a finding stands: file, line and column, as far as they are known."""
    return _place(finding.source, finding.line, finding.column)


def base_where(finding: Finding) -> str:
    """Say where it stood in the earlier version."""
    return _place(finding.base_source, finding.base_line, finding.base_column)


def _place(source: str | None, line: int | None, column: int | None) -> str:
    return f"{source or ''}:{line}:{column or 1}" if line else source or ""


def operation_of(pointer: str) -> str:
    """Name the operation, channel or definition in which a pointer stands; empty for the document itself."""
    found = ""
    match tokens_of(pointer) if pointer else []:
        case ["paths" | "webhooks", path, method, *_] if method in _METHODS:
            found = f"{method.upper()} {path}"
        case ["paths", path, *_]:
            found = path
        case ["webhooks" | "channels" | "operations" as kind, name, *_]:
            found = f"{kind[:-1]} {name}"
        case ["components", kind, name, *_]:
            found = f"{kind[:-1]} {name}"
        case ["$defs" | "definitions", name, *_]:
            found = f"definition {name}"
    return found


def part_of(pointer: str) -> str:
    """Say in words which part of an operation a pointer names: `request body, priority`."""
    steps = tokens_of(pointer) if pointer else []
    match steps:
        case ["paths" | "webhooks", _, method, *rest] if method in _METHODS:
            steps = rest
        case ["paths" | "webhooks" | "channels" | "operations" | "$defs" | "definitions", _, *rest]:
            steps = rest
        case ["components", _, _, *rest]:
            steps = rest
    words = [_PARTS.get(step, step) for step in steps if not step.isdecimal() or len(step) == _STATUS]
    told = [word for word in words if word]
    return ", ".join(told if len(told) <= MOST_STEPS else [*told[:3], "…", *told[-3:]])


def site(finding: Finding) -> str:
    """Say where in the contract: the operation and its part."""
    pointer = finding.pointer or finding.base_pointer or ""
    return ", ".join(part for part in (operation_of(pointer), part_of(pointer)) if part)
