"""The gate's report as JUnit XML: one suite for each contract, one case for each thing that was judged."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ci.formats.places import where
from ci.formats.safe_text import visible
from ci.formats.values import on_one_line, sides
from ci.formats.words import ruled
from ci.report import ContractReport, GateReport, Status, blocks, rank
from kernel.contract.finding import Finding, Severity


def render(report: GateReport) -> str:
    """Write the report; a case fails for what blocks, and is skipped where nothing changed."""
    suites = [_suite(contract, report) for contract in report.rows()]
    sums = {
        name: sum(counts[name] for _, counts in suites) for name in ("tests", "failures", "errors", "skipped")
    }
    head = f'<testsuites name="interlock gate"{_numbers(sums)} time="0">'
    body = "\n".join(text for text, _ in suites)
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', head, *([body] if body else []), "</testsuites>", ""]
    )


def _suite(contract: ContractReport, report: GateReport) -> tuple[str, dict[str, int]]:
    cases: list[str] = []
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for title, findings in contract.groups():
        if contract.status is Status.UNCHANGED and not findings:
            continue
        blocking = sorted((one for one in findings if blocks(one, report.fail_on)), key=rank)
        kind = "error" if contract.error is not None else "failure"
        counts["tests"] += 1
        counts[f"{kind}s"] += bool(blocking)
        accepted = [finding for finding in findings if finding.waived]
        counts["skipped"] += bool(accepted and not blocking)
        inside = _told(blocking, kind) if blocking else _accepted(accepted) if accepted else ""
        cases.append(_case(contract, title, inside))
    if contract.status is Status.UNCHANGED:
        counts["tests"] += 1
        counts["skipped"] += 1
        cases.append(_case(contract, "unchanged", '<skipped message="unchanged"/>'))
    head = f'  <testsuite name={_attribute(contract.label)}{_numbers(counts)} time="0">'
    return "\n".join([head, *cases, "  </testsuite>"]), counts


def _numbers(counts: dict[str, int]) -> str:
    return "".join(f' {name}="{number}"' for name, number in counts.items())


def _case(contract: ContractReport, title: str, inside: str) -> str:
    names = f"classname={_attribute(contract.label)} name={_attribute(title)}"
    start = f'    <testcase {names} file={_attribute(contract.document)} time="0"'
    return f"{start}>{inside}</testcase>" if inside else f"{start}/>"


def _told(findings: list[Finding], kind: str) -> str:
    lines = []
    for finding in findings:
        lines.append(visible(f"{where(finding)} {finding.severity} {finding.rule}: {finding.what}"))
        if finding.has_witness:
            lines.append(f"  example ({sides(finding)}): {on_one_line(finding.witness)}")
        lines += [f"  {visible(text)}" for text in (finding.why, finding.remedy) if text]
    rest = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    message = f"{findings[0].what}{rest}"
    sort = (
        "undecided"
        if all(one.severity is Severity.UNDECIDED for one in findings)
        else str(findings[0].severity)
    )
    return f"<{kind} message={_attribute(message)} type={_attribute(sort)}>{escape(chr(10).join(lines))}</{kind}>"


def _accepted(findings: list[Finding]) -> str:
    told = "; ".join(f"{finding.rule} waived {ruled(finding)}" for finding in findings)
    return f"<skipped message={_attribute(told)}/>"


def _attribute(text: str) -> str:
    return quoteattr(visible(text))  # visible: what XML 1.0 §2.2 forbids is written as \\u…
