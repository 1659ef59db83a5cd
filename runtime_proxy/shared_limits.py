"""A limit that workers share: how it is said to the store, and how it is told to callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel.bundle.limits import ByteLimit, Concurrency, Quota
from kernel.bundle.model import Limit
from runtime_proxy.gcra import describe_rate, quoted, rate_policy
from runtime_proxy.in_flight import describe_in_flight, in_flight_policy
from runtime_proxy.lease_wire import QuotaTerm, SlotTerm, rate_term
from runtime_proxy.quotas import Calendar, describe_quota, quota_policy

if TYPE_CHECKING:
    from runtime_proxy.lease_wire import Term

_MICRO = 1_000_000


@dataclass(slots=True, eq=False)
class SharedLimit:
    """One limit: `most` is the heaviest that one call may weigh in it."""

    limit: Any  # Limit, RateLimit, ByteLimit, Quota, Concurrency
    term: Term
    policy: bytes
    label: bytes
    words: str
    most: int
    calendar: Calendar | None = None
    untimed: bool = False  # nobody knows when more of it will be there

    @property
    def name(self) -> str:
        """The limit's name."""
        return self.term.name

    def tell(self, left: int, seconds: int) -> bytes:
        """Write the item of the RateLimit field."""
        if self.untimed:
            return b"%b;r=%d" % (self.label, left)
        return b"%b;r=%d;t=%d" % (self.label, left, seconds)

    def turn(self, wall: float) -> None:
        """Say to the store which windows there are around now; its own clock decides between them."""
        term = self.term
        if (
            isinstance(term, QuotaTerm)
            and self.calendar is not None
            and not term.start <= wall * _MICRO < term.next
        ):
            start, end, after = self.calendar.windows(wall)
            term.start, term.next, term.after = start * _MICRO, end * _MICRO, after * _MICRO


def shared_limit(limit: Any) -> SharedLimit:
    """Make the shared form of any limit of the bundle; raises `BundleError` where it cannot be exact."""
    label = quoted(limit.name)
    if isinstance(limit, Quota):
        term = QuotaTerm(limit.name, limit.requests)
        words, policy = describe_quota(limit), quota_policy(limit)
        return SharedLimit(limit, term, policy, label, words, limit.requests, Calendar(limit))
    if isinstance(limit, Concurrency):
        words, policy = describe_in_flight(limit), in_flight_policy(limit)
        return SharedLimit(
            limit, SlotTerm(limit.name, limit.calls), policy, label, words, limit.calls, untimed=True
        )
    unit, tokens = (b"content-bytes", limit.bytes) if isinstance(limit, ByteLimit) else (b"", limit.requests)
    plain = Limit(limit.name, tokens, limit.seconds, limit.burst)
    rate = rate_term(limit.name, tokens, limit.seconds, limit.burst)
    words = describe_rate(limit.name, tokens, limit.seconds, limit.burst, unit)
    return SharedLimit(plain, rate, rate_policy(plain, unit), label, words, limit.burst)
