"""The edges of one process, one for each front: they listen together and drain together."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from kernel.errors import SettingsError
from runtime_proxy.client_certificates import tls_context
from runtime_proxy.edge import Edge
from runtime_proxy.edge_view import EdgeLimits, Watch
from runtime_proxy.errors import StartFailed
from runtime_proxy.listening import Sockets, address_of, open_sockets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.settings import Settings
    from runtime_proxy.exchange import Handler
    from runtime_proxy.fronts import Front


class Edges:
    """Listening edges by front; made in the running loop, ended by `drain`."""

    def __init__(self, handlers: Mapping[Front, Handler], settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        limits = EdgeLimits.of(settings)
        self._tls = tls_context(settings)
        self._edges = {front: Edge(handler, limits, loop) for front, handler in handlers.items()}

    async def listen(self) -> None:
        """Bind every front's address and accept; raises `ListenFailed` with none of them listening."""
        try:
            for front, edge in self._edges.items():
                await edge.listen(front.host, front.port, tls=self._tls, reuse_port=False)
        except BaseException:
            await self.drain()
            raise

    def watch(self, told: Watch) -> None:
        """Have `told` hear of every answer of any front."""
        for front, edge in self._edges.items():
            edge.watch = None if front.is_console else told  # what we say about ourselves is no traffic

    @property
    def connections(self) -> int:
        """How many connections are open over all fronts."""
        return sum(edge.connections for edge in self._edges.values())

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each front is bound, by name; the first is the proxy's own."""
        return {front.name: edge.address for front, edge in self._edges.items()}

    async def accept_from(self, listener: socket.socket) -> asyncio.Server:
        """Also accept from a socket that others hold too, for the front whose address it has."""
        front = front_of(listener, tuple(self._edges))
        return await self._edges[front].accept_from(listener, tls=self._tls)

    async def drain(self, *, patient: bool = False) -> None:
        """Take no new connections anywhere, finish what is under way, and close."""
        await asyncio.gather(*(edge.drain(patient=patient) for edge in self._edges.values()))


def open_fronts(fronts: tuple[Front, ...], workers: int) -> tuple[Sockets, ...]:
    """Listen on the address of every front once for each worker; raises `ListenFailed`, `SettingsError`."""
    if sum(front.port == 0 for front in fronts) > 1:
        raise SettingsError(
            "only one address may leave its port open (0) with several workers", hint="name the ports"
        )
    opened: list[tuple[Sockets, ...]] = []
    try:
        opened.extend(open_sockets(front.host, front.port, workers) for front in fronts)
    except BaseException:
        for one in (one for groups in opened for group in groups for one in group):
            one.close()
        raise
    return tuple(tuple(one for group in groups for one in group) for groups in zip(*opened, strict=True))


def front_of(listener: socket.socket, fronts: tuple[Front, ...]) -> Front:
    """Find whose address a socket has; raises `StartFailed` where it is nobody's, as after a change of settings."""
    if len(fronts) == 1:
        return fronts[0]
    host, port = address_of((listener,))
    named = [front for front in fronts if front.port == port and host in _hosts(front.host)]
    named = named or [front for front in fronts if front.port == 0]
    if len(named) != 1:
        raise StartFailed(
            f"the socket of {host}:{port} is of no address in the settings",
            hint="addresses cannot be changed by a renewal: end the proxy and start it again",
        )
    return named[0]


def _hosts(name: str) -> set[str]:
    found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return {str(row[4][0]) for row in found}
