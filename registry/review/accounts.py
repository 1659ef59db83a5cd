"""People and machines that may come in: accounts (argon2), sessions of the pages, tokens of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.review.principal import Principal, Role
    from registry.review.services import Services


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


def sign_in(services: Services, name: str, password: str, *, source: str) -> Session:
    """Open a session; raises `NotSignedIn` for any failure alike, and after too many failures for a while.

    `source` is the client's address, for the audit record and the count of failures.
    """
    raise NotImplementedError


def session(services: Services, token: str) -> Session:
    """Give a live session by its cookie; raises `NotSignedIn`."""
    raise NotImplementedError


def sign_out(services: Services, token: str) -> None:
    """End a session; an unknown one is no error."""
    raise NotImplementedError


def principal_of_token(services: Services, presented: str) -> Principal:
    """Give the principal of a bearer token; raises `NotSignedIn`."""
    raise NotImplementedError
