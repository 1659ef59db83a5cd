"""The gate before approval: why a review cannot be approved as it stands, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.contract.finding import Outcome
from kernel.contract.lifecycle import SERVED
from kernel.contract.version import Version, satisfies
from registry.review.requirement import missing_evidence

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.review.model import Assessment, ContractVersion, Review
    from registry.review.ports import Ledger


def bases(ledger: Ledger, contract: str, version: str) -> tuple[ContractVersion, ...]:
    """Give what a version must be compatible with: its major's versions that are not retired, oldest first.

    A version under review is no base: nobody may rely on it yet.
    """
    found = ledger.contracts.get(contract)
    major = Version.parse(version).major
    return tuple(
        row
        for row in reversed(found.versions if found else ())
        if row.state in SERVED and Version.parse(row.version).major == major and row.version != version
    )


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
    return tuple(reasons)


def blockers(settings: Settings, ledger: Ledger, review: Review) -> tuple[str, ...]:
    """Say everything that forbids approval now; also a base frozen since, and evidence that is missing."""
    reasons = list(verdict_blockers(review.assessment))
    judged = {(one.base_version, one.base_digest) for one in review.assessment.comparisons}
    now = {(row.version, row.digest) for row in bases(ledger, review.contract, review.version)}
    if now - judged:
        newer = ", ".join(sorted(version for version, _ in now - judged))
        reasons.append(f"{newer} was frozen after this was judged: submit it again")
    reasons += missing_evidence(settings, ledger, review)
    return tuple(reasons)
