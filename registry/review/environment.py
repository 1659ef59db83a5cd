"""What the registry keeps of this environment: consumers with their access, adapters, routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel.bundle.model import Audience, Grant, Limit
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy


@dataclass(frozen=True, slots=True)
class ConsumerKey:
    """One API key without its secret: the registry keeps only the SHA-256 of the whole key."""

    id: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key; `presented` is the whole secret, shown once and kept nowhere."""

    key: ConsumerKey
    presented: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """One calling system, as the registry keeps it."""

    id: str
    name: str
    audience: Audience
    created_at: datetime
    created_by: str
    keys: tuple[ConsumerKey, ...] = ()
    grants: tuple[Grant, ...] = ()
    limits: tuple[Limit, ...] = ()
    policy: ConsumerPolicy = field(default_factory=ConsumerPolicy)


@dataclass(frozen=True, slots=True)
class Adapter:
    """One configured adapter: `settings` fit the schema of its kind (adapters/catalog.py)."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Route:
    """Binds a contract's major to an adapter; without an active version it serves nothing yet."""

    contract: str
    major: int
    adapter: str
    current: str | None
    versions: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    report_only: bool = False
    timeout_seconds: float = 30.0
    upstream_prefix: str = ""
    policy: RoutePolicy = field(default_factory=RoutePolicy)
