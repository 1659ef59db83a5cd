"""Hold calls to the limits of consumer and route, and announce them.

Header fields as in draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.bundle.model import Limit
from runtime_proxy.gcra import SECOND, Cell, take
from runtime_proxy.plan import LimitSet
from runtime_proxy.refusals_head import OverLimit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.port import Headers
    from runtime_proxy.refusal import Refusal


class Limiter(Protocol):
    """Who keeps the state of the limits: this process, or a store that several workers share."""

    def cells(self, owner: str, limits: Iterable[Limit], now: int) -> tuple[Cell, ...]:
        """Give the state of an owner's limits; what was counted before a new bundle still counts."""

    def take(self, cells: tuple[Cell, ...], now: int) -> int:
        """Count one call in all cells or in none; 0 or the nanoseconds to wait."""


class LocalLimiter:
    """One worker keeps the state itself, over every swap of the bundle.

    Of several `workers` each keeps an equal part of every limit: rate and burst divided, but never less
    than one call at once, so that over all of them max(burst, workers) may come together.
    """

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._cells: dict[tuple[str, str], Cell] = {}

    def cells(self, owner: str, limits: Iterable[Limit], now: int) -> tuple[Cell, ...]:
        """Keep a cell while its limit stays as it was; a changed limit inherits what is owed."""
        return tuple(self._cell(owner, limit, now) for limit in limits)

    def take(self, cells: tuple[Cell, ...], now: int) -> int:
        """Count one call in all cells or in none."""
        return take(cells, now)

    def _cell(self, owner: str, limit: Limit, now: int) -> Cell:
        cell = Cell(self._part(limit))
        known = self._cells.get((owner, limit.name))
        if known is not None:
            if (known.requests, known.seconds, known.burst) == (cell.requests, cell.seconds, cell.burst):
                return known
            cell.inherit(known, now)
        self._cells[owner, limit.name] = cell
        return cell

    def _part(self, limit: Limit) -> Limit:
        """Give this worker's part: the same calls in `workers` times the seconds loses nothing to rounding."""
        if self._workers == 1:
            return limit
        burst = max(limit.burst // self._workers, 1)
        return Limit(limit.name, limit.requests, limit.seconds * self._workers, burst)


def limit_set(*groups: tuple[Cell, ...]) -> LimitSet:
    """Join the limits that one call must pass together, and write their RateLimit-Policy line."""
    cells = tuple(cell for group in groups for cell in group)
    policy = b", ".join(b"%b;q=%d;w=%d" % (one.label, one.requests, one.seconds) for one in cells)
    return LimitSet(cells, (b"ratelimit-policy", policy))


def throttle(limits: LimitSet, limiter: Limiter, now: int, headers: Headers) -> Refusal | None:
    """Count one call, or refuse it; writes RateLimit and RateLimit-Policy into `headers` either way."""
    cells = limits.cells
    if not cells:
        return None
    wait = limiter.take(cells, now)
    state = cells[0].tell(now) if len(cells) == 1 else b", ".join([one.tell(now) for one in cells])
    headers += (limits.policy, (b"ratelimit", state))
    if wait == 0:
        return None
    blocking = ", ".join(f'"{cell.name}"' for cell in cells if cell.wait(now))
    seconds = -(-wait // SECOND)
    return OverLimit(
        f"The limit {blocking} is used up; wait {seconds} s.", headers=[(b"retry-after", b"%d" % seconds)]
    )
