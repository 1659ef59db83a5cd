"""Request bodies as they arrive: with a length or in chunks, each bounded before it is kept."""

from __future__ import annotations

from typing import Protocol

from adapters.wire.chunked import ChunkedBody, ChunkedBodyTooLarge, ChunkedError
from runtime_proxy.framing import CHUNKED, HeadReader, RequestRefused


class _Decoder(Protocol):
    @property
    def body(self) -> bytes: ...

    def feed(self, data: bytes) -> bytes | None: ...

    def take(self) -> bytes: ...


class LengthBody:
    """A body of `length` bytes; `feed` gives the bytes after it once it is whole."""

    __slots__ = ("_kept", "_missing")

    def __init__(self, length: int) -> None:
        self._missing = length
        self._kept = bytearray()

    @property
    def body(self) -> bytes:
        """The bytes so far."""
        return bytes(self._kept)

    def take(self) -> bytes:
        """Give the bytes that came since the last time, and keep them no longer."""
        taken = bytes(self._kept)
        self._kept.clear()
        return taken

    def feed(self, data: bytes) -> bytes | None:
        """Take more bytes; returns what follows the body once it is whole, else None."""
        missing = self._missing
        if len(data) < missing:
            self._kept += data
            self._missing = missing - len(data)
            return None
        self._kept += data[:missing]
        self._missing = 0
        return data[missing:]


class RequestBody:
    """The body of the request that `head` has just read; `limit` bounds its decoded bytes.

    Raises `RequestRefused`: `body-too-large` for a Content-Length above the limit, before anything is
    read, or as soon as the chunks pass it; `framing-refused` for broken chunks.
    """

    __slots__ = ("_decoder", "_head", "whole")

    def __init__(self, head: HeadReader, limit: int) -> None:
        if head.length > limit:
            raise RequestRefused("body-too-large")
        self._head = head
        self._decoder: _Decoder = ChunkedBody(limit) if head.length == CHUNKED else LengthBody(head.length)
        self.whole = False

    @property
    def body(self) -> bytes:
        """The decoded bytes so far."""
        return self._decoder.body

    def take(self) -> bytes:
        """Give the decoded bytes that came since the last time, and keep them no longer."""
        return self._decoder.take()

    def feed(self, data: bytes) -> bytes:
        """Take more bytes; returns what follows the message, and `whole` says whether it has ended."""
        try:
            rest = self._decoder.feed(data)
        except ChunkedBodyTooLarge:
            raise RequestRefused("body-too-large") from None
        except ChunkedError:
            raise RequestRefused("framing-refused") from None
        if rest is None:
            self._head.follow(data)
            return b""
        self._head.finish(data[: len(data) - len(rest)] if rest else data)
        self.whole = True
        return rest
