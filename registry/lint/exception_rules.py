"""Exceptions are judged too: `registry.lint.document` tells what they lack, and which of them are over or idle."""

from __future__ import annotations

from registry.lint.rule import ALL, WARNING, Rule


def _excepting(rule: str, expires: str = "2031-12-31", name: str = "order_status") -> str:
    return (
        "type: object\n"
        f"properties: {{placedBy: {{type: integer}}, {name}: {{type: integer}}}}\n"
        "x-interlock-lint:\n"
        f"  - {{rule: {rule}, owner: Ada Berg, reason: the analyser sends it so, expires: '{expires}'}}"
    )


EXCEPTION_RULES: tuple[Rule, ...] = (
    Rule(
        "exception-invalid", WARNING, ALL,
        "An exception without owner, reason or end is a rule that was turned off and forgotten; this one excepts nothing.",
        "Write {rule, owner, reason, expires: '2027-03-31'}; errors cannot be excepted.",
        good=_excepting("property-naming"), bad=_excepting("property-nameing"),
    ),
    Rule(
        "exception-expired", WARNING, ALL,
        "Its owner wanted it looked at again by now; what it excepted is told again.",
        "Mend the place, or ask for a new last day.",
        good=_excepting("property-naming"), bad=_excepting("property-naming", "2025-12-31"),
    ),
    Rule(
        "exception-unused", WARNING, ALL,
        "It would hide the next mistake in this place.", "Remove it.",
        good=_excepting("property-naming"), bad=_excepting("property-naming", name="orderStatus"),
    ),
)  # fmt: skip
