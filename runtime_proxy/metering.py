"""Limits that need more than one look: a shared store, bytes, calls under way, shadows.

All are checked, then all are counted. What can be known at once is decided while the head is judged;
for the rest the exchange waits in `serve`, for a bounded time.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from runtime_proxy.gcra import SECOND
from runtime_proxy.meter import ASK, CLOSED
from runtime_proxy.refusals_head import LimitsUnavailable, OverLimit, TooManyInFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.port import Headers
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.limit_counters import LimitCounters
    from runtime_proxy.meter import Asker, Meter, OwnerLimits, Shadow, SlotMeter
    from runtime_proxy.refusal import Refusal

PATIENCE: Final = 60_000_000  # ns that a call waits for the shared store, which itself is lost after 50 ms


class _Occupied:
    """The slots that one exchange holds."""

    __slots__ = ("_clock", "_slots")

    def __init__(self, slots: tuple[SlotMeter, ...], clock: Callable[[], int]) -> None:
        self._slots = slots
        self._clock = clock

    def release(self) -> None:
        now = self._clock()
        for slot in self._slots:
            slot.release(now)


class Metering:
    """The limits that one call must pass together, of all its owners."""

    def __init__(
        self, owners: tuple[OwnerLimits, ...], clock: Callable[[], int], counters: LimitCounters
    ) -> None:
        self._requests = tuple(meter for owner in owners for meter in owner.requests)
        self._bytes = tuple(meter for owner in owners for meter in owner.bytes)
        self._slots = tuple(meter for owner in owners for meter in owner.slots)
        self._shadows = tuple(shadow for owner in owners for shadow in owner.shadows)
        self._told = tuple(meter for owner in owners for meter in owner.announced)
        self._sized = bool(self._bytes) or any(shadow.unit == "bytes" for shadow in self._shadows)
        # Slots are taken in `serve` alone, which gives them back: not every head that is admitted gets there.
        self._occupies = bool(self._slots) or any(shadow.unit == "slots" for shadow in self._shadows)
        self._only_requests = not (self._bytes or self._occupies or self._shadows)
        self._clock = clock
        self._counters = counters
        policy = b", ".join(meter.policy for meter in self._told)
        self._policy = (b"ratelimit-policy", policy)

    def admit(self, exchange: Exchange, weight: int, now: int) -> Refusal | None:
        """Count the call, refuse it, or leave it to `exchange.deferred`, which `serve` asks."""
        if self._only_requests:
            for meter in self._requests:
                if meter.wait(now, weight):
                    break
            else:
                for meter in self._requests:
                    meter.spend(now, weight)
                self._tell(exchange.reply_headers, now)
                return None
        size = _declared_length(exchange.headers) if self._sized else 0
        wait, _ = self._look(now, weight, max(size, 0))
        if wait > 0 or wait == CLOSED:
            return self._refuse(exchange, wait, now, weight, max(size, 0))
        if wait == ASK or self._occupies or size < 0:
            exchange.read_whole = size < 0
            exchange.deferred = partial(self._later, weight, size)
            return None
        self._count(exchange, weight, size, now)
        return None

    def describe_shadows(self) -> Iterator[str]:
        """Say the limits in words that are only counted."""
        for shadow in self._shadows:
            yield from (f"{text} (shadow)" for text in shadow.meter.describe())

    async def _later(self, weight: int, declared: int, exchange: Exchange) -> Refusal | None:
        """Ask the store as often as it takes, for a bounded time; the body is whole now."""
        size = declared if declared >= 0 else len(exchange.body)
        until = self._clock() + PATIENCE
        reserved: list[Meter] = []
        while True:
            now = self._clock()
            wait, asked = self._look(now, weight, size)
            if wait == 0:
                self._count(exchange, weight, size, now)
                return None
            if wait != ASK or now >= until:
                for meter in reserved:
                    cast("Asker", meter).refund()
                return self._refuse(exchange, wait, now, weight, size)
            reserved += [meter for meter, _ in asked]
            await _settled([_ask(meter, count) for meter, count in asked], (until - now) / SECOND)

    def _look(self, now: int, weight: int, size: int) -> tuple[int, list[tuple[Meter, int]]]:
        """Check all limits: 0, the longest wait, `CLOSED`, or `ASK` and whom with how much."""
        longest = 0
        asked: list[tuple[Meter, int]] = []
        for meters, count in ((self._requests, weight), (self._bytes, size), (self._slots, 1)):
            if not count:
                continue
            for meter in meters:
                wait = meter.wait(now, count)
                if wait == ASK:
                    asked.append((meter, count))
                elif wait == CLOSED:
                    return CLOSED, asked
                elif wait > longest:
                    longest = wait
        return longest or (ASK if asked else 0), asked

    def _count(self, exchange: Exchange, weight: int, size: int, now: int) -> None:
        for meter in self._requests:
            meter.spend(now, weight)
        if size:
            for meter in self._bytes:
                meter.spend(now, size)
        held = self._slots
        for slot in held:
            slot.spend(now)
        for shadow in self._shadows:
            count = 1 if shadow.unit == "slots" else size if shadow.unit == "bytes" else weight
            if count and self._shade(shadow, count, now) and shadow.unit == "slots":
                held += (cast("SlotMeter", shadow.meter),)
        if held:
            exchange.held = _Occupied(held, self._clock)
        if self._told:
            self._tell(exchange.reply_headers, now)

    def _shade(self, shadow: Shadow, count: int, now: int) -> bool:
        """Count in a shadow limit, or count that it would have refused; True: it was spent."""
        wait = shadow.meter.wait(now, count)
        if wait == 0:
            shadow.meter.spend(now, count)
            return True
        if wait == ASK:
            _ask(shadow.meter, count).add_done_callback(lambda _: self._shade_again(shadow, count))
        elif wait > 0:
            self._counters.would_refuse(shadow.owner, shadow.name)
        return False

    def _shade_again(self, shadow: Shadow, count: int) -> None:
        now = self._clock()
        wait = shadow.meter.wait(now, count)
        if wait > 0:
            self._counters.would_refuse(shadow.owner, shadow.name)
        elif wait == 0 and shadow.unit != "slots":
            shadow.meter.spend(now, count)

    def _tell(self, headers: Headers, now: int) -> None:
        headers += (self._policy, (b"ratelimit", b", ".join([meter.tell(now) for meter in self._told])))

    def _refuse(self, exchange: Exchange, wait: int, now: int, weight: int, size: int) -> Refusal:
        if self._told:
            self._tell(exchange.reply_headers, now)
        if wait < 0:
            self._counters.unavailable += 1
            return LimitsUnavailable()
        pairs = [(meter, weight) for meter in self._requests] + [(meter, size) for meter in self._bytes]
        blocking = [name for meter, count in pairs if count for name in meter.blocks(now, count)]
        form: type[Refusal] = OverLimit
        if not blocking:
            form = TooManyInFlight
            blocking = [name for meter in self._slots for name in meter.blocks(now, 1)]
        return over(form, blocking, wait)


def over(form: type[Refusal], names: list[str], wait: int) -> Refusal:
    """Refuse, naming the limits, and when to come back; `wait` in nanoseconds."""
    seconds = -(-wait // SECOND)
    told = ", ".join(f'"{name}"' for name in names)
    detail = f"The limit {told} is used up; wait {seconds} s."
    return form(detail, headers=[(b"retry-after", b"%d" % seconds)])


def _ask(meter: Meter, count: int) -> asyncio.Future[None]:
    return cast("Asker", meter).ask(count)  # only such a meter answers ASK


async def _settled(futures: list[asyncio.Future[None]], seconds: float) -> None:
    """Wait until all are done, or for so long; no task is needed for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    left = len(futures)

    def one(_: object = None) -> None:
        nonlocal left
        left -= 1
        if left <= 0 and not done.done():
            done.set_result(None)

    def late() -> None:
        if not done.done():
            done.set_result(None)

    for future in futures:
        future.add_done_callback(one)
    timer = loop.call_later(seconds, late)
    try:
        await done
    finally:
        timer.cancel()


def _declared_length(headers: Headers) -> int:
    """Read Content-Length; 0 where there is no body, -1 where only its end will tell."""
    for name, value in headers:
        if name == b"content-length":
            return int(value)  # the edge has judged it
        if name == b"transfer-encoding":
            return -1
    return 0
