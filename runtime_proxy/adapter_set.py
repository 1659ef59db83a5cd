"""The adapters that run now: new ones are started beside the old, old ones stop when nobody is on them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.port import Adapter, Listener
from adapters.resilience.guarded import Guarded
from kernel.errors import InterlockError
from runtime_proxy.device_listeners import DeviceListeners
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.plan import AdapterSlot

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from kernel.bundle.model import AdapterInstance
    from runtime_proxy.health import Health

log = logging.getLogger("interlock.proxy")
_LOOK_SECONDS: Final = 0.05
_LONGEST_WAIT: Final = 600.0  # seconds; then an old adapter stops, whoever is still on it


@dataclass(slots=True)
class Change:
    """The way from one set of adapters to the next; `slots` are all that may be called after it, by name."""

    wanted: frozenset[bytes]
    fresh: dict[bytes, AdapterSlot] = field(default_factory=dict)
    listeners: dict[bytes, Listener] = field(default_factory=dict)
    slots: dict[str, AdapterSlot] = field(default_factory=dict)


class AdapterSet:
    """Builds, starts and stops adapters so that the set equals the routes part of the bundle in force."""

    def __init__(
        self,
        build: Callable[[AdapterInstance], Adapter | Listener],
        *,
        grace: float,
        listening: bool = True,
        health: Health | None = None,
    ) -> None:
        self._build = build
        self._grace = grace  # seconds in which an admitted request may still be reading its body
        self._slots: dict[bytes, AdapterSlot] = {}
        self._listeners = DeviceListeners(active=listening, health=health)
        self._stopping: set[asyncio.Task[None]] = set()

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each listener is bound, by name."""
        return self._listeners.addresses()

    async def open_listeners(self) -> None:
        """Listen for devices in this worker; what cannot listen yet is tried again."""
        await self._listeners.open()

    async def close_listeners(self) -> None:
        """Listen no more: another worker will, or nobody."""
        await self._listeners.close()

    async def prepare(self, instances: Iterable[AdapterInstance]) -> Change:
        """Build what is new, start what will be called; raises `ActivationFailed` with nothing changed."""
        wanted = {msgspec.json.encode(one, order="deterministic"): one for one in instances}
        change = Change(frozenset(wanted))
        fresh = {key: self._made(one) for key, one in wanted.items() if key not in self._keys()}
        try:
            for key, one in fresh.items():
                if isinstance(one, Listener):
                    change.listeners[key] = one
                else:
                    asked = one.turns_away if isinstance(one, Guarded) else None
                    change.fresh[key] = AdapterSlot(wanted[key].name, one, turns_away=asked)
                    await one.start()
        except (InterlockError, OSError) as error:
            await self.undo(change)
            raise ActivationFailed(f"an adapter cannot be started: {error}") from error
        kept = {key: slot for key, slot in self._slots.items() if key in wanted}
        change.slots = {slot.name: slot for slot in (*kept.values(), *change.fresh.values())}
        return change

    async def listen(self, change: Change) -> None:
        """Swap the listeners; one that cannot listen is alone out (runtime_proxy/device_listeners.py)."""
        await self._listeners.swap(change.wanted, change.listeners)

    def commit(self, change: Change) -> None:
        """Make the change final: what is not wanted any more is stopped when nobody is on it."""
        for key in [key for key in self._slots if key not in change.wanted]:
            self._retire(self._slots.pop(key))
        self._slots |= change.fresh

    async def undo(self, change: Change) -> None:
        """Stop what `prepare` has started."""
        for slot in change.fresh.values():
            await slot.adapter.stop()

    async def stop(self) -> None:
        """Stop listeners first, so that nothing new comes in, then everything else."""
        for task in self._stopping:
            task.cancel()
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._listeners.close()
        await self._stop_all(slot.adapter.stop() for slot in self._slots.values())
        self._slots.clear()

    async def _stop_all(self, parts: Iterable[Coroutine[Any, Any, None]]) -> None:
        for fault in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(fault, BaseException):
                log.error("an adapter did not stop in order: %s", fault)

    def _keys(self) -> set[bytes]:
        return self._slots.keys() | self._listeners.keys()

    def _made(self, instance: AdapterInstance) -> Adapter | Listener:
        try:
            return self._build(instance)
        except InterlockError as error:
            raise ActivationFailed(f"adapter {instance.name!r}: {error.message}", hint=error.hint) from error

    def _retire(self, slot: AdapterSlot) -> None:
        task = asyncio.create_task(self._stop_when_idle(slot))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop_when_idle(self, slot: AdapterSlot) -> None:
        try:
            await asyncio.sleep(self._grace)
            async with asyncio.timeout(_LONGEST_WAIT):
                while slot.in_flight:  # noqa: ASYNC110 - a count of the hot path; an event would cost every call
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            log.warning("adapter %s is stopped with %d calls on it", slot.name, slot.in_flight)
        finally:
            await slot.adapter.stop()
