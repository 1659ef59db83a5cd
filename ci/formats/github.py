"""The gate's report as GitHub Actions workflow commands: annotations at the lines of the files.

GitHub shows at most 10 errors and 10 warnings of a step, and drops the others without a word. So the worst come
first, the last of ten says how many there are more, and those stand in the log below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ci.formats.places import where
from ci.formats.safe_text import visible
from ci.formats.values import on_one_line, sides
from ci.formats.words import headline, ruling_row, tag
from ci.report import ContractReport, GateReport, rank
from kernel.contract.finding import Finding, Severity

_COMMANDS = {
    Severity.ERROR: "error",
    Severity.BREAKING: "error",
    Severity.RISKY: "error",
    Severity.UNDECIDED: "error",
    Severity.WARNING: "warning",
}
MOST = 10  # annotations of each kind in a step (GitHub's own limit)


def render(report: GateReport) -> str:
    """Write the commands; safe findings and notes make no annotation, waived ones a notice."""
    lines: list[str] = []
    rest: list[tuple[Finding, ContractReport]] = []
    for command in ("error", "warning", "notice"):
        found = [
            (finding, contract)
            for contract in report.rows()
            for finding in contract.findings()
            if _command(finding, report) == command
        ]
        found.sort(key=lambda pair: rank(pair[0]))
        fits = len(found) if len(found) <= MOST else MOST - 1
        lines += [_annotation(command, *pair) for pair in found[:fits]]
        if len(found) > fits:
            more = (
                f"{len(found) - fits} more like these: GitHub shows {MOST} of a step, the log has all of them"
            )
            lines.append(f"::{command} title={_property('interlock gate')}::{_data(more)}")
        rest += found[fits:]
    lines += _in_the_log(rest)
    lines.append(f"interlock gate: {report.status}. {headline(report)}")
    return "\n".join(lines) + "\n"


def _command(finding: Finding, report: GateReport) -> str | None:
    if finding.waived:
        return "notice"
    if finding.severity is Severity.RISKY and report.fail_on == "breaking":
        return "warning"
    return _COMMANDS.get(finding.severity)


def _annotation(command: str, finding: Finding, contract: ContractReport) -> str:
    properties = [f"file={_property(visible(finding.source or contract.document))}"]
    if finding.line:
        properties += [f"line={finding.line}", f"col={finding.column or 1}"]
    properties.append(f"title={_property(f'{tag(finding)}: {finding.rule}')}")
    return f"::{command} {','.join(properties)}::{_data(chr(10).join(_told(finding, contract)))}"


def _told(finding: Finding, contract: ContractReport) -> Iterator[str]:
    yield visible(f"{contract.label}: {finding.what}")
    if finding.has_witness:
        yield f"Example ({sides(finding)}): {on_one_line(finding.witness)}"
    if finding.ruling is not None:
        yield visible(" ".join(ruling_row(finding)))
    if finding.why:
        yield visible(finding.why)
    if finding.remedy:
        yield f"Fix: {visible(finding.remedy)}"


def _in_the_log(rest: list[tuple[Finding, ContractReport]]) -> list[str]:
    """Write what makes no annotation, with commands switched off meanwhile."""
    if not rest:
        return []
    told = [
        visible(f"{finding.severity} {finding.rule} {where(finding) or contract.document}: {finding.what}")
        for finding, contract in rest
    ]
    token = hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return [f"::stop-commands::{token}", *told, f"::{token}::"]


def _data(text: str) -> str:
    """Escape as the runner unescapes: percent, carriage return, line feed."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
