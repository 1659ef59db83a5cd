"""Keep a storm of refusals from being a storm of fsyncs: above a rate per source they are counted.

The first refusals of a source have a record each. Above the rate a durable record opens a series, further
ones are counted, and one record closes it with the count (after a crash the journal closes it without).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from runtime_proxy.gcra import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

SINGLE_PER_SECOND: Final = 5  # records of their own, per source,
SINGLE_BURST: Final = 20  # and how many of them may come at once
SERIES_SECONDS: Final = 5  # then a series is closed, and a storm that goes on opens the next
MOST_SOURCES: Final = 16_384
_KEPT: Final[tuple[str, ...]] = ("client", "refusal", "server", "environment")
CROWD: Final = "many"  # where sources are counted together once the table is full


@dataclass(slots=True)
class Series:
    """An open series: what its first record said, and what has come since."""

    opened: str  # id of the record that opened it
    fields: dict[str, Any]
    since: int  # monotonic nanoseconds
    first_at: str
    last_at: str
    counts: dict[str, int] = field(default_factory=dict)  # by slug, the opening one included


@dataclass(slots=True)
class _Source:
    tat: int = 0
    series: Series | None = None


class RefusalSeries:
    """Decides for each refusal whether it has a record of its own, opens a series, or is counted."""

    def __init__(self, wall: Callable[[], str], *, most_sources: int = MOST_SOURCES) -> None:
        self._wall = wall
        self._most = most_sources
        self._sources: dict[str, _Source] = {}

    def count(self, peer: str, slug: str, now: int) -> bool:
        """Count a refusal into the source's open series; False: there is none, it needs a record."""
        source = self._sources.get(peer) or self._crowd()
        series = source.series if source is not None else None
        if series is None or now - series.since >= SERIES_SECONDS * SECOND:
            return False
        series.counts[slug] = series.counts.get(slug, 0) + 1
        series.last_at = self._wall()
        return True

    def opens(self, peer: str, now: int) -> bool:
        """Whether the record that is due now opens a series, because the source's single ones are used up."""
        source = self._source(peer, now)
        if source.series is not None:
            return False  # it is over its time and waits for `due`; meanwhile records are single
        base = max(source.tat, now)
        if base - now > (SINGLE_BURST - 1) * SECOND // SINGLE_PER_SECOND:
            return True
        source.tat = base + SECOND // SINGLE_PER_SECOND
        return False

    def open(self, peer: str, slug: str, record: dict[str, Any], now: int) -> None:
        """Begin a series with the record that opens it."""
        kept = {name: record[name] for name in _KEPT if name in record}
        at = self._wall()
        self._source(peer, now).series = Series(record["id"], kept, now, at, at, {slug: 1})

    def due(self, now: int, *, everything: bool = False) -> list[Series]:
        """Take out the series that must be closed now, and forget sources that owe nothing."""
        found = []
        for peer, source in list(self._sources.items()):
            series = source.series
            if series is not None and (everything or now - series.since >= SERIES_SECONDS * SECOND):
                found.append(series)
                source.series = None
            if source.series is None and source.tat <= now:
                del self._sources[peer]
        return found

    def _crowd(self) -> _Source | None:
        return self._sources.get(CROWD) if len(self._sources) >= self._most else None

    def _source(self, peer: str, now: int) -> _Source:
        source = self._sources.get(peer)
        if source is None:
            if len(self._sources) >= self._most:
                peer = CROWD
                source = self._sources.get(peer)
            if source is None:
                source = self._sources[peer] = _Source(now)
        return source
