"""What stands in a bundle: contracts (the board's), access (consumers), routes (this environment's).

Three parts so that contracts are promoted from stage to stage by digest, a revoked key does not touch
them, and an environment's addresses never travel (DESIGN §7.3). All values are immutable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.errors import BundleError

PartKind = Literal["contracts", "access", "routes"]
Audience = Literal["internal", "partner", "public"]


class ContractEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One frozen (or deprecated, or retired) version; `digest` names its blob of canonical bytes."""

    name: str
    version: str
    kind: Literal["openapi", "asyncapi", "schema"]
    state: Literal["frozen", "deprecated", "retired"]
    audience: Audience
    digest: str  # "sha256:<hex>" of the canonical bytes; the blob's address too
    metadata: dict[str, Any] = {}
    deprecated_at: str | None = None  # RFC 3339
    sunset_at: str | None = None  # RFC 3339


class ContractsPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All versions that the board has frozen, canonical schemas among them."""

    serial: int
    contracts: tuple[ContractEntry, ...]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API key: `sha256` is the hex digest of the whole presented key; the key itself is nowhere."""

    id: str
    sha256: str
    expires_at: str | None = None  # RFC 3339


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`requests` in `seconds`, and how many may come at once (`burst`)."""

    name: str
    requests: int
    seconds: int
    burst: int


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consumer may call one major of one contract; `pin` holds it to an exact version."""

    contract: str
    major: int
    pin: str | None = None
    scopes: tuple[str, ...] = ()


class Consumer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One calling system."""

    id: str
    name: str
    audience: Audience
    keys: tuple[Key, ...] = ()
    grants: tuple[Grant, ...] = ()
    limits: tuple[Limit, ...] = ()
    policy: ConsumerPolicy = ConsumerPolicy()


class AccessPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may call what, how often."""

    serial: int
    consumers: tuple[Consumer, ...]


class AdapterInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One configured adapter: `kind` is a name of adapters/catalog.py, `settings` are checked by it."""

    name: str
    kind: str
    settings: dict[str, Any] = {}


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Binds a contract's major to an adapter; `versions` are active, `current` serves whoever has no pin."""

    contract: str
    major: int
    current: str
    versions: tuple[str, ...]
    adapter: str
    limits: tuple[Limit, ...] = ()  # per route, over all consumers
    report_only: bool = False  # answers of the provider outside the contract are recorded, not refused
    report_requests: bool = False  # requests outside the contract too: for introductions, never for service
    timeout_seconds: float = 30.0
    base_path: str | None = None  # None: /<contract>/v<major>; `proxy run` sets "" or its --prefix
    upstream_prefix: str = ""
    policy: RoutePolicy = RoutePolicy()


class RoutesPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where this environment sends what."""

    serial: int
    environment: str
    adapters: tuple[AdapterInstance, ...]
    routes: tuple[Route, ...]


class Bundle(msgspec.Struct, frozen=True):
    """The three verified parts and the blobs that they name (`sha256:<hex>` → canonical bytes)."""

    contracts: ContractsPart
    access: AccessPart
    routes: RoutesPart
    blobs: Mapping[str, bytes]

    def entry(self, name: str, version: str) -> ContractEntry:
        """Find one version; raises `BundleError` when the bundle does not hold it."""
        for entry in self.contracts.contracts:
            if entry.name == name and entry.version == version:
                return entry
        raise BundleError(f"the bundle holds no {name} {version}", hint="freeze it, or correct the route")
