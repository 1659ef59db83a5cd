"""Who may call what: consumers with their keys, grants, pins and limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kernel.bundle.model import Audience, Grant, Limit

if TYPE_CHECKING:
    from registry.review.principal import Principal
    from registry.review.services import Services


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


def consumers(services: Services) -> tuple[Consumer, ...]:
    """List all consumers by id."""
    raise NotImplementedError


def consumer(services: Services, consumer_id: str) -> Consumer:
    """Give one consumer; raises `NotFound`."""
    raise NotImplementedError


def add_consumer(
    services: Services, principal: Principal, *, consumer_id: str, name: str, audience: Audience
) -> Consumer:
    """Enter a new calling system; raises `Conflict` when the id is taken (ids are never reused)."""
    raise NotImplementedError


def issue_key(
    services: Services, principal: Principal, consumer_id: str, *, expires_at: datetime | None = None
) -> IssuedKey:
    """Make a key; at most two are live at once, so that one can be replaced without a gap."""
    raise NotImplementedError


def revoke_key(services: Services, principal: Principal, consumer_id: str, key_id: str) -> Consumer:
    """Revoke a key for good."""
    raise NotImplementedError


def grant(services: Services, principal: Principal, consumer_id: str, given: Grant) -> Consumer:
    """Let a consumer call one major of a contract, pinned or not; replaces the grant that stood."""
    raise NotImplementedError


def withdraw_grant(
    services: Services, principal: Principal, consumer_id: str, contract: str, major: int
) -> Consumer:
    """Take a grant away."""
    raise NotImplementedError


def set_limit(services: Services, principal: Principal, consumer_id: str, limit: Limit) -> Consumer:
    """Set one named limit of a consumer; replaces the one of that name."""
    raise NotImplementedError


def drop_limit(services: Services, principal: Principal, consumer_id: str, name: str) -> Consumer:
    """Remove one named limit."""
    raise NotImplementedError
