"""What the proxy will not look into, said to the board before the freeze: nothing passes in silence."""

from __future__ import annotations

from kernel.contract.finding import Finding, Severity


def unchecked(rule: str, pointer: str, what: str, severity: Severity = Severity.WARNING) -> Finding:
    """Make the finding; rules: content-unchecked, content-assumed-json, parameter-unchecked, and more.

    docs/reference/operations.md lists them.
    """
    return Finding(
        rule=rule,
        severity=severity,
        pointer=pointer,
        what=what,
        why="the proxy validates what it can decode, and the board must know the rest",
        remedy="declare it in a form that can be decoded, or accept the finding",
    )
