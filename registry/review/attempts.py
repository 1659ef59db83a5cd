"""Counts failed sign-ins per account and source address, so that passwords cannot be tried out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

MOST_FAILURES = 5
WINDOW = timedelta(minutes=5)
_MOST_KNOWN = 10_000  # pairs that are remembered; the longest untouched is forgotten first


class Attempts:
    """Failures of the last minutes, in memory: the registry is one process."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def blocked(self, account: str, source: str, now: datetime) -> bool:
        """Whether so many failures stand that not even the right password is looked at."""
        with self._lock:
            return len(self._recent((account, source), now)) >= MOST_FAILURES

    def failed(self, account: str, source: str, now: datetime) -> None:
        """Count a failure."""
        with self._lock:
            recent = self._recent((account, source), now)
            self._failures[(account, source)] = [*recent, now]
            self._failures.move_to_end((account, source))
            while len(self._failures) > _MOST_KNOWN:
                self._failures.popitem(last=False)

    def succeeded(self, account: str, source: str) -> None:
        """Forget the failures of this pair."""
        with self._lock:
            self._failures.pop((account, source), None)

    def _recent(self, pair: tuple[str, str], now: datetime) -> list[datetime]:
        return [moment for moment in self._failures.get(pair, ()) if moment > now - WINDOW]
