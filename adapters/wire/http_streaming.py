"""Bodies of HTTP/1.1 that pass in pieces: held within bounds, slowed down by a reader that is slow.

Length, chunks and the end of the connection frame an answer (RFC 9112 section 6.3); only the first two can
say that it is whole, and the third is taken at its word. Trailers are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from adapters.errors import UpstreamBroken
from adapters.wire.body_pieces import BodyPieces
from adapters.wire.chunked import ChunkedBody, ChunkedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.errors import UpstreamError

SHORT: Final = 64 * 1024  # bytes; a body that is said to be no longer is read whole, and judged so


class Decoder(Protocol):
    """Takes the framing off; `length` is that of the body where it is known."""

    length: int | None

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Give the bytes of the body, and what follows the message once it is whole (else None)."""

    def finish(self) -> bool:
        """End of the connection: whether the body is whole by that."""


class LengthDecoder:
    """A body of `length` bytes."""

    __slots__ = ("_missing", "length")

    def __init__(self, length: int) -> None:
        self.length: int | None = length
        self._missing = length

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take bytes up to the length."""
        if len(data) < self._missing:
            self._missing -= len(data)
            return data, None
        missing, self._missing = self._missing, 0
        return data[:missing], data[missing:]

    def finish(self) -> bool:
        """Say no: it would have been whole before."""
        return False


class ChunkedDecoder:
    """A body in chunks of at most `limit` bytes altogether."""

    __slots__ = ("_body", "length")

    def __init__(self, limit: int) -> None:
        self.length: int | None = None
        self._body = ChunkedBody(limit)

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take chunks apart; raises `ChunkedError`."""
        rest = self._body.feed(data)
        return self._body.take(), rest

    def finish(self) -> bool:
        """Say no: the last chunk is missing."""
        return False


class CloseDecoder:
    """A body of at most `limit` bytes that ends with its connection."""

    __slots__ = ("_left", "length")

    def __init__(self, limit: int) -> None:
        self.length: int | None = None
        self._left = limit

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take bytes as they are; raises `ChunkedError` above the limit."""
        self._left -= len(data)
        if self._left < 0:
            raise ChunkedError("the body is longer than the limit")
        return data, None

    def finish(self) -> bool:
        """Say yes: nothing else says where it ends."""
        return True


class StreamedBody:
    """The body of one answer between the connection that it comes from and whoever reads it (`BodyStream`).

    The connection feeds it by `fed`, `ended` and `failed`; `attach` gives it the means to slow the
    connection down and to let go of it.
    """

    __slots__ = (
        "_closed",
        "_decoder",
        "_error",
        "_pieces",
        "_slow",
        "begin_with",
        "length",
        "whole",
    )

    def __init__(self, decoder: Decoder) -> None:
        self.length = decoder.length
        self.begin_with = b""  # what came together with the head
        self.whole = False
        self._decoder = decoder
        self._pieces = BodyPieces()
        self._error: UpstreamError | None = None
        self._slow: Callable[[bool], None] = _nothing
        self._closed: Callable[[bool], None] = _nothing

    def attach(self, slow: Callable[[bool], None], closed: Callable[[bool], None]) -> None:
        """Learn how to slow the sender down (True) or not, and whom to tell the end (True: reusable)."""
        self._slow = slow
        self._closed = closed
        rest, self.begin_with = self.begin_with, b""
        if rest:
            self.fed(rest)

    # -- for the connection -------------------------------------------------------------------------
    def fed(self, data: bytes) -> None:
        """Take what arrived."""
        if self.whole or self._error is not None:
            return
        try:
            piece, rest = self._decoder.feed(data)
        except ChunkedError as error:
            self.failed(UpstreamBroken(f"the answer is broken: {error}", sent=True))
            return
        self._pieces.put(piece)
        if rest is not None:
            self._complete(reusable=not rest)
        elif self._pieces.fills():
            self._slow(True)
        self._pieces.wake()

    def ended(self) -> None:
        """Take the end of the connection."""
        if self.whole or self._error is not None:
            return
        if self._decoder.finish():
            self._complete(reusable=False)
            self._pieces.wake()
        else:
            self.failed(UpstreamBroken("the connection ended before the answer did", sent=True))

    def failed(self, error: UpstreamError) -> None:
        """Take it that there will be no proper end."""
        if not self.whole and self._error is None:
            self._error = error
            self._closed(False)
            self._pieces.wake()

    # -- for the reader -----------------------------------------------------------------------------
    async def read(self) -> bytes:
        """Give what has arrived, or wait for it; b"" at the end. Raises `UpstreamError`."""
        pieces = self._pieces
        while pieces.empty:
            if self._error is not None:
                raise self._error
            if self.whole:
                return b""
            await pieces.arrival()
        piece = pieces.take()
        if pieces.drains():
            self._slow(False)
        return piece

    def cancel(self) -> None:
        """Give the rest up."""
        self._pieces.all()
        self.failed(UpstreamBroken("the answer was given up", sent=True))

    @property
    def held(self) -> int:
        """How many bytes wait to be read."""
        return self._pieces.held

    def _complete(self, *, reusable: bool) -> None:
        self.whole = True
        if self._pieces.released():
            self._slow(False)
        self._closed(reusable)


def _nothing(_flag: bool) -> None:  # noqa: FBT001 - a callback
    """Stand in until the body is attached."""
