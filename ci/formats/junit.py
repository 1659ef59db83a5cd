"""The gate's report as JUnit XML: one suite for each contract, one case for each thing that was judged."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from ci.report import ContractReport, GateReport, Status
from kernel.contract.finding import Finding, Severity

_BLOCKING = {Severity.ERROR, Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2


def render(report: GateReport) -> str:
    """Write the report; a case fails for what blocks, and is skipped where nothing changed."""
    suites = [_suite(contract) for contract in report.contracts]
    cases, failures, errors = (sum(counts[i] for _, counts in suites) for i in range(3))
    head = f'<testsuites name="interlock gate" tests="{cases}" failures="{failures}" errors="{errors}">'
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', head, *(text for text, _ in suites), "</testsuites>", ""]
    )


def _suite(contract: ContractReport) -> tuple[str, tuple[int, int, int]]:
    name = f"{contract.name} {contract.version}".strip()
    cases: list[str] = []
    failures = errors = 0
    if contract.error:
        errors += 1
        cases.append(_case(name, "readable", f"<error message={_attribute(contract.error)}/>"))
    elif contract.status is Status.UNCHANGED:
        cases.append(_case(name, "unchanged", "<skipped/>"))
    else:
        groups = [("valid and in order", contract.lint)]
        groups += [(f"compatible with {one.base}", one.verdict.findings) for one in contract.comparisons]
        groups.append(("version", (contract.bump,) if contract.bump else ()))
        for title, findings in groups:
            blocking = [finding for finding in findings if finding.severity in _BLOCKING]
            failures += bool(blocking)
            cases.append(_case(name, title, _failure(blocking) if blocking else ""))
    head = (
        f'  <testsuite name={_attribute(name)} tests="{len(cases)}" failures="{failures}" errors="{errors}">'
    )
    return "\n".join([head, *cases, "  </testsuite>"]), (len(cases), failures, errors)


def _case(suite: str, title: str, inside: str) -> str:
    start = f"    <testcase classname={_attribute(suite)} name={_attribute(title)}"
    return f"{start}>{inside}</testcase>" if inside else f"{start}/>"


def _failure(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        where = f"{finding.source}:{finding.line}:{finding.column}" if finding.line else finding.source or ""
        lines += [f"{where} {finding.severity} {finding.rule}: {finding.what}", f"  {finding.why}"]
    message = f"{len(findings)} blocking findings, the first: {findings[0].what}"
    kind = str(findings[0].severity)
    return f"<failure message={_attribute(message)} type={_attribute(kind)}>{_text(chr(10).join(lines))}</failure>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("�", text))
