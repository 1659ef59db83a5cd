"""Request ids and W3C trace context: continue a caller's trace, or begin one."""

from __future__ import annotations

import os
import random
import re
import time
from typing import Final

# https://www.w3.org/TR/trace-context/#traceparent-header, version 00; a higher version is read as 00.
_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16
_LONGEST: Final = 256
_VERSION: Final = 0x7 << 76 | 0x2 << 62  # version 7, variant 10
_LOW: Final = (1 << 62) - 1

_random: Final = random.Random(os.urandom(32))  # noqa: S311 - ids must differ, not be secret
_bits = _random.getrandbits
os.register_at_fork(
    after_in_child=lambda: _random.seed(os.urandom(32))
)  # a worker must not repeat its parent's


def new_request_id() -> str:
    """Make a UUIDv7 (RFC 9562 section 5.7): sortable by time, and unlike a counter telling nothing else."""
    bits = _bits(74)
    text = f"{time.time_ns() // 1_000_000 << 80 | _VERSION | bits >> 62 << 64 | bits & _LOW:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def continue_trace(traceparent: bytes | None) -> tuple[str, bytes, bool]:
    """Give trace id, the traceparent for the provider, and whether a caller's trace goes on.

    A header that is not valid starts a new trace, and then its tracestate must not be forwarded.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent and len(traceparent) <= _LONGEST else None
    if found is not None:
        version, trace_id, parent, flags, more = found.groups()
        legal = version != b"ff" and not (version == b"00" and more)
        if legal and trace_id != _NO_TRACE and parent != _NO_SPAN:
            return trace_id.decode(), b"00-%b-%016x-%b" % (trace_id, _span(), flags), True
    fresh = f"{_bits(192):048x}"
    return fresh[:32], f"00-{fresh[:32]}-{fresh[32:]}-00".encode(), False


def _span() -> int:
    return _bits(64) | 1
