"""The gate's report as a GitLab code quality report (a subset of Code Climate's)."""

from __future__ import annotations

import hashlib
from typing import Any

from ci.formats.safe_text import visible
from ci.formats.values import json_document, on_one_line, sides
from ci.formats.words import ruling_row
from ci.report import ContractReport, GateReport
from kernel.contract.finding import Finding, Severity

_SEVERITIES = {
    Severity.BREAKING: "blocker",
    Severity.ERROR: "critical",
    Severity.RISKY: "critical",
    Severity.UNDECIDED: "major",
    Severity.WARNING: "minor",
    Severity.INFO: "info",
}


def render(report: GateReport) -> str:
    """Write the report; safe findings are left out."""
    issues = [
        _issue(contract, finding, report)
        for contract in report.rows()
        for finding in contract.findings()
        if finding.severity in _SEVERITIES
    ]
    return json_document(issues)


def _issue(contract: ContractReport, finding: Finding, report: GateReport) -> dict[str, Any]:
    tolerated = finding.severity is Severity.RISKY and report.fail_on == "breaking"
    # The text belongs to the identity: one fingerprint may be told of several places, and GitLab keeps one of each.
    identity = f"{contract.name}@{contract.version} {finding.fingerprint} {finding.what}"
    return {
        "description": _told(contract, finding),
        "check_name": finding.rule,
        "fingerprint": hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest(),
        "severity": "info" if finding.waived else "minor" if tolerated else _SEVERITIES[finding.severity],
        "location": {
            "path": visible(finding.source or contract.document),
            "lines": {"begin": finding.line or 1},
        },
    }


def _told(contract: ContractReport, finding: Finding) -> str:
    said = [visible(f"{contract.label}: {finding.what}.".replace("..", "."))]
    if finding.has_witness:
        said.append(f"Example ({sides(finding)}): {on_one_line(finding.witness)}.")
    if finding.ruling is not None:
        said.append(visible(f"{' '.join(ruling_row(finding))}."))
    if finding.why:
        said.append(visible(finding.why))
    return " ".join(said)
