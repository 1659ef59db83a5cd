"""The id and the time of a record: made several times a call, so that as little as possible is formatted."""

from __future__ import annotations

import itertools
import os
import time
from typing import Final

_SECOND: Final = 1_000_000_000  # nanoseconds
_OCTETS: Final = tuple(f"{octet:02x}" for octet in range(256))


class Moment:
    """The time of a UUIDv7 as text (RFC 9562 §5.7), made anew once a millisecond."""

    def __init__(self) -> None:
        self._known = (-1, "")

    def head(self) -> str:
        """Give its first 48 bits and its version; the same object until the millisecond is over."""
        milliseconds = time.time_ns() // 1_000_000
        known, text = self._known
        if known != milliseconds:
            text = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"
            self._known = (milliseconds, text)
        return text


class _Ids:
    """Makes UUIDv7 (RFC 9562 §5.7, §6.2): time, a counter of 26 bits, 48 random bits per process."""

    def __init__(self) -> None:
        self._moment = Moment()
        self._counter = itertools.count()
        self._begun = ("", -1, "")  # time, upper half of the counter, and both as text
        self._node = f"-{os.urandom(6).hex()}"
        os.register_at_fork(after_in_child=self._renew)

    def new_id(self) -> str:
        """Make one in its text form; ids of one process sort by time and are never the same."""
        head, count = self._moment.head(), next(self._counter)
        upper = count >> 14 & 0xFFF
        known, known_upper, text = self._begun
        if known != head or known_upper != upper:
            text = f"{head}{upper:03x}-"
            self._begun = (head, upper, text)
        return text + _OCTETS[0x80 | count >> 8 & 0x3F] + _OCTETS[count & 0xFF] + self._node

    def _renew(self) -> None:
        self._node = f"-{os.urandom(6).hex()}"  # a forked worker must not repeat its parent's ids


_ids = _Ids()


def new_id() -> str:
    """Make a UUIDv7 in its text form; ids of one process sort by time and are never the same."""
    return _ids.new_id()


class _Clock:
    """Writes the time; the part down to the second is formatted once a second."""

    def __init__(self) -> None:
        self._second = (-1, "")

    def now(self) -> str:
        time_ns = time.time_ns()
        seconds, rest = time_ns // _SECOND, time_ns % _SECOND
        known, prefix = self._second
        if known != seconds:
            prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(seconds))
            self._second = (seconds, prefix)
        return prefix + str(_SECOND + rest)[1:] + "Z"  # nine digits


_clock = _Clock()


def now() -> str:
    """Write the time as RFC 3339, in UTC, with nanoseconds."""
    return _clock.now()
