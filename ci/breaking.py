"""Compares a contract with the earlier versions that somebody may rely on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.bases import BaseVersion
from ci.contracts import Contract
from ci.report import Comparison, placed
from kernel.contract.digest import digest
from kernel.contract.finding import Bump, Finding, Outcome
from kernel.contract.version import BUMP_ORDER
from registry.compat.policy import check_bump, compare

if TYPE_CHECKING:
    from kernel.settings import Settings


def unchanged(contract: Contract, bases: tuple[BaseVersion, ...]) -> bool:
    """Whether this very version is known already, with the same content."""
    same = digest(contract.document.root)
    return any(base.version == contract.version and base.digest == same for base in bases)


def compare_with(
    contract: Contract, bases: tuple[BaseVersion, ...], settings: Settings
) -> tuple[tuple[Comparison, ...], Bump, Finding | None]:
    """Give the verdict against each version of the major up to this one, the bump, and whether it is enough.

    Within major 0 a minor increment may break (semver 2.0.0 §4), so only versions of the same minor count.
    """
    older = [base for base in bases if _relied_on(contract, base)]
    comparisons = []
    for base in older:
        verdict = compare(base.root, contract.document.root, contract.kind, settings=settings)
        comparisons.append(
            Comparison(base.version, replace(verdict, findings=placed(contract, verdict.findings)))
        )
    required = max(
        (one.verdict.required_bump for one in comparisons), key=BUMP_ORDER.index, default=Bump.NONE
    )
    low = None
    latest = comparisons[-1] if comparisons else None
    if latest is not None and latest.verdict.outcome is not Outcome.UNDECIDED:
        low = check_bump(latest.base, contract.version, latest.verdict.required_bump)
    return tuple(comparisons), required, placed(contract, (low,))[0] if low else None


def _relied_on(contract: Contract, base: BaseVersion) -> bool:
    mine, theirs = contract.version, base.version
    if theirs.prerelease and theirs != mine:
        return False  # nobody may rely on what is not released (semver 2.0.0 §9)
    if theirs > mine or theirs.major != mine.major or (theirs == mine and not base.digest):
        return False
    return mine.major > 0 or theirs.minor == mine.minor
