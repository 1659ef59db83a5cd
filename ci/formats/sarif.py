"""The gate's report as SARIF 2.1.0 (OASIS), for code scanning views."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ci.report import ContractReport, GateReport, Status
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
_UNREADABLE = "contract-unreadable"


def render(report: GateReport) -> str:
    """Write the report: one run, one result for each finding, one rule for each rule id."""
    results = [result for contract in report.contracts for result in _results(contract)]
    rules = {row["ruleId"]: _rule(row) for row in results}
    names = sorted(rules)
    for row in results:
        row["ruleIndex"] = names.index(row["ruleId"])
        row.pop("_help", None)
    run = {
        "tool": {
            "driver": {
                "name": "Interlock",
                "semanticVersion": version("interlock"),
                "rules": [rules[name] for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [{"executionSuccessful": True, "exitCode": _exit_code(report.status)}],
    }
    return (
        json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _exit_code(status: Status) -> int:
    return {Status.FAILED: 1, Status.UNDECIDED: 3}.get(status, 0)


def _results(contract: ContractReport) -> list[dict[str, Any]]:
    found = [_result(contract, finding) for finding in contract.findings()]
    if contract.error:
        finding = Finding(_UNREADABLE, Severity.ERROR, "", contract.error, source=contract.document)
        found.append(_result(contract, finding))
    return found


def _result(contract: ContractReport, finding: Finding) -> dict[str, Any]:
    text = finding.what
    if finding.has_witness:
        text += f". Witness: {json.dumps(finding.witness, ensure_ascii=False, default=str)[:1000]}"
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(finding.source or contract.document)}}
    if finding.line:
        physical["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [
                    {"fullyQualifiedName": f"{contract.name}@{contract.version}#{finding.pointer}"}
                ],
            }
        ],
        "partialFingerprints": {"interlock/v1": finding.fingerprint},
        "properties": {"severity": str(finding.severity), "contract": f"{contract.name} {contract.version}"},
        "_help": (finding.why, finding.remedy),
    }


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    why, remedy = row["_help"]
    rule: dict[str, Any] = {"id": row["ruleId"], "shortDescription": {"text": why or row["ruleId"]}}
    if remedy:
        rule["help"] = {"text": remedy}
    return rule


def uri(path: str) -> str:
    """Write a path as a relative URI reference, so that a viewer finds the file in the repository."""
    plain = PurePath(path)
    return quote(plain.as_posix().lstrip("/") if plain.is_absolute() else plain.as_posix())
