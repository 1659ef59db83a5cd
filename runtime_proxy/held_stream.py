"""Gives back what an exchange occupies when its answer has come to its end, not when it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from runtime_proxy.exchange import Held, Line, ReplyStream, Takeover


def held_until_end(stream: ReplyStream | Takeover, held: Held) -> ReplyStream | Takeover:
    """Give the same stream, which releases what is `held` once, however it ends."""
    return _HeldTakeover(stream, held) if stream.takes_over else _HeldStream(stream, held)


class _Once:
    def __init__(self, held: Held) -> None:
        self._held: Held | None = held

    def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


class _HeldStream:
    """An answer that comes in pieces, of a call that is under way until the last one."""

    def __init__(self, stream: ReplyStream, held: Held) -> None:
        self._stream = stream
        self._once = _Once(held)
        self.length = stream.length

    @property
    def takes_over(self) -> Literal[False]:
        return False

    async def read(self) -> bytes:
        try:
            piece = await self._stream.read()
        except BaseException:
            self._once.release()
            raise
        if not piece:
            self._once.release()
        return piece

    def abandon(self, reason: str) -> None:
        self._once.release()
        self._stream.abandon(reason)

    def leave(self) -> None:
        self._stream.leave()


class _HeldTakeover:
    """A connection that goes on as a WebSocket, of a call that is under way until it ends."""

    def __init__(self, stream: Takeover, held: Held) -> None:
        self._stream = stream
        self._once = _Once(held)

    @property
    def takes_over(self) -> Literal[True]:
        return True

    def begin(self, line: Line) -> None:
        self._stream.begin(line)

    async def run(self) -> None:
        try:
            await self._stream.run()
        finally:
            self._once.release()

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    def lost(self, slug: str = "") -> None:
        self._stream.lost(slug)

    def abandon(self, reason: str) -> None:
        self._once.release()
        self._stream.abandon(reason)

    def leave(self) -> None:
        self._stream.leave()
