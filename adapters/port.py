"""What the data plane asks of an adapter: the one interface between Interlock and foreign systems."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from adapters.call import Answer, BodySource, BodyStream, Call, Headers, Streaming
from adapters.errors import UpstreamUnreachable

__all__ = [
    "Adapter",
    "AdapterKind",
    "Answer",
    "BodySource",
    "BodyStream",
    "Call",
    "Headers",
    "Listener",
    "Streaming",
    "open_through",
]


@runtime_checkable
class Adapter(Protocol):
    """A partner or core system that answers calls.

    `call` raises the errors of adapters/errors.py: `UpstreamUnreachable`, `UpstreamTimeout`,
    `UpstreamBroken` (each says whether bytes had been sent, so that the outcome is known or not).
    """

    name: str
    kind: str

    async def start(self) -> None:
        """Acquire what the adapter needs; called once, inside the serving event loop."""

    async def stop(self) -> None:
        """Finish what is under way and let go of everything."""

    def call(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out and return the answer as it came (`async def` is one way to write it)."""


@runtime_checkable
class Listener(Protocol):
    """A device adapter that waits for messages and hands each to adapters/intake.py."""

    name: str
    kind: str

    async def start(self) -> None:
        """Bind and listen; raises `ListenFailed` naming the address."""

    async def stop(self) -> None:
        """Stop accepting, finish messages under way, close."""

    def address(self) -> tuple[str, int]:
        """Return the bound host and port (port 0 in the settings means any free one)."""


@dataclass(frozen=True, slots=True)
class AdapterKind:
    """One row of the catalog: how an adapter of this kind is checked and built.

    `settings_schema` is a JSON Schema (2020-12, closed object) for `AdapterInstance.settings`.
    """

    kind: str
    summary: str
    settings_schema: Mapping[str, Any]
    listens: bool


async def open_through(adapter: Any, call: Call, subprotocols: tuple[str, ...], max_size: int) -> Any:
    """Open a WebSocket by an adapter that can (`open_channel` of the kind `http`); run it in a task.

    Gives a `ProviderSocket` (adapters/wire/websocket_client.py). Raises `UpstreamError`, also for an adapter
    that has none.
    """
    opener = getattr(adapter, "open_channel", None)
    if opener is None:
        raise UpstreamUnreachable(
            f"{adapter.name} opens no channels",
            sent=False,
            hint="route the contract to an adapter of kind http",
        )
    return await opener(call, subprotocols, max_size)
