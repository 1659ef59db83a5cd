"""The gate's report as GitHub Actions workflow commands: annotations at the lines of the files."""

from __future__ import annotations

from ci.report import ContractReport, GateReport
from kernel.contract.finding import Finding, Severity

_COMMANDS = {
    Severity.ERROR: "error",
    Severity.BREAKING: "error",
    Severity.RISKY: "error",
    Severity.UNDECIDED: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}


def render(report: GateReport) -> str:
    """Write the commands; safe findings make no annotation."""
    lines = [line for contract in report.contracts for line in _contract(contract)]
    lines.append(
        f"interlock gate: {report.status}, {len(report.contracts)} contracts against {_plain(report.against)}"
    )
    return "\n".join(lines) + "\n"


def _contract(contract: ContractReport) -> list[str]:
    lines = [_command(finding, contract) for finding in contract.findings() if finding.severity in _COMMANDS]
    if contract.error:
        lines.append(f"::error file={_property(contract.document)}::{_data(contract.error)}")
    return lines


def _command(finding: Finding, contract: ContractReport) -> str:
    properties = [f"file={_property(finding.source or contract.document)}"]
    if finding.line:
        properties += [f"line={finding.line}", f"col={finding.column or 1}"]
    properties.append(f"title={_property(f'{finding.severity}: {finding.rule}')}")
    text = f"{finding.what}\n{finding.why}" if finding.why else finding.what
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(text)}"


def _data(text: str) -> str:
    """Escape as the runner unescapes: percent, carriage return, line feed."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    return text.replace("\n", " ").replace("::", ": :")
