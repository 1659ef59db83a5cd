"""The bounds of everything that passes in pieces: from the settings, or what a route asks for in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.bundle.policy import Streams
    from kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class StreamTerms:
    """Bounds of everything that passes in pieces: bytes of a body and of an item, seconds."""

    max_bytes: int = 4 * 1024 * 1024 * 1024
    item_bytes: int = 1024 * 1024
    idle_seconds: float = 120.0
    total_seconds: float = 3600.0

    @classmethod
    def of(cls, settings: Settings) -> StreamTerms:
        """Take the bounds from the rows `proxy_stream_…` of kernel/settings.py."""
        return cls(
            settings["proxy_stream_bytes"],
            settings["proxy_stream_item_bytes"],
            settings["proxy_stream_idle"],
            settings["proxy_stream_seconds"],
        )

    def under(self, policy: Streams | None) -> StreamTerms:
        """Put what a route asks for in place of the settings."""
        if policy is None:
            return self
        return StreamTerms(
            policy.max_bytes or self.max_bytes,
            policy.max_item_bytes or self.item_bytes,
            policy.idle_seconds or self.idle_seconds,
            policy.total_seconds or self.total_seconds,
        )
