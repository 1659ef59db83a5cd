"""The Redis in which workers share their limits: batches of one script, its loss within 50 ms, its return.

While it is out of reach nothing is sent to it but one probe at a time, at jittered intervals.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from typing import TYPE_CHECKING, Any, Final

from runtime_proxy.lease_link import FAULTS, GREETING, LeaseLink
from runtime_proxy.lease_wire import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_proxy.leases import Account
    from runtime_proxy.limit_counters import LimitCounters

log = logging.getLogger("interlock.proxy")

_BEFORE: Final = 0.1  # seconds before all workers go back, what was spent alone is reported
_BATCH: Final = 128
_SWEEP: Final = 0.25  # seconds between looks for leases that end soon
_REPORT: Final = 0.01  # seconds after which a scarce token is reported spent, unless it was already
_FIRST_PROBE, _LONGEST_PROBE = 0.2, 0.5  # seconds


class LeaseStore:
    """Settles accounts (runtime_proxy.leases) with Redis, one batch at a time.

    `told` is called with the name of an act and its reason when the store is lost and when it is back.
    """

    def __init__(
        self,
        url: str,
        counters: LimitCounters,
        *,
        shares: int,
        clock: Callable[[], int],
        wall: Callable[[], float],
        told: Callable[[str, str], None] = lambda _act, _reason: None,
        skew: Callable[[], int] = lambda: 0,
    ) -> None:
        self._link = LeaseLink(url, clock)
        self.clock = clock
        self.wall = wall
        self.counters = counters
        self.worker = secrets.token_hex(6)
        self.up = False
        self.lost_at = clock()
        self.losses = 0
        self._least_shares = shares
        self._crowd = 1
        self._told = told
        self._skew = skew
        self._due: dict[Account, None] = {}
        self._holding: set[Account] = set()
        self._owing: set[Account] = set()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        counters.store_up = False

    @property
    def full(self) -> int:
        """When every account was full, by the clock of the store in microseconds; 0: not known."""
        return self._link.full

    @property
    def shares(self) -> int:
        """Of how many parts a worker has one while the store is out of reach."""
        return max(self._least_shares, self._crowd)

    async def start(self) -> None:
        """Connect, or begin as lost; call it inside the serving loop."""
        self._spawn(self._pump())
        self._spawn(self._sweep())
        try:
            await self._link.greet()
        except FAULTS as error:
            self._lose(error)
        else:
            self.up = self.counters.store_up = True

    async def stop(self) -> None:
        """Give back what is held, as far as that is possible, and disconnect."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._due.update(dict.fromkeys(self._holding))
        while self.up and self._due:
            for account in self._due:
                account.until = 0
            await self._settle(self._batch())
        self.up = False
        await self._link.close()

    def queue(self, account: Account) -> None:
        """Have the account settled with the next batch."""
        if self.up:
            self._due[account] = None
            self._wake.set()

    def report_soon(self, account: Account) -> None:
        """Have the account settled in a moment, unless it is before."""
        asyncio.get_running_loop().call_later(_REPORT, self._report, account, account.number)

    def spent_alone(self, account: Account, tokens: int) -> None:
        """Count tokens that were spent out of a local share, and remember who owes them."""
        self.counters.alone += tokens
        self._owing.add(account)

    # -- talking ------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                await self._settle(self._batch())

    def _batch(self) -> list[Account]:
        batch = [account for account, _ in zip(self._due, range(_BATCH), strict=False)]
        for account in batch:
            del self._due[account]
        return batch

    async def _settle(self, batch: list[Account]) -> None:
        if not self.up:
            self._give_up(batch)
            return
        try:
            await self._exchange(batch)
        except FAULTS as error:
            self._give_up(batch)
            self._lose(error)

    async def _exchange(self, batch: list[Account]) -> None:
        now = self.clock()
        asks = []
        for account in batch:
            ask = account.draw(now)
            ask.skew = self._skew()
            if not self.up:
                ask.want = 0  # a report, and no more
            asks.append((account.key, encode(ask)))
        self.counters.store_calls += len(batch)
        grants = [decode(answer) for answer in await self._link.run(asks)]
        now = self.clock()
        for account, grant in zip(batch, grants, strict=True):
            self._crowd = max(self._crowd, grant.crowd)
            if account.settle(grant, now):
                self.report_soon(account)
            if account.hand or account.in_use:
                self._holding.add(account)
            else:
                self._holding.discard(account)

    # -- losing and finding -------------------------------------------------------------------------

    def _give_up(self, batch: list[Account]) -> None:
        for account in batch:
            account.give_up()

    def _lose(self, error: BaseException) -> None:
        """Let every worker's share decide from now on, and begin to look for the store."""
        self.up = self.counters.store_up = False
        self.losses += 1
        self.counters.store_losses += 1
        self.lost_at = self.clock()
        self._give_up(list(self._due))
        self._due.clear()
        reason = (
            "timeout" if isinstance(error, (TimeoutError, asyncio.TimeoutError)) else type(error).__name__
        )
        log.error("the store of the limits is out of reach (%s); policies decide", reason)
        self._told("limits-store-lost", reason)
        self._spawn(self._find())

    async def _find(self) -> None:
        delay = _FIRST_PROBE
        while True:
            await asyncio.sleep(random.uniform(delay / 2, delay))  # noqa: S311 - only to spread the workers
            try:
                await self._link.disconnect()
                await asyncio.wait_for(self._link.greet(back=True), GREETING)
                await self._report_owing()
                await asyncio.sleep(max(await self._link.time_until_again() - _BEFORE, 0))
                await self._report_owing()
                await asyncio.sleep(max(await self._link.time_until_again(), 0))
                break
            except FAULTS:
                delay = min(2 * delay, _LONGEST_PROBE)
        self.up = self.counters.store_up = True
        log.warning("the store of the limits is back")
        self._told("limits-store-back", "")
        owing, self._owing = self._owing, set()
        for account in owing:
            self.queue(account)

    async def _report_owing(self) -> None:
        """Report what was spent out of local shares; what is held meanwhile stays as it is."""
        owing, self._owing = list(self._owing), set()
        for first in range(0, len(owing), _BATCH):
            await self._exchange(owing[first : first + _BATCH])

    # -- by the clock -------------------------------------------------------------------------------

    def _report(self, account: Account, number: int) -> None:
        if account.number == number:
            self.queue(account)

    async def _sweep(self) -> None:
        """Renew or give back what ends soon."""
        while True:
            await asyncio.sleep(_SWEEP)
            now = self.clock()
            for account in tuple(self._holding):
                if account.ends_soon(now):
                    self.queue(account)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
