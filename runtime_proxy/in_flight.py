"""Calls under way at the same time, counted by the worker that carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.gcra import SECOND, quoted

if TYPE_CHECKING:
    from kernel.bundle.limits import Concurrency

SOON: Final = SECOND  # nobody knows when a call will end; ask again then


class InFlight:
    """At most so many calls at once, all of them in this worker."""

    __slots__ = ("calls", "in_use", "label", "limit", "name", "policy")

    def __init__(self, limit: Concurrency) -> None:
        self.in_use = 0
        self.become(limit)

    def become(self, limit: Concurrency) -> None:
        """Hold to a changed limit; the calls that are under way stay counted."""
        self.limit = limit
        self.name = limit.name
        self.label = quoted(limit.name)
        self.policy = in_flight_policy(limit)
        self.calls = limit.calls

    def wait(self, now: int, weight: int = 1) -> int:
        """0 where one more call may begin."""
        del now, weight
        return 0 if self.in_use < self.calls else SOON

    def spend(self, now: int, weight: int = 1) -> None:
        """Begin a call."""
        del now, weight
        self.in_use += 1

    def release(self, now: int) -> None:
        """End a call."""
        del now
        self.in_use -= 1

    def tell(self, now: int) -> bytes:
        """Write the item of the RateLimit field."""
        del now
        return b"%b;r=%d" % (self.label, max(self.calls - self.in_use, 0))

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limit where no more calls may begin."""
        return (self.name,) if self.wait(now, weight) else ()

    def describe(self) -> tuple[str, ...]:
        """Say it in words."""
        return (describe_in_flight(self.limit),)


def in_flight_policy(limit: Concurrency) -> bytes:
    """Write the item of the RateLimit-Policy field."""
    return b'%b;q=%d;qu="concurrent-requests"' % (quoted(limit.name), limit.calls)


def describe_in_flight(limit: Concurrency) -> str:
    """`parallel: 8 at the same time`."""
    return f"{limit.name}: {limit.calls} at the same time"
