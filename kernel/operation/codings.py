"""Take content codings off a body, with caps: what was validated is what its reader will decode.

The codings of RFC 9110 §8.4.1 (gzip, deflate), RFC 7932 (br) and RFC 8878 (zstd, with the window of RFC
9659), in any order, a few deep. The coded bytes themselves are forwarded; what is decoded is only judged.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.operation.limits import OperationLimits

ACCEPTED: Final = b"gzip, deflate, br, zstd"  # what a 415 answers with (RFC 9110 §12.5.3)
_GZIP: Final = zlib.MAX_WBITS | 16
_ZSTD_WINDOW: Final = 8 * 1024 * 1024  # RFC 9659 §3: no sender may ask for more
_ZSTD_STEP: Final = 512  # bytes fed at once: one 4-byte block may stand for 128 KB
_PIECE: Final = 65_536


class UnknownCoding(Undecodable):
    """A coding that is not decoded here: the sender may choose another (415)."""


def decoded(lines: Sequence[bytes], body: bytes, limits: OperationLimits) -> bytes:
    """Take the codings of all Content-Encoding lines off, the last first.

    Raises `UnknownCoding`, or `Undecodable` with `content-coding` (broken, cut off, or with something
    behind it) or `limit` (more than `decoded_bytes`, or than `decoded_ratio` times the body).
    """
    codings = [
        name
        for line in lines
        for piece in line.split(b",")
        if (name := piece.strip(b" \t").lower()) and name != b"identity"
    ]
    if len(codings) > limits.codings or not all(name in _DECODERS for name in codings):
        raise UnknownCoding("content-coding")
    cap = min(limits.decoded_bytes, max(limits.decoded_floor, len(body) * limits.decoded_ratio))
    for name in reversed(codings):
        body = _DECODERS[name](body, cap)
    return body


def _gunzip(body: bytes, cap: int) -> bytes:
    """Decode the members of a gzip file, of which there may be several (RFC 1952 §2.2)."""
    found: list[bytes] = []
    left = cap
    while True:
        data, body = _inflated(body, _GZIP, left)
        found.append(data)
        left -= len(data)
        if not body:
            return b"".join(found)


def _inflate(body: bytes, cap: int) -> bytes:
    # RFC 9110 means the zlib format; a raw stream is what some servers send all the same.
    is_zlib = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2], "big") % 31
    found, rest = _inflated(body, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, cap)
    if rest:
        raise Undecodable("content-coding")
    return found


def _inflated(body: bytes, window: int, cap: int) -> tuple[bytes, bytes]:
    """Decode one stream; gives what follows it too."""
    stream = zlib.decompressobj(window)
    try:
        found = stream.decompress(body, cap + 1)
    except zlib.error:
        raise Undecodable("content-coding") from None
    if len(found) > cap:
        raise Undecodable("limit")
    if not stream.eof:
        raise Undecodable("content-coding")
    return found, stream.unused_data


def _unbrotli(body: bytes, cap: int) -> bytes:
    import brotli  # noqa: PLC0415 - checks in a pipeline decode no body, and do without it

    stream = brotli.Decompressor()
    found: list[bytes] = []
    left = cap
    try:
        piece = stream.process(body, output_buffer_limit=_PIECE)
        while piece or not stream.can_accept_more_data():
            found.append(piece)
            left -= len(piece)
            if left < 0:
                raise Undecodable("limit")
            if stream.is_finished():
                break
            piece = stream.process(b"", output_buffer_limit=_PIECE)
    except brotli.error:
        raise Undecodable("content-coding") from None
    if not stream.is_finished():
        raise Undecodable("content-coding")
    return b"".join(found)


def _unzstd(body: bytes, cap: int) -> bytes:
    """Decode the frames of a zstd stream; a dictionary is never at hand (RFC 8878 §3.1)."""
    import zstandard  # noqa: PLC0415 - as above

    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame: Any = decoder.decompressobj()
    found: list[bytes] = []
    left, at = cap, 0
    try:
        while at < len(body):
            if frame.eof:
                frame = decoder.decompressobj()
            step = body[at : at + _ZSTD_STEP]
            piece = frame.decompress(step)
            at += len(step) - len(frame.unused_data)
            found.append(piece)
            left -= len(piece)
            if left < 0:
                raise Undecodable("limit")
    except zstandard.ZstdError:
        raise Undecodable("content-coding") from None
    if not frame.eof:
        raise Undecodable("content-coding")
    return b"".join(found)


_DECODERS: Final[dict[bytes, Callable[[bytes, int], bytes]]] = {
    b"gzip": _gunzip,
    b"x-gzip": _gunzip,
    b"deflate": _inflate,
    b"br": _unbrotli,
    b"zstd": _unzstd,
}
