"""Refuse the least urgent calls while this worker has more to do than it can.

The measure is the lag of the event loop: how much later than asked a timer goes off, which is what every
call waits beside its own work. One long turn is no overload; several late timers in a row are.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from runtime_proxy.refusals_head import Overloaded

if TYPE_CHECKING:
    from kernel.bundle.limits import Priority
    from runtime_proxy.limit_counters import LimitCounters
    from runtime_proxy.refusal import Refusal

TICK: Final = 0.05  # seconds between looks
_IN_A_ROW: Final = 3
CRITICAL: Final = 0
NORMAL: Final = 1
BACKGROUND: Final = 2
CLASSES: Final[tuple[Priority, ...]] = ("critical", "normal", "background")


class Shedding:
    """Says who is refused: at level 0 nobody, at 1 `background`, at 2 `normal` too; `critical` never.

    `bound` is in seconds, 0 turns it off. Level 1 begins when three looks in a row were later than the bound,
    level 2 when they were later than twice the bound; a look within half the bound takes one level back.
    """

    __slots__ = ("_bound", "_counters", "_due", "_lags", "_timer", "lag", "level")

    def __init__(self, bound: float, counters: LimitCounters) -> None:
        self._bound = bound
        self._counters = counters
        self._lags: list[float] = []
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.level = 0
        self.lag = 0.0  # seconds, of the last look

    def start(self) -> None:
        """Begin to look; call it inside the serving loop."""
        if self._bound > 0:
            self._next(asyncio.get_running_loop())

    def stop(self) -> None:
        """Look no more, and refuse nobody."""
        if self._timer is not None:
            self._timer.cancel()
        self.level = 0

    def judge(self, priority: int) -> Refusal | None:
        """Refuse a call of this priority, where its turn has come; asked only while `level` is not 0."""
        if priority <= BACKGROUND - self.level:
            return None
        name = CLASSES[priority]
        self._counters.shed[name] = self._counters.shed.get(name, 0) + 1
        return Overloaded()

    def look(self, lag: float) -> None:
        """Take up one measure (seconds)."""
        self.lag = lag
        self._lags = [*self._lags[1 - _IN_A_ROW :], lag]
        least = min(self._lags) if len(self._lags) == _IN_A_ROW else 0.0
        if least > 2 * self._bound:
            self.level = 2
        elif least > self._bound:
            self.level = max(self.level, 1)
        elif lag <= self._bound / 2 and self.level:
            self.level -= 1

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + TICK
        self._timer = loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.look(loop.time() - self._due)
        self._next(loop)
