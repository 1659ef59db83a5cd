"""The limit per source address, before anything else costs: one dictionary look-up and one comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.gcra import SECOND
from runtime_proxy.refusals_head import SourceOverLimit

if TYPE_CHECKING:
    from runtime_proxy.refusal import Refusal

MOST_SOURCES: Final = 65_536
_CROWD: Final = ""  # where new addresses are counted together once the table is full


class Guard:
    """GCRA per source address, with a burst of one second; `requests` per second.

    The table is bounded: when it is full, addresses that owe nothing are dropped, and if none does, new
    addresses share one cell. It never opens because it is full.
    """

    __slots__ = ("_depth", "_interval", "_most", "_sources")

    def __init__(self, requests: int, *, most_sources: int = MOST_SOURCES) -> None:
        self._interval = max(SECOND // requests, 1)
        self._depth = SECOND - self._interval
        self._sources: dict[str, int] = {}
        self._most = most_sources

    def admit(self, peer: str, now: int) -> Refusal | None:
        """Count one request of `peer` at `now` (monotonic nanoseconds), or refuse it."""
        tat = self._sources.get(peer)
        if tat is None:
            if len(self._sources) >= self._most:
                peer = self._make_room(peer, now)
            tat = self._sources.get(peer, 0)
        late = tat - now
        if late > self._depth:
            seconds = -(-(late - self._depth) // SECOND)
            return SourceOverLimit(headers=[(b"retry-after", b"%d" % seconds)])
        self._sources[peer] = (tat if late > 0 else now) + self._interval
        return None

    def _make_room(self, peer: str, now: int) -> str:
        self._sources = {source: tat for source, tat in self._sources.items() if tat > now}
        return peer if len(self._sources) < self._most else _CROWD
