"""Request-Timeout: how long the caller waits bounds how long we and the provider try."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from adapters.resilience.time_left import HEADER, written
from runtime_proxy.observe import watches_request
from runtime_proxy.refusals_shed import TimeBudgetInvalid, TimeBudgetSpent

if TYPE_CHECKING:
    from adapters.port import Call
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal

_SECONDS: Final = re.compile(rb"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_LEAST: Final = 0.001  # seconds; with less nothing can be done


class TurnedBack(Exception):
    """A call that is refused while it is made ready; only the pipeline sees this."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.slug)
        self.refusal = refusal


def keep_within(lines: list[bytes], call: Call, exchange: Exchange, served: ServedOperation) -> None:
    """Give the call no more time than its caller has left, and tell the provider; raises `TurnedBack`.

    The time runs from the first byte of the request; the route's own bound holds all the same.
    """
    if len(lines) != 1 or _SECONDS.fullmatch(lines[0]) is None:
        if watches_request(served, exchange):
            return
        raise TurnedBack(TimeBudgetInvalid())
    left = float(lines[0]) - (time.perf_counter() - exchange.started)
    if left < _LEAST:
        raise TurnedBack(TimeBudgetSpent())
    call.timeout_seconds = min(call.timeout_seconds, left)
    call.headers.append((HEADER, written(call.timeout_seconds)))
