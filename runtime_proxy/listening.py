"""Listening sockets that outlive the processes which accept from them: one for each worker and address."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final

from adapters.errors import ListenFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKLOG: Final = 2048
Sockets = tuple[socket.socket, ...]  # of one worker: one for each address that the host name stands for


def open_sockets(host: str, port: int, workers: int) -> tuple[Sockets, ...]:
    """Listen on `host`:`port` once for each worker (SO_REUSEPORT); raises `ListenFailed`.

    The kernel spreads new connections over the sockets. Whoever holds a socket decides when its queue is
    lost, so the supervisor keeps them all open, and a worker that ends loses nothing (docs/adr/0006).
    """
    opened: list[list[socket.socket]] = [[] for _ in range(workers)]
    try:
        for family, address in _addresses(host, port):
            _refuse_taken(family, address)
            for own in opened:
                made = _listening(family, address)
                own.append(made)
                address = (address[0], made.getsockname()[1], *address[2:])  # noqa: PLW2901 - port 0: all take the first one's
            port = opened[0][0].getsockname()[1]
    except OSError as error:
        for own in opened:
            for one in own:
                one.close()
        raise ListenFailed(
            f"the proxy cannot listen on {host}:{port}: {error.strerror or error}",
            hint="choose another proxy_host or proxy_port, or end the program that uses it",
        ) from None
    return tuple(tuple(own) for own in opened)


def adopted(groups: Sequence[Sequence[int]]) -> tuple[Sockets, ...]:
    """Take over sockets by their descriptors, as a new program image finds them."""
    return tuple(tuple(socket.socket(fileno=number) for number in group) for group in groups)


def address_of(sockets: Sockets) -> tuple[str, int]:
    """Give host and port of the first address."""
    bound = sockets[0].getsockname()
    return bound[0], bound[1]


def _addresses(host: str, port: int) -> list[tuple[int, tuple[str | int, ...]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    rows: list[tuple[int, Any]] = [(row[0], row[4]) for row in found]
    return list(dict.fromkeys(rows))


def _refuse_taken(family: int, address: tuple[str | int, ...]) -> None:
    """Fail where anybody listens: SO_REUSEPORT alone would share a port with a stranger of the same user."""
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _only_v6(probe, family)
        probe.bind(address)


def _listening(family: int, address: tuple[str | int, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _only_v6(made, family)
        made.setblocking(False)
        made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _only_v6(made: socket.socket, family: int) -> None:
    if family == socket.AF_INET6:  # else `::` would take the port of 0.0.0.0 too
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
