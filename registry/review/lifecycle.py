"""The end of a frozen version: deprecated with a sunset date, then retired when nobody depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.contract.lifecycle import advance
from kernel.contract.version import Version
from registry.errors import Conflict, RequestRefused
from registry.review.acts import acting, reasoned, record
from registry.review.catalogue import known_version
from registry.review.principal import Role

if TYPE_CHECKING:
    from datetime import datetime

    from registry.review.model import ContractVersion
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services


def deprecate(
    services: Services, principal: Principal, name: str, number: str, *, sunset: datetime | None, reason: str
) -> ContractVersion:
    """Announce the end of a frozen version; answers then carry Deprecation and Sunset headers.

    Raises `NotFound`, `NotAllowed`, `LifecycleError`, `RequestRefused` for a sunset in the past.
    """
    principal.require(Role.BOARD, act="deprecate a version")
    reason = reasoned(reason)
    now = services.now()
    if sunset is not None and sunset <= now:
        raise RequestRefused(
            "the sunset date lies in the past", hint="give consumers time: name a later date"
        )
    with acting(services, "contracts") as ledger:
        found = known_version(ledger, name, number)
        advance(found.state, "deprecate")
        ledger.contracts.deprecate(name, number, now, sunset)
        detail = {} if sunset is None else {"sunset": sunset.isoformat()}
        record(
            services,
            ledger,
            principal,
            "deprecate",
            found.label,
            digest=found.digest,
            note=reason,
            detail=detail,
        )
        return known_version(ledger, name, number)


def retire(
    services: Services, principal: Principal, name: str, number: str, *, reason: str
) -> ContractVersion:
    """End a deprecated version for good: when all of its major are retired, calls get 410.

    Raises `NotFound`, `NotAllowed`, `LifecycleError`, `Conflict` while it is routed or pinned.
    """
    principal.require(Role.BOARD, act="retire a version")
    reason = reasoned(reason)
    with acting(services, "contracts") as ledger:
        found = known_version(ledger, name, number)
        advance(found.state, "retire")
        _refuse_in_use(ledger, found)
        ledger.contracts.retire(name, number, services.now())
        record(services, ledger, principal, "retire", found.label, digest=found.digest, note=reason)
        return known_version(ledger, name, number)


def _refuse_in_use(ledger: Ledger, found: ContractVersion) -> None:
    if found.active:
        raise Conflict(
            f"{found.label} is active: a route serves it",
            hint=f"make another one current: `interlock route activate {found.contract} VERSION`",
        )
    refuse_pinned(ledger, found.contract, found.version)


def refuse_pinned(ledger: Ledger, name: str, number: str) -> None:
    """Raise `Conflict` when a consumer is pinned to this version."""
    major = Version.parse(number).major
    for consumer in ledger.consumers.all():
        for grant in consumer.grants:
            if (grant.contract, grant.major, grant.pin) == (name, major, number):
                raise Conflict(
                    f"consumer {consumer.id} is pinned to {name} {number}",
                    hint=f"move it first: `interlock consumer pin {consumer.id} {name} VERSION`",
                )
