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
    rounding ever admits one call too many (ITU-T I.371, virtual scheduling).
    """

    __slots__ = ("burst", "depth", "label", "name", "period", "requests", "seconds", "tat")

    def __init__(self, limit: Limit) -> None:
        self.name = limit.name
        self.label = _quoted(limit.name)
        self.requests = max(limit.requests, 1)
        self.seconds = max(limit.seconds, 1)
        self.burst = max(limit.burst, 1)
        self.period = self.seconds * SECOND
        self.depth = self.burst * self.period
        self.tat = 0

    def wait(self, now: int) -> int:
        """Nanoseconds until one more call would be admitted; 0 admits now. Changes nothing."""
        late = self.tat + self.period - self.depth - now * self.requests
        if late <= 0:
            return 0
        return -(-late // self.requests)

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

    def inherit(self, older: Cell, now: int) -> None:
        """Take over the time still owed under a limit of the same name, so that a change forgives nothing."""
        owed = max(older.tat - now * older.requests, 0) // older.requests  # nanoseconds
        self.tat = now * self.requests + min(owed * self.requests, self.depth)


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


def _quoted(name: str) -> bytes:
    """Write a limit's name as a structured-field string (RFC 9651 section 3.3.3)."""
    return b'"%b"' % name.encode("ascii", "replace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
