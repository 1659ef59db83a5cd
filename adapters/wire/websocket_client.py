"""Opens a WebSocket to a provider: a connection of its own, not one of the pool."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.protocol import State
from websockets.uri import WebSocketURI

from adapters.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from adapters.wire.websocket import Socket

if TYPE_CHECKING:
    from adapters.port import Call
    from adapters.wire.http import Origin

# Ours alone, or the handshake's.
_LEFT_OUT: Final = frozenset((b"host", b"connection", b"upgrade", b"content-length", b"transfer-encoding"))
_HANDSHAKE: Final = b"sec-websocket-"
_LONGEST_HEAD: Final = 64 * 1024  # bytes of an answer that is no handshake


class _Connection(asyncio.Protocol):
    """The bytes between us and the provider (`Carrier`)."""

    def __init__(self, protocol: ClientProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self._protocol = protocol
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.socket: Socket | None = None
        self._read = 0

    # -- asyncio.Protocol -----------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read the answer to the handshake, then messages."""
        if self.socket is None:
            self._read += len(data)
            self.socket = Socket(self._protocol, self)
            self.socket.feed(data)
            open_still = self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None
            if open_still and self._read < _LONGEST_HEAD:
                self.socket = None  # the head is not whole
                return
            if not self.answered.done():
                self.answered.set_result(None)
        else:
            self.socket.feed(data)

    def eof_received(self) -> bool:
        """Take the end of the provider's half for its leave."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the socket that no more will come."""
        del exc
        self._writable.set()
        if self.socket is not None:
            self.socket.lost()
        if not self.answered.done():
            self.answered.set_result(None)

    def pause_writing(self) -> None:
        """Note that the provider does not take what we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._writable.set()

    # -- Carrier --------------------------------------------------------------------------------------
    def write(self, data: bytes) -> None:
        """Write bytes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the provider has taken enough."""
        await self._writable.wait()

    def hold(self, hold: bool) -> None:  # noqa: FBT001 - a switch
        """Read no more from the provider, or read on."""
        if self._transport is not None and not self._transport.is_closing():
            if hold:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def end(self) -> None:
        """Close the connection once everything is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


class ProviderSocket:
    """A WebSocket to a provider, and the connection under it."""

    def __init__(self, socket: Socket, subprotocol: str | None, connection: _Connection) -> None:
        self.socket = socket
        self.subprotocol = subprotocol
        self._connection = connection

    def abort(self) -> None:
        """End the connection at once."""
        self._connection.abort()


async def open_socket(
    name: str,
    origin: Origin,
    call: Call,
    subprotocols: tuple[str, ...],
    *,
    connect_timeout: float,
    max_size: int,
) -> ProviderSocket:
    """Connect and shake hands within `call.timeout_seconds`; raises `UpstreamError`. Run it in a task."""
    path, mark, query = call.target.decode("ascii").partition("?")
    uri = WebSocketURI(origin.tls is not None, origin.host, origin.port, path, query if mark else "")
    protocol = ClientProtocol(uri, subprotocols=list(subprotocols) or None, max_size=max_size)  # type: ignore[arg-type]
    request = protocol.connect()
    if origin.authority:
        del request.headers["Host"]
        request.headers["Host"] = origin.authority
    for field, value in call.headers:
        if field not in _LEFT_OUT and not field.startswith(_HANDSHAKE):
            request.headers[field.decode("latin-1")] = value.decode("latin-1")
    connection = await _connect(name, origin, protocol, min(connect_timeout, call.timeout_seconds))
    protocol.send_request(request)
    for data in protocol.data_to_send():
        connection.write(data)
    try:
        async with asyncio.timeout(call.timeout_seconds):
            await connection.answered
    except TimeoutError:
        connection.abort()
        raise UpstreamTimeout(f"{name} did not answer the handshake in time", sent=True) from None
    except BaseException:
        connection.abort()
        raise
    if protocol.handshake_exc is not None or connection.socket is None or not connection.socket.open:
        connection.abort()
        raise UpstreamBroken(f"{name}: {_reason(protocol)}", sent=True)
    return ProviderSocket(connection.socket, protocol.subprotocol, connection)


def _reason(protocol: ClientProtocol) -> str:
    error = protocol.handshake_exc
    if isinstance(error, InvalidHandshake | WebSocketException):
        return f"no WebSocket was opened ({type(error).__name__})"
    return "the connection ended before the handshake did"


async def _connect(name: str, origin: Origin, protocol: ClientProtocol, seconds: float) -> _Connection:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            _, connection = await loop.create_connection(
                lambda: _Connection(protocol, loop),
                origin.host,
                origin.port,
                ssl=origin.tls,
                server_hostname=origin.host if origin.tls else None,
            )
    except TimeoutError:
        raise UpstreamTimeout(f"{name}: {origin} did not accept a connection in time", sent=False) from None
    except ssl.SSLError as error:
        raise UpstreamUnreachable(
            f"{name}: TLS with {origin} failed: {error.reason or error}", sent=False
        ) from None
    except OSError as error:
        raise UpstreamUnreachable(
            f"{name}: no connection to {origin}: {error.strerror or error}", sent=False
        ) from None
    return connection
