"""Compares a contract with the earlier versions that somebody may rely on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.bases import BaseVersion
from ci.contracts import Contract
from ci.report import Comparison, placed
from ci.rules import found
from kernel.contract.document import kind_of
from kernel.contract.finding import Bump, Finding, Outcome, Verdict
from kernel.contract.version import BUMP_ORDER
from kernel.errors import InterlockError
from registry.compat.policy import check_bump
from registry.compat.policy_judge import Policy, judge
from registry.compat.rules import BY_ID

if TYPE_CHECKING:
    from kernel.settings import Settings


def compare_with(
    contract: Contract, bases: tuple[BaseVersion, ...], policy: Policy, settings: Settings
) -> tuple[tuple[Comparison, ...], Bump, Finding | None]:
    """Give the verdict against each version of the major, the bump, and whether the declared one is enough.

    Within major 0 a minor increment may break (semver 2.0.0 §4), so only versions of the same minor count.
    """
    relied_on = [base for base in bases if _relied_on(contract, base)]
    comparisons = tuple(_compared(contract, base, policy, settings) for base in relied_on)
    required = max(
        (one.verdict.required_bump for one in comparisons), key=BUMP_ORDER.index, default=Bump.NONE
    )
    older = [one for one in comparisons if one.base is not None and one.base <= contract.version]
    low = None
    if older and older[-1].base is not None and older[-1].verdict.outcome is not Outcome.UNDECIDED:
        low = check_bump(older[-1].base, contract.version, older[-1].verdict.required_bump)
    return comparisons, required, placed(contract, (low,))[0] if low else None


def _compared(contract: Contract, base: BaseVersion, policy: Policy, settings: Settings) -> Comparison:
    try:
        before = base.document
        kinds = (kind_of(before.root), contract.kind)
        if kinds[0] != kinds[1]:
            verdict = _kinds_differ(*kinds)
        else:
            ends = (before.root, contract.document.root)
            verdict = judge(*ends, contract.kind, policy, contract=contract.name, settings=settings)
    except InterlockError as error:
        finding = found("base-unreadable", "", f"{base.place} cannot be read: {error}")
        return Comparison(base.version, base.place, Verdict(Outcome.UNDECIDED, Bump.MAJOR, (finding,)))
    return Comparison(
        base.version, base.place, replace(verdict, findings=placed(contract, verdict.findings, base))
    )


def _kinds_differ(before: str, after: str) -> Verdict:
    rule = BY_ID["kinds-differ"]
    what = f"The earlier version is a document of kind {before}, this one of kind {after}"
    finding = Finding(
        rule.id, rule.severity, "", what, why=rule.why, remedy=rule.remedy, before=before, after=after
    )
    return Verdict(Outcome.UNDECIDED, Bump.MAJOR, (finding,))


def _relied_on(contract: Contract, base: BaseVersion) -> bool:
    """Whether somebody may rely on a version and expect this one to serve in its place."""
    mine, theirs = contract.version, base.version
    if theirs is None:
        return True
    if theirs.prerelease:
        return False  # nobody may rely on what is not released (semver 2.0.0 §9)
    if theirs.major != mine.major or (theirs > mine and (mine.prerelease or not base.frozen)):
        return False
    return mine.major > 0 or theirs.minor == mine.minor
