"""Tag deployments: environments, releases, what is deployed where, and whether a release may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registry.api.call import Answer, Call
from registry.api.present import moment
from registry.errors import RequestRefused
from registry.review import deployable, releasing
from registry.review.release import Need, Provided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.review.release import Deployment, Environment, Release

_LONGEST_REASON, _MOST_REASONS = 4_000, 10_000  # as the contract has them


def environments(call: Call) -> Answer:
    """List environments."""
    return Answer({"environments": [_environment(one) for one in releasing.environments(call.services)]})


def add_environment(call: Call) -> Answer:
    """Enter an environment."""
    name, note = call.values["environment"], call.body["note"]
    return Answer(_environment(releasing.add_environment(call.services, call.principal, name, note)))


def find(call: Call) -> Answer:
    """List what is, or ever was, deployed in an environment."""
    found = releasing.deployments(
        call.services,
        call.values["environment"],
        application=call.values.get("application"),
        ended=call.values.get("ended", False),
        limit=call.values.get("limit", 100),
    )
    return Answer(_deployments(found))


def deploy(call: Call) -> Answer:
    """Record a deployment."""
    made = releasing.deploy(
        call.services,
        call.principal,
        environment=call.values["environment"],
        application=call.values["application"],
        version=call.body["version"],
    )
    return Answer(_deployment(made))


def undeploy(call: Call) -> Answer:
    """Record the end of a deployment, or the way back to the one before."""
    left = releasing.undeploy(
        call.services,
        call.principal,
        environment=call.values["environment"],
        application=call.values["application"],
        roll_back=call.values.get("roll_back", False),
    )
    return Answer(_deployments([] if left is None else [left]))


def may_be(call: Call) -> Answer:
    """Say whether a release may be deployed."""
    found = deployable.can_deploy(
        call.services,
        application=call.values["application"],
        version=call.values["release"],
        environment=call.values["environment"],
    )
    reasons = [
        {
            "answer": str(one.answer),
            "text": one.text[:_LONGEST_REASON],
            "contract": one.contract,
            "other": one.other,
        }
        for one in found.reasons[:_MOST_REASONS]
    ]
    return Answer(
        {
            "application": found.application,
            "version": found.version,
            "environment": found.environment,
            "answer": str(found.answer),
            "reasons": reasons,
        }
    )


def releases(call: Call) -> Answer:
    """List the releases of an application."""
    found = releasing.releases(call.services, call.values["application"], call.values.get("limit", 100))
    return Answer({"releases": [_release(one) for one in found]})


def release(call: Call) -> Answer:
    """Give one release."""
    return Answer(
        _release(releasing.release(call.services, call.values["application"], call.values["release"]))
    )


def record_release(call: Call) -> Answer:
    """Record a release."""
    needs = tuple(
        Need(one["contract"], one["version"], tuple(one.get("operations", ()))) for one in call.body["needs"]
    )
    if any(len(set(one.operations)) < len(one.operations) for one in needs):
        raise RequestRefused("an operation is named twice")
    made = releasing.record_release(
        call.services,
        call.principal,
        application=call.values["application"],
        version=call.values["release"],
        provides=tuple(Provided(one["contract"], one["version"]) for one in call.body["provides"]),
        needs=needs,
    )
    return Answer(_release(made))


def _environment(row: Environment) -> dict[str, Any]:
    return {
        "name": row.name,
        "note": row.note,
        "created_at": moment(row.created_at),
        "created_by": row.created_by,
    }


def _release(row: Release) -> dict[str, Any]:
    return {
        "application": row.application,
        "version": row.version,
        "provides": [{"contract": one.contract, "version": one.version} for one in row.provides],
        "needs": [
            {"contract": one.contract, "version": one.version, "operations": list(one.operations)}
            for one in row.needs
        ],
        "recorded_at": moment(row.recorded_at),
        "recorded_by": row.recorded_by,
    }


def _deployments(rows: Iterable[Deployment]) -> dict[str, Any]:
    return {"deployments": [_deployment(one) for one in rows]}


def _deployment(row: Deployment) -> dict[str, Any]:
    return {
        "id": row.id,
        "environment": row.environment,
        "application": row.application,
        "version": row.version,
        "deployed_at": moment(row.deployed_at),
        "deployed_by": row.deployed_by,
        "ended_at": moment(row.ended_at),
        "ended_by": row.ended_by,
    }
