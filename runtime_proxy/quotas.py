"""Calendar quotas: so many calls in each day or month of a time zone, whatever its clocks do that day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from runtime_proxy.gcra import SECOND, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.bundle.limits import Quota

_DAY: Final = 86_400
_DECEMBER: Final = 12


class Calendar:
    """The windows of a quota; each begins at the first midnight of its first day, local time."""

    __slots__ = ("_monthly", "_zone")

    def __init__(self, quota: Quota) -> None:
        self._zone = ZoneInfo(quota.time_zone)
        self._monthly = quota.every == "month"

    def windows(self, wall: float) -> tuple[int, int, int]:
        """Give the beginnings of the window that holds `wall`, of the next and of the one after it.

        In and out are seconds since the epoch. A day is 23 or 25 hours long where clocks change.
        """
        day = datetime.fromtimestamp(wall, self._zone).date()
        first = day.replace(day=1) if self._monthly else day
        second = self._after(first)
        start = self._begins(first)
        if wall < start:  # a midnight that comes twice: the second one belongs to the day that began
            first, second = self._before(first), first
            start = self._begins(first)
        return start, self._begins(second), self._begins(self._after(second))

    def _after(self, day: date) -> date:
        if not self._monthly:
            return day + timedelta(days=1)
        if day.month == _DECEMBER:
            return date(day.year + 1, 1, 1)
        return day.replace(month=day.month + 1)

    def _before(self, day: date) -> date:
        return (day - timedelta(days=1)).replace(day=1) if self._monthly else day - timedelta(days=1)

    def _begins(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp())


class QuotaCell:
    """One quota that this worker keeps alone; `wall` gives seconds since the epoch.

    A wall clock that is turned back does not begin a window anew; one that is turned forward begins the
    next one, as the calendar says.
    """

    __slots__ = ("_calendar", "_ends", "_wall", "calls", "label", "name", "policy", "quota", "used")

    def __init__(self, quota: Quota, wall: Callable[[], float]) -> None:
        self.quota = quota
        self.name = quota.name
        self.label = quoted(quota.name)
        self.policy = quota_policy(quota)
        self.calls = quota.requests
        self.used = 0
        self._calendar = Calendar(quota)
        self._wall = wall
        self._ends = 0

    def wait(self, now: int, weight: int = 1) -> int:
        """Nanoseconds until the quota begins anew; 0: there is enough left of it."""
        del now
        wall = self._turn()
        if self.used + min(weight, self.calls) <= self.calls:
            return 0
        return max(int((self._ends - wall) * SECOND), 1)

    def spend(self, now: int, weight: int = 1) -> None:
        """Count a call that was admitted."""
        del now
        self.used += min(weight, self.calls)

    def tell(self, now: int) -> bytes:
        """Write the item of the RateLimit field: what is left, and the seconds until the window ends."""
        del now
        wall = self._turn()
        return b"%b;r=%d;t=%d" % (self.label, max(self.calls - self.used, 0), max(-int(wall - self._ends), 1))

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limit where it does not admit the call."""
        return (self.name,) if self.wait(now, weight) else ()

    def describe(self) -> tuple[str, ...]:
        """Say it in words."""
        return (describe_quota(self.quota),)

    def inherit(self, older: QuotaCell) -> None:
        """Take over what was used of the same window."""
        self._turn()
        if older._ends == self._ends:
            self.used = older.used

    def _turn(self) -> float:
        wall = self._wall()
        if wall >= self._ends:
            _, self._ends, _ = self._calendar.windows(wall)
            self.used = 0
        return wall


def quota_policy(quota: Quota) -> bytes:
    """Write the item of the RateLimit-Policy field; a month has no fixed length, so it names no window."""
    item = b"%b;q=%d" % (quoted(quota.name), quota.requests)
    return item + b";w=%d" % _DAY if quota.every == "day" else item


def describe_quota(quota: Quota) -> str:
    """`day: 1000 each day in Europe/Berlin`."""
    return f"{quota.name}: {quota.requests} each {quota.every} in {quota.time_zone}"
