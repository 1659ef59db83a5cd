"""Writes the three signed parts of the bundle after every change that touches them, one edition at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.deny import DenyList
from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Key,
    Route,
    RoutesPart,
)
from kernel.errors import InterlockError
from registry.errors import PublicationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kernel.bundle.model import PartKind
    from registry.review import environment
    from registry.review.model import ContractVersion
    from registry.review.ports import Ledger
    from registry.review.services import Services

# A reader must never meet a route without its contract.
ORDER: tuple[PartKind, ...] = ("contracts", "access", "routes")
Part = ContractsPart | AccessPart | RoutesPart


def publish(services: Services) -> tuple[PartKind, ...]:
    """Write every part whose wanted edition is not published yet, and name them; safe to call at any time.

    Raises `PublicationFailed`; what was recorded stays recorded, and the next call tries again.
    """
    with services.publishing:
        with services.store.reading() as ledger:
            _deny(services, ledger)
            due = {row.part: row.serial for row in ledger.serials.all() if row.published < row.serial}
            parts = [_part(services, ledger, part, due[part]) for part in ORDER if part in due]
            try:
                _keep_blobs(services, ledger, parts)
            except InterlockError as error:
                raise _failed(error) from error
        for part in parts:
            _write(services, part)
        return tuple(part for part in ORDER if part in due)


def _deny(services: Services, ledger: Ledger) -> None:
    """Write the deny list before anything else: it is short, and what it closes must not wait."""
    serial = ledger.denials.serial()
    if services.press.denied() == serial:
        return
    try:
        services.press.write_denials(DenyList(serial, "registry", ledger.denials.standing()))
    except InterlockError as error:
        raise _failed(error) from error


def publish_first(services: Services) -> None:
    """Ask for an edition of each part that the bundle folder does not hold, then publish."""
    with services.store.writing() as ledger:
        for row in ledger.serials.all():
            if row.serial == 0 or not services.press.holds(row.part):
                ledger.serials.bump(row.part)
    publish(services)


def _write(services: Services, part: Part) -> None:
    try:
        services.press.write(part)
    except InterlockError as error:
        raise _failed(error) from error
    with services.store.writing() as ledger:
        ledger.serials.published(_kind(part), part.serial)


def _failed(error: InterlockError) -> PublicationFailed:
    return PublicationFailed(
        f"the act is recorded, and the bundle could not be written: {error.message}",
        hint=error.hint or "the proxy keeps the last bundle; the registry tries again every few seconds",
    )


def _kind(part: Part) -> PartKind:
    if isinstance(part, ContractsPart):
        return "contracts"
    return "access" if isinstance(part, AccessPart) else "routes"


def _keep_blobs(services: Services, ledger: Ledger, parts: list[Part]) -> None:
    for part in parts:
        if isinstance(part, ContractsPart):
            for digest in services.press.missing({entry.digest for entry in part.contracts}):
                blob = ledger.contracts.blob(digest)
                if blob is None:
                    raise PublicationFailed(f"the database holds no document {digest}")
                services.press.keep_blob(blob)


def _part(services: Services, ledger: Ledger, part: PartKind, serial: int) -> Part:
    if part == "contracts":
        return ContractsPart(serial, tuple(map(_entry, ledger.contracts.for_ever())))
    if part == "access":
        hashes = ledger.consumers.key_hashes()
        return AccessPart(serial, tuple(_consumer(row, hashes) for row in ledger.consumers.all()))
    adapters = tuple(
        AdapterInstance(row.name, row.kind, dict(row.settings)) for row in ledger.routes.adapters()
    )
    routes = tuple(_route(row, row.current) for row in ledger.routes.routes() if row.current is not None)
    return RoutesPart(serial, services.settings["environment"], adapters, routes)


def _entry(row: ContractVersion) -> ContractEntry:
    return ContractEntry(
        name=row.contract,
        version=row.version,
        kind=row.kind,
        state=row.state.value,  # type: ignore[arg-type]  # `for_ever` gives only the three states that it names
        audience=row.audience,
        digest=row.digest,
        metadata=dict(row.metadata),
        deprecated_at=_text(row.deprecated_at),
        sunset_at=_text(row.sunset_at),
    )


def _consumer(row: environment.Consumer, hashes: Mapping[str, str]) -> Consumer:
    live = (key for key in row.keys if key.revoked_at is None)
    keys = tuple(Key(key.id, hashes[key.id], _text(key.expires_at)) for key in live)
    return Consumer(row.id, row.name, row.audience, keys, row.grants, row.limits, row.policy)


def _route(row: environment.Route, current: str) -> Route:
    return Route(
        contract=row.contract,
        major=row.major,
        current=current,
        versions=row.versions,
        adapter=row.adapter,
        limits=row.limits,
        report_only=row.report_only,
        timeout_seconds=row.timeout_seconds,
        upstream_prefix=row.upstream_prefix,
        policy=row.policy,
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
