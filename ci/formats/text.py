"""The gate's report for people: one line for each contract, then what is wrong, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ci.report import ContractReport, GateReport, Status
from kernel.contract.finding import Finding, Severity

_SIGNS = {Status.PASSED: "✓", Status.UNCHANGED: "·", Status.UNDECIDED: "?", Status.FAILED: "✗"}
_SHOWN = (Severity.ERROR, Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.WARNING)
MOST_SHOWN = 60  # findings of one contract; the other formats hold all of them
MOST_WITNESS = 300  # characters


def render(report: GateReport) -> str:
    """Write the report."""
    lines = [f"gate: {report.status} · {len(report.contracts)} contracts against {report.against}"]
    for contract in report.contracts:
        lines += ["", *_contract(contract)]
    if report.engines:
        lines += ["", ", ".join(f"{name} {version}" for name, version in sorted(report.engines.items()))]
    return "\n".join(lines) + "\n"


def _contract(contract: ContractReport) -> Iterator[str]:
    yield f"{_SIGNS[contract.status]} {contract.name} {contract.version} ({contract.document}): {contract.status}"
    if contract.error:
        yield f"    {contract.error}"
    for one in contract.comparisons:
        yield f"    against {one.base}: {one.verdict.outcome}, needs a {one.verdict.required_bump} version"
    findings = [finding for finding in contract.findings() if finding.severity in _SHOWN]
    findings.sort(key=lambda finding: _SHOWN.index(finding.severity))
    for finding in findings[:MOST_SHOWN]:
        yield from _finding(finding)
    hidden = len(contract.findings()) - min(len(findings), MOST_SHOWN)
    if hidden > 0:
        yield f"    … and {hidden} more findings (safe or informational ones among them): --format json shows all"


def _finding(finding: Finding) -> Iterator[str]:
    where = f"{finding.source}:{finding.line}:{finding.column}" if finding.line else finding.source or ""
    yield f"    {finding.severity} {finding.rule} {where}"
    yield f"        {finding.what}"
    if finding.why:
        yield f"        why: {finding.why}"
    if finding.has_witness:
        text = json.dumps(finding.witness, ensure_ascii=False, default=str)
        yield f"        witness: {text[:MOST_WITNESS]}{'…' if len(text) > MOST_WITNESS else ''}"
    if finding.remedy:
        yield f"        fix: {finding.remedy}"
