"""The edge: listens, holds the connections, watches their time, and drains."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from adapters.errors import ListenFailed
from adapters.wire.known_fields import FieldMemory
from adapters.wire.turn import Turn
from runtime_proxy.answering import DateLine
from runtime_proxy.edge_connection import EdgeConnection
from runtime_proxy.edge_view import EdgeLimits, Watch

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Coroutine

    from kernel.settings import Settings
    from runtime_proxy.exchange import Handler, Reply

_BACKLOG: Final = 2048
_SLOWEST_TICK, _FASTEST_TICK = 0.25, 0.01  # seconds between looks at the deadlines
_DRAIN_GRACE: Final = 0.5  # seconds in which a draining edge still takes requests on open connections
_OVER_LIMIT: Final = 64  # connections above the limit that are told so; any more are closed without a word


class Edge:
    """A listening edge; made by `serve_edge`, ended by `drain`.

    `now` is the loop's time as of the last look at the clock, exact to a quarter of a second: deadlines
    are set from it, so that a request costs no timer.
    """

    def __init__(self, handler: Handler, limits: EdgeLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.handler = handler
        self.limits = limits
        self.draining = False
        self.date = DateLine()
        self.memory = FieldMemory()
        self.turn = Turn()
        self.now = loop.time()
        self.watch: Watch | None = None
        self.address: tuple[str, int] = ("", 0)
        self._loop = loop
        self._servers: list[asyncio.Server] = []
        self._connections: set[EdgeConnection] = set()
        self._unfinished: set[EdgeConnection] = set()  # closed by their clients while an exchange goes on
        self._tasks: set[asyncio.Task[Reply]] = set()
        shortest = min(limits.head_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout)
        self._tick = min(_SLOWEST_TICK, max(_FASTEST_TICK, shortest / 8))
        self._clock = loop.call_later(self._tick, self._look)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def listen(self, host: str, port: int, *, tls: ssl.SSLContext | None, reuse_port: bool) -> None:
        """Bind and accept; raises `ListenFailed`."""
        loop = self._loop
        try:
            server = await loop.create_server(
                self._connection,
                host,
                port,
                ssl=tls,
                ssl_handshake_timeout=self.limits.head_timeout if tls else None,
                backlog=_BACKLOG,
                reuse_port=reuse_port or None,
            )
        except OSError as error:
            self._clock.cancel()
            raise ListenFailed(
                f"the proxy cannot listen on {host}:{port}: {error.strerror or error}",
                hint="choose another proxy_host or proxy_port, or end the program that uses it",
            ) from None
        bound = server.sockets[0].getsockname()
        self.address = (bound[0], bound[1])
        self._servers.append(server)

    def _connection(self) -> Any:
        # An asyncio.Protocol in all but its base class, which would keep its compiled form from being compact.
        return EdgeConnection(self, self._loop)

    async def accept_from(
        self, listener: socket.socket, *, tls: ssl.SSLContext | None = None
    ) -> asyncio.Server:
        """Also accept from a socket that others hold too; closing the server leaves their queue as it is."""
        loop = self._loop
        server = await loop.create_server(
            self._connection,
            sock=listener.dup(),
            ssl=tls,
            ssl_handshake_timeout=self.limits.head_timeout if tls else None,
            backlog=_BACKLOG,
        )
        self._servers.append(server)
        return server

    async def drain(self, *, patient: bool = False) -> None:
        """Take no new connections, finish what is under way, and close.

        Open connections may send requests for another half second and are told to close; what is not
        finished after `drain_timeout` is given up. `patient`: idle connections too are held that long, so
        that a client whose next request is on its way gets its answer, and with it the word to close.
        """
        self.draining = True
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            connection.leave()
        loop = self._loop
        until = loop.time() + self.limits.drain_timeout
        grace = until if patient else loop.time() + min(_DRAIN_GRACE, self.limits.drain_timeout)
        while (self._connections or self._unfinished) and loop.time() < until:
            if loop.time() >= grace:
                for connection in [one for one in self._connections if one.idle]:
                    connection.expired()
            await asyncio.sleep(0.01)
        for connection in (*self._connections, *self._unfinished):
            connection.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(100):  # `connection_lost` comes with the next turns of the loop
            if not self._connections:
                break
            await asyncio.sleep(0)
        self._clock.cancel()

    # -- for the connections ------------------------------------------------------------------------
    def joined(self, connection: EdgeConnection) -> None:
        """Count a new connection, or refuse it."""
        self._connections.add(connection)
        above = len(self._connections) - self.limits.connections
        if above > _OVER_LIMIT:
            connection.abort()
        elif above > 0:
            connection.refuse("too-many-connections")

    def left(self, connection: EdgeConnection, *, busy: bool) -> None:
        """Forget a closed connection; `busy`: its exchange goes on until `finished`."""
        self._connections.discard(connection)
        if busy:
            self._unfinished.add(connection)

    def finished(self, connection: EdgeConnection) -> None:
        """Forget a connection that was left while its exchange went on."""
        self._unfinished.discard(connection)

    def spawn(self, coroutine: Coroutine[Any, Any, Reply]) -> asyncio.Task[Reply]:
        """Run an exchange in a task that outlives its connection where it must."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _look(self) -> None:
        """End what passed its deadline: one clock for all connections costs less than timers of their own."""
        self.now = now = self._loop.time()
        self.date.refresh()
        self.memory.forget_old(now)
        for connection in [one for one in self._connections if one.deadline < now]:
            connection.expired()
        self._clock = self._loop.call_later(self._tick, self._look)


async def serve_edge(
    handler: Handler,
    host: str,
    port: int,
    settings: Settings,
    *,
    tls: ssl.SSLContext | None = None,
    reuse_port: bool = False,
) -> Edge:
    """Listen and serve in the running loop; `Edge.address` says where, `Edge.drain` ends it.

    `reuse_port` lets several processes share one port (SO_REUSEPORT); workers of one supervisor take
    sockets instead (`Edge.accept_from`), so that no queue is lost. Raises `ListenFailed`.
    """
    edge = Edge(handler, EdgeLimits.of(settings), asyncio.get_running_loop())
    await edge.listen(host, port, tls=tls, reuse_port=reuse_port)
    return edge
