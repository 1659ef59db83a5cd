"""Request bodies that are carried as they come: when they begin to go on, and what follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.wire.http_streaming import SHORT
from runtime_proxy.answering import CONTINUE
from runtime_proxy.edge_intake import BODY, LINGER, UNKNOWN, Intake
from runtime_proxy.edge_upload import Upload

if TYPE_CHECKING:
    from runtime_proxy.edge_view import EdgeView
    from runtime_proxy.exchange import Exchange

_PATIENCE: Final = 0.5  # seconds in which a short body may still become whole before its provider is asked


class UploadingIntake(Intake):
    """A connection whose requests may be served before their bodies are here (`Wire` of edge_upload.py).

    Octets begin to go on when more than `SHORT` of them are here, or after a moment: until then a body may
    turn out to be whole, and a broken one reaches nobody. Items go on from the first one.
    """

    __slots__ = ("_asked",)

    def __init__(self, edge: EdgeView) -> None:
        super().__init__(edge)
        self._asked = True  # the client that waits for `100 Continue` was told

    def _await_body(self, data: bytes, limit: int) -> None:
        exchange = self._exchange
        if exchange is None or exchange.flow is None or 0 < self._reader.length <= SHORT:
            super()._await_body(data, limit)
            return
        upload = self._upload = Upload(self._reader, exchange.body_limit, self)
        self._skip_left = UNKNOWN  # until it is whole, nothing can follow it
        self._state = BODY
        waits = self._reader.expects and not data
        self._asked = not waits
        if waits or exchange.flow.judge is not None:
            if data:
                upload.feed(data)
            self._carry(exchange)
        else:
            self.deadline = self._edge.now + _PATIENCE
            self._take_body(data)

    def _take_body(self, data: bytes) -> None:
        upload, exchange = self._upload, self._exchange
        if not isinstance(upload, Upload) or exchange is None:
            super()._take_body(data)
            return
        upload.feed(data)
        if upload.slug:
            self.refuse(upload.slug)
        elif upload.whole:
            exchange.body = upload.taken()
            self._begin()
        elif upload.held > SHORT:
            self._carry(exchange)

    def _carry(self, exchange: Exchange) -> None:
        """Have the request served while its body comes."""
        if isinstance(self._upload, Upload):
            exchange.upload = self._upload
        self._begin()

    def hold_upload(self) -> None:
        """Read no more for now."""
        self._pause_reading()

    def want_upload(self) -> None:
        """Read on; the client that waits for it is told to go on."""
        if not self._asked and self._state < LINGER:
            self._asked = True
            self._transport.write(CONTINUE)
        self._resume_reading()

    def upload_ended(self, rest: bytes) -> None:
        """Keep what follows the body, as what any client sends ahead."""
        self._upload = None
        self._skip_left = 0
        if rest:
            self._ahead, self._ahead_at = rest, 0
            self._pause_reading()
