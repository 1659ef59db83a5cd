"""The gate: validity, lint, compatibility and version of every contract that changed, one verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.bases import Siblings
from ci.breaking import compare_with, unchanged
from ci.contracts import Contract, Folder, read
from ci.lint import lint_contract
from ci.report import ContractReport, GateReport, Status, status_of
from kernel.errors import InterlockError

if TYPE_CHECKING:
    from ci.bases import Base
    from kernel.settings import Settings


def run_gate(folders: Iterable[Folder], base: Base | None, settings: Settings) -> GateReport:
    """Judge each contract; one that cannot be read fails, and the others are judged all the same.

    Without a base each contract is compared with the earlier versions among `folders`.
    """
    known: list[Contract] = []
    reports: list[ContractReport] = []
    for folder in folders:
        try:
            known.append(read(folder))
        except InterlockError as error:
            reports.append(_unreadable(folder, error))
    chosen = base if base is not None else Siblings(known)
    reports += [_judge(contract, chosen, settings) for contract in known]
    reports.sort(key=lambda report: (report.name, report.document))
    engines: dict[str, str] = {}
    for report in reports:
        for one in report.comparisons:
            engines |= one.verdict.engines
    return GateReport(chosen.label, tuple(reports), engines)


def _judge(contract: Contract, base: Base, settings: Settings) -> ContractReport:
    report = ContractReport(
        contract.name,
        str(contract.version),
        contract.kind,
        str(contract.folder.document),
        str(contract.folder.metadata),
        Status.UNCHANGED,
    )
    try:
        bases = base.versions(contract.name)
        if unchanged(contract, bases):
            return report
        lint = lint_contract(contract)
        comparisons, required, low = compare_with(contract, bases, settings)
    except InterlockError as error:
        return replace(report, status=Status.UNDECIDED, error=f"{error} [{error.code}]")
    return replace(
        report,
        status=status_of(lint, comparisons, low),
        lint=lint,
        comparisons=comparisons,
        bump=low,
        required_bump=required,
    )


def _unreadable(folder: Folder, error: InterlockError) -> ContractReport:
    return ContractReport(
        folder.document.parent.name,
        "",
        "",
        str(folder.document),
        str(folder.metadata),
        Status.FAILED,
        error=str(error),
    )
