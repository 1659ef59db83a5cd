"""How much each route has to do, and how fast: histograms of the last minute, read off the counters of a worker."""

from __future__ import annotations

import time
from collections import deque
from operator import add
from typing import TYPE_CHECKING, Final

import msgspec

from runtime_proxy.console.table import CALL_BUCKETS, OWN_BUCKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_proxy.console.meters import Meters

EVERY_SECONDS: Final = 5.0
WINDOW_SECONDS: Final = 60.0
_SAMPLES: Final = int(WINDOW_SECONDS / EVERY_SECONDS)
_CALLS, _OWN = len(CALL_BUCKETS) + 1, len(OWN_BUCKETS) + 1
_WIDTH: Final = _CALLS + _OWN
_LEAST_SECONDS: Final = 1.0
Counts = dict[str, list[int]]  # by route: buckets of whole calls, then buckets of what we added


class Window(msgspec.Struct, frozen=True):
    """Calls of one route in the last `seconds`, by bucket: `calls` as CALL_BUCKETS has them, `own` as OWN_BUCKETS."""

    seconds: float = 0.0
    calls: tuple[int, ...] = (0,) * _CALLS
    own: tuple[int, ...] = (0,) * _OWN

    def __add__(self, other: Window) -> Window:
        """Put what two workers have seen together."""
        return Window(
            max(self.seconds, other.seconds),
            tuple(map(sum, zip(self.calls, other.calls, strict=True))),
            tuple(map(sum, zip(self.own, other.own, strict=True))),
        )

    @property
    def per_second(self) -> float:
        """Give the calls per second."""
        return sum(self.calls) / self.seconds if self.seconds else 0.0


class Rates:
    """Looks at the counters every few seconds and remembers a minute of it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._past: deque[tuple[float, Counts]] = deque(maxlen=_SAMPLES + 1)

    def gauge(self, meters: Meters) -> None:
        """Take a sample when it is time; called once a second."""
        now = self._clock()
        if not self._past or now - self._past[-1][0] >= EVERY_SECONDS - 0.5:
            self._past.append((now, _counts(meters)))

    def windows(self, meters: Meters) -> dict[str, Window]:
        """Give the last minute of each route that was called."""
        now, counts = self._clock(), _counts(meters)
        then, before = self._past[0] if self._past else (now, counts)
        seconds = max(now - then, _LEAST_SECONDS)
        nothing = [0] * _WIDTH
        made = {}
        for route, numbers in counts.items():
            rest = [one - other for one, other in zip(numbers, before.get(route, nothing), strict=True)]
            made[route] = Window(seconds, tuple(rest[:_CALLS]), tuple(rest[_CALLS:]))
        return made


def quantile(buckets: Sequence[int], bounds: Sequence[float], part: float) -> float | None:
    """Estimate a quantile in seconds, evenly spread within its bucket; None where nothing was counted.

    What lies above the last bound is told as that bound.
    """
    total = sum(buckets)
    if not total:
        return None
    wanted, below, lower = part * total, 0, 0.0
    for count, upper in zip(buckets, bounds, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below += count
        lower = upper
    return bounds[-1]


def _counts(meters: Meters) -> Counts:
    counts: Counts = {}
    numbers = meters.series.numbers
    for counting in meters.countings():
        contract, version, _ = counting.labels
        route = f"{contract} v{version.partition('.')[0]}"
        calls, own = counting.duration, counting.overhead
        here = numbers[calls : calls + _CALLS] + numbers[own : own + _OWN]
        before = counts.get(route)
        counts[route] = here if before is None else list(map(add, before, here))
    return counts
