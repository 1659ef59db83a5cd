"""How routes and consumers behave in this environment: their policies, one document each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel.bundle.check import check_policies
from kernel.bundle.layout import digest_of
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.bundle.policy_document import policy_document, read_policy
from kernel.contract.digest import canonical_bytes
from kernel.errors import BundleError
from registry.errors import Conflict
from registry.review.access import known_consumer
from registry.review.acts import acting, record
from registry.review.limit_names import refuse_twin_limits
from registry.review.principal import Role
from registry.review.routing import known_route

if TYPE_CHECKING:
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services


def route_policy(services: Services, contract: str, major: int) -> RoutePolicy:
    """Give the policy of one route; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_route(ledger, contract, major).policy


def set_route_policy(
    services: Services, principal: Principal, contract: str, major: int, document: object
) -> RoutePolicy:
    """Set the whole policy of a route; raises `PolicyInvalid` naming pointer and field, `NotFound`."""
    principal.require(Role.OPERATOR, act="set a route's policy")
    policy = read_policy(RoutePolicy, document)
    with acting(services, "routes") as ledger:
        row = known_route(ledger, contract, major)
        refuse_twin_limits(f"the route of {contract} v{major}", row.limits, policy.limits)
        ledger.routes.put_route(replace(row, policy=policy))
        _refuse_twins(ledger)
        _record(services, ledger, principal, f"route/{contract}/v{major}", policy)
    return policy


def consumer_policy(services: Services, consumer_id: str) -> ConsumerPolicy:
    """Give the policy of one consumer; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_consumer(ledger, consumer_id).policy


def set_consumer_policy(
    services: Services, principal: Principal, consumer_id: str, document: object
) -> ConsumerPolicy:
    """Set the whole policy of a consumer; raises `PolicyInvalid` naming pointer and field, `NotFound`."""
    principal.require(Role.OPERATOR, act="set a consumer's policy")
    policy = read_policy(ConsumerPolicy, document)
    with acting(services, "access") as ledger:
        plain = known_consumer(ledger, consumer_id).limits
        refuse_twin_limits(f"consumer {consumer_id}", plain, policy.limits)
        ledger.consumers.put_policy(consumer_id, policy)
        _record(services, ledger, principal, f"consumer/{consumer_id}", policy)
    return policy


def _refuse_twins(ledger: Ledger) -> None:
    """Refuse what would keep every later bundle from being served, while it can still be taken back."""
    try:
        check_policies(row.policy for row in ledger.routes.routes())
    except BundleError as error:
        raise Conflict(f"together with the other routes: {error.message}") from None


def _record(
    services: Services,
    ledger: Ledger,
    principal: Principal,
    subject: str,
    policy: RoutePolicy | ConsumerPolicy,
) -> None:
    """Tell which parts were set, and by digest to what: a policy may hold addresses."""
    document = policy_document(policy)
    digest = digest_of(canonical_bytes(document))
    detail = {"parts": ", ".join(sorted(document))[:200]}
    record(services, ledger, principal, "policy-set", subject, digest=digest, detail=detail)
