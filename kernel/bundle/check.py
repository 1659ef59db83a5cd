"""Says whether three parts make sense together: no name twice, no route without its contract and adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.bindings import check_bindings
from kernel.bundle.limits import MOST_LIMITS
from kernel.contract.version import Version
from kernel.errors import BundleError, ContractInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.limits import Limits
    from kernel.bundle.model import AccessPart, ContractsPart, Limit, RoutesPart
    from kernel.bundle.policy import RoutePolicy


def check_parts(contracts: ContractsPart, access: AccessPart, routes: RoutesPart) -> None:
    """Raise `BundleError` naming the first thing that is missing, doubled or contradictory."""
    _once("contract version", (f"{entry.name} {entry.version}" for entry in contracts.contracts))
    _once("consumer", (consumer.id for consumer in access.consumers))
    _once("API key", (key.sha256 for consumer in access.consumers for key in consumer.keys), show=False)
    _once("adapter", (adapter.name for adapter in routes.adapters))
    _once("route", (f"{route.contract} v{route.major}" for route in routes.routes))
    for consumer in access.consumers:
        check_limits(f"consumer {consumer.id}", consumer.limits, consumer.policy.limits)
    for route in routes.routes:
        check_limits(f"the route of {route.contract} v{route.major}", route.limits, route.policy.limits)
    check_bindings(access)
    held = {(entry.name, entry.version) for entry in contracts.contracts}
    adapters = {adapter.name for adapter in routes.adapters}
    check_policies(route.policy for route in routes.routes)
    for route in routes.routes:
        where = f"the route of {route.contract} v{route.major}"
        if route.adapter not in adapters:
            raise BundleError(f"{where} goes to adapter {route.adapter!r}, which the bundle does not hold")
        if route.current not in route.versions:
            raise BundleError(f"{where} has current version {route.current}, which is not active")
        for version in route.versions:
            if (route.contract, version) not in held:
                raise BundleError(f"{where} serves {version}, which the bundle does not hold")
            if _major(version) != route.major:
                raise BundleError(f"{where} serves {version}, which is of another major")


def check_policies(policies: Iterable[RoutePolicy]) -> None:
    """Raise `BundleError` where the policies of two routes exclude each other: a host name is of one of them."""
    _once("host", (host for policy in policies if policy.address for host in policy.address.hosts))


def check_limits(where: str, plain: Iterable[Limit], more: Limits | None) -> None:
    """Raise `BundleError` for two limits of one name: RateLimit could not tell them apart, nor their state."""
    named = [limit.name for limit in plain]
    if more is not None:
        named += [limit.name for limit in more.every]
    if len(named) > MOST_LIMITS:
        raise BundleError(f"{where} has more than {MOST_LIMITS} limits")
    _once(f"a limit of {where} named", named)


def _once(what: str, names: Iterable[str], *, show: bool = True) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BundleError(f"{what} {name} stands twice" if show else f"one {what} stands twice")
        seen.add(name)


def _major(version: str) -> int:
    try:
        return Version.parse(version).major
    except ContractInvalid as error:
        raise BundleError(str(error)) from None
