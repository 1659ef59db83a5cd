"""The board decides: approve, reject, withdraw; the approval that completes the quorum freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.review.model import Review
    from registry.review.principal import Principal
    from registry.review.services import Services


def approve(services: Services, principal: Principal, review_id: int, *, digest: str, reason: str) -> Review:
    """Approve exactly `digest`; the approval that completes the quorum freezes the version.

    Raises `NotFound`, `NotAllowed` (role board), `DutiesNotSeparate`, `DigestMismatch`, `GateRefused`
    (blockers, or a base was frozen since), `Conflict` (review ended, or already approved by this principal).
    """
    raise NotImplementedError


def reject(services: Services, principal: Principal, review_id: int, *, digest: str, reason: str) -> Review:
    """End the review; the version's number is spent. Raises as `approve` does, but for the gate."""
    raise NotImplementedError


def withdraw(services: Services, principal: Principal, review_id: int, *, reason: str) -> Review:
    """Let an author take a submission back; the version's number is spent."""
    raise NotImplementedError
