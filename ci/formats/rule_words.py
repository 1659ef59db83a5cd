"""What reports say of a rule itself: its severity, why it stands, how to mend, and where that is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ci.rules import BY_ID as GATE
from kernel.contract.metadata import rules as metadata_rules
from registry.compat.rules import BY_ID as COMPAT
from registry.compat.second_opinion import catalogue

_OASDIFF = "oasdiff/"


@dataclass(frozen=True, slots=True)
class RuleWords:
    """One rule; `page` is its place below docs/."""

    id: str
    why: str
    remedy: str
    page: str


@lru_cache(maxsize=4096)
def words_of(rule: str) -> RuleWords:
    """Look a rule up in the tables of the engines; one that stands in none is told by its id."""
    for table, page in ((GATE, "rules/gate.md"), (COMPAT, "rules/compatibility.md")):
        if rule in table:
            row = table[rule]
            return RuleWords(rule, row.why, row.remedy, f"{page}#{rule}")
    if rule.startswith(_OASDIFF):
        area = catalogue()[0].get(rule.removeprefix(_OASDIFF), ("unknown", ""))[0]
        return RuleWords(
            rule,
            f"A rule of oasdiff, the second opinion on OpenAPI changes ({area}).",
            "",
            "rules/oasdiff.md",
        )
    from registry.lint.rules import RULES  # noqa: PLC0415 - heavy, and most runs find nothing of it

    for lint in RULES:
        if lint.id == rule:
            return RuleWords(rule, lint.why, lint.remedy, f"reference/rules.md#{rule}")
    why = next((why for name, _, why in metadata_rules() if name == rule), rule)
    return RuleWords(rule, why, "", "reference/rules.md")
