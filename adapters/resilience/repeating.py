"""An adapter as one route calls it: what is safe to repeat is repeated, within its time and a budget."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from adapters.errors import CallShed, UpstreamError
from adapters.port import open_through
from adapters.resilience.time_left import with_time_left

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.port import Adapter, Answer, Call
    from kernel.bundle.repeats import Hedging, Retries

log = logging.getLogger("interlock.adapters")
_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})  # RFC 9110 section 9.2.2
_LEAST_SECONDS: Final = 0.001  # a try with less is not begun


class Slot(Protocol):
    """Where calls on an adapter are counted, so that it is not stopped under them."""

    adapter: Adapter
    in_flight: int


class Budget:
    """Repeats that a route may still send: each call earns `share` of one, at most `most` are saved up."""

    def __init__(self, share: float, most: int) -> None:
        self._share = share
        self._most = float(most)
        self.tokens = self._most

    def earn(self) -> None:
        """Count one call."""
        self.tokens = min(self.tokens + self._share, self._most)

    def spend(self) -> bool:
        """Take one repeat; False: there is none left."""
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Repeating:
    """An `Adapter` of one route over the slot that it shares with others.

    `chance` gives a number in [0, 1), `pause` waits; both, and `clock`, are for tests to set.
    """

    def __init__(
        self,
        slot: Slot,
        retries: Retries | None,
        hedging: Hedging | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = slot.adapter.name
        self.kind = slot.adapter.kind
        self.retried = 0
        self.hedged = 0
        self._slot = slot
        self.retries = retries
        self.hedging = hedging
        self._clock = clock
        self._chance = chance
        self._pause = pause
        self._retry_budget = Budget(retries.budget, retries.burst) if retries is not None else None
        self._hedge_budget = Budget(hedging.budget, hedging.burst) if hedging is not None else None

    async def start(self) -> None:
        """Do nothing: the shared slot has started the adapter."""

    async def stop(self) -> None:
        """Do nothing: the shared slot stops the adapter."""

    async def open_channel(self, call: Call, subprotocols: tuple[str, ...], max_size: int) -> Any:
        """Open a channel, once: nothing of it is repeated; raises `UpstreamError`."""
        return await open_through(self._slot.adapter, call, subprotocols, max_size)

    def call(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out, in a task of its own: pauses need one, and callers may have none."""
        return asyncio.get_running_loop().create_task(self._call(call))

    async def _call(self, call: Call) -> Answer:
        self._slot.in_flight += 1
        try:
            return await self._tries(call)
        finally:
            self._slot.in_flight -= 1

    async def _tries(self, call: Call) -> Answer:
        if self._retry_budget is not None:
            self._retry_budget.earn()
        if self._hedge_budget is not None:
            self._hedge_budget.earn()
        deadline = self._clock() + call.timeout_seconds
        tried = 0
        ever_sent = False
        while True:
            answer: Answer | None = None
            failure: UpstreamError | None = None
            tried += 1
            try:
                answer = await self._one_try(self._bounded(call, tried, deadline))
            except UpstreamError as error:
                failure = error
                failure.sent = ever_sent = ever_sent or error.sent  # whatever the last try says
            seconds = self._seconds_before_next(call, tried, answer, failure)
            left = deadline - self._clock()
            if seconds is None or left - seconds < _LEAST_SECONDS or not self._spend():
                if failure is not None:
                    raise failure
                assert answer is not None
                return answer
            log.info("%s: try %d of a call failed, it is sent again", self.name, tried)
            await self._pause(seconds)

    def _bounded(self, call: Call, tried: int, deadline: float) -> Call:
        """Give the call with the time that one try of it may take."""
        longest = self.retries.try_seconds if self.retries is not None else None
        left = call.timeout_seconds if tried == 1 else max(deadline - self._clock(), _LEAST_SECONDS)
        seconds = left if longest is None else min(left, longest)
        return call if seconds == call.timeout_seconds else with_time_left(call, seconds)

    def _seconds_before_next(
        self, call: Call, tried: int, answer: Answer | None, failure: UpstreamError | None
    ) -> float | None:
        """Give the pause before the next try; None: this one stands."""
        terms = self.retries
        if terms is None or tried >= terms.tries or isinstance(failure, CallShed):
            return None
        if failure is not None:
            safe = call.idempotent or not failure.sent
        else:
            safe = call.idempotent and answer is not None and answer.status in terms.statuses
        if not safe:
            return None
        longest = min(terms.pause_seconds * 2.0 ** (tried - 1), terms.longest_pause_seconds)
        return max(longest * self._chance(), _asked_to_wait(answer))

    def _spend(self) -> bool:
        if self._retry_budget is None or not self._retry_budget.spend():
            return False
        self.retried += 1
        return True

    # -- hedging ------------------------------------------------------------------------------------
    async def _one_try(self, call: Call) -> Answer:
        if self.hedging is None or call.method not in _IDEMPOTENT:
            return await self._slot.adapter.call(call)
        first = asyncio.create_task(self._send(call))
        running = {first}
        try:
            after = self.hedging.after_seconds
            await asyncio.wait(running, timeout=after)
            budget, left = self._hedge_budget, call.timeout_seconds - after
            if not first.done() and left > _LEAST_SECONDS and budget is not None and budget.spend():
                self.hedged += 1
                running.add(asyncio.create_task(self._send(with_time_left(call, left))))
            return await _first_answer(running)
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _send(self, call: Call) -> Answer:
        return await self._slot.adapter.call(call)


async def _first_answer(running: set[asyncio.Task[Answer]]) -> Answer:
    """Give the first answer; a failure only when all have failed."""
    open_ones = running
    while True:
        done, open_ones = await asyncio.wait(open_ones, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            if one.exception() is None:
                return one.result()
        if not open_ones:
            return done.pop().result()


def _asked_to_wait(answer: Answer | None) -> float:
    """Read Retry-After in seconds (RFC 9110 section 10.2.3); a date is left alone."""
    for name, value in answer.headers if answer is not None else ():
        if name == b"retry-after" and value.isdigit() and len(value) < len("1000000"):
            return float(value)
    return 0.0
