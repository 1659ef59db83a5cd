"""What goes through an adapter: one call on its way out, and the answer that came back.

Plain classes, since one of each is made for every call, and their compiled form sets fields where a dataclass
would run an `__init__` written in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

Headers = list[tuple[bytes, bytes]]  # names in lower case, order kept


class BodySource(Protocol):
    """A request body that is still arriving; `length` in bytes, None where nobody said it."""

    length: int | None

    async def read(self) -> bytes:
        """Give the next bytes, b"" at the end; raises `UpstreamBroken` where there will be no proper end."""


class BodyStream(Protocol):
    """An answer's body that is still arriving; bounded: who does not read slows its provider down."""

    length: int | None  # bytes, None where the provider does not say

    async def read(self) -> bytes:
        """Give the next bytes, b"" at the proper end; raises `UpstreamBroken` where there is none."""

    def cancel(self) -> None:
        """Give it up: the provider is disconnected, and `read` raises."""


class Streaming(NamedTuple):
    """Which answers may come as a stream (asked with status and headers), and for how long at most."""

    wanted: Callable[[int, Headers], bool]
    total_seconds: float
    body_bytes: int


class Call:
    """One validated request on its way out; `body` holds the exact bytes that were validated.

    Where `source` is set, the body comes from there. An adapter that knows no streams has no attribute
    `streams` and is never given either.
    """

    def __init__(  # noqa: PLR0917 - hot
        self,
        method: bytes,
        target: bytes,  # raw path and query as forwarded, starting with "/"
        headers: Headers,
        body: bytes,
        timeout_seconds: float,
        contract: str = "",
        operation_id: str = "",
        idempotent: bool = False,  # noqa: FBT001, FBT002 - hot
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeout_seconds = timeout_seconds
        self.contract = contract
        self.operation_id = operation_id
        self.idempotent = idempotent
        self.streaming: Streaming | None = None
        self.source: BodySource | None = None
        self._lines = b""
        self._lined: Headers | None = None
        self._lined_count = 0

    def __repr__(self) -> str:
        return f"Call({self.method!r}, {self.contract} {self.operation_id}, {len(self.body)} bytes)"

    def note_lines(self, lines: bytes) -> None:
        """Take what `headers`, as they are now, come to on the wire: lines with their ends, safe to send."""
        self._lines = lines
        self._lined = self.headers
        self._lined_count = len(self.headers)

    @property
    def lines(self) -> bytes:
        """Give those lines; b"" where nobody has noted any, or where the headers are others since."""
        headers = self.headers
        return self._lines if headers is self._lined and len(headers) == self._lined_count else b""

    def but(
        self, *, target: bytes | None = None, headers: Headers | None = None, seconds: float | None = None
    ) -> Call:
        """Give the same call with another target, other headers or fewer seconds."""
        other = Call(
            self.method,
            self.target if target is None else target,
            self.headers if headers is None else headers,
            self.body,
            self.timeout_seconds if seconds is None else seconds,
            self.contract,
            self.operation_id,
            self.idempotent,
        )
        other.streaming = self.streaming
        other.source = self.source
        if headers is None and self.lines:
            other.note_lines(self.lines)
        return other


class Answer:
    """What came back; `body` is whole, or empty where it is still arriving by `stream`."""

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        upstream_seconds: float = 0.0,
        stream: BodyStream | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.upstream_seconds = upstream_seconds
        self.trailers: Headers = []
        self.stream = stream

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"
