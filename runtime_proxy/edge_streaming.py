"""Answers that are written in pieces, as fast as the client takes them (RFC 9112 sections 6 and 7.1).

A length where it is known, chunks for HTTP/1.1, the end of the connection for HTTP/1.0. What is cut stays
incomplete: no last chunk, fewer bytes than announced, or a reset where nothing else could say so.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from runtime_proxy.answering import ReplyUnsendable, head_of
from runtime_proxy.edge_intake import CLOSED, HEAD, LINGER
from runtime_proxy.edge_uploading import UploadingIntake
from runtime_proxy.exchange import StreamCut

if TYPE_CHECKING:
    from runtime_proxy.edge_view import EdgeView
    from runtime_proxy.exchange import Exchange, Reply, ReplyStream, Takeover

_CHUNKED: Final = b"transfer-encoding: chunked"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time
_log = logging.getLogger("interlock.edge")


class StreamingIntake(UploadingIntake):
    """A connection that can write an answer while it is still arriving."""

    __slots__ = ("_flushed", "_held", "_loop", "_sending", "_stream")

    def __init__(self, edge: EdgeView, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(edge)
        self._loop = loop
        self._flushed: asyncio.Future[None] | None = None  # the task waits for the client to read
        self._held = False  # what took the connection over reads no more for now
        self._stream: ReplyStream | Takeover | None = None  # the answer that is being written
        self._sending: asyncio.Task[Reply] | None = None  # writes it: time-outs need a task

    @abstractmethod
    def _answered(self, *, persistent: bool) -> None:
        """Decide what becomes of the connection after an answer that is written whole."""

    @abstractmethod
    def _streamed(self) -> None:
        """Go on with what the client has sent ahead."""

    @abstractmethod
    def _persists(self, reply: Reply) -> bool:
        """Whether the connection may carry another request after this answer."""

    def data_received(self, data: bytes) -> None:
        """Keep what may be a whole request until all connections were read from; take up anything else at once."""
        self._receive(data, self._edge.turn, self._loop, may_wait=self._state == HEAD)

    def eof_received(self) -> bool:
        """Take the end of the client's half for its leave while a stream passes: nothing else would tell."""
        self.take_up()
        if self._stream is not None:
            self._half_closed = True
            self._stream.abandon("consumer-gone")
            return False
        return super().eof_received()

    async def _send_stream(self, reply: Reply, exchange: Exchange | None) -> Reply:
        """Write the head, then what the stream gives, then its end; or cut it."""
        stream = reply.stream
        assert stream is not None
        if self._edge.watch is not None:  # told when it begins: how long it lasts is nobody's latency
            self._edge.watch(exchange, reply, "")
        if self._state == CLOSED:
            stream.abandon("consumer-gone")
            return reply
        if stream.takes_over:
            await self._hand_over(stream)
            return reply
        modern = self._reader.modern
        persistent = self._persists(reply) and (modern or stream.length is not None)
        framing = _CHUNKED if modern else b""
        if stream.length is not None:
            framing = b"content-length: %d" % stream.length
        method = b"" if exchange is None else exchange.method
        try:
            head = head_of(
                reply,
                method=method,
                persistent=persistent,
                date_line=self._edge.date.line,
                framing=framing,
            )
        except ReplyUnsendable:
            stream.abandon("internal-error")
            _log.exception("a reply could not be sent")
            self._apologise()
            return reply
        self._stream = stream
        try:
            await self._pass_on(stream, head, chunked=framing is _CHUNKED)
        except StreamCut:
            self._cut(framed=bool(framing))
        except BaseException:  # cancelled, or a fault of ours: neither is an end
            stream.abandon("shutting-down" if self._edge.draining else "internal-error")
            self._cut(framed=bool(framing))
            raise
        else:
            if self._state < LINGER:
                self._answered(persistent=persistent)
        finally:
            self._stream = self._sending = None
        self._streamed()
        return reply

    async def _hand_over(self, taker: Takeover) -> None:
        """Let the connection be a WebSocket until it ends (RFC 9110 section 7.8)."""
        self._stream = self._upload = taker
        ahead, self._ahead = self._ahead[self._ahead_at :], b""
        self._ahead_at = 0
        try:
            if not self._reader.modern:
                raise StreamCut("handshake-invalid")
            taker.begin(self)
            if ahead:
                taker.feed(ahead)
            self._resume_reading()
            await taker.run()
        except StreamCut as cut:
            taker.abandon(str(cut))
            self._cut(framed=False)
        except BaseException:  # cancelled, or a fault of ours: the provider's connection must not stay
            taker.abandon("shutting-down" if self._edge.draining else "internal-error")
            raise
        finally:
            self._stream = self._upload = self._sending = None
            self.end()

    def leave(self) -> None:
        """Tell what passes that the edge will stop."""
        if self._stream is not None:
            self._stream.leave()

    # -- for what took the connection over (`Line`) ---------------------------------------------------
    def write(self, data: bytes) -> None:
        """Write bytes."""
        if self._state < LINGER:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the client has taken enough of them."""
        if self._paused_writing and self._state < LINGER:
            self._flushed = self._loop.create_future()
            await self._flushed
            self._flushed = None

    def hold(self, hold: bool) -> None:  # noqa: FBT001 - a switch
        """Read no more (True), or read on."""
        self._held = hold
        if hold:
            self._pause_reading()
        else:
            self._resume_reading()

    def end(self) -> None:
        """Close once everything is written."""
        if self._state < LINGER:
            self._state = LINGER
            self.deadline = self._edge.now + self._limits.write_timeout
            self._transport.close()

    def _go_on(self) -> None:
        """Write on: the client reads again."""
        if self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)
        if self._stream is not None and self._stream.takes_over and not self._held:
            self._resume_reading()

    def _break_off(self) -> None:
        """End what passes in pieces, since the client is gone."""
        if self._upload is not None:
            self._upload.lost()
        if self._stream is not None:
            self._stream.abandon("consumer-gone")
        self._go_on()

    async def _pass_on(self, stream: ReplyStream, head: bytes, *, chunked: bool) -> None:
        transport = self._transport
        transport.write(head)
        while piece := await stream.read():
            if self._state >= LINGER:
                raise StreamCut("consumer-gone")
            if chunked:
                transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
            else:
                transport.write(piece)
            if self._paused_writing:
                self._flushed = self._loop.create_future()
                await self._flushed
                self._flushed = None
        if chunked and self._state < LINGER:
            transport.write(_LAST_CHUNK)

    def _cut(self, *, framed: bool) -> None:
        """End the connection so that the client sees an incomplete message (RFC 9112 section 8)."""
        if self._state == CLOSED:
            return
        self._state = LINGER
        transport = self._transport
        if framed:
            self.deadline = self._edge.now + self._limits.write_timeout
            transport.close()  # what was within the contract still arrives
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
