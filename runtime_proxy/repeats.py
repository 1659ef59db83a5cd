"""Log lines that an outage would repeat thousands of times a second: one at once, then one a second with a count."""

from __future__ import annotations

import logging
import time
from typing import Final

_EVERY: Final = 1.0  # seconds
_MOST_KINDS: Final = 1_000


class Repeats:
    """Writes to one logger. What is left out is in the audit log and in the metrics, call by call."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def say(self, level: int, kind: tuple[str, str], text: str, *values: object) -> None:
        """Write `text` unless a line of its `kind` (what it is about, what happened) was written within a second."""
        now = time.monotonic()
        known = self._kinds.get(kind)
        if known is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            self._kinds[kind] = known = _Kind()
        elif now < known.due:
            known.left_out += 1
            return
        known.due = now + _EVERY
        if known.left_out:
            text += " (%d more like it were not written)"
            values += (known.left_out,)
            known.left_out = 0
        self._log.log(level, text, *values)


class _Kind:
    __slots__ = ("due", "left_out")

    def __init__(self) -> None:
        self.due = 0.0  # time.monotonic()
        self.left_out = 0
