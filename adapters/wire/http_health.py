"""Asks upstreams regularly whether they are well, each on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.errors import UpstreamError
from adapters.port import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.wire.http_balance import BalancedClient, Client, Upstream

log = logging.getLogger("interlock.adapters")
_WELL: Final = range(200, 400)


@dataclass(frozen=True, slots=True)
class HealthTerms:
    """What is asked (`GET path`), every `interval_seconds`, and how many answers in a row change anything."""

    path: str
    interval_seconds: float = 5.0
    timeout_seconds: float = 2.0
    up_after: int = 2
    down_after: int = 3


class HealthChecks:
    """Keeps `healthy` of each upstream; `clients` ask, so that a full pool of calls hinders no check."""

    def __init__(self, balanced: BalancedClient, clients: Sequence[Client], terms: HealthTerms) -> None:
        self._balanced = balanced
        self._clients = tuple(clients)
        self._terms = terms
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to ask; call it inside the serving loop."""
        pairs = zip(self._balanced.upstreams, self._clients, strict=True)
        self._tasks = [asyncio.create_task(self._watch(one, client)) for one, client in pairs]

    async def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(client.close() for client in self._clients))

    async def _watch(self, upstream: Upstream, client: Client) -> None:
        against = 0  # answers in a row that speak against how it stands
        while True:
            well = await self._well(client)
            against = 0 if well is upstream.healthy else against + 1
            if against >= (self._terms.up_after if well else self._terms.down_after):
                against = 0
                upstream.healthy = well
                if well:
                    upstream.recovered_at = self._balanced.clock()
                log.warning("upstream %s is %s", upstream.name, "well again" if well else "not well")
            await asyncio.sleep(self._terms.interval_seconds)

    async def _well(self, client: Client) -> bool:
        path = self._terms.path.encode("ascii")
        headers = [(b"accept", b"*/*"), (b"user-agent", b"interlock-health")]
        call = Call(b"GET", path, headers, b"", self._terms.timeout_seconds, idempotent=True)
        try:
            return (await client.send(call)).status in _WELL
        except UpstreamError:
            return False
