"""Tag evidence: conformance runs against providers."""

from __future__ import annotations

from typing import Any

from registry.api.call import Answer, Call
from registry.api.present import moment
from registry.review import conformance
from registry.review.evidence import Evidence


def find(call: Call) -> Answer:
    """List the runs against a version."""
    name, version = call.values["name"], call.values["version"]
    found = conformance.evidence(call.services, name, version, call.values.get("limit", 100))
    return Answer({"runs": [_run(one) for one in found]})


def record(call: Call) -> Answer:
    """Record a run."""
    body = call.body
    started = call.moment("started_at")
    assert started is not None  # the contract requires it
    given = Evidence(
        id=0,
        contract=call.values["name"],
        version=call.values["version"],
        digest=body["digest"],
        provider=body["provider"],
        outcome=body["outcome"],
        complete=False,
        seed=body["seed"],
        started_at=started,
        seconds=float(body["seconds"]),
        operations=body["operations"],
        calls=body["calls"],
        counts=body["counts"],
        rules=tuple(body["rules"]),
        tools=body["tools"],
        recorded_at=call.services.now(),
        recorded_by=call.principal.name,
    )
    kept = conformance.keep_evidence(call.services, call.principal, given, frozenset(body["phases"]))
    return Answer(_run(kept), 201)


def _run(row: Evidence) -> dict[str, Any]:
    return {
        "id": row.id,
        "contract": row.contract,
        "version": row.version,
        "digest": row.digest,
        "provider": row.provider,
        "outcome": row.outcome,
        "complete": row.complete,
        "seed": row.seed,
        "started_at": moment(row.started_at),
        "seconds": row.seconds,
        "operations": row.operations,
        "calls": row.calls,
        "counts": dict(row.counts),
        "rules": list(row.rules),
        "tools": dict(row.tools),
        "recorded_at": moment(row.recorded_at),
        "recorded_by": row.recorded_by,
    }
