"""The id and the time of a record: made several times a call, so that as little as possible is formatted."""

from __future__ import annotations

import itertools
import os
import time
from typing import Final

_MILLISECOND: Final = 1_000_000  # nanoseconds
_THREE_DIGITS: Final = tuple(f"{number:03d}" for number in range(1000))
_time_ns: Final = time.time_ns


class _Millisecond:
    """One millisecond of the clock, and what begins the texts of all that is made in it."""

    def __init__(self, number: int, second: str) -> None:
        self.begins = number * _MILLISECOND  # nanoseconds since the epoch
        self.second = second
        self.time = f"{second}.{_THREE_DIGITS[number % 1000]}"
        digits = number.to_bytes(6, "big").hex()
        self.id = f"{digits[:8]}-{digits[8:]}-7"  # 48 bits, and the version (RFC 9562 §5.7)


class _Clock:
    """Looks at the time; what is the same for a millisecond or a second is written once in it."""

    def __init__(self) -> None:
        self._now = _Millisecond(0, "1970-01-01T00:00:00")

    def at(self, time_ns: int) -> _Millisecond:
        """Give the millisecond of a time; the same object until it is over."""
        now = self._now
        since = time_ns - now.begins
        if 0 <= since < _MILLISECOND:
            return now
        number = time_ns // _MILLISECOND
        same = number // 1000 == now.begins // (1000 * _MILLISECOND)
        second = now.second if same else time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(number // 1000))
        self._now = now = _Millisecond(number, second)
        return now


class _Ids:
    """Makes UUIDv7 (RFC 9562 §5.7, §6.2): time, a counter of 26 bits, 48 random bits per process."""

    def __init__(self) -> None:
        self._next = itertools.count().__next__
        self._upper = (-1, "")  # upper 18 bits of the counter, and their text
        self._begun = (_Millisecond(0, ""), -1, "")  # time, these bits, and both as text
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def make(self, within: _Millisecond) -> str:
        """Make one in its text form; ids of one process sort by time and are never the same."""
        count = self._next()
        upper = count >> 8 & 0x3FFFF
        known, known_upper, text = self._begun
        if known is not within or known_upper != upper:
            text = within.id + self._text_of(upper)
            self._begun = (within, upper, text)
        return text + self._ends[count & 0xFF]

    def _text_of(self, upper: int) -> str:
        known, text = self._upper
        if known != upper:
            text = f"{upper >> 6:03x}-{0x80 | upper & 0x3F:02x}"
            self._upper = (upper, text)
        return text

    def _renew(self) -> None:
        node = os.urandom(6).hex()  # a forked worker must not repeat its parent's ids
        self._ends = tuple(f"{octet:02x}-{node}" for octet in range(256))


_clock: Final = _Clock()
_ids: Final = _Ids()


def stamp() -> tuple[str, str]:
    """Make a UUIDv7 in its text form, and write the time as RFC 3339, in UTC, with nanoseconds."""
    time_ns = _time_ns()
    now = _clock.at(time_ns)
    return _ids.make(now), _written(now, time_ns)


def new_id() -> str:
    """Make a UUIDv7 in its text form; ids of one process sort by time and are never the same."""
    return _ids.make(_clock.at(_time_ns()))


def now() -> str:
    """Write the time as RFC 3339, in UTC, with nanoseconds."""
    time_ns = _time_ns()
    return _written(_clock.at(time_ns), time_ns)


def id_head() -> str:
    """Give what a UUIDv7 of now begins with: its first 48 bits and its version."""
    return _clock.at(_time_ns()).id


def _written(now: _Millisecond, time_ns: int) -> str:
    since = time_ns - now.begins
    return f"{now.time}{_THREE_DIGITS[since // 1000]}{_THREE_DIGITS[since % 1000]}Z"
