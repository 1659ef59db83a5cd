"""The gate's report as JSON, complete: the form is documented in docs/guide/ci.md and stays."""

from __future__ import annotations

import json
from typing import Any

from ci.report import ContractReport, GateReport


def render(report: GateReport) -> str:
    """Write the report."""
    body = {
        "status": str(report.status),
        "against": report.against,
        "contracts": [_contract(contract) for contract in report.contracts],
        "engines": dict(sorted(report.engines.items())),
    }
    return json.dumps(body, indent=2, ensure_ascii=False, default=str) + "\n"


def _contract(contract: ContractReport) -> dict[str, Any]:
    return {
        "name": contract.name,
        "version": contract.version,
        "kind": contract.kind,
        "document": contract.document,
        "status": str(contract.status),
        "required_bump": str(contract.required_bump),
        "error": contract.error or None,
        "lint": [finding.as_json() for finding in contract.lint],
        "comparisons": [{"base": str(one.base), **one.verdict.as_json()} for one in contract.comparisons],
        "version_finding": contract.bump.as_json() if contract.bump else None,
    }
