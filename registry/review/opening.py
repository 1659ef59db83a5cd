"""Opens a review: draft, document, everything that was found, and the audit record, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from kernel.contract.lifecycle import State
from registry.review.acts import record
from registry.review.catalogue import known_review
from registry.review.model import ContractVersion, Review, ReviewState

if TYPE_CHECKING:
    from kernel.contract.document import Document
    from kernel.contract.finding import Finding
    from registry.review.model import Assessment, Draft, Kind
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services


@dataclass(frozen=True, slots=True)
class Reading:
    """A draft whose form is right: it can be judged. `whole` is the root with its URNs embedded."""

    contract: str
    version: str
    kind: Kind
    document: Document
    metadata: dict[str, Any]
    audience: str
    canonical: bytes
    digest: str
    whole: Any


def put_in_review(
    services: Services,
    ledger: Ledger,
    principal: Principal,
    draft: Draft,
    reading: Reading,
    *,
    assessment: Assessment,
) -> Review:
    """Open a review, or give the one that stands when the same was submitted and judged alike before.

    A standing review of another content is superseded: its approvals are dismissed.
    """
    standing = ledger.reviews.open_of(reading.contract, reading.version)
    if standing is not None:
        same = (standing.digest, standing.metadata) == (reading.digest, reading.metadata)
        if same and _judged(standing.assessment) == _judged(assessment):
            return known_review(services, ledger, standing.id)
        ledger.reviews.end(
            standing.id, ReviewState.SUPERSEDED, services.now(), principal.name, "submitted again"
        )
    if ledger.contracts.get(reading.contract) is None:
        ledger.contracts.add(reading.contract, reading.kind, services.now(), principal.name)
    ledger.contracts.keep_blob(reading.digest, reading.canonical)
    version = _version(services, principal, reading)
    ledger.contracts.put_draft(version)
    review = _review(services, version, assessment)
    number = ledger.reviews.open(review, draft.document, reading.document.media, draft.metadata)
    ledger.contracts.propose(reading.contract, reading.version, number)
    detail: dict[str, str | int] = {"review": number, "verdict": str(assessment.outcome)}
    if standing is not None:
        detail["supersedes"] = standing.id
    record(services, ledger, principal, "submit", version.label, digest=reading.digest, detail=detail)
    return known_review(services, ledger, number)


def _version(services: Services, principal: Principal, reading: Reading) -> ContractVersion:
    return ContractVersion(
        contract=reading.contract,
        version=reading.version,
        kind=reading.kind,
        state=State.DRAFT,
        digest=reading.digest,
        audience=cast("Any", reading.audience),
        title=str(reading.metadata.get("title") or reading.contract),
        owner=str(reading.metadata["owner"]),
        metadata=reading.metadata,
        author=principal.name,
        review_id=0,
        submitted_at=services.now(),
    )


def _review(services: Services, version: ContractVersion, assessment: Assessment) -> Review:
    return Review(
        id=0,
        contract=version.contract,
        version=version.version,
        kind=version.kind,
        digest=version.digest,
        state=ReviewState.OPEN,
        author=version.author,
        authors=(version.author,),
        submitted_at=version.submitted_at,
        metadata=version.metadata,
        assessment=assessment,
        approvals=(),
        quorum=int(services.settings["board_quorum"]),
    )


def _judged(assessment: Assessment) -> Any:
    """Give what an assessment came to: with whom it was compared and what was found, but not on which day."""
    policy = {name: value for name, value in assessment.judgement.policy.items() if name != "as_of"}
    compared = [
        (one.base_version, one.base_digest, one.outcome, _found(one.findings))
        for one in assessment.comparisons
    ]
    used = [
        (one.contract, one.version, one.outcome, _found(one.findings)) for one in assessment.judgement.uses
    ]
    return policy, compared, used


def _found(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return sorted((one.fingerprint, str(one.severity)) for one in findings)
