"""Writes answers: status line, the reply's headers, and the framing that only the edge may decide."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from adapters.wire.http_fields import is_safe

if TYPE_CHECKING:
    from runtime_proxy.exchange import Reply

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# What a reply may carry over from a provider, and what this connection decides anew.
_FRAMING: Final = frozenset(
    (b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"transfer-encoding")
)
_STATUS_LINES: Final = {
    status: b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode("ascii"))
    for status in (int(one) for one in HTTPStatus)
    if status >= 200  # noqa: PLR2004 - interim answers are no replies
}
_LEAST: Final = 200
_MOST: Final = 599
_APOLOGY: Final = (
    b'{"type":"urn:interlock:refusal:internal-error","title":"An error of the proxy itself","status":500}'
)
# For the case that the pipeline itself failed: the only answer that nobody else writes.
INTERNAL_ERROR_HEAD: Final = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/problem+json\r\n"
    b"cache-control: no-store\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(_APOLOGY)
)
INTERNAL_ERROR: Final = INTERNAL_ERROR_HEAD + _APOLOGY


class ReplyUnsendable(Exception):
    """A reply that would not be the one HTTP message that it was meant to be."""


class DateLine:
    """The Date header as a whole line, made anew once a second (RFC 9110 section 6.6.1)."""

    __slots__ = ("_second", "line")

    def __init__(self) -> None:
        self._second = -1
        self.line = b""
        self.refresh()

    def refresh(self) -> None:
        """Follow the clock."""
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self.line = b"date: %s\r\n" % formatdate(now, usegmt=True).encode("ascii")


def head_of(  # noqa: C901 - hot: one pass over the headers
    reply: Reply, *, method: bytes, persistent: bool, date_line: bytes, framing: bytes | None = None
) -> bytes:
    """Give the head of the answer, with the empty line that ends it.

    Content-Length is that of the body, or for HEAD and 304, where the body stays here, the one that the
    reply's own headers say (RFC 9110 section 8.6). `framing` is the line that frames a body which is still
    arriving, b"" where only the end of the connection does. Raises `ReplyUnsendable` for headers that would break
    out of their line, and for a status that is not final.
    """
    status = reply.status
    if not _LEAST <= status <= _MOST:
        raise ReplyUnsendable(f"status {status} is not final")
    headers = reply.headers
    lines = []
    dated = False
    for name, value in headers:
        if name not in _FRAMING:
            lines.append(b"%b: %b" % (name, value))
            if name == b"date":
                dated = True
    if framing is not None:
        if framing:
            lines.append(framing)
    elif status != 204:  # noqa: PLR2004 - RFC 9110 §8.6: no length there
        if (method == b"HEAD" or status == 304) and not reply.body:  # noqa: PLR2004
            lines += [b"content-length: " + value for name, value in headers if name == b"content-length"]
        else:
            lines.append(b"content-length: %d" % len(reply.body))
    if not persistent:
        lines.append(b"connection: close")
    if not is_safe(lines):
        raise ReplyUnsendable("a header holds a line end")
    start = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    if not dated:
        start += date_line
    return b"%b%b\r\n\r\n" % (start, b"\r\n".join(lines)) if lines else start + b"\r\n"


def has_body(method: bytes, status: int) -> bool:
    """Say whether the body of a reply is sent (RFC 9112 section 6.3, rule 1)."""
    return method != b"HEAD" and status not in (204, 304)
