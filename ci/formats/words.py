"""The sentences of a report: what came of a contract and of the run, whom it concerns, and how many."""

from __future__ import annotations

from ci.formats.safe_text import visible
from ci.report import SEVERITIES, ContractReport, GateReport, Status
from kernel.contract.finding import Bump, Finding, Severity

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
    if contract.waivers:
        return f"{counted(len(contract.waivers), 'waiver')} held in vain: over, or needed by nothing that was judged"
    if contract.status is Status.UNCHANGED:
        return "unchanged"
    if contract.judged:
        return _counts(contract)
    said = _reasons(contract)
    accepted = sum(finding.waived for finding in contract.findings())
    if not said and contract.comparisons:
        but = " but for what was accepted" if _accepted(contract) else ""
        said = [f"compatible with {listed([one.label for one in contract.comparisons])}{but}"]
        if contract.required_bump is not Bump.NONE:
            said.append(f"its changes ask for a {contract.required_bump} version")
    if accepted:
        said.append(f"{counted(accepted, 'finding')} waived")
    excused = sum(finding.excused for finding in contract.findings())
    if excused:
        said.append(f"{counted(excused, 'finding')} made harmless by settings")
    return visible("; ".join(said)) if said else "a first version, nothing to compare it with"


def _accepted(contract: ContractReport) -> int:
    """Count the findings that stand in nobody's way because somebody answers for them."""
    return sum(finding.waived or finding.excused for finding in contract.findings())


def _counts(contract: ContractReport) -> str:
    found = contract.findings()
    counts = [(sum(one.severity is severity for one in found), str(severity)) for severity in SEVERITIES]
    told = [f"{number} {word}" for number, word in counts if number]
    return f"{counted(len(found), 'finding')}: {', '.join(told)}" if told else "nothing was found"


def _reasons(contract: ContractReport) -> list[str]:
    rules = {finding.rule for finding in contract.frozen if not finding.waived}
    said = []
    if "version-removed" in rules:
        said.append("a frozen version was removed")
    if rules & {"version-edited", "metadata-edited"}:
        said.append("a frozen version was edited")
    if "version-twice" in rules:
        said.append("two folders claim this version")
    said += [
        one.what
        for one in (*contract.frozen, *contract.references)
        if one.severity is Severity.UNDECIDED and not one.waived
    ][:1]
    errors = sum(
        one.severity is Severity.ERROR and not one.waived for one in (*contract.lint, *contract.references)
    )
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
        wanted = contract.bump.remedy.rstrip(".")
        said.append(
            f"version {contract.version} is too low for what changed"
            + (f" ({wanted[0].lower()}{wanted[1:]})" if wanted else "")
        )
    return said


def headline(report: GateReport) -> str:
    """Say in one sentence what came of the whole run."""
    if report.said:
        return visible(report.said)
    total = counted(len(report.contracts), "contract")
    failed, undecided = (
        sum(one.status is status for one in report.contracts) for status in (Status.FAILED, Status.UNDECIDED)
    )
    vain = sum(len(one.waivers) for one in report.waivers)
    told = [
        f"{failed} of {total} must not be merged like this" if failed else "",
        f"{undecided} of {total} could not be decided" if undecided else "",
        f"{counted(vain, 'waiver')} held in vain" if vain else "",
    ]
    said = listed([words for words in told if words])
    if not said:
        but = sum(map(_accepted, report.contracts))
        unbroken = "nobody is broken" + (
            f" but by what was accepted ({counted(but, 'finding')})" if but else ""
        )
        said = f"{total}, {'none changed' if report.status is Status.UNCHANGED else unbroken}"
    return f"{said} (compared with {visible(report.against)})"


def engines(report: GateReport) -> str:
    """Name the engines with their versions, and the policy; a digest of rules is of use to programs only."""
    used = [
        f"{name} {version}" for name, version in sorted(report.engines.items()) if "sha256:" not in version
    ]
    policy = ", ".join(f"{name} {value}" for name, value in report.policy.items())
    return "; ".join(part.replace("_", " ") for part in (", ".join(used), policy) if part)


def tag(finding: Finding) -> str:
    """Say how bad a finding is, and whether it was accepted: `breaking, waived`."""
    return f"{finding.severity}, waived" if finding.waived else str(finding.severity)


def ruled(finding: Finding) -> str:
    """Say what the policy made of a finding, and who answers for it; empty where it made nothing of it."""
    ruling = finding.ruling
    if ruling is None:
        return ""
    if finding.waived:
        return f"until {ruling.get('expires')} by {ruling.get('owner')}: {ruling.get('reason')}"
    who = f" ({ruling['owner']})" if ruling.get("owner") else ""
    return f"as {finding.severity} instead of {ruling.get('severity')}: {ruling.get('reason')}{who}"


def ruling_row(finding: Finding) -> tuple[str, str]:
    """Give what the policy made of a finding as a row: a name and a text."""
    return ("waived" if finding.waived else "counted", ruled(finding))


def consumers(contract: ContractReport) -> str:
    """Say whom a contract concerns; empty where no registry was asked."""
    if contract.hit is None:
        return ""
    if not contract.hit:
        return "no consumer is granted this major"
    names = [f"{hit.name} ({hit.id}{f', pinned to {hit.pin}' if hit.pin else ''})" for hit in contract.hit]
    return visible(f"{counted(len(names), 'consumer')} granted this major: {listed(names)}")
