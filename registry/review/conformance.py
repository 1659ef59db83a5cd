"""Keeps conformance evidence with who recorded it, held to the bytes that the registry knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from registry.errors import DigestMismatch, RequestRefused
from registry.review.acts import acting, record
from registry.review.catalogue import known_version
from registry.review.operations import count_operations
from registry.review.principal import Role
from registry.review.references import self_contained

if TYPE_CHECKING:
    from registry.review.evidence import Evidence
    from registry.review.principal import Principal
    from registry.review.services import Services


PHASES: Final = frozenset({"positive", "negative", "stateful"})


def keep_evidence(
    services: Services, principal: Principal, given: Evidence, phases: frozenset[str] = PHASES
) -> Evidence:
    """Keep one run against a provider. `id`, `complete`, `recorded_at` and `recorded_by` are set here.

    A run is complete where every operation of the contract was called, and no phase was left out.

    Raises `NotFound`, `DigestMismatch` where the run was held to other bytes than the version's,
    `RequestRefused` for a provider's URL with secrets, or an outcome that what was found contradicts.
    """
    principal.require(Role.CI, Role.OPERATOR, act="record a conformance run")
    _check_provider(given.provider)
    if given.outcome == "passed" and (given.rules or not given.calls):
        raise RequestRefused(
            "a run that found something, or called nothing, has not passed",
            hint="record it as failed or undecided",
        )
    with acting(services) as ledger:
        found = known_version(ledger, given.contract, given.version)
        if found.kind != "openapi":
            raise RequestRefused(f"{found.label} is of kind {found.kind}: only openapi contracts are called")
        if found.digest != given.digest:
            raise DigestMismatch(
                f"{found.label} is {found.digest}, and the run was held to {given.digest}",
                hint="run again with --contract NAME@VERSION",
            )
        declared = count_operations(self_contained(ledger, found.digest))
        kept = replace(
            given,
            complete=given.operations >= declared > 0 and phases >= PHASES,
            recorded_at=services.now(),
            recorded_by=principal.name,
        )
        number = ledger.evidence.add(kept)
        detail: dict[str, str | int] = {
            "run": number,
            "outcome": kept.outcome,
            "provider": kept.provider[:200],
            "operations": kept.operations,
            "calls": kept.calls,
            "phases": ", ".join(sorted(phases & PHASES)),
        }
        record(services, ledger, principal, "conformance", found.label, digest=kept.digest, detail=detail)
    return replace(kept, id=number)


def evidence(services: Services, contract: str, version: str, limit: int = 100) -> tuple[Evidence, ...]:
    """List the runs against a version, newest first; raises `NotFound`."""
    with services.store.reading() as ledger:
        known_version(ledger, contract, version)
        return ledger.evidence.find(contract, version, limit)


def _check_provider(url: str) -> None:
    """Refuse what may hold a secret: it is shown, audited and kept for ever."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        plain = False
    if not plain or "?" in url or "#" in url:
        raise RequestRefused(
            "the provider's address is not plain http(s)://HOST[:PORT]/PATH",
            hint="leave user, password, query and fragment away",
        )
