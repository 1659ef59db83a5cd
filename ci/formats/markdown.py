"""The gate's report as Markdown, for a comment on a change request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ci.report import ContractReport, GateReport, Status
from kernel.contract.finding import Finding, Severity

_SHOWN = (Severity.ERROR, Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.WARNING)
_WORDS = {
    Status.PASSED: "passed",
    Status.UNCHANGED: "unchanged",
    Status.UNDECIDED: "**could not be decided**",
    Status.FAILED: "**failed**",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")
MOST_SHOWN = 50  # findings of one contract
MOST_WITNESS = 400  # characters


def render(report: GateReport) -> str:
    """Write the report."""
    lines = [f"## Contracts: {_WORDS[report.status]}", "", f"Compared with {_plain(report.against)}.", ""]
    lines += ["| contract | version | result | needs |", "|---|---|---|---|"]
    for contract in report.contracts:
        needs = f"{contract.required_bump} version" if contract.comparisons else ""
        cells = (_plain(contract.name), _plain(contract.version), _WORDS[contract.status], needs)
        lines.append(f"| {' | '.join(cells)} |")
    for contract in report.contracts:
        lines += _contract(contract)
    return "\n".join(lines) + "\n"


def _contract(contract: ContractReport) -> Iterator[str]:
    findings = [finding for finding in contract.findings() if finding.severity in _SHOWN]
    findings.sort(key=lambda finding: _SHOWN.index(finding.severity))
    if not findings and not contract.error:
        return
    yield ""
    yield f"### {_plain(contract.name)} {_plain(contract.version)}"
    yield ""
    if contract.error:
        yield f"- {_plain(contract.error)}"
    for finding in findings[:MOST_SHOWN]:
        yield from _finding(finding)
    if len(findings) > MOST_SHOWN:
        yield f"- … and {len(findings) - MOST_SHOWN} more"


def _finding(finding: Finding) -> Iterator[str]:
    where = f"{finding.source}:{finding.line}" if finding.line else finding.source or ""
    yield f"- **{finding.severity}** {_code(finding.rule)} {_code(where)}: {_plain(finding.what)}"
    if finding.why:
        yield f"  - {_plain(finding.why)}"
    if finding.has_witness:
        text = json.dumps(finding.witness, ensure_ascii=False, default=str)[:MOST_WITNESS]
        yield f"  - witness: {_code(text)}"
    if finding.remedy:
        yield f"  - {_plain(finding.remedy)}"


def _plain(text: str) -> str:
    """Escape what Markdown would read, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Write code, fenced by one more backtick than the text holds in a row."""
    plain = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall(r"`+", plain)), default=0) + 1)
    return f"{fence}{' ' if '`' in plain else ''}{plain}{' ' if '`' in plain else ''}{fence}" if plain else ""
