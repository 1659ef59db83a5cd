"""The half of a provider's connection that carries bodies in pieces, in either direction."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from adapters.wire.http_streaming import StreamedBody
from adapters.wire.http_upload import send_body
from adapters.wire.turn import TurnTaker
from kernel.promise import Promise

if TYPE_CHECKING:
    from adapters.errors import UpstreamError
    from adapters.port import Answer, BodySource

NEVER: Final = float("inf")


class PiecewiseConnection(TurnTaker):
    """Knows the state of one exchange; the rest of the connection is http_connection.py."""

    __slots__ = (
        "_answer_seconds",
        "_begun",
        "_drained",
        "_paused",
        "_pump",
        "_read_timeout",
        "_resting",
        "_slow",
        "_stream",
        "_streaming_seconds",
        "_total",
        "_transport",
        "_waiter",
        "deadline",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, read_timeout: float) -> None:
        super().__init__()
        self.loop = loop
        self.deadline = NEVER  # loop time, watched by the pool
        self._read_timeout = read_timeout
        self._transport: asyncio.Transport | None = None
        self._waiter: Promise | None = None
        self._begun = 0.0
        self._total = NEVER
        self._paused = False  # the provider does not take what we write
        self._resting = self._slow = False  # why it is not read from: a large piece waits, or nobody takes it
        self._answer_seconds = 0.0
        self._pump: asyncio.Task[None] | None = None  # sends a body that is still arriving
        self._drained: asyncio.Future[None] | None = None  # it waits for the provider to take some
        self._streaming_seconds = 0.0
        self._stream: StreamedBody | None = None  # the answer's body, while it passes

    @abstractmethod
    def close(self) -> None:
        """End the connection at once."""

    @abstractmethod
    def _fail(self, error: UpstreamError) -> None:
        """End the exchange, and the connection."""

    @abstractmethod
    def _let_go(self, *, reusable: bool) -> None:
        """Give the connection back after an answer that has passed in pieces, or end it."""

    # -- requests that pass in pieces (`Outlet` of http_upload.py) -----------------------------------
    def _begin_upload(self, head: bytes, source: BodySource, seconds: float) -> None:
        """Write the head, then the body as it comes; the time for the answer counts from its end."""
        assert self._transport is not None
        self._answer_seconds = seconds
        self._total = self.deadline = NEVER  # the source keeps the time until then
        self._transport.write(head)
        self._pump = self.loop.create_task(send_body(source, self))

    def write_body(self, *parts: bytes) -> None:
        """Write bytes of the body."""
        assert self._transport is not None
        self._transport.writelines(parts)

    async def drained(self) -> None:
        """Wait until the provider has taken enough of it."""
        if self._paused:
            self._drained = self.loop.create_future()
            try:
                await self._drained
            finally:
                self._drained = None
        if self._stream is None:
            self.deadline = NEVER

    def body_ended(self) -> None:
        """Wait for the answer from now on."""
        self._pump = None
        if self._stream is None:
            self._total = self.loop.time() + self._answer_seconds
            self.deadline = min(self._total, self.loop.time() + self._read_timeout)

    def body_broken(self, error: UpstreamError) -> None:
        """Disconnect: the provider must see that the request is incomplete."""
        self._pump = None
        if self._stream is not None:
            self._stream.failed(error)
        self._fail(error)

    # -- answers that pass in pieces ----------------------------------------------------------------
    def _begin_stream(self, waiter: Promise, answer: Answer) -> None:
        """Hand the head over; from now on the stream's reader keeps the time, but for the whole of it."""
        stream = answer.stream
        assert isinstance(stream, StreamedBody)
        self._waiter = None
        if waiter.done():  # whoever asked is gone
            self.close()
            return
        answer.upstream_seconds = time.perf_counter() - self._begun
        self.deadline = self.loop.time() + self._streaming_seconds
        self._stream = stream
        waiter.keep(answer)
        stream.attach(self._slow_down, self._stream_ended)

    def _slow_down(self, slow: bool) -> None:  # noqa: FBT001 - a callback
        self._slow = slow
        self._read_or_not()

    def take_up(self) -> None:
        """Work on what was kept, and read on."""
        super().take_up()
        if self._resting:
            self._resting = False
            self._read_or_not()

    def _hold(self, data: bytes) -> None:
        """Keep a large piece until it is its time, and bring no more until then."""
        super().take_up()
        self._unread = data
        self._resting = True
        self._read_or_not()

    def _read_or_not(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if self._slow or self._resting:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def _stream_ended(self, reusable: bool) -> None:  # noqa: FBT001 - a callback
        self._stream = None
        self._let_go(reusable=reusable)
