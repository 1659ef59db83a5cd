"""Lets go of what was compiled and is not called any more; the next call compiles it again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from kernel.operation.operation import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runtime_proxy.compiled import Compiled
    from runtime_proxy.counting import Counting
    from runtime_proxy.plan import Plan

log = logging.getLogger("interlock.proxy")


class Served(Protocol):
    """What is in force: the plan, and the contracts that it was made of."""

    plan: Plan | None

    def contracts(self) -> Iterable[Compiled]:
        """Give the contracts in force."""


class Coldness:
    """Sweeps every `seconds`: an operation that was not called since the last sweep is cold.

    Which ones are called is known from the metrics (`calls`), so that a call itself marks nothing.
    """

    def __init__(self, served: Served, calls: Callable[[Counting], int], seconds: float) -> None:
        self._served = served
        self._calls = calls
        self._seconds = seconds
        self._before: dict[Operation, int] = {}  # calls of each awake operation at the last sweep

    async def watch(self) -> None:
        """Sweep for ever; returns at once where nothing is ever cold (0 s)."""
        while self._seconds:
            await asyncio.sleep(self._seconds)
            self.sweep()

    def sweep(self) -> int:
        """Let go of what is cold; gives how many operations were."""
        now = self._counts()
        cold = [operation for operation, calls in now.items() if self._before.get(operation) == calls]
        for operation in cold:
            operation.sleep()
            del now[operation]
        self._before = now
        for compiled in self._served.contracts():
            compiled.let_go()
        if cold:
            log.info("%d operations were not called for %g s and are let go of", len(cold), self._seconds)
        return len(cold)

    def _counts(self) -> dict[Operation, int]:
        """Count the calls of every awake operation, over all routes that serve it."""
        found: dict[Operation, int] = {}
        plan = self._served.plan
        for route in plan.routes if plan is not None else ():
            for version in route.versions.values():
                for operation, served in version.operations.items():
                    if operation.awake:
                        calls = self._calls(served.meter) if served.meter is not None else 0
                        found[operation] = found.get(operation, 0) + calls
        return found
