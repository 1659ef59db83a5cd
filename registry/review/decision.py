"""The board decides: approve, reject, withdraw; the approval that completes the quorum freezes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel.contract.lifecycle import State, advance
from registry.errors import Conflict, DigestMismatch, GateRefused, NotAllowed
from registry.review import quorum
from registry.review.acts import acting, reasoned, record
from registry.review.catalogue import known_review
from registry.review.freezing import freeze_statement
from registry.review.judging import judged_otherwise
from registry.review.model import Approval, ReviewState
from registry.review.principal import Role

if TYPE_CHECKING:
    from registry.review.model import Review
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services


def approve(services: Services, principal: Principal, review_id: int, *, digest: str, reason: str) -> Review:
    """Approve exactly `digest`; the approval that completes the quorum freezes the version.

    Raises `NotFound`, `NotAllowed` (role board), `DutiesNotSeparate`, `DigestMismatch`, `GateRefused`
    (blockers, a base was frozen since, or the day judges otherwise), `Conflict` (review ended, or already
    approved by this principal).
    """
    reason = reasoned(reason)
    late = judged_otherwise(services, review_id)  # it may take its time, so it is asked outside of the act
    with acting(services) as ledger:
        review = _judged(services, ledger, principal, review_id, digest, act="approve")
        blockers = (*review.blockers, *late)
        if blockers:
            raise GateRefused(
                f"{review.contract} {review.version} cannot be approved: {blockers[0]}",
                reasons=blockers,
                hint="submit a version that does not break, or a new major; the board may waive single findings",
            )
        if any(one.principal == principal.name for one in review.approvals):
            raise Conflict(f"{principal.name} has approved review {review_id} already")
        approval = Approval(review_id, principal.name, digest, reason, services.now())
        ledger.reviews.approve(approval)
        _tell(services, ledger, principal, "approve", review, reason=reason)
        review = replace(review, approvals=(*review.approvals, approval))
        if quorum.reached(review, services.settings):
            _freeze(services, ledger, principal, review)
        return known_review(services, ledger, review_id)


def reject(services: Services, principal: Principal, review_id: int, *, digest: str, reason: str) -> Review:
    """End the review; the version's number is spent. Raises as `approve` does, but for the gate."""
    reason = reasoned(reason)
    with acting(services) as ledger:
        review = _judged(services, ledger, principal, review_id, digest, act="reject")
        ledger.contracts.end(review.contract, review.version, advance(State.IN_REVIEW, "reject"))
        ledger.reviews.end(review_id, ReviewState.REJECTED, services.now(), principal.name, reason)
        _tell(services, ledger, principal, "reject", review, reason=reason)
        return known_review(services, ledger, review_id)


def withdraw(services: Services, principal: Principal, review_id: int, *, reason: str) -> Review:
    """Let an author take a submission back; the version's number is spent."""
    reason = reasoned(reason)
    principal.require(Role.AUTHOR, Role.CI, act="withdraw a submission")
    with acting(services) as ledger:
        review = _open(services, ledger, review_id)
        if principal.name not in review.authors:
            raise NotAllowed(
                f"{principal.name} did not submit review {review_id}", hint="its author may withdraw it"
            )
        ledger.contracts.end(review.contract, review.version, advance(State.IN_REVIEW, "withdraw"))
        ledger.reviews.end(review_id, ReviewState.WITHDRAWN, services.now(), principal.name, reason)
        _tell(services, ledger, principal, "withdraw", review, reason=reason)
        return known_review(services, ledger, review_id)


def _judged(
    services: Services, ledger: Ledger, principal: Principal, review_id: int, digest: str, *, act: str
) -> Review:
    review = _open(services, ledger, review_id)
    quorum.require_judge(principal, review, act=f"{act} a contract")
    if digest != review.digest:
        raise DigestMismatch(
            f"review {review_id} is about {review.digest}, not about the digest that was given",
            hint="look at the review again: it may have been submitted anew since",
        )
    return review


def _open(services: Services, ledger: Ledger, review_id: int) -> Review:
    review = known_review(services, ledger, review_id)
    if review.state is not ReviewState.OPEN:
        raise Conflict(
            f"review {review_id} has ended: {review.state}", hint="`interlock review list` shows open ones"
        )
    return review


def _freeze(services: Services, ledger: Ledger, principal: Principal, review: Review) -> None:
    """Freeze, sign and record in the one transaction that holds the last approval too."""
    at = services.now()
    advance(State.IN_REVIEW, "freeze")
    statement = services.press.sign(freeze_statement(review, at, ledger.waivers.of(review.contract)))
    ledger.contracts.freeze(review.contract, review.version, at, statement)
    ledger.reviews.end(review.id, ReviewState.FROZEN, at, principal.name, "quorum reached")
    ledger.serials.bump("contracts")
    judges = ", ".join(sorted(one.principal for one in review.approvals))
    record(
        services,
        ledger,
        principal,
        "freeze",
        f"{review.contract}@{review.version}",
        digest=review.digest,
        detail={"review": review.id, "approvals": len(review.approvals), "approved_by": judges},
    )


def _tell(
    services: Services, ledger: Ledger, principal: Principal, act: str, review: Review, *, reason: str
) -> None:
    subject = f"{review.contract}@{review.version}"
    detail = {"review": review.id}
    record(services, ledger, principal, act, subject, digest=review.digest, note=reason, detail=detail)
