"""The gate's report as JSON, complete: docs/reference/gate-report.schema.json describes it, and it stays."""

from __future__ import annotations

from typing import Any

from ci.formats.values import json_document
from ci.report import ContractReport, GateReport
from kernel.contract.finding import Finding

FORM = 1  # of the report; keys may be added, none changes its meaning


def render(report: GateReport) -> str:
    """Write the report, in ASCII: what a document holds cannot act on whoever prints it."""
    body = {
        "form": FORM,
        "status": str(report.status),
        "exit_code": report.exit_code,
        "against": report.against,
        "fail_on": report.fail_on,
        "contracts": [_contract(contract) for contract in report.contracts],
        "policy": dict(report.policy),
        "waivers": [finding.as_json() for one in report.waivers for finding in one.waivers],
        "notes": list(report.notes),
        "engines": dict(sorted(report.engines.items())),
    }
    return json_document(body)


def _contract(contract: ContractReport) -> dict[str, Any]:
    return {
        "name": contract.name,
        "version": contract.version,
        "kind": contract.kind or None,
        "document": contract.document,
        "status": str(contract.status),
        "required_bump": str(contract.required_bump),
        "error": contract.error.as_json() if contract.error else None,
        "frozen": _findings(contract.frozen),
        "lint": _findings(contract.lint),
        "references": _findings(contract.references),
        "judged": [{"title": title, "findings": _findings(found)} for title, found in contract.judged],
        "comparisons": [
            {
                "base": str(one.base) if one.base is not None else None,
                "place": one.place,
                "through": one.through or None,
                **one.verdict.as_json(),
            }
            for one in contract.comparisons
        ],
        "version_finding": contract.bump.as_json() if contract.bump else None,
        "consumers": None
        if contract.hit is None
        else [{"id": hit.id, "name": hit.name, "pin": hit.pin} for hit in contract.hit],
    }


def _findings(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [finding.as_json() for finding in findings]
