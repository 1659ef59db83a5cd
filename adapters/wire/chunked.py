"""Takes the chunked transfer coding apart, strictly and within limits (RFC 9112 section 7.1)."""

from __future__ import annotations

import re
from typing import Final

# A whole chunk-size line: RFC 9112 §7.1 with §7.1.1's extensions kept short; they are read and dropped.
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_LONGEST_SIZE_LINE: Final = 256  # bytes
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_MOST_TRAILERS: Final = 8 * 1024  # bytes of the whole trailer section
# What size lines and extensions may cost beside the data: room for one-byte chunks, none for a flood.
_FREE_OVERHEAD: Final = 16 * 1024
_OVERHEAD_PER_BYTE: Final = 8


class ChunkedError(Exception):
    """The coding is broken; nothing after it can be trusted to be a message."""


class ChunkedBodyTooLarge(ChunkedError):
    """The decoded body passes the limit."""


class ChunkedBody:
    """One chunked body as it arrives.

    `feed` until it gives the bytes that follow the message; then `body` is whole and `trailers` are the
    trailer fields with names in lower case. `limit` bounds the decoded bytes.
    """

    __slots__ = ("_buffer", "_data_left", "_decoded", "_limit", "_overhead", "_size", "_trailing", "trailers")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._decoded = bytearray()  # not a list of parts: two-byte chunks must not cost fifty bytes each
        self._size = 0
        self._overhead = 0
        self._data_left = 0  # bytes of the open chunk, with the CRLF that closes it
        self._trailing = False
        self.trailers: list[tuple[bytes, bytes]] = []

    @property
    def body(self) -> bytes:
        """The decoded bytes so far."""
        return bytes(self._decoded)

    def take(self) -> bytes:
        """Give the bytes that were decoded since the last time, and keep them no longer."""
        taken = bytes(self._decoded)
        self._decoded.clear()
        return taken

    def feed(self, data: bytes) -> bytes | None:
        """Take more bytes; returns what follows the message once it is whole, else None.

        Raises `ChunkedError` where the coding is broken and `ChunkedBodyTooLarge` above the limit.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        at = 0
        while True:
            if self._trailing:
                return self._read_trailers(data, at)
            if self._data_left:
                at = self._read_data(data, at)
                if self._data_left:
                    return None
            line = _SIZE_LINE.match(data, at)
            if line is None:
                self._keep_size_line(data[at:])
                return None
            self._open_chunk(line[1], line.end() - at)
            at = line.end()

    def _open_chunk(self, size: bytes, line_length: int) -> None:
        length = int(size, 16)
        self._size += length
        self._overhead += line_length + 2
        if line_length > _LONGEST_SIZE_LINE:
            raise ChunkedError("a chunk-size line is too long")
        if self._size > self._limit:
            raise ChunkedBodyTooLarge("the body is longer than the limit")
        if self._overhead > _FREE_OVERHEAD + _OVERHEAD_PER_BYTE * self._size:
            raise ChunkedError("the chunks are out of proportion to what they carry")
        if length:
            self._data_left = length + 2
        else:
            self._trailing = True

    def _keep_size_line(self, rest: bytes) -> None:
        if b"\n" in rest or len(rest) > _LONGEST_SIZE_LINE:
            raise ChunkedError("a chunk-size line is malformed")
        self._buffer = rest

    def _read_data(self, data: bytes, at: int) -> int:
        """Take what there is of the open chunk; returns where the next line begins."""
        left = self._data_left
        if left > 2:  # noqa: PLR2004 - CRLF
            part = data[at : at + left - 2]
            self._decoded += part
            at += len(part)
            left -= len(part)
        if left <= 2:  # noqa: PLR2004 - CRLF
            end = data[at : at + left]
            if end != b"\r\n"[2 - left :][: len(end)]:
                raise ChunkedError("a chunk is longer than its size says")
            at += len(end)
            left -= len(end)
        self._data_left = left
        return at

    def _read_trailers(self, data: bytes, at: int) -> bytes | None:
        """Take the trailer section (RFC 9112 §7.1.2), which ends with an empty line."""
        if data.startswith(b"\r\n", at):
            return data[at + 2 :]
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            if len(data) - at > _MOST_TRAILERS:
                raise ChunkedError("the trailers are too large")
            self._buffer = data[at:]
            return None
        if end - at > _MOST_TRAILERS:
            raise ChunkedError("the trailers are too large")
        for line in data[at:end].split(b"\r\n"):
            field = _FIELD_LINE.fullmatch(line)
            if field is None:
                raise ChunkedError("a trailer line is malformed")
            self.trailers.append((field[1].lower(), field[2].strip(b" \t")))
        return data[end + 4 :]
