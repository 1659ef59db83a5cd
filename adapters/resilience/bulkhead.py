"""A bulkhead: so many calls on an adapter at once, a bounded queue before it, and shedding when that stands."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.errors import AdapterFull

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class BulkheadTerms:
    """How many calls may be on an adapter, and who waits how long.

    `calls` at once; `queue` more wait, each at most `wait_seconds`. A queue that absorbs a burst is good, one that
    stands is only delay: once every wait was above `target_seconds` for `interval_seconds`, whoever waited longer
    than the target is refused, until one has not (controlled delay, after RFC 8289).
    """

    calls: int = 64
    queue: int = 128
    wait_seconds: float = 5.0
    target_seconds: float = 0.05
    interval_seconds: float = 0.5


@dataclass(slots=True, eq=False)
class _Waiter:
    since: float
    turn: asyncio.Future[None]


class Bulkhead:
    """The room of one adapter, inside one event loop; `clock` in seconds, never going back."""

    def __init__(self, name: str, terms: BulkheadTerms, clock: Callable[[], float]) -> None:
        self.name = name
        self.terms = terms
        self.inside = 0
        self.shed = 0  # refused so far
        self._clock = clock
        self._queue: deque[_Waiter] = deque()
        self._above_since = math.inf  # when the waits began to be longer than the target

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._queue)

    async def enter(self, seconds: float) -> float:
        """Wait for room, at most `seconds`, and give the seconds waited; raises `AdapterFull`.

        Whoever got in calls `leave` once.
        """
        full = self.full()
        if full is not None:
            raise full
        if self._has_room():
            self.inside += 1
            self._note(0.0)
            return 0.0
        loop = asyncio.get_running_loop()
        waiter = _Waiter(self._clock(), loop.create_future())
        self._queue.append(waiter)
        timer = loop.call_later(min(seconds, self.terms.wait_seconds), self._late, waiter)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            self._gone(waiter)
            raise
        finally:
            timer.cancel()
        return self._clock() - waiter.since

    def full(self) -> AdapterFull | None:
        """Refuse a call that would find neither room nor a place to wait; None: it may enter."""
        if self._has_room() or len(self._queue) < self.terms.queue:
            return None
        return self._refused("too many calls wait for it")

    def leave(self) -> None:
        """Make room: for the longest waiting call that has not waited too long."""
        self.inside -= 1
        while self._queue and self.inside < self.terms.calls:
            waiter = self._queue.popleft()
            waited = self._clock() - waiter.since
            if self._note(waited):
                waiter.turn.set_exception(self._refused("calls wait for it longer than is of use"))
            else:
                self.inside += 1
                waiter.turn.set_result(None)

    def _has_room(self) -> bool:
        return self.inside < self.terms.calls and not self._queue

    def _note(self, waited: float) -> bool:
        """Note a wait that has ended; True: the queue has stood for an interval, and this wait was too long."""
        if waited <= self.terms.target_seconds:
            self._above_since = math.inf
            return False
        now = self._clock()
        self._above_since = min(self._above_since, now)
        return now - self._above_since >= self.terms.interval_seconds

    def _late(self, waiter: _Waiter) -> None:
        if not waiter.turn.done():
            self._queue.remove(waiter)
            waiter.turn.set_exception(self._refused("no room came free in time"))

    def _gone(self, waiter: _Waiter) -> None:
        """Give back what somebody got who does not want it any more."""
        if waiter in self._queue:
            self._queue.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self.leave()

    def _refused(self, why: str) -> AdapterFull:
        self.shed += 1
        return AdapterFull(f"{self.name}: {why}", retry_after=1)
