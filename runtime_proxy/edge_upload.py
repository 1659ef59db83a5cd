"""A request body that is carried as it comes: a bounded buffer between the client and whoever reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from adapters.wire.body_pieces import BodyPieces
from runtime_proxy.bodies import RequestBody
from runtime_proxy.framing import CHUNKED, RequestRefused

if TYPE_CHECKING:
    from runtime_proxy.framing import HeadReader


class UploadBroken(Exception):
    """There will be no proper end of the body; `slug` names a row of refusals_edge.py."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class Wire(Protocol):
    """The client connection, as the body that it brings knows it."""

    def hold_upload(self) -> None:
        """Read no more for now."""

    def want_upload(self) -> None:
        """Read on; the client that waits for `100 Continue` is told so."""

    def upload_ended(self, rest: bytes) -> None:
        """Take what follows the message: the body is whole."""


class Upload:
    """The body of the request that `head` has just read; `limit` bounds its decoded bytes.

    Raises `RequestRefused` (`body-too-large`) for a Content-Length above the limit.
    """

    __slots__ = ("_body", "_pieces", "_wire", "length", "slug", "whole")

    def __init__(self, head: HeadReader, limit: int, wire: Wire) -> None:
        self._body = RequestBody(head, limit)
        self.length = None if head.length == CHUNKED else head.length
        self.whole = False
        self._wire = wire
        self._pieces = BodyPieces()
        self.slug = ""  # why there will be no proper end

    @property
    def held(self) -> int:
        """How many bytes wait to be read."""
        return self._pieces.held

    def feed(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self.whole or self.slug:
            return
        try:
            rest = self._body.feed(data)
        except RequestRefused as refused:
            self.lost(refused.slug)
            return
        self._pieces.put(self._body.take())
        if self._body.whole:
            self.whole = True
            self._wire.upload_ended(rest)
        elif self._pieces.fills():
            self._wire.hold_upload()
        self._pieces.wake()

    def lost(self, slug: str = "request-malformed") -> None:
        """Take it that no more will come."""
        if not self.whole and not self.slug:
            self.slug = slug
            self._pieces.wake()

    def taken(self) -> bytes:
        """Give all that is here, of a body that turned out to be whole."""
        return self._pieces.all()

    async def read(self) -> bytes:
        """Give what has come, or wait for it; b"" at the end. Raises `UploadBroken`."""
        pieces = self._pieces
        while pieces.empty:
            if self.slug:
                raise UploadBroken(self.slug)
            if self.whole:
                return b""
            self._wire.want_upload()
            await pieces.arrival()
        piece = pieces.take()
        if pieces.drains():
            self._wire.want_upload()
        return piece
