"""What a connection sees of its edge: the limits, the clock, and where it joins and leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from adapters.wire.known_fields import FieldMemory
    from adapters.wire.turn import Turn
    from kernel.settings import Settings
    from runtime_proxy.answering import DateLine
    from runtime_proxy.exchange import Exchange, Handler, Reply


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What a client may send, and how long it may take; the rows of `proxy_*` in kernel/settings.py."""

    head_bytes: int
    target_bytes: int
    headers: int
    body_bytes: int
    connections: int
    head_timeout: float
    body_timeout: float
    idle_timeout: float
    write_timeout: float
    drain_timeout: float

    @classmethod
    def of(cls, settings: Settings) -> EdgeLimits:
        """Take the limits from the settings; a client gets as long to read a body as to send one."""
        return cls(
            head_bytes=settings["proxy_max_head_bytes"],
            target_bytes=settings["proxy_max_target_bytes"],
            headers=settings["proxy_max_headers"],
            body_bytes=settings["proxy_max_body_bytes"],
            connections=settings["proxy_max_connections"],
            head_timeout=settings["proxy_head_timeout"],
            body_timeout=settings["proxy_body_timeout"],
            idle_timeout=settings["proxy_idle_timeout"],
            write_timeout=settings["proxy_body_timeout"],
            drain_timeout=settings["proxy_drain_timeout"],
        )


Watch = Callable[["Exchange | None", "Reply", str], None]


class EdgeView(Protocol):
    """The edge as its connections know it; runtime_proxy/edge.py is the real one."""

    handler: Handler
    limits: EdgeLimits
    draining: bool
    date: DateLine
    memory: FieldMemory  # of field lines that clients send again and again
    turn: Turn
    now: float
    watch: Watch | None  # told of every answer, before it is written

    def joined(self, connection: Any) -> None:
        """Count a new connection, or refuse it."""

    def left(self, connection: Any, *, busy: bool) -> None:
        """Forget a closed connection; `busy`: its exchange goes on until `finished`."""

    def finished(self, connection: Any) -> None:
        """Forget a connection that was left while its exchange went on."""

    def spawn(self, coroutine: Coroutine[Any, Any, Reply]) -> asyncio.Task[Reply]:
        """Run an exchange in a task that outlives its connection where it must."""
