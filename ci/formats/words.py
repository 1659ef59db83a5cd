"""The sentences of a report: what came of a contract and of the run, whom it concerns, and how many."""

from __future__ import annotations

from ci.formats.safe_text import visible
from ci.report import ContractReport, GateReport, Status
from kernel.contract.finding import Bump, Severity

SIGNS = {Status.PASSED: "✓", Status.UNCHANGED: "·", Status.UNDECIDED: "?", Status.FAILED: "✗"}


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Write a number with its noun: 1 finding, 2 findings."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def listed(words: tuple[str, ...] | list[str]) -> str:
    """Write a list as a sentence does: a, b and c."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def summary(contract: ContractReport) -> str:
    """Say in one sentence what came of a contract."""
    if contract.error is not None:
        return contract.error.what
    if contract.status is Status.UNCHANGED:
        return "unchanged"
    said = _reasons(contract)
    if not said and contract.comparisons:
        said = [f"compatible with {listed([one.label for one in contract.comparisons])}"]
        if contract.required_bump is not Bump.NONE:
            said.append(f"its changes ask for a {contract.required_bump} version")
    return visible("; ".join(said)) if said else "a first version, nothing to compare it with"


def _reasons(contract: ContractReport) -> list[str]:
    rules = {finding.rule for finding in contract.frozen}
    said = []
    if "version-removed" in rules:
        said.append("a frozen version was removed")
    if rules & {"version-edited", "metadata-edited"}:
        said.append("a frozen version was edited")
    if "version-twice" in rules:
        said.append("two folders claim this version")
    errors = sum(one.severity is Severity.ERROR for one in (*contract.lint, *contract.references))
    if errors:
        said.append(f"{counted(errors, 'error')} in the contract itself")
    for outcome, words in (
        ("breaking", "breaks whoever relies on"),
        ("undecided", "could not be decided against"),
    ):
        bases = [one.label for one in contract.comparisons if one.verdict.outcome == outcome]
        if bases:
            said.append(f"{words} {listed(bases)}")
    if contract.bump is not None:
        said.append(f"version {contract.version} is too low for what changed")
    return said


def headline(report: GateReport) -> str:
    """Say in one sentence what came of the whole run."""
    total = counted(len(report.contracts), "contract")
    counts = {status: sum(one.status is status for one in report.contracts) for status in Status}
    told = {
        Status.FAILED: f"{counts[Status.FAILED]} of {total} must not be merged like this",
        Status.UNDECIDED: f"{counts[Status.UNDECIDED]} of {total} could not be decided",
        Status.PASSED: f"{total}, nobody is broken",
        Status.UNCHANGED: f"{total}, none changed",
    }
    return f"{told[report.status]} (compared with {visible(report.against)})"


def consumers(contract: ContractReport) -> str:
    """Say whom a contract concerns; empty where no registry was asked."""
    if contract.hit is None:
        return ""
    if not contract.hit:
        return "no consumer is granted this major"
    names = [f"{hit.name} ({hit.id}{f', pinned to {hit.pin}' if hit.pin else ''})" for hit in contract.hit]
    return visible(f"{counted(len(names), 'consumer')} granted this major: {listed(names)}")
