"""Hold calls to the limits of consumer and route, and announce them.

Header fields as in draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from kernel.bundle.limits import ByteLimit, Concurrency, Quota
from kernel.bundle.model import Limit
from runtime_proxy.gcra import Cell, take
from runtime_proxy.in_flight import InFlight
from runtime_proxy.limit_counters import LimitCounters
from runtime_proxy.meter import OwnerLimits, Shadow, Unit
from runtime_proxy.metering import Metering, over
from runtime_proxy.plan import LimitSet
from runtime_proxy.quotas import QuotaCell
from runtime_proxy.refusals_head import OverLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernel.bundle.limits import Limits
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.refusal import Refusal


class Limiter(Protocol):
    """Who keeps the state of the limits: this process, or a store that several workers share."""

    async def start(self) -> None:
        """Begin; call it inside the serving loop."""

    async def stop(self) -> None:
        """End, and give back what is held."""

    counters: LimitCounters

    @property
    def clock(self) -> Callable[[], int]:
        """Monotonic nanoseconds."""

    def owner(self, owner: str, limits: Iterable[Limit], more: Limits | None, now: int) -> OwnerLimits:
        """Give the state of an owner's limits; what was counted before a new bundle still counts."""


class LocalLimiter:
    """One worker keeps the state itself, over every swap of the bundle.

    Of several `workers` each keeps an equal part of every limit: rate and burst divided, but never less
    than one call at once, so that over all of them max(burst, workers) may come together.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], float] = time.time,
        counters: LimitCounters | None = None,
    ) -> None:
        self._workers = workers
        self.clock = clock
        self.counters = counters or LimitCounters()
        self._wall = wall
        self._known: dict[tuple[str, str], Any] = {}

    async def start(self) -> None:
        """Nothing is to be done."""

    async def stop(self) -> None:
        """Nothing is to be done."""

    def owner(self, owner: str, limits: Iterable[Limit], more: Limits | None, now: int) -> OwnerLimits:
        """Keep a limit's state while it stays as it was; a changed limit inherits what is owed."""
        return owner_limits(owner, limits, more, _Maker(self, owner, now))

    def made(self, owner: str, limit: Any, now: int) -> Cell | QuotaCell | InFlight:
        """Give the state of one limit."""
        fresh = self._fresh(limit)
        older = self._known.get((owner, limit.name))
        if isinstance(older, InFlight) and isinstance(fresh, InFlight):
            older.become(part_of(limit, self._workers))  # calls that are under way will be given back to it
            return older
        if isinstance(older, Cell) and isinstance(fresh, Cell):
            if older.same(fresh):
                return older
            fresh.inherit(older, now)
        elif isinstance(older, QuotaCell) and isinstance(fresh, QuotaCell):
            if older.quota == fresh.quota:
                return older
            fresh.inherit(older)
        self._known[owner, limit.name] = fresh
        return fresh

    def _fresh(self, limit: Any) -> Cell | QuotaCell | InFlight:
        """Make the state of this worker's part of a limit.

        The same calls in `workers` times the seconds lose nothing to rounding.
        """
        many = self._workers
        if isinstance(limit, Quota):
            return QuotaCell(replace(limit, requests=max(limit.requests // many, 1)), self._wall)
        if isinstance(limit, Concurrency):
            return InFlight(part_of(limit, many))
        unit, tokens = (
            (b"content-bytes", limit.bytes) if isinstance(limit, ByteLimit) else (b"", limit.requests)
        )
        return Cell(Limit(limit.name, tokens, limit.seconds * many, max(limit.burst // many, 1)), unit)


class _Maker:
    """Makes the meters of one owner, each limit on its own."""

    def __init__(self, limiter: LocalLimiter, owner: str, now: int) -> None:
        self._limiter, self._owner, self._now = limiter, owner, now

    def together(self, unit: str, limits: list[Any]) -> tuple[Any, ...]:
        """Give a meter for each limit."""
        del unit
        return tuple(self._limiter.made(self._owner, limit, self._now) for limit in limits)


def part_of(limit: Concurrency, workers: int) -> Concurrency:
    """Give one worker's part of the calls under way, at least one."""
    return replace(limit, calls=max(limit.calls // workers, 1))


class Maker(Protocol):
    """Makes the meters of one owner."""

    def together(self, unit: str, limits: list[Any]) -> tuple[Any, ...]:
        """Give the meters of limits in one unit: one for each, or one for all."""


def owner_limits(owner: str, limits: Iterable[Limit], more: Limits | None, maker: Maker) -> OwnerLimits:
    """Sort an owner's limits by what they count, and put the shadows aside."""
    requests: list[Any] = list(limits)
    octets: list[Any] = []
    slots: list[Any] = []
    shadows: list[Shadow] = []
    if more is not None:
        for limit in more.every:
            unit: Unit = "requests"
            kept = requests
            if isinstance(limit, ByteLimit):
                unit, kept = "bytes", octets
            elif isinstance(limit, Concurrency):
                unit, kept = "slots", slots
            if limit.shadow:
                (meter,) = maker.together(f"{unit}:shadow:{limit.name}", [limit])
                shadows.append(Shadow(owner, limit.name, unit, meter))
            else:
                kept.append(limit)
    return OwnerLimits(
        maker.together("requests", requests) if requests else (),
        maker.together("bytes", octets) if octets else (),
        maker.together("slots", slots) if slots else (),
        tuple(shadows),
    )


def limit_set(limiter: Limiter, *owners: OwnerLimits) -> LimitSet:
    """Join the limits that one call must pass together, and write their RateLimit-Policy line."""
    told = tuple(meter for owner in owners for meter in owner.announced)
    policy = (b"ratelimit-policy", b", ".join(meter.policy for meter in told))
    plain = tuple(meter for meter in told if isinstance(meter, Cell) and not meter.unit)
    if len(plain) == len(told) and not any(owner.shadows for owner in owners):
        return LimitSet(plain, policy, told)
    return LimitSet((), policy, told, Metering(owners, limiter.clock, limiter.counters))


def throttle(limits: LimitSet, exchange: Exchange, weight: int, now: int) -> Refusal | None:
    """Count one call, refuse it, or defer it; writes RateLimit and RateLimit-Policy where they are known."""
    if limits.special is not None:
        return limits.special.admit(exchange, weight, now)
    cells = limits.cells
    if not cells:
        return None
    wait = take(cells, now) if weight == 1 else _take_weighed(cells, now, weight)
    state = cells[0].tell(now) if len(cells) == 1 else b", ".join([one.tell(now) for one in cells])
    headers = exchange.reply_headers
    headers.append(limits.policy)
    headers.append((b"ratelimit", state))
    if wait == 0:
        return None
    return over(OverLimit, [cell.name for cell in cells if cell.wait(now, weight)], wait)


def _take_weighed(cells: tuple[Cell, ...], now: int, weight: int) -> int:
    longest = max(cell.wait(now, weight) for cell in cells)
    if longest == 0:
        for cell in cells:
            cell.spend(now, weight)
    return longest
