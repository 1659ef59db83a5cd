"""People and machines that may come in, and what they carry: accounts, sessions, tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from registry.review.principal import Principal, Role


@dataclass(frozen=True, slots=True)
class Account:
    """A local account of the pages."""

    name: str
    roles: frozenset[Role]
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `token` goes into the cookie (HttpOnly, SameSite=Strict); only its hash is kept.

    `csrf` belongs into every form of the session, and is compared in constant time by the pages.
    """

    principal: Principal
    token: str
    csrf: str
    expires_at: datetime
    signed_in_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """One API token without its secret."""

    id: str
    subject: str
    roles: frozenset[Role]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `presented` is the whole secret, shown once and kept nowhere."""

    token: Token
    presented: str


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What the database keeps of a session."""

    account: Account
    csrf: str
    signed_in_at: datetime
    expires_at: datetime
