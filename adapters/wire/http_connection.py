"""One connection to a provider: one exchange at a time, and a failure says what had been sent."""

from __future__ import annotations

import asyncio
import select
import time
from typing import TYPE_CHECKING, Final, Protocol, cast

from adapters.errors import UpstreamBroken, UpstreamError, UpstreamTimeout
from adapters.wire.http_framing import AnswerBroken, ReadLimits
from adapters.wire.http_pieces import NEVER, PiecewiseConnection
from adapters.wire.http_reading import AnswerReader
from adapters.wire.turn import FREE, LARGE
from kernel.promise import Promise

if TYPE_CHECKING:
    from adapters.port import Answer, Call
    from adapters.wire.known_fields import FieldMemory
    from adapters.wire.turn import Turn

_SUSPECT_AFTER: Final = 1.0  # seconds of idleness after which the kernel is asked whether the peer left
_LARGE_BODY: Final = 32 * 1024  # bytes; from here on, copying costs more than a second buffer


class Sent:
    """A call as it was sent, for the case that it must be sent again."""

    __slots__ = ("call", "deadline", "head")

    def __init__(self, head: bytes, call: Call, deadline: float) -> None:
        self.head = head
        self.call = call
        self.deadline = deadline


class Owner(Protocol):
    """What a connection tells its pool."""

    name: str
    read_timeout: float
    write_timeout: float

    memory: FieldMemory  # of field lines that the provider sends again and again
    turn: Turn

    def opened(self, connection: HttpConnection) -> None:
        """Watch a new connection."""

    def released(self, connection: HttpConnection) -> None:
        """Take back a connection that can carry another request."""

    def repeat(self, waiter: Promise, sent: Sent) -> None:
        """Carry out once more what met a connection that the provider had closed while it was idle."""

    def ended(self, connection: HttpConnection) -> None:
        """Forget a connection that is closed."""


class HttpConnection(PiecewiseConnection):
    """A connection of a pool; `deadline` (loop time) is watched by the pool's clock."""

    __slots__ = (
        "_brought",
        "_owner",
        "_poll",
        "_reader",
        "_sent",
        "idle_since",
        "uses",
    )

    def __init__(
        self, owner: Owner, limits: ReadLimits, loop: asyncio.AbstractEventLoop, deadline: float
    ) -> None:
        super().__init__(loop, owner.read_timeout)
        self._owner = owner
        self._reader = AnswerReader(limits, owner.memory)
        self._poll: select.poll | None = None
        self._sent: Sent | None = None  # what may be sent again; not a moment longer than it may have to be
        self.deadline = deadline  # by which it must have been given its first exchange
        self.idle_since = 0.0
        self.uses = 0
        self._brought = 0  # bytes since the exchange began

    @property
    def idle_seconds(self) -> float | None:
        """How long the provider said that it keeps an idle connection (`Keep-Alive: timeout=`)."""
        return self._reader.idle_seconds

    @property
    def alive(self) -> bool:
        """Can a request be written: not closing, and not left by the peer as far as the kernel knows."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._unread:  # bytes that nobody asked for
            return False
        if self.uses and self.loop.time() - self.idle_since > _SUSPECT_AFTER:
            if self._poll is None:
                self._poll = select.poll()
                self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
            return not self._poll.poll(0)  # readable while idle: an end, or bytes that nobody asked for
        return True

    def exchange(self, head: bytes, call: Call, deadline: float, *, again: bool = False) -> Promise:
        """Write one request (`again`: for the second time); the promise brings the answer, or an `UpstreamError`."""
        transport = self._transport
        assert transport is not None
        self._waiter = waiter = Promise(self.loop)
        self._sent = Sent(head, call, deadline) if call.idempotent and self.uses and not again else None
        self._reader.expect(to_head=call.method == b"HEAD", streaming=call.streaming)
        if call.streaming is not None:
            self._streaming_seconds = call.streaming.total_seconds
        self._total = deadline
        silent = self.loop.time() + self._read_timeout
        self.deadline = silent if silent < deadline else deadline  # noqa: FURB136 - hot
        self.uses += 1
        self._brought = 0
        self._begun = time.perf_counter()
        if call.source is not None:
            self._begin_upload(head, call.source, call.timeout_seconds)
            return waiter
        body = call.body
        if len(body) < _LARGE_BODY:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        return waiter

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def expired(self) -> None:
        """End what passed its deadline; called by the pool's clock."""
        if self._unread:
            self.take_up()  # it brought something after all, which may be the end of an answer
            if self.deadline >= self.loop.time():
                return
        if self._stream is not None:
            self._stream.failed(UpstreamTimeout(f"{self._owner.name} takes too long", sent=True))
            return
        if self._waiter is None:
            self.close()
            return
        what = "did not take the request" if self._paused else "did not answer"
        self._fail(UpstreamTimeout(f"{self._owner.name} {what} in time", sent=True))

    # -- asyncio.Protocol ---------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the pool watches from now on."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Keep what may be a whole answer until all connections were read from; take up anything else at once."""
        turn, before = self._owner.turn, self._brought
        self._brought = before + len(data)
        if len(data) >= LARGE and before >= FREE and not turn.has_time(self, self.loop):
            self._hold(data)
            return
        self._receive(data, turn, self.loop, may_wait=self._stream is None)

    def take_in(self, data: bytes) -> None:
        """Read on; complete the exchange when its answer is whole."""
        waiter = self._waiter
        if self._stream is not None:
            self._stream.fed(data)
            return
        if waiter is None:  # an answer to nothing: whatever it is, it must not become the next answer
            self.close()
            return
        try:
            answer = self._reader.feed(data)
        except AnswerBroken as error:
            self._fail(self._broken(error))
            return
        if answer is None:
            self.deadline = min(self._total, self.loop.time() + self._owner.read_timeout)
        elif answer.stream is not None:
            self._sent = None
            self._begin_stream(waiter, answer)
        else:
            self._complete(waiter, answer)

    def pause_writing(self) -> None:
        """Note that the provider does not take the body as fast as we have it."""
        self._paused = True
        self.deadline = min(self._total, self.loop.time() + self._owner.write_timeout)

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self.deadline = min(self._total, self.loop.time() + self._owner.read_timeout)

    def eof_received(self) -> bool:
        """Take the end of the stream: some answers end so, all others are cut short."""
        self.take_up()
        if self._stream is not None:
            self._stream.ended()
            return False
        waiter = self._waiter
        if waiter is not None and self._reader.started:
            try:
                answer = self._reader.finish()
            except AnswerBroken as error:
                self._fail(self._broken(error))
                return False
            if answer is not None:
                self._complete(waiter, answer)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what was under way, in the way that says whether the provider may have acted."""
        self.take_up()
        self._owner.ended(self)
        self.deadline = NEVER
        if self._stream is not None:
            self._stream.failed(UpstreamBroken(f"{self._owner.name} broke the connection", sent=True))
        if self._pump is not None:
            self._pump.cancel()
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        sent, self._sent = self._sent, None
        if sent is not None and not self._reader.started:
            self._owner.repeat(waiter, sent)
            return
        reason = "closed the connection before it answered" if exc is None else "broke the connection"
        waiter.fail(UpstreamBroken(f"{self._owner.name} {reason}", sent=True))

    def _let_go(self, *, reusable: bool) -> None:
        """Give the connection back after an answer that has passed in pieces, or end it."""
        if reusable and self._reader.reusable and not self._paused and self._pump is None:
            self._owner.released(self)
        else:
            self.close()

    # -- ends of an exchange ------------------------------------------------------------------------
    def _complete(self, waiter: Promise, answer: Answer) -> None:
        self._waiter = None
        self._sent = None
        answer.upstream_seconds = time.perf_counter() - self._begun
        # An answer before the request was written whole leaves the rest of the request on the wire.
        if self._reader.reusable and not self._paused and self._pump is None:
            self._owner.released(self)
        else:
            self.close()
        waiter.keep(answer)

    def _broken(self, error: AnswerBroken) -> UpstreamBroken:
        return UpstreamBroken(f"{self._owner.name}: {error}", sent=True)

    def _fail(self, error: UpstreamError) -> None:
        waiter, self._waiter = self._waiter, None
        self._sent = None
        self.close()
        if waiter is not None:
            waiter.fail(error)
