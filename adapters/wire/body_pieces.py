"""The pieces of a body between the connection that brings them and whoever reads them: held within bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

MOST_HELD: Final = 256 * 1024  # bytes from which on the sender is not read any more
LEAST_HELD: Final = 64 * 1024  # bytes from which on it is read again


class BodyPieces:
    """A queue with one writer and one reader; who owns it slows its connection down as `put` and `take` say."""

    __slots__ = ("_pieces", "_slow", "_waiter", "held")

    def __init__(self) -> None:
        self.held = 0  # bytes that wait to be read
        self._pieces: deque[bytes] = deque()
        self._slow = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._pieces

    def put(self, piece: bytes) -> None:
        """Hold what came; b"" is nothing."""
        if piece:
            self._pieces.append(piece)
            self.held += len(piece)

    def fills(self) -> bool:
        """Say, once, that so much is held that no more should be read."""
        if self._slow or self.held < MOST_HELD:
            return False
        self._slow = True
        return True

    def take(self) -> bytes:
        """Give the first piece; there must be one."""
        piece = self._pieces.popleft()
        self.held -= len(piece)
        return piece

    def drains(self) -> bool:
        """Say, once after `fills`, that so little is held that the sender may be read again."""
        return self.held <= LEAST_HELD and self.released()

    def released(self) -> bool:
        """Let the sender go; whether it was held at all."""
        slow, self._slow = self._slow, False
        return slow

    def all(self) -> bytes:
        """Give everything at once."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.held = 0
        return data

    async def arrival(self) -> None:
        """Wait until the writer wakes the reader: there is more, or there will be no more."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        """Tell the reader, where it waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
