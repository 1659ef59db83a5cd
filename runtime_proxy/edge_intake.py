"""The reading half of a client connection: from bytes to whole requests, one at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from adapters.wire.turn import TurnTaker
from runtime_proxy.answering import CONTINUE
from runtime_proxy.bodies import RequestBody
from runtime_proxy.exchange import Exchange
from runtime_proxy.framing import HeadReader, RequestRefused

if TYPE_CHECKING:
    from runtime_proxy.client_certificates import ClientCertificate
    from runtime_proxy.edge_upload import Upload
    from runtime_proxy.edge_view import EdgeView
    from runtime_proxy.exchange import Takeover

NEVER: Final = float("inf")
_EMPTY_LINE: Final = b"\r\n"  # after a request, from clients of old (RFC 9112 §2.2)
_SKIPPED_BODY: Final = 64 * 1024  # bytes of a refused body that are read to save the connection
_LINGER_BYTES: Final = 1024 * 1024  # that a closing connection still reads
_log = logging.getLogger("interlock.edge")

# What a connection waits for. Plain numbers: they are compared several times a request.
HEAD: Final = 0  # a request, or the rest of its head
BODY: Final = 1  # the rest of the body
BUSY: Final = 2  # the pipeline
SKIP: Final = 3  # the rest of a body that was refused with its head
LINGER: Final = 4  # the client, to close after our last answer
CLOSED: Final = 5
UNKNOWN: Final = -1  # as bytes still to come of a refused body: the connection cannot be used again


class Intake(TurnTaker):
    """Reads requests and calls `_begin` with each whole one, or with what is to be refused.

    While one is served, what the client sends ahead is kept up to one read of the socket; then the socket
    is not read any more. `deadline` (loop time) is watched by the edge's clock.
    """

    __slots__ = (
        "_ahead",
        "_ahead_at",
        "_body",
        "_certificate",
        "_edge",
        "_exchange",
        "_half_closed",
        "_head_begun",
        "_limits",
        "_lingered",
        "_paused_reading",
        "_paused_writing",
        "_peer",
        "_reader",
        "_refused",
        "_secure",
        "_skip_left",
        "_state",
        "_transport",
        "_upload",
        "deadline",
    )

    def __init__(self, edge: EdgeView) -> None:
        super().__init__()
        self._limits = limits = edge.limits
        self._edge = edge
        self._reader = HeadReader(
            max_head=limits.head_bytes,
            max_target=limits.target_bytes,
            max_headers=limits.headers,
            memory=edge.memory,
        )
        self._state = HEAD
        self._ahead = b""  # bytes that are not taken up yet, from `_ahead_at` on
        self._ahead_at = 0
        self._head_begun = False
        self._body: RequestBody | None = None
        self._upload: Upload | Takeover | None = None  # takes what comes while a request is served
        self._skip_left = 0
        self._lingered = 0
        self._exchange: Exchange | None = None
        self._refused = ""  # slug of a refusal that the edge itself asks for
        self._paused_reading = False
        self._paused_writing = False
        self._half_closed = False
        self._transport: asyncio.Transport
        self._peer = ""
        self._secure = False
        self._certificate: ClientCertificate | None = None
        self.deadline = NEVER

    @abstractmethod
    def _begin(self) -> None:
        """Serve `_exchange`, or answer `_refused`."""

    @abstractmethod
    def _apologise(self) -> None:
        """Answer for a failure of ours, and close."""

    # -- asyncio.Protocol ---------------------------------------------------------------------------
    def take_in(self, data: bytes) -> None:
        """Take bytes up where the connection stands."""
        state = self._state
        if state == HEAD:
            if self._ahead:
                data = self._ahead + data
                self._ahead = b""
            self._take(data, 0)
        elif state == BODY:
            self._take_body(data)
        elif state == BUSY:
            if self._upload is not None:
                self._upload.feed(data)
                return
            self._ahead = self._ahead[self._ahead_at :] + data
            self._ahead_at = 0
            self._pause_reading()
        elif state == SKIP:
            self._skip(data)
        else:
            self._lingered += len(data)
            if self._lingered > _LINGER_BYTES:
                self._transport.abort()

    def eof_received(self) -> bool:
        """Answer what is whole; a request that was cut short is told so (RFC 9112 §8)."""
        self._half_closed = True
        if self._upload is not None:
            self._upload.lost()
        if self._state == BODY or (self._state == HEAD and self._head_begun and self._ahead != _EMPTY_LINE):
            self.refuse("request-malformed")
        return self._state == BUSY and self._transport.can_write_eof()

    def refuse(self, slug: str) -> None:
        """Have `slug` answered, and close: what follows here cannot be trusted, or is not wanted."""
        if self._state < BUSY:
            self._refused = slug
            self._upload = None
            self._ahead = b""
            self._begin()

    # -- reading ------------------------------------------------------------------------------------
    def _take(self, data: bytes, at: int) -> None:
        """Read the request that begins at `at` as far as it is here; have it served when it is whole."""
        reader = self._reader
        try:
            end = reader.read(data, at)
            if not end:
                self._keep_head(data[at:])
                return
            self._exchange = exchange = Exchange(
                reader.method, reader.target, reader.headers, self._peer, time.perf_counter(), self._secure
            )
            if self._certificate is not None:
                exchange.certificate = self._certificate
            exchange.modern = reader.modern
            exchange.known = reader.known
            exchange.body_limit = limit = self._limits.body_bytes
            admitted = self._edge.handler.admit(exchange)
            if exchange.body_limit < limit:  # noqa: PLR1730 - hot
                limit = exchange.body_limit
            length = reader.length
            if not length:
                reader.agree()
            elif not admitted:
                end = self._decline_body(data, end)
            elif 0 < length <= len(data) - end and length <= limit:
                exchange.body = body = data[end : end + length]
                reader.finish(body)
                end += length
            else:
                self._await_body(data[end:], limit)
                return
        except RequestRefused as refused:
            self.refuse(refused.slug)
            return
        except Exception:  # noqa: BLE001 - whatever it is, the client is answered and others go on
            _log.exception("a request could not be admitted")
            self._apologise()
            return
        if end < len(data):
            self._ahead = data
            self._ahead_at = end
        self._begin()

    def _keep_head(self, data: bytes) -> None:
        self._ahead = data
        self._ahead_at = 0
        if not self._head_begun and data:
            self._head_begun = True
            self.deadline = self._edge.now + self._limits.head_timeout

    def _await_body(self, data: bytes, limit: int) -> None:
        self._body = RequestBody(self._reader, limit)
        self._state = BODY
        self.deadline = self._edge.now + self._limits.body_timeout
        if data:
            self._take_body(data)
        elif self._reader.expects:
            self._transport.write(CONTINUE)

    def _take_body(self, data: bytes) -> None:
        body, exchange = self._body, self._exchange
        assert body is not None
        assert exchange is not None
        try:
            rest = body.feed(data)
        except RequestRefused as refused:
            self.refuse(refused.slug)
            return
        if body.whole:
            exchange.body = body.body
            self._ahead = rest
            self._ahead_at = 0
            self._begin()

    def _decline_body(self, data: bytes, end: int) -> int:
        """Decide what becomes of a body whose head was refused; returns up to where `data` is used up."""
        reader = self._reader
        length = reader.length
        have = len(data) - end
        reader.restart()
        if 0 < length <= have:
            return end + length
        if length > 0 and length - have <= _SKIPPED_BODY and not reader.expects:
            self._skip_left = length - have
        else:  # it may or may not come, or is too long to wait for
            self._skip_left = UNKNOWN
        return len(data)

    def _skip(self, data: bytes) -> None:
        self._skip_left -= len(data)
        if self._skip_left <= 0:
            rest = data[len(data) + self._skip_left :] if self._skip_left else b""
            self._skip_left = 0
            self._state = HEAD
            if rest:
                self._take(rest, 0)

    def _pause_reading(self) -> None:
        if not self._paused_reading and not self._transport.is_closing():
            self._paused_reading = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused_reading and not self._paused_writing and not self._transport.is_closing():
            self._paused_reading = False
            self._transport.resume_reading()
