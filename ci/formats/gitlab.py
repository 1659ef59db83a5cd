"""The gate's report as a GitLab code quality report (a subset of Code Climate's)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

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
    issues = [issue for contract in report.contracts for issue in _contract(contract)]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _contract(contract: ContractReport) -> list[dict[str, Any]]:
    found = [_issue(contract, finding) for finding in contract.findings() if finding.severity in _SEVERITIES]
    if contract.error:
        found.append(_issue(contract, Finding("contract-unreadable", Severity.ERROR, "", contract.error)))
    return found


def _issue(contract: ContractReport, finding: Finding) -> dict[str, Any]:
    identity = f"{contract.name}@{contract.version} {finding.fingerprint}"
    return {
        "description": f"{finding.what} {finding.why}".strip(),
        "check_name": finding.rule,
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest(),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": finding.source or contract.document,
            "lines": {"begin": finding.line or 1},
        },
    }
