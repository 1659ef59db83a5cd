"""What the data plane asks of an adapter: the one interface between Interlock and foreign systems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from adapters.errors import UpstreamUnreachable

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


@dataclass(frozen=True, slots=True)
class Streaming:
    """Which answers may come as a stream (asked with status and headers), and for how long at most."""

    wanted: Callable[[int, Headers], bool]
    total_seconds: float
    body_bytes: int


@dataclass(slots=True)
class Call:
    """One validated request on its way out; `body` holds the exact bytes that were validated.

    Where `source` is set, the body comes from there. An adapter that knows no streams has no attribute
    `streams` and is never given either.
    """

    method: bytes
    target: bytes  # raw path and query as forwarded, starting with "/"
    headers: Headers
    body: bytes
    timeout_seconds: float
    contract: str = ""
    operation_id: str = ""
    idempotent: bool = False
    streaming: Streaming | None = None
    source: BodySource | None = None


@dataclass(slots=True)
class Answer:
    """What came back; `body` is whole, or empty where it is still arriving by `stream`."""

    status: int
    headers: Headers
    body: bytes
    upstream_seconds: float = 0.0
    trailers: Headers = field(default_factory=list)
    stream: BodyStream | None = None


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
