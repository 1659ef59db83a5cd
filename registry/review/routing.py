"""This environment's side: adapters, routes, and which frozen versions are active."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kernel.bundle.policy import RoutePolicy
from kernel.contract.lifecycle import SERVED
from kernel.contract.version import Version
from registry.errors import Conflict, NotFound, RequestRefused
from registry.review.access import checked_name
from registry.review.acts import acting, record
from registry.review.catalogue import known_version
from registry.review.environment import Adapter, Route
from registry.review.lifecycle import refuse_pinned
from registry.review.limit_names import refuse_twin_limits
from registry.review.principal import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

_PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")


def adapters(services: Services) -> tuple[Adapter, ...]:
    """List all adapters by name."""
    with services.store.reading() as ledger:
        return ledger.routes.adapters()


def put_adapter(
    services: Services, principal: Principal, *, name: str, kind: str, settings: Mapping[str, Any]
) -> Adapter:
    """Enter an adapter, or change its settings; raises `RequestRefused` where they do not fit the kind."""
    principal.require(Role.OPERATOR, act="set up an adapter")
    checked_name(name, "an adapter's name")
    fault = services.engines.adapter_fault(kind, settings)
    if fault is not None:
        raise RequestRefused(fault, hint="docs/guide/devices.md lists kinds and settings")
    with acting(services, "routes") as ledger:
        known = ledger.routes.adapter(name)
        if known is not None and known.kind != kind:
            raise Conflict(f"the adapter {name} is of kind {known.kind}", hint="remove it first")
        ledger.routes.put_adapter(Adapter(name, kind, settings, services.now(), principal.name))
        # Settings may hold addresses and names of secrets: which were set is told, not to what.
        detail = {"kind": kind, "settings": ", ".join(sorted(settings))[:200]}
        act = "adapter-add" if known is None else "adapter-change"
        record(services, ledger, principal, act, f"adapter/{name}", detail=detail)
        return _known_adapter(ledger, name)


def remove_adapter(services: Services, principal: Principal, name: str) -> None:
    """Remove an adapter; raises `Conflict` while a route goes through it."""
    principal.require(Role.OPERATOR, act="remove an adapter")
    with acting(services, "routes") as ledger:
        _known_adapter(ledger, name)
        for route in ledger.routes.routes():
            if route.adapter == name:
                raise Conflict(
                    f"the route of {route.contract} v{route.major} goes through {name}",
                    hint=f"`interlock route remove {route.contract} {route.major}` first",
                )
        ledger.routes.drop_adapter(name)
        record(services, ledger, principal, "adapter-remove", f"adapter/{name}")


def routes(services: Services) -> tuple[Route, ...]:
    """List all routes by contract and major."""
    with services.store.reading() as ledger:
        return ledger.routes.routes()


def route(services: Services, contract: str, major: int) -> Route:
    """Give one route; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_route(ledger, contract, major)


def put_route(services: Services, principal: Principal, wanted: Route) -> Route:
    """Bind a contract's major to an adapter, or change the binding; `current`, `versions` and policy are left alone.

    Raises `NotFound` for an unknown contract or adapter, `RequestRefused` for a canonical schema.
    """
    principal.require(Role.OPERATOR, act="set up a route")
    if wanted.upstream_prefix and _PREFIX.fullmatch(wanted.upstream_prefix) is None:
        raise RequestRefused("the upstream prefix is not a plain path", hint="write it like /lab/api")
    for limit in wanted.limits:
        checked_name(limit.name, "a limit's name")
    with acting(services, "routes") as ledger:
        contract = ledger.contracts.get(wanted.contract)
        if contract is None:
            raise NotFound(f"there is no contract {wanted.contract[:64]!r}")
        if contract.kind == "schema":
            raise RequestRefused(f"{wanted.contract} is a canonical schema, which nobody calls")
        if not any(Version.parse(row.version).major == wanted.major for row in contract.versions):
            raise NotFound(f"{wanted.contract} has no version {wanted.major}.x")
        _known_adapter(ledger, wanted.adapter)
        known = ledger.routes.route(wanted.contract, wanted.major)
        current, policy = (known.current, known.policy) if known else (None, RoutePolicy())
        refuse_twin_limits(f"the route of {wanted.contract} v{wanted.major}", wanted.limits, policy.limits)
        ledger.routes.put_route(replace(wanted, current=current, policy=policy))
        act = "route-add" if known is None else "route-change"
        detail: dict[str, str | int] = {
            "adapter": wanted.adapter,
            "report_only": int(wanted.report_only),
            "timeout_ms": int(wanted.timeout_seconds * 1000),
            "limits": len(wanted.limits),
        }
        subject = f"route/{wanted.contract}/v{wanted.major}"
        record(services, ledger, principal, act, subject, detail=detail)
        return known_route(ledger, wanted.contract, wanted.major)


def activate(services: Services, principal: Principal, contract: str, number: str) -> Route:
    """Let the route of its major serve a frozen version, and make it the current one.

    Versions that were active stay so: pinned consumers keep theirs. Raises `NotFound`, `Conflict` for a
    version that is not frozen or deprecated.
    """
    principal.require(Role.OPERATOR, act="activate a version")
    with acting(services, "routes") as ledger:
        found = known_version(ledger, contract, number)
        major = Version.parse(found.version).major
        known_route(ledger, contract, major)
        if found.state not in SERVED:
            raise Conflict(f"{found.label} is {found.state}", hint="only frozen versions are served")
        ledger.routes.activate(contract, major, number, services.now(), principal.name)
        subject = f"route/{contract}/v{major}"
        detail = {"version": number}
        record(services, ledger, principal, "activate", subject, digest=found.digest, detail=detail)
        return known_route(ledger, contract, major)


def deactivate(services: Services, principal: Principal, contract: str, number: str) -> Route:
    """Stop serving a version; raises `Conflict` while it is the current one of several, or pinned."""
    principal.require(Role.OPERATOR, act="deactivate a version")
    with acting(services, "routes") as ledger:
        found = known_version(ledger, contract, number)
        major = Version.parse(number).major
        known = known_route(ledger, contract, major)
        if number not in known.versions:
            raise Conflict(f"{found.label} is not active")
        if known.current == number and len(known.versions) > 1:
            raise Conflict(f"{found.label} is the current version", hint="activate another version first")
        refuse_pinned(ledger, contract, number)
        ledger.routes.deactivate(contract, major, number)
        if known.current == number:
            ledger.routes.put_route(replace(known, current=None))
        subject = f"route/{contract}/v{major}"
        detail = {"version": number}
        record(services, ledger, principal, "deactivate", subject, digest=found.digest, detail=detail)
        return known_route(ledger, contract, major)


def remove_route(services: Services, principal: Principal, contract: str, major: int) -> None:
    """Remove a route with all that is active on it: calls get 404, or 410 where the major is retired."""
    principal.require(Role.OPERATOR, act="remove a route")
    with acting(services, "routes") as ledger:
        known_route(ledger, contract, major)
        ledger.routes.drop_route(contract, major)
        record(services, ledger, principal, "route-remove", f"route/{contract}/v{major}")


def known_route(ledger: Ledger, contract: str, major: int) -> Route:
    """Give one route; raises `NotFound` with the command that makes it."""
    found = ledger.routes.route(contract, major)
    if found is None:
        raise NotFound(
            f"there is no route for {contract[:64]} v{major}",
            hint=f"`interlock route add {contract[:64]} {major} --adapter NAME` makes one",
        )
    return found


def _known_adapter(ledger: Ledger, name: str) -> Adapter:
    found = ledger.routes.adapter(name)
    if found is None:
        raise NotFound(f"there is no adapter {name[:64]!r}", hint="`interlock adapter list` lists them")
    return found
