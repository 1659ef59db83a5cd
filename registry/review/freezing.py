"""What is signed when a version is frozen: an in-toto statement over its digest (docs/guide/board.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.contract.digest import digest
from kernel.sealing.dsse import Statement, Subject
from registry.review.waiver import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from registry.review.model import Review
    from registry.review.waiver import RecordedWaiver

PREDICATE = "urn:interlock:freeze:v1"


def freeze_statement(review: Review, at: datetime, waivers: Iterable[RecordedWaiver] = ()) -> Statement:
    """Say who approved what, on which verdicts, by which engines; metadata is bound by its own digest.

    Of the contract's waivers it names those that hold now and that a finding of the review needs.
    """
    groups = [one.findings for one in review.assessment.comparisons]
    groups += [one.findings for one in review.assessment.judgement.uses]
    needed = {one.fingerprint for group in groups for one in group if one.waived}
    predicate: dict[str, Any] = {
        "contract": review.contract,
        "version": review.version,
        "kind": review.kind,
        "metadata_digest": digest(review.metadata),
        "authors": list(review.authors),
        "review": review.id,
        "quorum": review.quorum,
        "approvals": [{"principal": one.principal, "at": _text(one.decided_at)} for one in review.approvals],
        "comparisons": [
            {
                "base_version": one.base_version,
                "base_digest": one.base_digest,
                "verdict": str(one.outcome),
                "required_bump": str(one.required_bump),
                "engines": dict(one.engines),
            }
            for one in review.assessment.comparisons
        ],
        "policy": dict(review.assessment.judgement.policy),
        "waivers": [
            {
                "id": one.id,
                "fingerprint": one.fingerprint,
                "rule": one.rule,
                "owner": one.owner,
                "expires": str(one.expires),
                "recorded_by": one.recorded_by,
            }
            for one in in_force(waivers, at)
            if one.fingerprint in needed
        ],
        "frozen_at": _text(at),
    }
    subject = Subject(
        f"{review.contract}/{review.version}", {"sha256": review.digest.removeprefix("sha256:")}
    )
    return Statement((subject,), PREDICATE, predicate)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
