"""Reads HTTP/1.1 answers from bytes: llhttp for heads that are new, strict framing of our own for the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools

from adapters.port import Answer, Headers
from adapters.wire.chunked import ChunkedBody, ChunkedError
from adapters.wire.http_fields import fields_of
from adapters.wire.http_framing import (
    FRAMING,
    MARKED,
    AnswerBroken,
    ReadLimits,
    check_beginning,
    idle_seconds_of,
    lasts,
    length_of,
    status_of,
)
from adapters.wire.http_streaming import SHORT, ChunkedDecoder, CloseDecoder, LengthDecoder, StreamedBody
from adapters.wire.known_fields import FieldMemory, KnownFields

if TYPE_CHECKING:
    from adapters.port import Streaming
    from adapters.wire.http_streaming import Decoder

_MOST_INTERIM: Final = 8  # 1xx answers before the real one
_NO_CONTENT: Final = frozenset((204, 304))
_HEAD: Final = 0
_LENGTH_BODY: Final = 1
_CHUNKED_BODY: Final = 2
_CLOSE_BODY: Final = 3


class AnswerReader:
    """Reads one answer after the other from a connection.

    Call `expect` before each request, `feed` with what arrives, `finish` at the end of the stream.
    An answer is framed by exactly one of: nothing (HEAD, 204, 304), one Content-Length, `chunked` alone,
    or the end of the connection. What could be framed twice is refused, not guessed.
    """

    __slots__ = (
        "_buffer",
        "_chunked",
        "_decoded",
        "_headers",
        "_interim",
        "_known",
        "_limits",
        "_memory",
        "_mode",
        "_need",
        "_parser",
        "_parser_done",
        "_parser_follows",
        "_status",
        "_streaming",
        "_to_head",
        "idle_seconds",
        "reusable",
        "started",
    )

    def __init__(self, limits: ReadLimits, memory: FieldMemory | None = None) -> None:
        self._limits = limits
        self._memory = memory or FieldMemory()  # shared by readers that hold to the same limits
        self._known: KnownFields | None = None  # the head of the last answer, where it was known
        self._parser = httptools.HttpResponseParser(self)
        self.idle_seconds: float | None = None  # how long the provider says that it keeps the connection
        self.expect(to_head=False)

    def expect(self, *, to_head: bool, streaming: Streaming | None = None) -> None:
        """Make ready for the answer to the next request; `to_head`: it was a HEAD."""
        self._to_head = to_head
        self._streaming = streaming
        self._mode = _HEAD
        self._buffer = b""
        self._interim = 0
        self._decoded: bytearray | None = None
        self._chunked: ChunkedBody | None = None
        self._need = 0
        self.reusable = False  # may the connection carry another request after this answer
        self.started = False  # has any byte of the answer arrived

    def on_message_complete(self) -> None:
        """Note where llhttp sees the end, to compare it with ours."""
        self._parser_done = True

    # -- reading ------------------------------------------------------------------------------------
    def feed(self, data: bytes) -> Answer | None:
        """Take what arrived; returns the answer once it is whole. Raises `AnswerBroken`."""
        self.started = True
        try:
            mode = self._mode
            if mode == _HEAD:
                return self._read_head(data)
            if mode == _LENGTH_BODY:
                return self._read_length_body(data)
            if mode == _CHUNKED_BODY:
                return self._read_chunked_body(data)
            self._read_close_body(data)
        except httptools.HttpParserUpgrade:
            raise AnswerBroken("the answer switches protocols, which nobody asked for") from None
        except httptools.HttpParserError as error:
            raise AnswerBroken(f"the answer is not HTTP/1.1: {error}") from None
        return None

    def finish(self) -> Answer | None:
        """End of the stream: gives the answer that only this end frames. Raises `AnswerBroken`."""
        if self._mode == _CLOSE_BODY:
            return Answer(self._status, self._headers, bytes(self._decoded or b""))
        if self.started:
            raise AnswerBroken("the connection ended before the answer did")
        return None

    def _read_head(self, data: bytes) -> Answer | None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self._known is not None:
            end, length = self._known.read(data, 0)
            if end:
                return self._frame_known(data, end, self._known, length)
        end = data.find(b"\r\n\r\n", 0, self._limits.head_bytes + 1) + 4
        if end < 4:  # noqa: PLR2004 - the empty line was not found
            check_beginning(data, self._limits)
            self._buffer = data
            return None
        head, memory = data[:end], self._memory
        self._known = known = memory.look(head)
        if known is not None:
            return self._frame_known(data, end, known, memory.length)
        self._status, persistent = status_of(head)
        self._parser_done = False
        self._parser_follows = True
        self._parser.feed_data(head)
        self._headers = headers = fields_of(head)
        if len(headers) > self._limits.headers:
            raise AnswerBroken("the answer has too many header lines")
        marked = [pair for pair in headers if pair[0] in MARKED]
        if self._status < 200:  # noqa: PLR2004 - interim
            self._skip_interim(self._status, marked)
            return self._read_head(data[end:]) if len(data) > end else None
        if persistent and all(lasts(line) for line in marked):  # whatever length comes with them
            idle = [value for name, value in marked if name == b"keep-alive"]
            memory.learn(headers, MARKED, (self._status, idle))
        return self._judge(data, end, marked, persistent=persistent)

    def _skip_interim(self, status: int, marked: Headers) -> None:
        self._interim += 1
        unasked = status == 101 or self._interim > _MOST_INTERIM  # noqa: PLR2004 - RFC 9110 §15.2.2
        if unasked or any(name in FRAMING or value.lower().find(b"close") >= 0 for name, value in marked):
            raise AnswerBroken("the provider sends interim answers that nobody asked for")

    def _frame_known(self, data: bytes, end: int, known: KnownFields, length: bytes) -> Answer | None:
        """Go on from a head that came before: llhttp has read it then, and only its length may be another."""
        self._parser_follows = False
        self._headers = known.fields.copy()
        self.reusable = True
        self._status, idle = known.made[MARKED]
        for value in idle:
            self.idle_seconds = idle_seconds_of(value, self.idle_seconds)
        framing = (b"content-length", length) if known.length_at >= 0 else None
        return self._frame(data, end, framing, many=False, persistent=True)

    def _judge(self, data: bytes, end: int, marked: Headers, *, persistent: bool) -> Answer | None:
        """Take the framing out of the headers, and see whether the connection is kept."""
        framing: tuple[bytes, bytes] | None = None
        many = False
        self.reusable = persistent
        for pair in marked:
            name, value = pair
            if name in FRAMING:
                many = framing is not None
                framing = pair
                self._headers.remove(pair)
            elif value != b"keep-alive":
                self._judge_connection(name, value)
        return self._frame(data, end, framing, many=many, persistent=persistent)

    def _frame(
        self, data: bytes, end: int, framing: tuple[bytes, bytes] | None, *, many: bool, persistent: bool
    ) -> Answer | None:
        """Decide how the body ends (RFC 9112 §6.3) and read what of it is already here."""
        headers = self._headers
        if self._to_head or self._status in _NO_CONTENT:
            return self._without_body(None if many else framing, rest=len(data) > end)
        if self._streaming is not None and not many and self._streaming.wanted(self._status, headers):
            answer = self._stream(self._streaming, framing, data[end:], persistent=persistent)
            if answer is not None:
                return answer
        if framing is None:
            self.reusable = False
            self._mode = _CLOSE_BODY
            self._decoded = bytearray()
            self._read_close_body(data[end:])
            return None
        if many:
            raise AnswerBroken("the answer frames its body twice")
        name, value = framing
        if name == b"transfer-encoding":
            return self._begin_chunked(value, data[end:], persistent=persistent)
        self._need = need = length_of(value, self._limits.body_bytes)
        if len(data) - end == need:  # the usual case: head and body came together, nothing else did
            body = data[end:]
            if need and self._parser_follows:
                self._parser.feed_data(body)
            return self._whole(body, rest=False)
        self._mode = _LENGTH_BODY
        self._decoded = bytearray()
        return self._read_length_body(data[end:])

    def _stream(
        self, streaming: Streaming, framing: tuple[bytes, bytes] | None, rest: bytes, *, persistent: bool
    ) -> Answer | None:
        """Give the answer with its body still to come; None for one that is short and said to be."""
        decoder: Decoder
        if framing is None:
            self.reusable = False
            decoder = CloseDecoder(streaming.body_bytes)
        elif framing[0] == b"content-length":
            length = length_of(framing[1], streaming.body_bytes)
            if length <= SHORT:
                return None
            decoder = LengthDecoder(length)
        elif framing[1].lower() == b"chunked" and persistent:
            decoder = ChunkedDecoder(streaming.body_bytes)
        else:
            return None
        self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that it is not shown
        stream = StreamedBody(decoder)
        stream.begin_with = rest
        return Answer(self._status, self._headers, b"", stream=stream)

    def _judge_connection(self, name: bytes, value: bytes) -> None:
        if name != b"keep-alive":
            self.reusable = self.reusable and value.lower().find(b"close") < 0
        else:
            self.idle_seconds = idle_seconds_of(value, self.idle_seconds)

    def _begin_chunked(self, coding: bytes, data: bytes, *, persistent: bool) -> Answer | None:
        if coding.lower() != b"chunked" or not persistent:
            raise AnswerBroken("the answer has a transfer coding other than chunked")
        self._mode = _CHUNKED_BODY
        self._chunked = ChunkedBody(self._limits.body_bytes)
        return self._read_chunked_body(data) if data else None

    def _without_body(self, framing: tuple[bytes, bytes] | None, *, rest: bool) -> Answer:
        """Give an answer that its request or status frames; a length in it speaks of a representation."""
        named = framing is not None and framing[0] == b"content-length" and framing[1].isdigit()
        if framing is not None and named and self._status != 204:  # noqa: PLR2004
            self._headers.append(framing)
        elif framing is not None and not self._to_head:
            self.reusable = False  # it announces a body that it must not have (RFC 9112 §6.3, 1)
        if self._parser_follows and not self._parser_done:
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that never comes
        return self._whole(b"", rest=rest)

    def _read_length_body(self, data: bytes) -> Answer | None:
        assert self._decoded is not None
        missing = self._need - len(self._decoded)
        part = data[:missing]
        self._decoded += part
        if part and self._parser_follows:
            self._parser.feed_data(part)
        if len(part) < missing:
            return None
        return self._whole(bytes(self._decoded), rest=len(data) > missing)

    def _read_chunked_body(self, data: bytes) -> Answer | None:
        chunked = self._chunked
        assert chunked is not None
        try:
            rest = chunked.feed(data)
        except ChunkedError as error:
            raise AnswerBroken(f"the answer is broken: {error}") from None
        self._parser.feed_data(data[: len(data) - len(rest)] if rest else data)
        if rest is None:
            return None
        return self._whole(chunked.body, rest=bool(rest))

    def _read_close_body(self, data: bytes) -> None:
        assert self._decoded is not None
        self._decoded += data
        if len(self._decoded) > self._limits.body_bytes:
            raise AnswerBroken("the body of the answer is longer than the limit")

    def _whole(self, body: bytes, *, rest: bool) -> Answer:
        if rest:  # bytes that nobody asked for: this answer stands, the connection does not
            self.reusable = False
        elif self._parser_follows and not self._parser_done and not self._to_head:
            raise AnswerBroken("two readings of the answer disagree about its end")
        answer = Answer(self._status, self._headers, body)
        if self._chunked is not None:
            answer.trailers = self._chunked.trailers
        return answer
