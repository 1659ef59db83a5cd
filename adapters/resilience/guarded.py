"""An adapter behind its guards: a bulkhead and a circuit breaker, where its settings ask for them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.errors import AdapterFull, CallShed, CircuitOpen, UpstreamError
from adapters.port import open_through
from adapters.resilience.breaker import Breaker, BreakerTerms
from adapters.resilience.bulkhead import Bulkhead, BulkheadTerms
from adapters.resilience.time_left import with_time_left
from adapters.resilience.verdict import speaks_against

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from adapters.port import Adapter, Answer, Call

# Settings that every adapter kind takes which answers calls (adapters/catalog.py adds them to its own).
GUARD_SETTINGS: Final[Mapping[str, Any]] = {
    "breaker": {
        "type": "object",
        "additionalProperties": False,
        "description": "Leave a provider alone that fails too often: see adapters/resilience/breaker.py.",
        "properties": {
            "window_seconds": {"type": "number", "minimum": 1, "maximum": 3600, "default": 10},
            "least_calls": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 20},
            "failure_ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.5},
            "open_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600, "default": 5},
            "probes": {"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
        },
    },
    "bulkhead": {
        "type": "object",
        "additionalProperties": False,
        "description": "Bound the calls on a provider at once: see adapters/resilience/bulkhead.py.",
        "properties": {
            "calls": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 64},
            "queue": {"type": "integer", "minimum": 0, "maximum": 10000, "default": 128},
            "wait_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600, "default": 5},
            "target_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "default": 0.05},
            "interval_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "default": 0.5},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Condition:
    """How an adapter stands now, for whoever looks after it."""

    circuit: str  # closed, open, half-open, or none
    opened: int  # how often the circuit has opened
    in_flight: int
    waiting: int
    shed: int  # calls refused because there was no room


class Guarded:
    """An `Adapter` that lets a call through to another when its guards do; raises `CallShed` when not."""

    def __init__(
        self, inner: Adapter, settings: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.inner = inner
        self.name = inner.name
        self.kind = inner.kind
        self._clock = clock
        breaker, bulkhead = settings.get("breaker"), settings.get("bulkhead")
        self.breaker = None if breaker is None else Breaker(self.name, BreakerTerms(**breaker), clock)
        self.bulkhead = None if bulkhead is None else Bulkhead(self.name, BulkheadTerms(**bulkhead), clock)
        self._on_it = 0
        self.streams: bool = getattr(inner, "streams", False)  # room is given back with the head of an answer

    async def start(self) -> None:
        """Start the adapter inside."""
        await self.inner.start()

    async def stop(self) -> None:
        """Stop the adapter inside."""
        await self.inner.stop()

    def condition(self) -> Condition:
        """Say how it stands."""
        breaker, bulkhead = self.breaker, self.bulkhead
        return Condition(
            breaker.state if breaker is not None else "none",
            breaker.opened if breaker is not None else 0,
            self._on_it,
            bulkhead.waiting if bulkhead is not None else 0,
            bulkhead.shed if bulkhead is not None else 0,
        )

    def turns_away(self) -> CallShed | None:
        """Say why a call would be turned away at once, so that nothing need be begun for it; None: it may try."""
        try:
            if self.breaker is not None:
                self.breaker.check()
        except CircuitOpen as error:
            return error
        return None if self.bulkhead is None else self.bulkhead.full()

    def call(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out, in a task of its own: waiting for room needs one, and callers may have none."""
        return asyncio.get_running_loop().create_task(self._call(call))

    async def open_channel(self, call: Call, subprotocols: tuple[str, ...], max_size: int) -> Any:
        """Open a channel through the adapter inside, unless its circuit is open; raises `UpstreamError`."""
        if self.breaker is not None:
            self.breaker.check()
        return await open_through(self.inner, call, subprotocols, max_size)

    async def _call(self, call: Call) -> Answer:
        if self.breaker is not None:
            self.breaker.check()
        if self.bulkhead is None:
            return await self._through(call)
        waited = await self.bulkhead.enter(call.timeout_seconds)
        try:
            if waited > 0:
                left = call.timeout_seconds - waited
                if left <= 0:
                    raise AdapterFull(f"{self.name}: its time was over when its turn came", retry_after=1)
                call = with_time_left(call, left)
            return await self._through(call)
        finally:
            self.bulkhead.leave()

    async def _through(self, call: Call) -> Answer:
        breaker = self.breaker
        given = breaker.admit() if breaker is not None else None
        failed: bool | None = None
        self._on_it += 1
        try:
            answer = await self.inner.call(call)
            failed = speaks_against(answer, call)
        except UpstreamError as error:
            failed = speaks_against(error, call)
            raise
        finally:
            self._on_it -= 1
            if breaker is not None and given is not None:
                breaker.ended(given, failed=failed)
        return answer


def guard(adapter: Adapter, settings: Mapping[str, Any]) -> Adapter:
    """Put an adapter behind the guards that its settings ask for; without any it stays as it is."""
    return Guarded(adapter, settings) if settings.keys() & GUARD_SETTINGS.keys() else adapter
