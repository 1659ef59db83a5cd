"""One visit to a page: who comes with what, and what goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from registry.errors import NotSignedIn

if TYPE_CHECKING:
    from registry.review.accounts import Session
    from registry.review.principal import Principal
    from registry.review.services import Services


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as views see it; `form` holds the fields of a POST whose origin and token were checked."""

    services: Services
    session: Session | None
    source: str  # the client's address
    path: str  # with its query
    values: Mapping[str, str] = field(default_factory=dict)  # of the path
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        """Who is signed in; raises `NotSignedIn`."""
        if self.session is None:
            raise NotSignedIn("nobody is signed in", hint="sign in")
        return self.session.principal


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set (HttpOnly, SameSite=Strict); an empty value takes it away."""

    name: str
    value: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page to render."""

    template: str
    title: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    section: str = ""
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser is to go (303, so that reloading does not post again)."""

    to: str
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes to keep as a file."""

    data: bytes
    media_type: str
    name: str


View = Callable[[Visit], Page | Redirect | Download]


def safe_target(target: str) -> str:
    """Give a path on this host to go on to after signing in, or /board when it is anything else."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    if not plain or parts.scheme or parts.netloc or "\\" in target or parts.path in {"/sign-in", "/sign-out"}:
        return "/board"
    return target
