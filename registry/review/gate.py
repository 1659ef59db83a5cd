"""The gate before approval: why a review cannot be approved as it stands, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.contract.finding import Outcome
from kernel.contract.lifecycle import SERVED
from kernel.contract.version import Version, satisfies
from registry.compat.policy_modes import held_to
from registry.review.house_policy import mode_of
from registry.review.requirement import missing_evidence

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.compat.policy_modes import Mode
    from registry.review.model import Assessment, ContractVersion, Review
    from registry.review.ports import Ledger


def bases(ledger: Ledger, contract: str, version: str) -> tuple[ContractVersion, ...]:
    """Give what somebody may rely on: the major's versions that are not retired, oldest first.

    A version under review is no base: nobody may rely on it yet.
    """
    found = ledger.contracts.get(contract)
    major = Version.parse(version).major
    return tuple(
        row
        for row in reversed(found.versions if found else ())
        if row.state in SERVED and Version.parse(row.version).major == major and row.version != version
    )


def held(ledger: Ledger, contract: str, version: str, mode: Mode | None) -> tuple[ContractVersion, ...]:
    """Give the versions that a version is held to: all bases, or those that a schema's mode asks for.

    A version of a lower number than all of them is held to all, whatever the mode.
    """
    found = bases(ledger, contract, version)
    number = Version.parse(version)
    earlier = tuple(row for row in found if Version.parse(row.version) < number)
    if mode is None or not earlier or held_to(mode, (1, 2)) == (1, 2):
        return found
    return tuple(held_to(mode, earlier))


def verdict_blockers(assessment: Assessment) -> tuple[str, ...]:
    """Say what of the comparisons stands in the way: breaks, things undecided, a version number too small."""
    reasons = []
    for one in assessment.comparisons:
        if one.outcome is Outcome.BREAKING:
            reasons.append(f"it breaks whoever relies on {one.base_version}: only a new major may")
        elif one.outcome is Outcome.UNDECIDED:
            reasons.append(f"whether it breaks whoever relies on {one.base_version} could not be decided")
        elif not satisfies(one.declared_bump, one.required_bump):
            reasons.append(
                f"against {one.base_version} it needs a {one.required_bump} version, "
                f"and its number declares {one.declared_bump}"
            )
    for use in assessment.judgement.uses:
        if use.outcome is Outcome.BREAKING:
            reasons.append(f"{use.contract} {use.version} uses it, and would break its own consumers with it")
        elif use.outcome is Outcome.UNDECIDED:
            reasons.append(f"whether {use.contract} {use.version}, which uses it, would break is undecided")
    return tuple(reasons)


def blockers(settings: Settings, ledger: Ledger, review: Review) -> tuple[str, ...]:
    """Say everything that forbids approval now; also a base frozen since, and evidence that is missing."""
    reasons = list(verdict_blockers(review.assessment))
    judged = {(one.base_version, one.base_digest) for one in review.assessment.comparisons}
    mode = mode_of(review.kind, review.metadata)
    now = {(row.version, row.digest) for row in held(ledger, review.contract, review.version, mode)}
    if now - judged:
        newer = ", ".join(sorted(version for version, _ in now - judged))
        reasons.append(f"{newer} was frozen after this was judged: submit it again")
    reasons += missing_evidence(settings, ledger, review)
    return tuple(reasons)
