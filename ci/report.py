"""What the gate found: one report for each contract, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from ci.contracts import Contract
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.version import Version


class Status(StrEnum):
    """What the gate says of one contract, and of all."""

    PASSED = "passed"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"
    FAILED = "failed"


_WORST = (Status.FAILED, Status.UNDECIDED, Status.PASSED, Status.UNCHANGED)
_BLOCKING = frozenset({Severity.ERROR, Severity.BREAKING})


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict against one older version."""

    base: Version
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ContractReport:
    """One contract version: `document` and `metadata` are paths as they were found."""

    name: str
    version: str
    kind: str
    document: str
    metadata: str
    status: Status
    lint: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    bump: Finding | None = None
    required_bump: Bump = Bump.NONE
    error: str = ""  # why the contract could not even be read

    def findings(self) -> tuple[Finding, ...]:
        """Give everything that was found, each with its file, line and column."""
        compared = (finding for one in self.comparisons for finding in one.verdict.findings)
        bump = (self.bump,) if self.bump else ()
        return (*self.lint, *compared, *bump)


@dataclass(frozen=True, slots=True)
class GateReport:
    """All contracts; `against` names what they were compared with."""

    against: str
    contracts: tuple[ContractReport, ...]
    engines: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """The worst of all."""
        return next((s for s in _WORST if any(one.status is s for one in self.contracts)), Status.PASSED)


def placed(contract: Contract, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Add file, line and column to findings that have none."""
    out = []
    for finding in findings:
        if finding.source is None:
            place = contract.document.position(finding.pointer)
            finding = replace(finding, source=place.source, line=place.line, column=place.column)  # noqa: PLW2901
        out.append(finding)
    return tuple(out)


def status_of(lint: tuple[Finding, ...], comparisons: tuple[Comparison, ...], bump: Finding | None) -> Status:
    """Add up: errors, breaks and a version too low fail; undecided comparisons are undecided."""
    if bump is not None or any(finding.severity in _BLOCKING for finding in lint):
        return Status.FAILED
    outcomes = {one.verdict.outcome for one in comparisons}
    if Outcome.BREAKING in outcomes:
        return Status.FAILED
    return Status.UNDECIDED if Outcome.UNDECIDED in outcomes else Status.PASSED
