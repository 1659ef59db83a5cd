"""Which rules may be given another severity in interlock.toml, and in what form."""

from __future__ import annotations

import difflib
from typing import Final

from kernel.contract.finding import Severity
from registry.compat.policy_tables import Override
from registry.compat.rules import BY_ID
from registry.compat.second_opinion import catalogue

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
    if rule in UNBENDING:
        return "the severity of this rule is fixed: waive single findings by their fingerprint instead"
    if isinstance(wanted, str) and declared is Severity.UNDECIDED and wanted in {"safe", "risky"}:
        return (
            "nobody knows whether such a change breaks; to call it "
            f'{wanted} all the same, say who answers for that: {{severity = "{wanted}", owner = "…", reason = "…"}}'
        )
    return None


def declared_severity(rule: str) -> Severity | None:
    """Give the severity that a rule has of itself; None where there is no such rule."""
    if rule.startswith(_OASDIFF):
        row = catalogue()[0].get(rule.removeprefix(_OASDIFF))
        return None if row is None else Severity.RISKY
    found = BY_ID.get(rule)
    return None if found is None else found.severity
