"""What frames the body of an answer and keeps its connection: the few field lines that say so, and our bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from adapters.wire.http_fields import decimal

FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))
# Providers of old write Proxy-Connection; llhttp takes it for Connection, and reads nothing after its `close`.
MARKED: Final = FRAMING | {b"connection", b"proxy-connection", b"keep-alive"}
_LASTING: Final = frozenset((b"content-length", b"keep-alive"))
_KEPT: Final = (b"connection", b"keep-alive")  # says what HTTP/1.1 means anyway
_KEEP_ALIVE_TIMEOUT: Final = re.compile(rb"(?:^|[,;\s])timeout=([0-9]{1,9})", re.IGNORECASE)
_BEGINNING: Final = b"HTTP/1."
_NO_STATUS_LINE: Final = "the answer does not begin with a status line of HTTP/1.x"
_CR: Final = ord("\r")
# RFC 9112 §4. llhttp also takes other protocols' names, statuses below 100 and bare control bytes.
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What an answer may be: bytes of its head, bytes of its decoded body, header lines."""

    head_bytes: int = 32 * 1024
    body_bytes: int = 8 * 1024 * 1024
    headers: int = 200


class AnswerBroken(Exception):
    """The bytes are no answer that has one meaning (RFC 9112 sections 4 to 6)."""


def check_beginning(data: bytes, limits: ReadLimits) -> None:
    """Refuse what can no longer become the head of an answer; raises `AnswerBroken`.

    A line that ends with LF alone is no end here (RFC 9112 section 2.2 lets a reader choose): whoever waited for the
    rest would wait for nothing.
    """
    if data[:7] != _BEGINNING[: len(data)]:
        raise AnswerBroken(_NO_STATUS_LINE)
    end = data.find(b"\n")
    if end > 0 and data[end - 1] != _CR:
        raise AnswerBroken("a line of the answer's head ends with LF alone")
    if len(data) > limits.head_bytes:
        raise AnswerBroken("the head of the answer is too large")


def status_of(head: bytes) -> tuple[int, bool]:
    """Read the status line: the status, and whether it is HTTP/1.1; raises `AnswerBroken`."""
    line = _STATUS_LINE.match(head)
    if line is None:
        raise AnswerBroken(_NO_STATUS_LINE)
    return int(line[2]), line[1] == b"1"


def length_of(value: bytes, limit: int) -> int:
    """Read a Content-Length; raises `AnswerBroken` for one that is malformed, or above the limit."""
    length = decimal(value)
    if length < 0:
        raise AnswerBroken("the answer has a malformed Content-Length")
    if length > limit:
        raise AnswerBroken("the body of the answer is longer than the limit")
    return length


def idle_seconds_of(value: bytes, before: float | None) -> float | None:
    """Read how long a provider keeps an idle connection (`Keep-Alive: timeout=`); else what it said before."""
    timeout = _KEEP_ALIVE_TIMEOUT.search(value)
    return before if timeout is None else float(timeout[1])


def lasts(line: tuple[bytes, bytes]) -> bool:
    """Say whether a marked line means the same for every answer that has it, its length apart."""
    return line[0] in _LASTING or line == _KEPT
