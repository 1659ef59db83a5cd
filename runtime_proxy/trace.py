"""Request ids and W3C trace context: continue a caller's trace, or begin one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from kernel.audit.stamps import id_head

if TYPE_CHECKING:
    from adapters.port import Headers

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


_random: Final = _Random()


def new_request_id() -> str:
    """Make a UUIDv7 (RFC 9562 section 5.7): sortable by time, and unlike a counter telling nothing else."""
    digits = _random.take(19)
    variant = _VARIANTS[int(digits[0], 16) & 3]
    return f"{id_head()}{digits[1:4]}-{variant}{digits[4:7]}-{digits[7:]}"


class Parent(NamedTuple):
    """What a caller's valid traceparent says."""

    trace_id: str
    span_id: str
    flags: bytes

    @property
    def sampled(self) -> bool:
        """Whether the caller records its part of the trace (W3C trace context, section 3.2.2.5.1)."""
        return bool(int(self.flags, 16) & 1)


def continue_trace(traceparent: bytes | None) -> tuple[str, bytes, bool]:
    """Give trace id, the traceparent for the provider, and whether a caller's trace goes on.

    A header that is not valid starts a new trace, and then its tracestate must not be forwarded.
    """
    parent = _read(traceparent) if traceparent else None
    if parent is not None:
        sent = b"00-%b-%b-%b" % (parent.trace_id.encode(), _ids(16).encode(), parent.flags)
        return parent.trace_id, sent, True
    fresh, span = _ids(32), _ids(16)
    return fresh, f"00-{fresh}-{span}-00".encode(), False


def parent_of(headers: Headers) -> Parent | None:
    """Find the caller's place in its trace; None: it sent no valid traceparent, or two of them."""
    found = [value for name, value in headers if name == b"traceparent"]
    return _read(found[0]) if len(found) == 1 else None


def new_trace_id() -> str:
    """Make the id of a trace that begins here."""
    return _ids(32)


def new_span_id() -> str:
    """Make the id of a span."""
    return _ids(16)


def _read(traceparent: bytes) -> Parent | None:
    found = _TRACEPARENT.fullmatch(traceparent) if len(traceparent) <= _LONGEST else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    legal = version != b"ff" and not (version == b"00" and more)
    if not legal or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return Parent(trace_id.decode(), span_id.decode(), flags)


def _ids(length: int) -> str:
    """Draw an id that is not all zeros, which the format forbids."""
    drawn = _random.take(length)
    while drawn.strip("0") == "":
        drawn = _random.take(length)
    return drawn
