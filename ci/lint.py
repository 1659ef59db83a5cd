"""Validity and house rules of one contract, and whether the proxy can serve it."""

from __future__ import annotations

from ci.contracts import Contract
from ci.house import HouseRules
from ci.report import placed
from kernel.contract.finding import Finding, Severity


def lint_contract(contract: Contract, rules: HouseRules) -> tuple[Finding, ...]:
    """Give the findings about meta.yaml, the document, and what the proxy cannot serve."""
    from registry.lint.checking import served  # noqa: PLC0415 - heavy: only for contracts that changed
    from registry.lint.document import lint  # noqa: PLC0415 - as above

    root = contract.document.root
    house = rules.house(contract.name, contract.folder.path, contract.pinned)
    found = lint(root, contract.kind, name=contract.name, document=contract.document, house=house)
    if not any(finding.severity is Severity.ERROR for finding in found):
        found += served(root, contract.kind, contract.document)
    return (*contract.gaps, *placed(contract, found))
