"""A pooled HTTP/1.1 client for one origin: bounded, timed, and honest about what had been sent."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from adapters.wire.http_connection import HttpConnection, Sent
from adapters.wire.http_fields import OURS, encode
from adapters.wire.http_framing import ReadLimits
from adapters.wire.http_upload import framing_of
from adapters.wire.known_fields import FieldMemory
from adapters.wire.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.port import Answer, Call
    from kernel.promise import Promise

_WITH_BODY: Final = frozenset((b"POST", b"PUT", b"PATCH"))  # say Content-Length: 0 too (RFC 9110 §8.6)
_VISIBLE: Final = bytes(min(max(octet, 0x21), 0x7E) for octet in range(256))  # changes all others
_TICK: Final = 0.05  # seconds between looks at the deadlines


def _unsendable() -> UpstreamBroken:
    return UpstreamBroken("the request holds bytes that cannot be sent over HTTP/1.1", sent=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go: `host` and `port` to connect to, `authority` for the Host header."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    authority: str = ""

    def __str__(self) -> str:
        """`host:port`, for messages to operators."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Seconds and counts that bound one client.

    `idle_timeout` is short on purpose: many servers close after five seconds, and a request that meets a
    closing connection has an unknown outcome unless it is idempotent.
    """

    connect_timeout: float = 5.0
    write_timeout: float = 30.0  # the provider takes nothing
    read_timeout: float = 60.0  # the provider says nothing; the whole call has `Call.timeout_seconds`
    idle_timeout: float = 4.0
    max_connections: int = 256
    max_waiting: int = 4096
    read: ReadLimits = field(default_factory=ReadLimits)


class HttpClient:
    """A keep-alive pool to one origin; use it inside one event loop.

    `send` gives the answer or raises `UpstreamUnreachable`, `UpstreamTimeout`, `UpstreamBroken`; their
    `sent` is True as soon as any byte of the request may have left. Nothing is retried but a call that met
    a connection which the provider had closed while it was idle, and only if the call is idempotent (RFC
    9112 section 9.3.1). Redirects are answers, not instructions.
    """

    def __init__(self, name: str, origin: Origin, limits: ClientLimits | None = None) -> None:
        self.name = name
        self.origin = origin
        self.limits = limits or ClientLimits()
        self.read_timeout, self.write_timeout = self.limits.read_timeout, self.limits.write_timeout
        self.memory, self.turn = FieldMemory(), Turn()
        authority = (origin.authority or str(origin)).encode("ascii")
        self._after_target = b" HTTP/1.1\r\nhost: " + authority + b"\r\n"
        self._idle: deque[HttpConnection] = deque()
        self._connections: set[HttpConnection] = set()
        self._reserved = 0  # connections being opened
        self._waiting: deque[asyncio.Future[HttpConnection | None]] = deque()
        self._clock: asyncio.TimerHandle | None = None
        self._closed = False
        self._repeats: set[asyncio.Task[None]] = set()

    def send(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out; `call.timeout_seconds` bounds all of it, waiting for a connection included.

        When the awaiting task is cancelled, the connection stays taken until the answer or the deadline.
        """
        # No coroutine where a connection is at hand: nearly always.
        connection = self._kept()
        if connection is not None:
            return connection.exchange(self._head(call), call, connection.loop.time() + call.timeout_seconds)
        return self._send(call)

    async def _send(self, call: Call) -> Answer:
        head = self._head(call)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + call.timeout_seconds
        # In a task of its own: time-outs need one, and whoever waits here may be driven without.
        connection = await loop.create_task(self._acquire(deadline, fresh=False))
        answer: Answer = await connection.exchange(head, call, deadline)
        return answer

    def repeat(self, waiter: Promise, sent: Sent) -> None:
        """Carry out once more what met a closing connection, on one that nobody had a reason to close."""
        task = asyncio.get_running_loop().create_task(self._repeat(waiter, sent))
        self._repeats.add(task)
        task.add_done_callback(self._repeats.discard)

    async def _repeat(self, waiter: Promise, sent: Sent) -> None:
        # Whoever waits goes on outside of this task, which is none of its own.
        loop = asyncio.get_running_loop()
        try:
            connection = await self._acquire(sent.deadline, fresh=True)
            answer = await connection.exchange(sent.head, sent.call, sent.deadline, again=True)
        except (UpstreamError, asyncio.CancelledError) as error:
            loop.call_soon(waiter.fail, error)
        else:
            loop.call_soon(waiter.keep, answer)

    async def close(self) -> None:
        """End all connections; calls under way fail as broken."""
        self._closed = True
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(UpstreamUnreachable(f"{self.name} is being stopped", sent=False))
        for connection in tuple(self._connections):
            connection.close()
        for _ in range(100):  # `connection_lost` comes with the next turns of the loop
            if not self._connections:
                break
            await asyncio.sleep(0)

    def _head(self, call: Call) -> bytes:
        fields = call.lines
        if not fields:
            try:
                fields = encode(call.headers, OURS)
            except ValueError:
                raise _unsendable() from None
        body = call.body
        if call.source is not None:
            fields += framing_of(call.source) + b"\r\n"
        elif body or call.method in _WITH_BODY:
            fields += b"content-length: %d\r\n" % len(body)
        target = call.target
        if not target.startswith(b"/") or target.translate(_VISIBLE) != target:
            raise _unsendable()
        return b"%b %b%b%b\r\n" % (call.method, target, self._after_target, fields)

    # -- the pool -----------------------------------------------------------------------------------
    def _kept(self) -> HttpConnection | None:
        """Take the idle connection that was used last: it is the least likely to be closing."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.alive:
                return connection
            connection.close()
        return None

    async def _acquire(self, deadline: float, *, fresh: bool) -> HttpConnection:
        """Open a connection where there is room for one, else wait for a free one or for room."""
        while True:
            if self._closed:
                raise UpstreamUnreachable(f"{self.name} is stopped", sent=False)
            if len(self._connections) + self._reserved < self.limits.max_connections:
                self._reserved += 1
                return await self._open(deadline)
            connection = await self._queue(deadline)
            if connection is None:
                return await self._open(deadline)
            if connection.alive and not fresh:
                return connection
            connection.close()

    async def _queue(self, deadline: float) -> HttpConnection | None:
        """Wait, first come first served, for a connection, or for None: room that is already reserved."""
        if len(self._waiting) >= self.limits.max_waiting:
            raise UpstreamUnreachable(
                f"{self.name}: too many calls wait for a connection already", sent=False
            )
        waiter: asyncio.Future[HttpConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiter
        except TimeoutError:
            self._unqueue(waiter)
            raise UpstreamTimeout(f"{self.name}: no connection became free in time", sent=False) from None
        except asyncio.CancelledError:
            self._unqueue(waiter)
            raise

    def _unqueue(self, waiter: asyncio.Future[HttpConnection | None]) -> None:
        """Leave the queue; what was handed over in the same turn of the loop goes to the next one."""
        if waiter.cancelled() or not waiter.done():
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            return
        if waiter.exception() is not None:
            return
        connection = waiter.result()
        if connection is None:
            self._reserved -= 1
            self._make_room()
        else:
            self.released(connection)

    async def _open(self, deadline: float) -> HttpConnection:
        """Connect; the caller has reserved the room."""
        loop = asyncio.get_running_loop()
        origin = self.origin
        until = min(deadline, loop.time() + self.limits.connect_timeout)
        connection: HttpConnection
        try:
            async with asyncio.timeout_at(until):
                _, connection = await loop.create_connection(
                    lambda: cast("Any", HttpConnection(self, self.limits.read, loop, until + 1.0)),
                    origin.host,
                    origin.port,
                    ssl=origin.tls,
                    server_hostname=origin.host if origin.tls else None,
                )
        except TimeoutError:
            message = f"{self.name}: {origin} did not accept a connection in time"
            raise UpstreamTimeout(message, sent=False) from None
        except ssl.SSLError as error:
            raise UpstreamUnreachable(
                f"{self.name}: TLS with {origin} failed: {error.reason or error}",
                sent=False,
                hint="check the certificate of the provider and the setting tls_ca_file",
            ) from None
        except OSError as error:
            raise UpstreamUnreachable(
                f"{self.name}: no connection to {origin}: {error.strerror or error}",
                sent=False,
                hint="check base_url, and that the provider is running",
            ) from None
        finally:
            self._reserved -= 1
            self._make_room()
        return connection

    def opened(self, connection: HttpConnection) -> None:
        """Watch a new connection, even when whoever asked for it has gone away meanwhile."""
        self._connections.add(connection)
        if self._closed:
            connection.close()
        elif self._clock is None:
            self._clock = connection.loop.call_later(_TICK, self._look, connection.loop)

    def released(self, connection: HttpConnection) -> None:
        """Take a connection back: for whoever waits longest, else into the pool."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        now = connection.loop.time()
        idle_timeout = self.limits.idle_timeout
        if connection.idle_seconds is not None:  # leave before the provider does
            idle_timeout = min(idle_timeout, max(connection.idle_seconds - 1.0, 0.0))
        connection.idle_since = now
        connection.deadline = now + idle_timeout
        self._idle.append(connection)

    def ended(self, connection: HttpConnection) -> None:
        """Forget a closed connection; whoever waits may open another."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._make_room()

    def _make_room(self) -> None:
        """Give free room to whoever waits longest."""
        while self._waiting and len(self._connections) + self._reserved < self.limits.max_connections:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._reserved += 1
                waiter.set_result(None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what passed its deadline: one clock for all connections costs less than a timer per call."""
        now = loop.time()
        self.memory.forget_old(now)
        for connection in [one for one in self._connections if one.deadline < now]:
            connection.expired()
        self._clock = loop.call_later(_TICK, self._look, loop) if self._connections else None
        if self._clock is None:
            self.memory.forget()  # nobody looks after it from here on
