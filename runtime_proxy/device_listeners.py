"""The device listeners of one process: one that cannot listen is alone out, and is tried again until it can.

A taken port or a store that is down is trouble of one device. It must not keep a new bundle, with its revoked
keys and new contracts, from being served (docs/adr/0017).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from kernel.errors import InterlockError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.port import Listener
    from runtime_proxy.health import Health

log = logging.getLogger("interlock.proxy")
_FIRST_WAIT: Final = 0.25  # seconds before a listener is tried again; doubled each time
_LONGEST_WAIT: Final = 15.0


class DeviceListeners:
    """All listeners of the bundle in force, by the key of their settings; `up` are those that listen.

    `active` False: another worker has the ports, ours are only built. `health` is told what is out.
    """

    def __init__(self, *, active: bool, health: Health | None = None) -> None:
        self._active = active
        self._health = health
        self._wanted: dict[bytes, Listener] = {}
        self._up: set[bytes] = set()
        self._trying: dict[bytes, asyncio.Task[None]] = {}

    def keys(self) -> set[bytes]:
        """Give the keys of all that are wanted."""
        return set(self._wanted)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each listener is bound, by name; those that are out are left out."""
        return {self._wanted[key].name: self._wanted[key].address() for key in self._up}

    async def swap(self, wanted: frozenset[bytes], fresh: Mapping[bytes, Listener]) -> None:
        """Let go of what is not wanted any more, then listen with what is new; never raises for a listener.

        A changed listener often keeps its port, so the old one must let go of it first.
        """
        await self._end([key for key in self._wanted if key not in wanted])
        for key in [key for key in self._wanted if key not in wanted]:
            del self._wanted[key]
        self._wanted |= fresh
        if self._active:
            await self._begin(fresh)

    async def open(self) -> None:
        """Listen in this process from now on."""
        if not self._active:
            self._active = True
            await self._begin(list(self._wanted))

    async def close(self) -> None:
        """Listen no more: another process will, or nobody."""
        self._active = False
        await self._end(list(self._wanted))

    async def _begin(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            if not await self._start(key):
                self._trying[key] = asyncio.create_task(self._try_again(key))

    async def _start(self, key: bytes) -> bool:
        listener = self._wanted[key]
        try:
            await listener.start()
        except (InterlockError, OSError) as error:
            self._tell(listener, str(error))
            return False
        except Exception as error:
            log.exception("a fault while %s was started", listener.name)
            self._tell(listener, f"{type(error).__name__} in the listener itself")
            return False
        self._up.add(key)
        self._tell(listener, "")
        return True

    async def _try_again(self, key: bytes) -> None:
        wait = _FIRST_WAIT
        while True:
            await asyncio.sleep(wait)
            if await self._start(key):
                self._trying.pop(key, None)
                return
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _end(self, keys: list[bytes]) -> None:
        tries = [task for key in keys if (task := self._trying.pop(key, None)) is not None]
        for task in tries:
            task.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
        ended = [self._wanted[key] for key in keys if key in self._up]
        self._up.difference_update(keys)
        for fault in await asyncio.gather(*(one.stop() for one in ended), return_exceptions=True):
            if isinstance(fault, BaseException):
                log.error("a listener did not stop in order: %s", fault)
        for key in keys:
            self._tell(self._wanted[key], "")

    def _tell(self, listener: Listener, fault: str) -> None:
        """Say once that a listener is out, and once that it listens again; count every vain attempt."""
        health, name = self._health, f"listener {listener.name}"
        if health is None:
            if fault:
                log.error("%s is out: %s", name, fault)
            return
        if fault:
            health.listener_faults += 1
            if health.troubles.get(name) != fault:
                log.error("%s is out, and is tried again: %s", name, fault)
            health.troubles[name] = fault
        elif health.troubles.pop(name, None) is not None:
            log.warning("%s is not out any more", name)
