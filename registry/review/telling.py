"""How the outcome of judging a draft is told: findings with lines, and the answer to a refused one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kernel.contract.finding import Finding, Severity
from registry.review.model import Assessment, Submission

if TYPE_CHECKING:
    from kernel.contract.document import Document
    from kernel.contract.metadata import Metadata
    from kernel.errors import InterlockError
    from registry.review.opening import Reading


def placed(document: Document, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Add file, line and column to findings that have none: people fix lines, not pointers."""
    return tuple(finding.placed(document) for finding in found)


def finding_of(error: InterlockError) -> Finding:
    """Tell an error that makes a document unusable as the finding that it is."""
    place = error.place
    return Finding(
        rule=error.code,
        severity=Severity.ERROR,
        pointer=(place.pointer if place else None) or "",
        what=error.message,
        remedy=error.hint,
        source=(place.source or None) if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
    )


def unreadable(metadata: Metadata | None, found: tuple[Finding, ...]) -> Submission:
    """Answer a draft that could not even be read; names are repeated as far as they make sense."""
    return Submission(
        contract=(metadata.name if metadata else None) or "",
        version=(metadata.version if metadata else None) or "",
        kind=cast("Any", metadata.kind if metadata else None),
        digest=None,
        status="refused",
        assessment=Assessment(found, ()),
        blockers=tuple(finding.what for finding in found if finding.severity is Severity.ERROR),
    )


def refused(reading: Reading, assessment: Assessment) -> Submission:
    """Answer a draft that could be read and is no valid contract here."""
    errors = (finding for finding in assessment.lint if finding.severity is Severity.ERROR)
    return Submission(
        contract=reading.contract,
        version=reading.version,
        kind=reading.kind,
        digest=reading.digest,
        status="refused",
        assessment=assessment,
        blockers=tuple(finding.what for finding in errors),
    )
