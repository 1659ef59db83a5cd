"""Which rules may be given another severity in interlock.toml, and in what form."""

from __future__ import annotations

import difflib
from typing import Final

from kernel.contract.finding import Severity
from registry.compat.policy_tables import Override
from registry.compat.policy_waivers import NEVER
from registry.compat.rules import BY_ID
from registry.compat.second_opinion import level_of

_OASDIFF: Final = "oasdiff/"
# What was not compared or not decided stays so: a board may waive one finding, no file may wave all through.
UNBENDING: Final = frozenset(
    {
        "inclusion-undecided",
        "change-unclassified",
        "reference-unresolved",
        "engine-missing",
        "engine-failed",
        "kinds-differ",
        "document-not-comparable",
        "version-too-low",
        "waiver-expired",
        "waiver-stale",
    }
)


def fault_of(rule: str, wanted: str | Override) -> str | None:
    """Say why a rule cannot get a severity in this form, or None when it can."""
    declared = declared_severity(rule)
    if declared is None:
        near = difflib.get_close_matches(rule, BY_ID, n=1)
        return "there is no such rule" + (f"; did you mean `{near[0]}`?" if near else "")
    if rule in NEVER:
        return "the severity of this rule is fixed: mend or waive what it follows from"
    if rule in UNBENDING:
        return "the severity of this rule is fixed: waive single findings by their fingerprint instead"
    if isinstance(wanted, str) and needs_a_name(declared, Severity(wanted)):
        knows = "such a change breaks somebody"
        if declared is Severity.UNDECIDED:
            knows = "nobody knows whether such a change breaks"
        return (
            f"{knows}; to call it {wanted} all the same, say who answers for that: "
            f'{{severity = "{wanted}", owner = "…", reason = "…"}}'
        )
    return None


def needs_a_name(found: Severity, wanted: Severity) -> bool:
    """Whether somebody must answer for calling a finding of one severity something else."""
    return found in {Severity.BREAKING, Severity.UNDECIDED} and wanted in {Severity.SAFE, Severity.RISKY}


def declared_severity(rule: str) -> Severity | None:
    """Give the severity that a rule has of itself; None where there is no such rule."""
    if rule.startswith(_OASDIFF):
        return level_of(rule.removeprefix(_OASDIFF))
    found = BY_ID.get(rule)
    return None if found is None else found.severity
