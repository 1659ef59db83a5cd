"""Take a content coding off an answer, with caps: what is validated is what the consumer will read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.limits import OperationLimits

_GZIP: Final = zlib.MAX_WBITS | 16
_FLOOR: Final = 65_536  # bytes that any body may grow to, whatever the ratio


def decoded(coding: bytes, body: bytes, limits: OperationLimits) -> bytes:
    """Decode `gzip` or `deflate` (RFC 9110 §8.4.1); raises `Undecodable`: `content-coding` or `limit`.

    One coding only: nobody nests them but to hide a bomb.
    """
    name = coding.strip(b" \t").lower()
    if name in {b"", b"identity"}:
        return body
    if name in {b"gzip", b"x-gzip"}:
        return _inflated(body, _GZIP, limits)
    if name == b"deflate":
        # RFC 9110 means the zlib format; a raw stream is what some servers send all the same.
        is_zlib = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2], "big") % 31
        return _inflated(body, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, limits)
    raise Undecodable("content-coding")


def _inflated(body: bytes, window: int, limits: OperationLimits) -> bytes:
    cap = min(limits.decoded_bytes, max(_FLOOR, len(body) * limits.decoded_ratio))
    stream = zlib.decompressobj(window)
    try:
        found = stream.decompress(body, cap + 1)
    except zlib.error:
        raise Undecodable("content-coding") from None
    if len(found) > cap:
        raise Undecodable("limit")
    if not stream.eof or stream.unused_data:
        raise Undecodable("content-coding")
    return found
