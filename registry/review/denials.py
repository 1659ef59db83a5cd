"""Close a consumer or a route at once: the proxies refuse it before any new bundle is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.deny import Denial, Denied
from registry.errors import Conflict, NotFound
from registry.review.access import known_consumer
from registry.review.acts import acting, reasoned, record
from registry.review.principal import Role
from registry.review.routing import known_route

if TYPE_CHECKING:
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services


def denials(services: Services) -> tuple[Denial, ...]:
    """List what is denied now, revoked keys among it."""
    with services.store.reading() as ledger:
        return ledger.denials.standing()


def deny(services: Services, principal: Principal, what: Denied, reason: str) -> tuple[Denial, ...]:
    """Deny a consumer or a route; raises `NotFound`, `Conflict` where it is denied already."""
    principal.require(Role.OPERATOR, act=f"deny a {what.kind}")
    reason = reasoned(reason)
    with acting(services) as ledger:
        _known(ledger, what)
        if what in {one.what for one in ledger.denials.standing()}:
            raise Conflict(f"{what} is denied already")
        ledger.denials.add(what, services.now(), principal.name, reason)
        record(services, ledger, principal, f"{what.kind}-deny", str(what), note=reason)
        return ledger.denials.standing()


def allow(services: Services, principal: Principal, what: Denied) -> tuple[Denial, ...]:
    """Lift the denial of a consumer or a route; raises `NotFound` where there is none."""
    principal.require(Role.OPERATOR, act=f"lift the denial of a {what.kind}")
    with acting(services) as ledger:
        if not ledger.denials.lift(what, services.now(), principal.name):
            raise NotFound(f"{what} is not denied here", hint="what a proxy's host denied is lifted there")
        record(services, ledger, principal, f"{what.kind}-allow", str(what))
        return ledger.denials.standing()


def _known(ledger: Ledger, what: Denied) -> None:
    if what.kind == "consumer":
        known_consumer(ledger, what.name)
    else:
        contract, _, major = what.name.partition("/v")
        known_route(ledger, contract, int(major))
