"""What comes in one turn of the event loop is read first and worked on then: each step finds its code at hand.

Reading from sockets and working on what was read by turns costs a tenth more: one drives the other out of the
processor's caches.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import Final, Protocol

_log = logging.getLogger("interlock.wire")
SMALL: Final = 16 * 1024  # bytes; what is larger is worked on at once, so that its sender can be slowed down


class Waiting(Protocol):
    """Holds bytes which nobody has worked on yet."""

    def take_up(self) -> None:
        """Work on them, unless that was done meanwhile."""


class Turn:
    """The connections that were read from in this turn."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def add(self, connection: Waiting, loop: asyncio.AbstractEventLoop) -> None:
        """Have a connection take up what it holds once all others have been read from."""
        if not self._waiting:
            loop.call_soon(self._end)
        self._waiting.append(connection)

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
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
