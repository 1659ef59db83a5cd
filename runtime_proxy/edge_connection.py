"""One client connection of the edge: has its requests answered in order, and writes the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, cast

from kernel.promise import Promise
from runtime_proxy.answering import INTERNAL_ERROR, ReplyUnsendable, has_body, head_of
from runtime_proxy.client_certificates import certificate_of
from runtime_proxy.edge_intake import BODY, BUSY, CLOSED, HEAD, LINGER, NEVER, SKIP, UNKNOWN
from runtime_proxy.edge_streaming import StreamingIntake
from runtime_proxy.exchange import Exchange, Reply

if TYPE_CHECKING:
    from runtime_proxy.edge_view import EdgeView

_LARGE_BODY: Final = 32 * 1024  # bytes; from here on, copying costs more than a second buffer
_LINGER_SECONDS: Final = 1.0  # a closing connection is still read, so that its answer is not reset away
_LEAST_PROGRESS: Final = 64 * 1024  # bytes of an answer that a client must take within the write timeout
_log = logging.getLogger("interlock.edge")


class EdgeConnection(StreamingIntake):
    """Answers the requests of one client strictly one after the other.

    The coroutine of an exchange is driven from here, not by a task: what it waits for carries it on at
    once, without a turn of the event loop (kernel/promise.py). An exchange that waits for more than the
    journal and its provider says so (`Exchange.needs_task`) and gets a task. While the client does not
    read its answers, nothing more is taken up from it.
    """

    __slots__ = ("_driving", "_flushing", "_replies", "_serving", "_unsent", "_waiting")

    def __init__(self, edge: EdgeView, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(edge, loop)
        self._replies: Generator[Any, None, None] | None = None  # `_serve`, once there was an exchange
        self._serving = False  # an exchange is under way
        self._waiting: Promise | asyncio.Future[Any] | None = None  # what it waits for
        self._driving = False  # `_drive` is on the stack
        self._flushing = False  # answered; what the client sent ahead waits until it has read the answer
        self._unsent = -1

    # -- asyncio.Protocol ---------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the edge, or be refused by it."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        self._secure = transport.get_extra_info("sslcontext") is not None
        if self._secure:
            self._certificate = certificate_of(transport.get_extra_info("ssl_object"))
        self.deadline = self._edge.now + self._limits.head_timeout
        self._edge.joined(self)

    def pause_writing(self) -> None:
        """Take nothing more from a client that does not read its answers."""
        self._paused_writing = True
        self._pause_reading()
        self._watch_writing()

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        self._paused_writing = False
        if self._state in (HEAD, SKIP):
            self.deadline = self._edge.now + self._limits.idle_timeout
            self._resume_reading()
        elif self._state == BUSY:
            self.deadline = NEVER
            self._go_on()
        if self._flushing:
            self._flushing = False
            self._next()  # which drives what it takes up: driving it once more would wake it unasked

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the edge. A running exchange goes on: what it does must be seen through and recorded.

        What passes in pieces cannot be: it ends here.
        """
        del exc
        self.take_up()
        self._state = CLOSED
        self._break_off()
        self.deadline = NEVER
        self._flushing = False
        if not self._serving:
            self._replies = None
        self._edge.left(self, busy=self._serving)

    # -- for the edge -------------------------------------------------------------------------------
    @property
    def idle(self) -> bool:
        """Is nothing of a request here, and nothing of an answer left."""
        return self._state == HEAD and not self._head_begun and not self._unread

    def expired(self) -> None:
        """End what passed its deadline; called by the edge's clock."""
        if self._unread:
            return  # it has not passed it: this turn brought something
        unsent = self._transport.get_write_buffer_size()
        if self._paused_writing or self._state == LINGER:
            if unsent and (self._unsent < 0 or self._unsent - unsent >= _LEAST_PROGRESS):
                self._watch_writing()
            else:
                self._transport.abort()
        elif self._state == BODY and self._upload is not None and self._exchange is not None:
            self._carry(self._exchange)
        elif self._state == BODY or (self._state == HEAD and self._head_begun):
            self.refuse("request-timeout")
        elif unsent or self._state != HEAD:
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, and give a running exchange up."""
        self._transport.abort()
        if self._waiting is not None:
            self._waiting.cancel()
        if self._sending is not None:
            self._sending.cancel()

    # -- serving ------------------------------------------------------------------------------------
    def _begin(self) -> None:
        """Serve `_exchange`, or answer `_refused`."""
        self._state = BUSY
        self._head_begun = False
        self._body = None
        self.deadline = NEVER
        if not self._driving:
            self._drive()

    def _serve(self) -> Generator[Any, None, None]:
        """Give what one exchange after the other waits for, and its reply: a coroutine would end with an exception."""
        while True:
            yield (yield from self._start().__await__())

    def _start(self) -> Coroutine[Any, None, Reply]:
        exchange = self._exchange
        handler = self._edge.handler
        if self._refused or exchange is None:
            return handler.protocol_refusal(self._refused, self._peer, exchange)
        return self._in_task(exchange) if exchange.needs_task else handler.serve(exchange)

    async def _in_task(self, exchange: Exchange) -> Reply:
        return await self._edge.spawn(self._edge.handler.serve(exchange))

    def _drive(self) -> None:
        """Carry exchanges on until one waits, or until nothing whole is here."""
        self._driving = True
        try:
            while True:
                replies = self._replies = self._replies or self._serve()
                self._serving = True
                try:
                    reply = replies.send(None)
                except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - others go on
                    self._replies = None
                    self._ended()
                    if not isinstance(fault, asyncio.CancelledError):  # which says: given up by `abort`
                        _log.error("a request could not be served", exc_info=fault)
                        self._apologise()
                    return
                if not isinstance(reply, Reply):
                    self._wait_for(reply)
                    return
                exchange = self._exchange
                self._ended()
                if reply.stream is not None:
                    self._sending = self._edge.spawn(self._send_stream(reply, exchange))
                    return
                self._answer(reply, exchange)
                if self._state >= LINGER:
                    return
                if self._paused_writing:
                    self._flushing = True
                    return
                if not self._next():
                    return
        finally:
            self._driving = False

    def _wait_for(self, waiting: Promise | asyncio.Future[Any] | None) -> None:
        self._waiting = waiting
        if waiting is None:  # a bare `yield`, as asyncio.sleep(0) has it
            self._loop.call_soon(self._drive)
        elif isinstance(waiting, Promise):
            waiting.settled = self._drive
        else:
            waiting._asyncio_future_blocking = False  # noqa: SLF001 - what a task does with it
            waiting.add_done_callback(lambda _: self._drive())

    def _ended(self) -> None:
        self._serving = False
        self._waiting = None
        if self._state == CLOSED:
            self._replies = None
            self._edge.finished(self)

    def _next(self) -> bool:
        """Take up what the client has sent ahead; True when it holds a whole request."""
        if self._ahead:
            data, at = self._ahead, self._ahead_at
            self._ahead = b""
            self._ahead_at = 0
            if self._state == SKIP:
                self._skip(data[at:])
            else:
                self._take(data, at)
        if self._half_closed and self._state < BUSY:
            self._end_of_half()
        if self._state != BUSY:
            self._resume_reading()
        return self._state == BUSY

    def _end_of_half(self) -> None:
        """Settle what a client sent ahead and cut off by ending its half: the rest will never come."""
        if self._state == HEAD and self._ahead == b"\r\n":
            self._transport.close()
        else:
            self.refuse("request-malformed")

    # -- writing ------------------------------------------------------------------------------------
    def _answer(self, reply: Reply, exchange: Exchange | None) -> None:
        """Write a reply in one go, and decide what becomes of the connection."""
        edge = self._edge
        if edge.watch is not None:
            edge.watch(exchange, reply, self._refused)
        if self._state == CLOSED:
            return
        method = b"" if exchange is None else exchange.method
        persistent = self._persists(reply)
        try:
            head = head_of(reply, method=method, persistent=persistent, date_line=self._edge.date.line)
        except ReplyUnsendable:
            _log.exception("a reply could not be sent")
            self._apologise()
            return
        body = reply.body
        transport = self._transport
        if not body or not has_body(method, reply.status):
            transport.write(head)
        elif len(body) < _LARGE_BODY:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        self._answered(persistent=persistent)

    def _persists(self, reply: Reply) -> bool:
        return (
            self._reader.persistent
            and not reply.close
            and not self._refused
            and not (self._half_closed and not self._ahead)
            and self._skip_left != UNKNOWN
            and not self._edge.draining
        )

    def _answered(self, *, persistent: bool) -> None:
        self._exchange = None
        if not persistent:
            self._finish()
        else:
            self._state = SKIP if self._skip_left else HEAD
            self.deadline = self._edge.now + self._limits.idle_timeout
            if self._paused_writing:
                self._watch_writing()

    def _streamed(self) -> None:
        """Take up what the client has sent ahead of an answer that is written whole now."""
        if self._state < LINGER:
            if self._paused_writing:
                self._flushing = True
            else:
                self._next()  # which drives what it takes up

    def _apologise(self) -> None:
        """Answer for a failure of the pipeline itself, which should not happen and must not hang."""
        if self._state != CLOSED:
            self._transport.write(INTERNAL_ERROR)
            self._finish()

    def _finish(self) -> None:
        """Close, so that the answer arrives even when the client is still sending (RFC 9112 §9.6)."""
        self._state = LINGER
        self._unsent = -1
        self.deadline = self._edge.now + _LINGER_SECONDS
        transport = self._transport
        said_close = not (self._reader.persistent or self._refused or self._skip_left)
        if said_close or self._half_closed or not transport.can_write_eof():
            transport.close()
        else:
            transport.write_eof()
            self._resume_reading()

    def _watch_writing(self) -> None:
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._edge.now + self._limits.write_timeout
