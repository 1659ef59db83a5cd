"""Make the consumers of a plan: what each may call, under which limits, and how it is treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.introducing import ENFORCED
from runtime_proxy.plan import Access, ServedConsumer
from runtime_proxy.shedding import CLASSES
from runtime_proxy.throttle import limit_set

if TYPE_CHECKING:
    from kernel.bundle.model import Consumer
    from runtime_proxy.plan import ServedRoute
    from runtime_proxy.throttle import Limiter


def served_consumer(
    given: Consumer, routes: tuple[ServedRoute, ...], limiter: Limiter, now: int
) -> ServedConsumer:
    """Make one consumer of the routes that it holds grants for; `now` in monotonic nanoseconds."""
    held = limiter.owner(f"consumer {given.id}", given.limits, given.policy.limits, now)
    priority = CLASSES.index(given.policy.priority or "normal")
    made = ServedConsumer(given.id, given.audience, limit_set(limiter, held), priority=priority)
    made.shadow = given.policy.shadow or ENFORCED
    by_major = {(route.contract, route.major): route for route in routes}
    for grant in given.grants:
        route = by_major.get((grant.contract, grant.major))
        if route is not None:
            version = route.current if grant.pin is None else route.versions.get(grant.pin)
            limits = limit_set(limiter, held, route.held)
            made.access[route] = Access(version, grant.pin or "", frozenset(grant.scopes), limits)
    return made
