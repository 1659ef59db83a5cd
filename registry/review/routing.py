"""This environment's side: adapters, routes, and which frozen versions are active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kernel.bundle.model import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping


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
