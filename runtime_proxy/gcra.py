"""The generic cell rate algorithm in whole numbers: in t seconds, at most burst + rate * t admissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kernel.bundle.model import Limit

SECOND: Final = 1_000_000_000  # nanoseconds


class Cell:
    """The state of one limit: its theoretical arrival time (TAT).

    All times are whole nanoseconds with a rest in `requests`-ths of one, so that the emission interval (window /
    requests) is exact and no rounding ever admits one call too many (ITU-T I.371, virtual scheduling). What a
    call does with them is adding and comparing small numbers. A call that weighs more than the burst counts as
    the whole burst. `unit` is what is counted where that is not requests (a `qu` of the draft).
    """

    __slots__ = (
        "_after",
        "_interval",
        "_interval_rest",
        "_left",
        "_spare",
        "_spare_rest",
        "_told",
        "burst",
        "label",
        "name",
        "period",
        "policy",
        "requests",
        "rest",
        "seconds",
        "tat",
        "unit",
    )

    def __init__(self, limit: Limit, unit: bytes = b"") -> None:
        self.name = limit.name
        self.label = quoted(limit.name)
        self.requests = max(limit.requests, 1)
        self.seconds = max(limit.seconds, 1)
        self.burst = max(limit.burst, 1)
        self.period = self.seconds * SECOND
        self.tat = 0
        self.rest = 0
        self.unit = unit
        self.policy = rate_policy(limit, unit)
        self._interval, self._interval_rest = self._time_of(1)
        # How far the TAT may be ahead of a call.
        self._spare, self._spare_rest = self._time_of(self.burst - 1)
        self._left = -1  # what was told last
        self._after = 0
        self._told = b""

    def wait(self, now: int, weight: int = 1) -> int:
        """Nanoseconds until a call of this weight would be admitted; 0 admits now. Changes nothing."""
        spare, rest = self._spare, self._spare_rest
        if weight != 1:
            spare, rest = self._time_of(self.burst - min(self.burst, weight))
        late = self.tat - now - spare
        if self.rest > rest:
            late += 1
        return max(late, 0)

    def spend(self, now: int, weight: int = 1) -> None:
        """Count a call that was admitted."""
        time, rest = self._interval, self._interval_rest
        if weight != 1:
            time, rest = self._time_of(min(self.burst, weight))
        if self.tat >= now:
            time += self.tat
            rest += self.rest
            if rest >= self.requests:
                rest -= self.requests
                time += 1
        else:
            time += now
        self.tat = time
        self.rest = rest

    def remaining(self, now: int) -> int:
        """How many calls would be admitted at once, now."""
        ahead = self.tat - now
        if ahead < 0:
            return self.burst
        return self.burst + -(ahead * self.requests + self.rest) // self.period

    def tell(self, now: int) -> bytes:
        """Write the limit's item of the RateLimit field.

        `r` is what would be admitted at once, `t` the seconds until the burst is full again, or, with
        nothing left, until the next call. In quiet times the same is told again and again.
        """
        left = self.remaining(now)
        if left:
            time = self.tat - now
            if self.rest:
                time += 1
        else:
            time = self.wait(now)
        after = -(-time // SECOND) if time > 0 else 0
        if left != self._left or after != self._after:
            self._left = left
            self._after = after
            self._told = b"%b;r=%d;t=%d" % (self.label, left, after)
        return self._told

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
        owed = max(older.tat - now, 0)
        self.drain(now)
        if owed <= self.tat - now:
            self.tat, self.rest = now + owed, 0

    def drain(self, now: int) -> None:
        """Begin with nothing: the first call is admitted when time has earned it."""
        time, self.rest = self._time_of(self.burst)
        self.tat = now + time

    def _time_of(self, calls: int) -> tuple[int, int]:
        """Give the time in which so many calls are earned, with its rest."""
        return divmod(calls * self.period, self.requests)


def take(cells: tuple[Cell, ...], now: int) -> int:
    """Check all limits, then count the call in all of them (0), or in none (nanoseconds to wait)."""
    longest = 0
    for cell in cells:
        longest = max(longest, cell.wait(now))
    if longest == 0:
        for cell in cells:
            cell.spend(now)
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
