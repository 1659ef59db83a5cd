"""A worker's share of shared limits while their store is out of reach: one of so many parts, begun empty.

It begins with nothing in it, since all that the limits allowed may have been spent elsewhere; from then on
the shares of all workers together earn what the limits allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from kernel.bundle.limits import Concurrency, Quota
from kernel.bundle.model import Limit
from runtime_proxy.gcra import Cell
from runtime_proxy.in_flight import SOON
from runtime_proxy.quotas import QuotaCell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_proxy.shared_limits import SharedLimit


class Holder(Protocol):
    """Whose share it is (runtime_proxy.leases.Account)."""

    limits: tuple[SharedLimit, ...]
    in_use: int


class _Places:
    """A part of a limit on calls under way; the calls are counted by the holder."""

    def __init__(self, shared: SharedLimit, holder: Holder, shares: int) -> None:
        self._shared = shared
        self._holder = holder
        self._calls = max(shared.limit.calls // shares, 1)

    def wait(self, now: int, weight: int = 1) -> int:
        del now, weight
        return 0 if self._holder.in_use < self._calls else SOON

    def spend(self, now: int, weight: int = 1) -> None:
        del now, weight

    def tell(self, now: int) -> bytes:
        del now
        return self._shared.tell(max(self._calls - self._holder.in_use, 0), 1)

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        return (self._shared.name,) if self.wait(now, weight) else ()


class Alone:
    """The share of one account: a part of each of its limits. `used` is what was last told of its quotas."""

    def __init__(
        self, holder: Holder, used: Sequence[int], shares: int, since: int, wall: Callable[[], float]
    ) -> None:
        self._parts = tuple(
            _part(shared, spent, holder, shares=shares, since=since, wall=wall)
            for shared, spent in zip(holder.limits, used, strict=True)
        )

    def wait(self, now: int, weight: int) -> int:
        """0 or the nanoseconds until the share admits the call."""
        longest = 0
        for part in self._parts:
            longest = max(longest, part.wait(now, weight))
        return longest

    def spend(self, now: int, weight: int) -> None:
        """Count an admitted call in all parts."""
        for part in self._parts:
            part.spend(now, weight)

    def tell(self, now: int) -> bytes:
        """Write the items of the RateLimit field, of this worker's part alone."""
        return b", ".join(part.tell(now) for part in self._parts)

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limits that do not admit the call."""
        return tuple(name for part in self._parts for name in part.blocks(now, weight))


def _part(
    shared: SharedLimit, used: int, holder: Holder, *, shares: int, since: int, wall: Callable[[], float]
) -> Any:
    limit = shared.limit
    if isinstance(limit, Concurrency):
        return _Places(shared, holder, shares)
    if isinstance(limit, Quota):
        return QuotaCell(replace(limit, requests=max(limit.requests - used, 0) // shares), wall)
    # Half a part at once: what workers have saved up when the store is back comes on top of its own state.
    burst = max(limit.burst // (2 * shares), 1)
    cell = Cell(Limit(limit.name, limit.requests, limit.seconds * shares, burst))
    cell.drain(since)
    return cell
