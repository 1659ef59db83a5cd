"""Reviews with the documents, findings, verdicts and approvals that belong to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from kernel.contract.finding import Bump, Finding, Outcome
from registry.review.model import Approval, Assessment, Comparison, Judgement, Review, ReviewState, Use
from registry.store.judging_tables import judgements
from registry.store.tables import approvals, contracts, documents, findings, reviews, verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from registry.review.model import Media

_R = reviews.c
_LINT = ""  # base version of findings about the document alone


class SqlReviews:
    """See registry/review/shelves.py: ReviewShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, review: Review, document: bytes, media: Media, meta: bytes) -> int:
        """Keep a new review with everything that was found; its `id` is ignored and the new one returned."""
        row = {
            "contract": review.contract,
            "version": review.version,
            "digest": review.digest,
            "state": review.state,
            "author": review.author,
            "metadata": review.metadata,
            "quorum": review.quorum,
            "submitted_at": review.submitted_at,
            "end_reason": "",
        }
        done = self._connection.execute(insert(reviews).values(row).returning(_R.id))
        review_id: int = done.scalar_one()
        kept = {"review_id": review_id, "media": media, "document": document, "meta": meta}
        self._connection.execute(insert(documents).values(kept))
        self._keep_findings(review_id, _LINT, review.assessment.lint)
        for comparison in review.assessment.comparisons:
            self._keep_comparison(review_id, comparison)
        self._keep_judgement(review_id, review.assessment.judgement)
        return review_id

    def get(self, review_id: int) -> Review | None:
        """Give one review."""
        found = self._reviews(_R.id == review_id, limit=1)
        return found[0] if found else None

    def find(self, state: ReviewState | None, limit: int, after: int) -> tuple[Review, ...]:
        """Give reviews, oldest first."""
        condition = _R.id > after
        if state is not None:
            condition &= _R.state == state
        return self._reviews(condition, limit=limit, whole=False)

    def open_of(self, contract: str, version: str) -> Review | None:
        """Give the open review of a version."""
        condition = (_R.contract == contract) & (_R.version == version) & (_R.state == ReviewState.OPEN)
        found = self._reviews(condition, limit=1)
        return found[0] if found else None

    def approve(self, approval: Approval) -> None:
        """Add an approval."""
        row = {
            "review_id": approval.review_id,
            "principal": approval.principal,
            "digest": approval.digest,
            "reason": approval.reason,
            "decided_at": approval.decided_at,
        }
        self._connection.execute(insert(approvals).values(row))

    def end(self, review_id: int, state: ReviewState, at: datetime, by: str, reason: str) -> None:
        """End a review; superseding it dismisses its approvals."""
        values = {"state": state, "ended_at": at, "ended_by": by, "end_reason": reason}
        self._connection.execute(update(reviews).where(_R.id == review_id).values(values))
        if state is ReviewState.SUPERSEDED:
            mine = (approvals.c.review_id == review_id) & approvals.c.dismissed_at.is_(None)
            self._connection.execute(update(approvals).where(mine).values(dismissed_at=at))

    def document(self, review_id: int) -> tuple[bytes, Media] | None:
        """Give the submitted bytes."""
        query = select(documents.c.document, documents.c.media).where(documents.c.review_id == review_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.document, row.media)

    def _keep_comparison(self, review_id: int, comparison: Comparison) -> None:
        row = {
            "review_id": review_id,
            "base_version": comparison.base_version,
            "base_digest": comparison.base_digest,
            "outcome": comparison.outcome,
            "required_bump": comparison.required_bump,
            "declared_bump": comparison.declared_bump,
            "engines": dict(comparison.engines),
        }
        self._connection.execute(insert(verdicts).values(row))
        self._keep_findings(review_id, comparison.base_version, comparison.findings)

    def _keep_judgement(self, review_id: int, judgement: Judgement) -> None:
        uses = [
            {
                "contract": use.contract,
                "version": use.version,
                "directions": list(use.directions),
                "outcome": str(use.outcome),
                "findings": [one.stored() for one in use.findings],
                "engines": dict(use.engines),
            }
            for use in judgement.uses
        ]
        row = {"review_id": review_id, "policy": dict(judgement.policy), "uses": uses}
        self._connection.execute(insert(judgements).values(row))

    def _judgement(self, review_id: int) -> Judgement:
        """Give how a review was judged; one that an older release judged has nothing to say of it."""
        row = self._connection.execute(
            select(judgements).where(judgements.c.review_id == review_id)
        ).one_or_none()
        return Judgement() if row is None else Judgement(row.policy, tuple(map(_use, row.uses)))

    def _keep_findings(self, review_id: int, base: str, found: Sequence[Finding]) -> None:
        rows = [
            {
                "review_id": review_id,
                "base_version": base,
                "position": position,
                "rule": finding.rule,
                "severity": finding.severity,
                "fingerprint": finding.fingerprint,
                "body": finding.stored(),
            }
            for position, finding in enumerate(found)
        ]
        if rows:
            self._connection.execute(insert(findings), rows)

    def _reviews(self, condition: Any, *, limit: int, whole: bool = True) -> tuple[Review, ...]:
        query = select(reviews, contracts.c.kind).join(contracts, contracts.c.name == _R.contract)
        rows = self._connection.execute(query.where(condition).order_by(_R.id).limit(limit)).all()
        return tuple(self._review(row, whole=whole) for row in rows)

    def _review(self, row: Row[Any], *, whole: bool) -> Review:
        same = (_R.contract == row.contract) & (_R.version == row.version) & (_R.id <= row.id)
        authors = self._connection.execute(select(_R.author).where(same).distinct().order_by(_R.author))
        return Review(
            id=row.id,
            contract=row.contract,
            version=row.version,
            kind=row.kind,
            digest=row.digest,
            state=ReviewState(row.state),
            author=row.author,
            authors=tuple(authors.scalars()),
            submitted_at=row.submitted_at,
            metadata=row.metadata,
            assessment=self._assessment(row.id, self._findings(row.id) if whole else {}),
            approvals=self._approvals(row.id),
            quorum=row.quorum,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
            end_reason=row.end_reason,
        )

    def _approvals(self, review_id: int) -> tuple[Approval, ...]:
        counts = (approvals.c.review_id == review_id) & approvals.c.dismissed_at.is_(None)
        query = select(approvals).where(counts).order_by(approvals.c.decided_at, approvals.c.principal)
        return tuple(
            Approval(row.review_id, row.principal, row.digest, row.reason, row.decided_at)
            for row in self._connection.execute(query)
        )

    def _findings(self, review_id: int) -> dict[str, list[Finding]]:
        query = select(findings.c.base_version, findings.c.body).where(findings.c.review_id == review_id)
        query = query.order_by(findings.c.base_version, findings.c.position)
        found: dict[str, list[Finding]] = {}
        for base, body in self._connection.execute(query):
            found.setdefault(base, []).append(Finding.from_stored(body))
        return found

    def _assessment(self, review_id: int, found: dict[str, list[Finding]]) -> Assessment:
        query = select(verdicts).where(verdicts.c.review_id == review_id).order_by(verdicts.c.base_version)
        comparisons = tuple(
            Comparison(
                base_version=row.base_version,
                base_digest=row.base_digest,
                outcome=Outcome(row.outcome),
                required_bump=Bump(row.required_bump),
                declared_bump=Bump(row.declared_bump),
                findings=tuple(found.get(row.base_version, ())),
                engines=row.engines,
            )
            for row in self._connection.execute(query)
        )
        return Assessment(tuple(found.get(_LINT, ())), comparisons, self._judgement(review_id))


def _use(row: dict[str, Any]) -> Use:
    return Use(
        row["contract"],
        row["version"],
        tuple(row["directions"]),
        Outcome(row["outcome"]),
        tuple(map(Finding.from_stored, row["findings"])),
        row["engines"],
    )
