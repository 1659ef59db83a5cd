"""The gate's report as SARIF 2.1.0 (OASIS), for code scanning views."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ci.formats.places import base_where
from ci.formats.rule_words import words_of
from ci.formats.safe_text import visible
from ci.formats.values import change, exchange_lines, json_document, on_one_line, sides, steps
from ci.formats.words import ruled, ruling_row
from ci.report import ContractReport, Entry, GateReport
from kernel.contract.finding import Finding, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.ERROR: "error",
    Severity.BREAKING: "error",
    Severity.RISKY: "error",  # the gate stands at risky
    Severity.UNDECIDED: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
    Severity.SAFE: "none",
}
_ROOT = "SRCROOT"  # the repository: a viewer maps it to where it has the files
MOST_LINES = 40  # of an exchange


def render(report: GateReport) -> str:
    """Write the report: one run, one result for each finding, one rule for each rule id."""
    results = [_result(contract, entry, report) for contract in report.rows() for entry in contract.entries()]
    names = sorted({row["ruleId"] for row in results})
    for row in results:
        row["ruleIndex"] = names.index(row["ruleId"])
    run = {
        "tool": {
            "driver": {
                "name": "Interlock",
                "semanticVersion": version("interlock"),
                "rules": [_rule(name, report.docs_url) for name in names],
            }
        },
        "automationDetails": {"id": "interlock/gate/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": results,
        "invocations": [{"executionSuccessful": True, "exitCode": report.exit_code}],
        "properties": {"against": visible(report.against), "status": str(report.status)},
    }
    return json_document({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(contract: ContractReport, entry: Entry, report: GateReport) -> dict[str, Any]:
    finding = entry.finding
    level = "warning" if _tolerated(finding, report) else _LEVELS[finding.severity]
    row: dict[str, Any] = {
        "ruleId": finding.rule,
        "kind": "informational" if level == "none" else "fail",
        "level": level,
        "message": {"text": _message(finding)},
        "locations": [_location(finding, contract)],
        "partialFingerprints": {"interlock/v1": f"{contract.name}:{finding.fingerprint}"},
        "properties": {
            "severity": str(finding.severity),
            "contract": visible(contract.label),
            "against": [visible(label) for label in entry.against],
            "fingerprint": finding.fingerprint,
        },
    }
    if finding.has_witness:
        row["properties"]["witness"] = finding.witness
    if finding.waived:
        row["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": visible(f"Waived {ruled(finding)}")}
        ]
    if finding.base_source is not None or finding.base_pointer is not None:
        row["relatedLocations"] = [_before(finding, contract)]
    return row


def _tolerated(finding: Finding, report: GateReport) -> bool:
    return finding.severity is Severity.RISKY and report.fail_on == "breaking"


def _message(finding: Finding) -> str:
    lines = [visible(finding.what)]
    if told := change(finding):
        lines.append(f"Change: {told}")
    if finding.has_witness:
        lines.append(f"Example ({sides(finding)}): {on_one_line(finding.witness, 1_000)}")
    if finding.exchange is not None:
        lines += ["", *exchange_lines(finding.exchange)[:MOST_LINES]]
    if finding.ruling is not None:
        lines.append(f"{ruling_row(finding)[0].capitalize()} {visible(ruled(finding))}")
    if finding.difference:
        lines += [
            "",
            "Steps from the nearest that both versions take:",
            *steps(finding.difference)[:MOST_LINES],
        ]
    return "\n".join(lines)


def _location(finding: Finding, contract: ContractReport) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(finding.source or contract.document)}
    if finding.line:
        physical["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
    name = f"{contract.name}@{contract.version}#{finding.pointer}"
    return {
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": visible(name), "kind": "element"}],
    }


def _before(finding: Finding, contract: ContractReport) -> dict[str, Any]:
    """Tell the place in the earlier version; it lies in a commit or registry, so that the file is no link."""
    place = base_where(finding) or "the earlier version"
    name = f"{contract.name}#{finding.base_pointer or ''}"
    return {
        "id": 1,
        "message": {"text": f"Before: {visible(place)}"},
        "logicalLocations": [{"fullyQualifiedName": visible(name), "kind": "element"}],
    }


def _rule(name: str, docs_url: str) -> dict[str, Any]:
    words = words_of(name)
    rule: dict[str, Any] = {
        "id": name,
        "name": "".join(part.capitalize() for part in name.replace("/", "-").split("-")),
        "shortDescription": {"text": words.why},
        "help": {
            "text": words.remedy or words.why,
            "markdown": "\n\n".join(
                part for part in (words.why, f"**Fix**: {words.remedy}" if words.remedy else "") if part
            ),
        },
    }
    if docs_url:
        rule["helpUri"] = f"{docs_url.rstrip('/')}/{words.page}"
    return rule


def _artifact(path: str) -> dict[str, str]:
    return {"uri": uri(path), "uriBaseId": _ROOT} if not PurePath(path).is_absolute() else {"uri": uri(path)}


def uri(path: str) -> str:
    """Write a path as a URI reference, relative where the path is; bytes that are no UTF-8 are kept."""
    plain = PurePath(path)
    text = quote(plain.as_posix().encode("utf-8", "surrogateescape"))
    return f"file://{text}" if plain.is_absolute() else text
