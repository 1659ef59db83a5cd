"""What the gate found: one report for each contract, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.version import Version

if TYPE_CHECKING:
    from ci.bases import BaseVersion
    from ci.contracts import Contract

FailOn = Literal["breaking", "risky"]


class Status(StrEnum):
    """What the gate says of one contract, and of all."""

    PASSED = "passed"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"
    FAILED = "failed"


_WORST = (Status.FAILED, Status.UNDECIDED, Status.PASSED, Status.UNCHANGED)
_FATAL = frozenset({Severity.ERROR, Severity.BREAKING})
SEVERITIES = (
    Severity.BREAKING,
    Severity.ERROR,
    Severity.RISKY,
    Severity.UNDECIDED,
    Severity.WARNING,
    Severity.INFO,
    Severity.SAFE,
)
EXIT_CODES = {Status.PASSED: 0, Status.UNCHANGED: 0, Status.FAILED: 1, Status.UNDECIDED: 3}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict against one earlier version; `base` is None where its number is not known.

    `place` is where that version lies. `through` names the contract by whose use a canonical schema is judged.
    """

    base: Version | None
    place: str
    verdict: Verdict
    through: str = ""

    @property
    def label(self) -> str:
        """What it was compared with, as people say it."""
        name = str(self.base) if self.base is not None else self.place
        return f"{name} (as {self.through} uses it)" if self.through else name


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as a report tells it, with what it was found against (empty: no comparison found it)."""

    finding: Finding
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A consumer that is granted the contract's major; `pin` is the version it is held to, if any."""

    id: str
    name: str
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class ContractReport:
    """One contract version: `document` and `metadata` are paths relative to the repository.

    `hit` is None where no registry was asked who is concerned.
    """

    name: str
    version: str
    kind: str
    document: str
    metadata: str
    status: Status
    frozen: tuple[Finding, ...] = ()
    lint: tuple[Finding, ...] = ()
    references: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    bump: Finding | None = None
    waivers: tuple[Finding, ...] = ()  # of a file of waivers: those that hold no longer
    required_bump: Bump = Bump.NONE
    hit: tuple[Hit, ...] | None = None
    error: Finding | None = None  # why the contract could not be judged at all
    judged: tuple[
        tuple[str, tuple[Finding, ...]], ...
    ] = ()  # in place of what the gate judges: title, findings

    @property
    def label(self) -> str:
        """Name and version, as people say it."""
        return f"{self.name} {self.version}".strip()

    def groups(self) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
        """Give what was judged, a title and the findings each, in the order of the work."""
        if self.waivers:
            return (("every waiver is in force and needed", self.waivers),)
        if self.error is not None:
            return (("can be read and judged", (self.error,)),)
        if self.judged:
            return self.judged
        compared = ((f"compatible with {one.label}", one.verdict.findings) for one in self.comparisons)
        return (
            ("frozen versions are untouched", self.frozen),
            ("valid, and in the order of the house", self.lint),
            ("canonical schemas are known", self.references),
            *compared,
            ("the version number is high enough", (self.bump,) if self.bump else ()),
        )

    def entries(self) -> tuple[Entry, ...]:
        """Give everything that was found, worst first, each once with all the versions that it was found against."""
        found: dict[tuple[str, str], Entry] = {}
        against = {id(one.verdict.findings): one.label for one in self.comparisons}
        for _, findings in self.groups():
            label = against.get(id(findings), "")
            for finding in findings:
                key = (finding.fingerprint, finding.what)
                known = found.get(key)
                labels = (*(known.against if known else ()), *([label] if label else []))
                found[key] = Entry(finding, labels)
        return tuple(sorted(found.values(), key=lambda entry: rank(entry.finding)))

    def findings(self) -> tuple[Finding, ...]:
        """Give everything that was found, worst first, each once."""
        return tuple(entry.finding for entry in self.entries())


@dataclass(frozen=True, slots=True)
class GateReport:
    """All contracts; `against` names what they were compared with, `notes` what a reader should know of the run."""

    against: str
    contracts: tuple[ContractReport, ...]
    engines: dict[str, str] = field(default_factory=dict)
    fail_on: FailOn = "risky"
    policy: dict[str, str] = field(default_factory=dict)  # profile, day …
    waivers: tuple[ContractReport, ...] = ()  # one for each file that holds a waiver in vain
    notes: tuple[str, ...] = ()
    docs_url: str = ""
    said: str = ""  # the sentence of the whole run, where no gate asked

    def rows(self) -> tuple[ContractReport, ...]:
        """Give everything that has a result: the contracts, and the files of waivers."""
        return (*self.contracts, *self.waivers)

    @property
    def status(self) -> Status:
        """The worst of all."""
        return next((s for s in _WORST if any(one.status is s for one in self.rows())), Status.PASSED)

    @property
    def exit_code(self) -> int:
        """0 all passed, 1 something failed, 3 nothing failed and something is undecided."""
        return EXIT_CODES[self.status]


def placed(
    contract: Contract, findings: Iterable[Finding], base: BaseVersion | None = None
) -> tuple[Finding, ...]:
    """Add file, line and column, in the older document too, to findings that have none; paths are the repository's."""
    return tuple(_in_base(_here(contract, finding), base) for finding in findings)


def _here(contract: Contract, finding: Finding) -> Finding:
    found = finding.placed(contract.document)
    return replace(found, source=contract.folder.shown(found.source))


def _in_base(finding: Finding, base: BaseVersion | None) -> Finding:
    if base is None or finding.base_pointer is None or finding.base_line is not None:
        return finding
    place = base.document.position(finding.base_pointer)
    return replace(finding, base_source=base.place, base_line=place.line, base_column=place.column)


def rank(finding: Finding) -> tuple[bool, int, int]:
    """Order findings: the worst first, ours before second opinions, what follows from others after them; waived last."""
    follows = 2 if finding.rule == "version-too-low" else int(finding.engine != "interlock")
    return finding.waived, SEVERITIES.index(finding.severity), follows


def blocks(finding: Finding, fail_on: FailOn) -> bool:
    """Whether a finding stands in the way: it fails, or nobody knows, and nobody accepted it."""
    if finding.waived:
        return False
    return finding.severity in _FATAL | {Severity.UNDECIDED} or (
        finding.severity is Severity.RISKY and fail_on == "risky"
    )


def status_of(report: ContractReport, fail_on: FailOn) -> Status:
    """Add up: what breaks fails, also beside things undecided; what is not known is undecided, never passed."""
    blocking = {finding.severity for finding in report.findings() if blocks(finding, fail_on)}
    outcomes = {one.verdict.outcome for one in report.comparisons}
    if blocking - {Severity.UNDECIDED} or Outcome.BREAKING in outcomes:
        return Status.FAILED
    return Status.UNDECIDED if blocking or Outcome.UNDECIDED in outcomes else Status.PASSED
