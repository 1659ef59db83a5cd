"""The registry's HTTP API: connexion over our own frozen contract, strict both ways, deny by default."""

from __future__ import annotations

import functools
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from registry.api import (
    adapters,
    authority,
    bundles,
    consumers,
    contracts,
    denials,
    deployments,
    evidence,
    health,
    judgements,
    keys,
    policies,
    reviews,
    routes,
    submissions,
    versions,
)
from registry.api.front import Front
from registry.errors import RegistryError

with warnings.catch_warnings():
    # connexion imports Starlette's test client, which warns about its own future.
    warnings.simplefilter("ignore")
    from connexion import AsyncApp
    from connexion.exceptions import ProblemException
    from connexion.lifecycle import ConnexionResponse
    from connexion.options import SwaggerUIOptions
    from connexion.resolver import Resolver

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.errors import DocumentError, InterlockError
from registry.api.bodies import VALIDATORS, unchecked_media_types
from registry.api.call import Call
from registry.api.problems import (
    ApiProblem,
    answer_crash,
    answer_error,
    answer_ours,
    answer_theirs,
)
from registry.api.tokens import TokenSecurity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp

    from registry.api.call import Operation
    from registry.review.services import Services

BASE: Final = "/api/v1"
CONTRACT: Final = "contracts/interlock-registry/1.2.0/openapi.yaml"
log = logging.getLogger("interlock.registry.api")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "readHealth": health.read,
    "findContracts": contracts.find,
    "readContract": contracts.read,
    "findAffectedConsumers": contracts.consumers,
    "findVersions": versions.find,
    "readVersion": versions.read,
    "readDocument": versions.document,
    "readStatement": versions.statement,
    "deprecateVersion": versions.deprecate,
    "retireVersion": versions.retire,
    "submitContract": submissions.submit,
    "findReviews": reviews.find,
    "readReview": reviews.read,
    "readReviewDocument": reviews.document,
    "approveReview": reviews.approve,
    "rejectReview": reviews.reject,
    "readJudgement": judgements.read,
    "waiveFinding": judgements.waive,
    "revokeWaiver": judgements.revoke,
    "withdrawReview": reviews.withdraw,
    "findConsumers": consumers.find,
    "addConsumer": consumers.add,
    "readConsumer": consumers.read,
    "setGrant": consumers.set_grant,
    "dropGrant": consumers.drop_grant,
    "setLimit": consumers.set_limit,
    "dropLimit": consumers.drop_limit,
    "readConsumerPolicy": policies.of_consumer,
    "setConsumerPolicy": policies.set_consumer,
    "denyConsumer": denials.deny_consumer,
    "allowConsumer": denials.allow_consumer,
    "issueKey": keys.issue,
    "revokeKey": keys.revoke,
    "findAdapters": adapters.find,
    "setAdapter": adapters.put,
    "removeAdapter": adapters.remove,
    "findRoutes": routes.find,
    "setRoute": routes.put,
    "removeRoute": routes.remove,
    "denyRoute": denials.deny_route,
    "allowRoute": denials.allow_route,
    "findDenials": denials.find,
    "readRoutePolicy": policies.of_route,
    "setRoutePolicy": policies.set_route,
    "activateVersion": routes.activate,
    "deactivateVersion": routes.deactivate,
    "findEnvironments": deployments.environments,
    "addEnvironment": deployments.add_environment,
    "findDeployments": deployments.find,
    "recordDeployment": deployments.deploy,
    "recordUndeployment": deployments.undeploy,
    "readDeployable": deployments.may_be,
    "findReleases": deployments.releases,
    "readRelease": deployments.release,
    "recordRelease": deployments.record_release,
    "findConformanceRuns": evidence.find,
    "recordConformanceRun": evidence.record,
    "readBundle": bundles.current,
    "republishBundle": bundles.republish,
}


def build_app(services: Services) -> ASGIApp:
    """Make the API as an ASGI application that serves below `BASE`; raises `RegistryError` when it must not start."""
    contract = read_contract()
    _refuse_holes(contract)
    app = AsyncApp(
        "interlock-registry",
        strict_validation=True,
        validate_responses=True,
        validator_map=VALIDATORS,
        security_map={"bearer": functools.partial(TokenSecurity, services)},
        swagger_ui_options=SwaggerUIOptions(serve_spec=True, swagger_ui=False),
        resolver=_Resolver(services),
    )
    app.add_error_handler(ApiProblem, answer_ours)
    app.add_error_handler(ProblemException, answer_theirs)
    app.add_error_handler(HTTPException, answer_theirs)
    app.add_error_handler(Exception, answer_crash)
    app.add_api(contract, base_path=BASE)
    return Front(app)


def read_contract() -> dict[str, Any]:
    """Read our own frozen contract; Interlock runs from its checkout, where contracts/ lies beside the packages."""
    file = Path(__file__).resolve().parents[2] / CONTRACT
    try:
        document: dict[str, Any] = parse(file.read_bytes(), name=CONTRACT).root
    except (OSError, DocumentError) as error:
        raise RegistryError(
            f"{CONTRACT} cannot be read: {type(error).__name__}",
            hint="run Interlock from its checkout: contracts/ stands beside registry/",
        ) from error
    return document


def _refuse_holes(contract: Mapping[str, Any]) -> None:
    """Refuse to start with an operation that nobody guards or serves, or a body that nobody checks."""
    declared = {
        operation["operationId"]: operation
        for item in contract["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    for table, what in ((OPERATIONS, "a function"), (authority.ROLES, "its roles")):
        if declared.keys() ^ table.keys():
            name = min(declared.keys() ^ table.keys())
            raise RegistryError(f"the operation {name} has no {what.split()[-1]}, or the contract lacks it")
    for name, operation in declared.items():
        if (operation.get("security") == []) != authority.is_open(name):
            raise RegistryError(f"contract and table of roles disagree whether {name} is open to anybody")
    unchecked = unchecked_media_types(contract)
    if unchecked:
        raise RegistryError(f"the media type {unchecked[0]} of the contract has no validator")


class _Resolver(Resolver):  # type: ignore[misc]  # connexion has no types
    """Gives connexion the function behind an operation id."""

    def __init__(self, services: Services) -> None:
        super().__init__(lambda name: _endpoint(services, OPERATIONS[name]))


def _endpoint(services: Services, operation: Operation) -> Callable[..., Awaitable[ConnexionResponse]]:
    """Wrap an operation: call it beside the event loop, and write its answer or its problem."""

    async def endpoint(**values: Any) -> ConnexionResponse:
        token_info = values.pop("token_info", None) or {}
        values.pop("user", None)
        call = Call(services, token_info.get("principal"), values, values.pop("body", None) or {})
        try:
            answer = await run_in_threadpool(operation, call)
        except InterlockError as error:
            return answer_error(error)
        except Exception:
            log.exception("an operation failed")
            raise
        if answer.body is None:
            return ConnexionResponse(status_code=answer.status)
        # Canonical bytes keep numbers that no double holds, as they stand in findings and settings.
        data = canonical_bytes(answer.body)
        return ConnexionResponse(status_code=answer.status, content_type="application/json", body=data)

    return endpoint
