"""Asks an authorization server, or tells a collector: one URL, bounded in size and time, no redirect followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from adapters.errors import UpstreamError
from adapters.port import Call
from adapters.wire.http import ClientLimits, HttpClient, Origin
from adapters.wire.http_framing import ReadLimits
from adapters.wire.tls import client_context
from runtime_proxy.errors import ActivationFailed

if TYPE_CHECKING:
    import ssl

    from adapters.port import Headers

_MOST_BYTES: Final = 512 * 1024  # of an answer; key sets of large issuers have some 20 KiB
_MOST_CONNECTIONS: Final = 16
_MOST_WAITING: Final = 256
_OK: Final = 200


class FetchFailed(Exception):
    """The other side gave no usable answer; the text says why, without any secret."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with status 200; `headers` have lower-case names."""

    body: bytes
    headers: Headers


class Source:
    """One URL; use it inside one event loop."""

    def __init__(self, url: str, *, timeout_seconds: float, tls_ca_file: str = "") -> None:
        """Take the URL apart; raises `ActivationFailed` where `tls_ca_file` cannot be read."""
        parts = urlsplit(url)
        self.url = url
        self._target = (parts.path or "/").encode() + (b"?" + parts.query.encode() if parts.query else b"")
        self._timeout = timeout_seconds
        secure = parts.scheme == "https"
        origin = Origin(
            host=parts.hostname or "",
            port=parts.port or (443 if secure else 80),
            authority=parts.netloc,
            tls=_tls(url, tls_ca_file) if secure else None,
        )
        limits = ClientLimits(
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            max_connections=_MOST_CONNECTIONS,
            max_waiting=_MOST_WAITING,
            read=ReadLimits(body_bytes=_MOST_BYTES),
        )
        self._client = HttpClient(url, origin, limits)

    async def get(self) -> Fetched:
        """Fetch the document; raises `FetchFailed`."""
        return await self._ask(b"GET", [], b"")

    async def post(self, form: bytes, authorization: bytes) -> Fetched:
        """Send a form; raises `FetchFailed`."""
        lines = [
            (b"authorization", authorization),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]
        return await self._ask(b"POST", lines, form)

    async def post_json(self, body: bytes) -> Fetched:
        """Send JSON; raises `FetchFailed`."""
        return await self._ask(b"POST", [(b"content-type", b"application/json")], body)

    async def close(self) -> None:
        """End the connections."""
        await self._client.close()

    async def _ask(self, method: bytes, headers: Headers, body: bytes) -> Fetched:
        lines = [*headers, (b"accept", b"application/json"), (b"accept-encoding", b"identity")]
        # Asking twice does no harm in either case, so a connection that was just closed is no failure.
        call = Call(method, self._target, lines, body, self._timeout, idempotent=True)
        try:
            answer = await self._client.send(call)
        except UpstreamError as error:
            raise FetchFailed(error.message) from None
        if answer.status != _OK:
            raise FetchFailed(f"{self.url} answered {answer.status}")
        return Fetched(answer.body, answer.headers)


def _tls(url: str, ca_file: str) -> ssl.SSLContext:
    try:
        return client_context(ca_file)
    except OSError as error:  # ssl.SSLError is one too
        raise ActivationFailed(
            f"the authorities for {url} cannot be read: {error.strerror or error}",
            hint="tls_ca_file names a PEM file on the proxy's host",
        ) from None
