"""The limiter of workers that share their limits in Redis: one account for each owner and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_proxy.leases import Account
from runtime_proxy.shared_limits import shared_limit
from runtime_proxy.throttle import owner_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernel.bundle.limits import Limits
    from kernel.bundle.model import Limit
    from runtime_proxy.lease_store import LeaseStore
    from runtime_proxy.meter import OwnerLimits


class LeasedLimiter:
    """Gives the accounts of owners; over every swap of the bundle they stay the same ones."""

    def __init__(self, store: LeaseStore, environment: str = "dev") -> None:
        self.counters = store.counters
        self._store = store
        self._environment = environment
        self._accounts: dict[str, Account] = {}

    @property
    def clock(self) -> Callable[[], int]:
        """Monotonic nanoseconds."""
        return self._store.clock

    async def start(self) -> None:
        """Connect to the store."""
        await self._store.start()

    async def stop(self) -> None:
        """Give leases back."""
        await self._store.stop()

    def owner(self, owner: str, limits: Iterable[Limit], more: Limits | None, now: int) -> OwnerLimits:
        """Give the state of an owner's limits; what was counted before a new bundle still counts."""
        del now
        closed = more is not None and more.when_store_lost == "closed"
        return owner_limits(owner, limits, more, _Accounts(self, owner, closed=closed))

    def account(self, owner: str, unit: str, limits: list[Any], *, closed: bool) -> Account:
        """Give the account of an owner's limits in one unit; in a cluster the owner is the hash tag."""
        key = f"interlock:{self._environment}:{{{owner}}}:{unit}"
        shared = [shared_limit(limit) for limit in limits]
        known = self._accounts.get(key)
        if known is None:
            known = self._accounts[key] = Account(key, shared, self._store, closed=closed)
        elif closed != known.closed or [one.limit for one in known.limits] != [one.limit for one in shared]:
            known.become(shared, closed=closed)
        return known


class _Accounts:
    """Makes the meters of one owner: one for all limits of a unit."""

    def __init__(self, limiter: LeasedLimiter, owner: str, *, closed: bool) -> None:
        self._limiter, self._owner, self._closed = limiter, owner, closed

    def together(self, unit: str, limits: list[Any]) -> tuple[Any, ...]:
        """Give their account."""
        return (self._limiter.account(self._owner, unit, limits, closed=self._closed),)
