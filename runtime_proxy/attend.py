"""A worker in its seat: accepts from its sockets, tells its supervisor how it is, and does what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Any, Final

import orjson

from runtime_proxy.seat import hear
from runtime_proxy.workers import stop_event

if TYPE_CHECKING:
    from runtime_proxy.dataplane import DataPlane
    from runtime_proxy.edges import Edges
    from runtime_proxy.seat import Seat

log = logging.getLogger("interlock.proxy")
_BEAT_SECONDS: Final = 1.0


class Attendance:
    """One worker's side of the channel; `until_told` returns when the worker is to drain."""

    def __init__(self, seat: Seat, plane: DataPlane, edge: Edges) -> None:
        self.patient = False  # others go on serving the address: drain without hurry
        self._seat = seat
        self._plane = plane
        self._edge = edge
        self._stop = stop_event((signal.SIGTERM,))  # Ctrl-C reaches all: the supervisor judges it
        self._accepting: dict[int, list[asyncio.Server]] = {}
        self._orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def until_told(self) -> None:
        """Accept, say `ready`, and serve until the order, a signal, or the end of the supervisor."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._seat.channel, self._hear)
        obeying = asyncio.create_task(self._obey())
        try:
            await self._adopt(self._seat.slot)
            self._say("ready")
            while not self._stop.is_set():
                self._beat()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _BEAT_SECONDS)
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)
            loop.remove_reader(self._seat.channel)

    async def rest(self) -> None:
        """Close the device listeners first: their ports are wanted by the next worker."""
        await self._plane.adapters.close_listeners()
        self._say("rested")

    # -- what the supervisor says ---------------------------------------------------------------------

    def _hear(self) -> None:
        for word in hear(self._seat.channel):
            kind = word.get("word")
            if kind in {"drain", "gone"}:
                self.patient = bool(word.get("patient"))
                self._stop.set()
                if kind == "gone":  # nobody watches us any more, and nobody else would end us
                    log.error("the supervisor is gone; this worker drains")
                    asyncio.get_running_loop().remove_reader(self._seat.channel)
            else:
                self._orders.put_nowait(word)

    async def _obey(self) -> None:
        while True:
            order = await self._orders.get()
            kind, slot = order.get("word"), order.get("slot")
            if kind == "listen":
                await self._plane.adapters.open_listeners()
            elif kind == "adopt" and isinstance(slot, int):
                await self._adopt(slot)
            elif kind == "release" and isinstance(slot, int):
                for server in self._accepting.pop(slot, ()):
                    server.close()
            self._beat()

    async def _adopt(self, slot: int) -> None:
        if slot not in self._accepting:
            listeners = self._seat.sockets[slot]
            self._accepting[slot] = [await self._edge.accept_from(one) for one in listeners]

    # -- what it says ---------------------------------------------------------------------------------

    def _beat(self) -> None:
        plan = self._plane.handler.plan
        self._say(
            "beat",
            bundle=str(plan.serials) if plan is not None else "",
            trouble=self._plane.health.trouble,
            listeners={name: list(at) for name, at in self._plane.adapters.addresses().items()},
        )

    def _say(self, word: str, **more: Any) -> None:
        with contextlib.suppress(OSError):  # it does not read just now, or is gone: `_hear` finds that out
            self._seat.channel.send(orjson.dumps({"word": word, **more}))
