"""What comes in one turn of the event loop is read first and worked on then: each step finds its code at hand.

Reading from sockets and working on what was read by turns costs a tenth more: one drives the other out of the
processor's caches (ADR 36). Of long answers one large piece is worked on each millisecond: a provider that floods,
over many connections at once, holds up what others bring by one piece, not by all (ADR 41).
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections import deque
from typing import Final, Protocol

SMALL: Final = 16 * 1024  # bytes; what is larger is worked on at once, so that its sender can be slowed down
LARGE: Final = 32 * 1024  # bytes read at once
FREE: Final = 128 * 1024  # bytes of an answer whose pieces are worked on at once, however large
_APART: Final = 0.001  # seconds; with pieces of up to 250 KB no line of a gigabit is slowed down by it
_log = logging.getLogger("interlock.wire")


class Waiting(Protocol):
    """Holds bytes which nobody has worked on yet."""

    def take_up(self) -> None:
        """Work on them, unless that was done meanwhile."""


class Turn:
    """The connections that were read from in this turn, and those with a large piece that waits for its time."""

    __slots__ = ("_busy", "_large", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._large: deque[Waiting] = deque()
        self._busy = False  # a large piece was worked on less than a millisecond ago

    def add(self, connection: Waiting, loop: asyncio.AbstractEventLoop) -> None:
        """Have a connection take up what it holds once all others have been read from."""
        if not self._waiting:
            loop.call_soon(self._end)
        self._waiting.append(connection)

    def has_time(self, connection: Waiting, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a large piece may be worked on now; else its connection takes it up once it may."""
        if self._busy:
            self._large.append(connection)
            return False
        self._busy = True
        loop.call_later(_APART, self._next, loop)
        return True

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = bool(self._large)
        if self._busy:
            loop.call_later(_APART, self._next, loop)
            self._take_up(self._large.popleft())

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            self._take_up(connection)

    def _take_up(self, connection: Waiting) -> None:
        try:
            connection.take_up()
        except Exception:  # noqa: BLE001 - one connection that breaks us does not cost the others their turn
            _log.exception("what a connection has read could not be worked on")


class TurnTaker:
    """A connection that keeps one small piece until its turn ends; the end of its stream comes after that."""

    __slots__ = ("_unread",)

    def __init__(self) -> None:
        self._unread = b""  # nobody has worked on it yet

    @abstractmethod
    def take_in(self, data: bytes) -> None:
        """Work on what was read."""

    def take_up(self) -> None:
        """Work on what was kept."""
        data, self._unread = self._unread, b""
        if data:
            self.take_in(data)

    def _receive(self, data: bytes, turn: Turn, loop: asyncio.AbstractEventLoop, *, may_wait: bool) -> None:
        """Keep a small piece where it `may_wait`; work on any other at once, after what was kept."""
        if may_wait and not self._unread and len(data) < SMALL:
            self._unread = data
            turn.add(self, loop)
            return
        self.take_up()
        self.take_in(data)
