"""The generic cell rate algorithm in whole numbers: in t seconds, at most burst + rate * t admissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.bundle.model import Limit

SECOND: Final = 1_000_000_000  # nanoseconds


class Cell:
    """The state of one limit: its theoretical arrival time (TAT), in nanoseconds times requests.

    Counting in nanoseconds times requests keeps the emission interval (window / requests) whole, so that no
    rounding ever admits one call too many (ITU-T I.371, virtual scheduling). A call that weighs more than the
    burst counts as the whole burst. `unit` is what is counted where that is not requests (a `qu` of the draft).
    """

    __slots__ = ("burst", "depth", "label", "name", "period", "policy", "requests", "seconds", "tat", "unit")

    def __init__(self, limit: Limit, unit: bytes = b"") -> None:
        self.name = limit.name
        self.label = quoted(limit.name)
        self.requests = max(limit.requests, 1)
        self.seconds = max(limit.seconds, 1)
        self.burst = max(limit.burst, 1)
        self.period = self.seconds * SECOND
        self.depth = self.burst * self.period
        self.tat = 0
        self.unit = unit
        self.policy = rate_policy(limit, unit)

    def wait(self, now: int, weight: int = 1) -> int:
        """Nanoseconds until a call of this weight would be admitted; 0 admits now. Changes nothing."""
        counted = min(self.burst, weight)
        late = self.tat + counted * self.period - self.depth - now * self.requests
        if late <= 0:
            return 0
        return -(-late // self.requests)

    def spend(self, now: int, weight: int = 1) -> None:
        """Count a call that was admitted."""
        counted = min(self.burst, weight)
        self.tat = max(self.tat, now * self.requests) + counted * self.period

    def remaining(self, now: int) -> int:
        """How many calls would be admitted at once, now."""
        debt = self.tat - now * self.requests
        return self.burst if debt <= 0 else (self.depth - debt) // self.period

    def tell(self, now: int) -> bytes:
        """Write the limit's item of the RateLimit field.

        `r` is what would be admitted at once, `t` the seconds until the burst is full again, or, with
        nothing left, until the next call.
        """
        debt = self.tat - now * self.requests
        if debt <= 0:
            return b"%b;r=%d;t=0" % (self.label, self.burst)
        left = (self.depth - debt) // self.period
        if not left:
            debt += self.period - self.depth
        return b"%b;r=%d;t=%d" % (self.label, left, -(-debt // (self.requests * SECOND)))

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limit where it does not admit the call."""
        return (self.name,) if self.wait(now, weight) else ()

    def describe(self) -> tuple[str, ...]:
        """Say it in words."""
        return (describe_rate(self.name, self.requests, self.seconds, self.burst, self.unit),)

    def same(self, other: Cell) -> bool:
        """Is it the same limit."""
        mine = (self.requests, self.seconds, self.burst, self.unit)
        return mine == (other.requests, other.seconds, other.burst, other.unit)

    def inherit(self, older: Cell, now: int) -> None:
        """Take over the time still owed under a limit of the same name, so that a change forgives nothing."""
        owed = max(older.tat - now * older.requests, 0) // older.requests  # nanoseconds
        self.tat = now * self.requests + min(owed * self.requests, self.depth)

    def drain(self, now: int) -> None:
        """Begin with nothing: the first call is admitted when time has earned it."""
        self.tat = now * self.requests + self.depth


def take(cells: Sequence[Cell], now: int) -> int:
    """Check all limits, then count the call in all of them (0), or in none (nanoseconds to wait)."""
    longest = 0
    for cell in cells:
        longest = max(longest, cell.wait(now))
    if longest == 0:
        for cell in cells:
            scaled = now * cell.requests
            cell.tat = (cell.tat if cell.tat > scaled else scaled) + cell.period  # noqa: FURB136 - hot
    return longest


def quoted(name: str) -> bytes:
    """Write a limit's name as a structured-field string (RFC 9651 section 3.3.3)."""
    return b'"%b"' % name.encode("ascii", "replace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def rate_policy(limit: Limit, unit: bytes = b"") -> bytes:
    """Write the item of the RateLimit-Policy field."""
    item = b"%b;q=%d;w=%d" % (quoted(limit.name), limit.requests, limit.seconds)
    return item + b';qu="%b"' % unit if unit else item


def describe_rate(name: str, tokens: int, seconds: int, burst: int, unit: bytes = b"") -> str:
    """Say `calls: 600 in 60 s, burst 50`."""
    what = " bytes" if unit else ""
    return f"{name}: {tokens}{what} in {seconds} s, burst {burst}{what}"
