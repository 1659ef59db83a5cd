"""Values of the registry as the JSON of its contract; the only place that knows both forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kernel.contract.finding import Finding
    from registry.review.environment import Adapter, Consumer, ConsumerKey, Route
    from registry.review.model import (
        Approval,
        Assessment,
        Comparison,
        Contract,
        ContractVersion,
        Hit,
        Review,
        Submission,
    )

_MOST_FINDINGS: Final = 20_000  # what one list of the contract holds
_MOST_REASONS, _LONGEST_REASON = 1_000, 1_000


def contract(row: Contract) -> dict[str, Any]:
    """Write schema Contract."""
    return {
        "name": row.name,
        "kind": row.kind,
        "title": row.title,
        "owner": row.owner,
        "domain": row.domain,
        "audience": row.audience,
        "created_at": moment(row.created_at),
        "versions": [version(one) for one in row.versions],
    }


def version(row: ContractVersion) -> dict[str, Any]:
    """Write schema Version."""
    return {
        "contract": row.contract,
        "version": row.version,
        "kind": row.kind,
        "state": str(row.state),
        "digest": row.digest,
        "audience": row.audience,
        "title": row.title,
        "owner": row.owner,
        "author": row.author,
        "review_id": row.review_id,
        "submitted_at": moment(row.submitted_at),
        "frozen_at": moment(row.frozen_at),
        "deprecated_at": moment(row.deprecated_at),
        "sunset_at": moment(row.sunset_at),
        "retired_at": moment(row.retired_at),
        "active": row.active,
        "metadata": dict(row.metadata),
    }


def review(row: Review) -> dict[str, Any]:
    """Write schema Review."""
    return {
        "id": row.id,
        "contract": row.contract,
        "version": row.version,
        "kind": row.kind,
        "digest": row.digest,
        "state": str(row.state),
        "author": row.author,
        "authors": list(row.authors),
        "submitted_at": moment(row.submitted_at),
        "metadata": dict(row.metadata),
        "assessment": assessment(row.assessment),
        "approvals": [_approval(one) for one in row.approvals],
        "quorum": row.quorum,
        "missing": row.missing,
        "blockers": _reasons(row.blockers),
        "ended_at": moment(row.ended_at),
        "ended_by": row.ended_by,
        "end_reason": row.end_reason,
    }


def submission(row: Submission) -> dict[str, Any]:
    """Write schema Submission."""
    return {
        "contract": row.contract,
        "version": row.version,
        "kind": row.kind,
        "digest": row.digest,
        "status": row.status,
        "assessment": assessment(row.assessment),
        "blockers": _reasons(row.blockers),
        "review_id": row.review.id if row.review else None,
        "missing": row.review.missing if row.review else None,
    }


def assessment(row: Assessment) -> dict[str, Any]:
    """Write schema Assessment."""
    return {
        "refused": row.refused,
        "verdict": str(row.outcome),
        "required_bump": str(row.required_bump),
        "lint": findings(row.lint),
        "comparisons": [_comparison(one) for one in row.comparisons],
    }


def consumer(row: Consumer) -> dict[str, Any]:
    """Write schema Consumer."""
    return {
        "id": row.id,
        "name": row.name,
        "audience": row.audience,
        "created_at": moment(row.created_at),
        "created_by": row.created_by,
        "keys": [key(one) for one in row.keys],
        "grants": [msgspec.to_builtins(one) for one in row.grants],
        "limits": [msgspec.to_builtins(one) for one in row.limits],
    }


def key(row: ConsumerKey) -> dict[str, Any]:
    """Write schema Key."""
    return {
        "id": row.id,
        "created_at": moment(row.created_at),
        "created_by": row.created_by,
        "expires_at": moment(row.expires_at),
        "revoked_at": moment(row.revoked_at),
    }


def adapter(row: Adapter) -> dict[str, Any]:
    """Write schema Adapter."""
    return {
        "name": row.name,
        "kind": row.kind,
        "settings": dict(row.settings),
        "created_at": moment(row.created_at),
        "created_by": row.created_by,
    }


def route(row: Route) -> dict[str, Any]:
    """Write schema Route."""
    return {
        "contract": row.contract,
        "major": row.major,
        "adapter": row.adapter,
        "current": row.current,
        "versions": list(row.versions),
        "limits": [msgspec.to_builtins(one) for one in row.limits],
        "report_only": row.report_only,
        "timeout_seconds": row.timeout_seconds,
        "upstream_prefix": row.upstream_prefix,
    }


def hit(row: Hit) -> dict[str, Any]:
    """Write schema Hit."""
    return {
        "consumer_id": row.consumer_id,
        "consumer": row.consumer,
        "contract": row.contract,
        "major": row.major,
        "pin": row.pin,
    }


def moment(value: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC."""
    return None if value is None else value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _approval(row: Approval) -> dict[str, Any]:
    return {
        "principal": row.principal,
        "digest": row.digest,
        "reason": row.reason,
        "decided_at": moment(row.decided_at),
    }


def _comparison(row: Comparison) -> dict[str, Any]:
    return {
        "base_version": row.base_version,
        "base_digest": row.base_digest,
        "verdict": str(row.outcome),
        "required_bump": str(row.required_bump),
        "declared_bump": str(row.declared_bump),
        "findings": findings(row.findings),
        "engines": dict(row.engines),
    }


def findings(rows: Iterable[Finding]) -> list[dict[str, Any]]:
    """Write findings, as many as one answer may hold."""
    return [finding.as_json() for finding in list(rows)[:_MOST_FINDINGS]]


def _reasons(rows: Iterable[str]) -> list[str]:
    return [reason[:_LONGEST_REASON] for reason in list(rows)[:_MOST_REASONS]]
