"""Request ids and W3C trace context: continue a caller's trace, or begin one."""

from __future__ import annotations

import os
import re
import time
from typing import Final

# https://www.w3.org/TR/trace-context/#traceparent-header, version 00; a higher version is read as 00.
_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16
_LONGEST: Final = 256
_RANDOM_BYTES: Final = 6144  # drawn at once: a system call for some two hundred calls
_VARIANTS: Final = "89ab"


class _Random:
    """Hex digits from the system's generator, drawn in one piece and dealt out."""

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> str:
        """Deal out `count` digits that nobody else gets."""
        at = self._at
        if at + count > len(self._digits):
            self._digits = os.urandom(_RANDOM_BYTES).hex()
            at = 0
        self._at = at + count
        return self._digits[at : at + count]

    def _forget(self) -> None:
        self._digits = ""  # a forked worker must not repeat its parent's


class _Moment:
    """The time of an id as text, made anew once a millisecond."""

    def __init__(self) -> None:
        self._known = (-1, "")

    def head(self) -> str:
        """Give the first 48 bits of a UUIDv7 and its version."""
        milliseconds = time.time_ns() // 1_000_000
        known, text = self._known
        if known != milliseconds:
            text = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"
            self._known = (milliseconds, text)
        return text


_random = _Random()
_moment = _Moment()


def new_request_id() -> str:
    """Make a UUIDv7 (RFC 9562 section 5.7): sortable by time, and unlike a counter telling nothing else."""
    digits = _random.take(19)
    variant = _VARIANTS[int(digits[0], 16) & 3]
    return f"{_moment.head()}{digits[1:4]}-{variant}{digits[4:7]}-{digits[7:]}"


def continue_trace(traceparent: bytes | None) -> tuple[str, bytes, bool]:
    """Give trace id, the traceparent for the provider, and whether a caller's trace goes on.

    A header that is not valid starts a new trace, and then its tracestate must not be forwarded.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent and len(traceparent) <= _LONGEST else None
    if found is not None:
        version, trace_id, parent, flags, more = found.groups()
        legal = version != b"ff" and not (version == b"00" and more)
        if legal and trace_id != _NO_TRACE and parent != _NO_SPAN:
            return trace_id.decode(), b"00-%b-%b-%b" % (trace_id, _ids(16).encode(), flags), True
    fresh, span = _ids(32), _ids(16)
    return fresh, f"00-{fresh}-{span}-00".encode(), False


def _ids(length: int) -> str:
    """Draw an id that is not all zeros, which the format forbids."""
    drawn = _random.take(length)
    while drawn.strip("0") == "":
        drawn = _random.take(length)
    return drawn
