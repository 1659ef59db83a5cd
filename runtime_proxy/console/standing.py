"""How one worker stands, in a form that the others can read: routes, limits, bundle, denials, listeners, exchanges.

Each worker writes it to `run/ops` (mode 0600) once a second while somebody looks at the console, so that
whichever of them has the connection can show all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.resilience.guarded import Guarded
from runtime_proxy.conditions import upstreams_of
from runtime_proxy.console.rates import Rates, Window
from runtime_proxy.console.told import DenialNow, LimitNow, RouteNow, UpstreamNow, WorkerNow

if TYPE_CHECKING:
    from pathlib import Path

    from runtime_proxy.activate import Activation
    from runtime_proxy.adapter_set import AdapterSet
    from runtime_proxy.console.meters import Meters
    from runtime_proxy.console.recent import Recent
    from runtime_proxy.denials import Denials
    from runtime_proxy.health import Health
    from runtime_proxy.limit_counters import LimitCounters
    from runtime_proxy.plan import LimitSet, Plan, ServedRoute

log = logging.getLogger("interlock.proxy")
_COUNT_SECONDS: Final = 1.0
MOST_LIMITS: Final = 2000  # of one worker; those of further consumers are not looked at
LOOKED_SECONDS: Final = 30.0  # that workers go on writing after somebody looked
_SUFFIX: Final = ".json"
_ITEM: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"((?:;[a-z]+=(?:\d+|"[^"]*"))*)')
_NUMBER: Final = re.compile(rb";([a-z]+)=(\d+)")


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at of a data plane."""

    activation: Activation
    adapters: AdapterSet
    denials: Denials
    health: Health
    counters: LimitCounters
    clock: Callable[[], int]  # of the limits, monotonic nanoseconds
    letters: Callable[[], int | None] = lambda: None  # counts open dead letters; blocks


class Standing:
    """Tells how this worker stands, and reads how the others do."""

    def __init__(self, folder: Path, parts: Parts, meters: Meters, recent: Recent) -> None:
        self._folder = folder
        self._parts = parts
        self._meters = meters
        self._recent = recent
        self._rates = Rates()
        self._started = time.time()
        self._letters: int | None = None
        self._counting: asyncio.Task[None] | None = None
        self._failed = False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / f"{meters.worker}{_SUFFIX}"
        self._looked = folder / "looked"
        self._rates.gauge(meters)  # what comes from now on is of the last minute
        meters.watch(self._rates.gauge)
        meters.watch(self._tell)

    def look(self) -> bool:
        """Have all workers write from now on; True: nobody has looked for a while, so they have not yet."""
        fresh = self._watched()
        self._looked.touch(mode=0o600)
        self._write()
        return not fresh

    def workers(self) -> list[WorkerNow]:
        """Give all workers that have told something lately, by name."""
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                one = msgspec.json.decode(path.read_bytes(), type=WorkerNow)
                if time.time() - one.at < LOOKED_SECONDS:
                    found.append(one)
        return found

    async def count_letters(self) -> None:
        """Count the open dead letters, where this worker has the listeners' store; for a bounded time."""
        try:
            async with asyncio.timeout(_COUNT_SECONDS):
                self._letters = await asyncio.to_thread(self._parts.letters)
        except Exception as error:  # noqa: BLE001 - whatever the database has, the page says that it is not known
            self._letters = None
            log.warning("dead letters could not be counted (%s)", type(error).__name__)

    def forget(self) -> None:
        """Take back what this worker has told: it ends."""
        self._file.unlink(missing_ok=True)

    def now(self) -> WorkerNow:
        """Say how this worker stands."""
        parts, plan = self._parts, self._parts.activation.plan
        health = parts.health
        since = health.behind_since
        limits, more = ([], 0) if plan is None else _limits(plan, parts.clock())
        return WorkerNow(
            worker=self._meters.worker,
            pid=os.getpid(),
            at=time.time(),
            started=self._started,
            serials={} if plan is None else plan.serials.as_json(),
            lag_seconds=0.0 if since is None else time.monotonic() - since,
            trouble=health.trouble,
            troubles=dict(health.troubles),
            activations=health.activations,
            refused_bundles=health.refused_bundles,
            draining=health.draining,
            shared_limits=parts.counters.store_up,
            listeners=parts.adapters.addresses(),
            routes=() if plan is None else self._routes(plan),
            unmatched=self._recent.refused(""),
            limits=tuple(limits),
            more_limits=more,
            denials=tuple(DenialNow(*one) for one in parts.denials.standing()),
            kept=tuple(self._recent.kept),
            failed=tuple(self._recent.failed),
            letters=self._letters,
        )

    def _routes(self, plan: Plan) -> tuple[RouteNow, ...]:
        windows = self._rates.windows(self._meters)
        upstreams: dict[str, list[UpstreamNow]] = {}
        for partner, one in upstreams_of(plan):
            told = UpstreamNow(one.name, one.healthy, one.ejected, one.in_flight)
            upstreams.setdefault(partner, []).append(told)
        return tuple(
            _route(
                route,
                windows.get(route.name, Window()),
                tuple(upstreams.get(route.adapter.name, ())),
                self._recent.refused(route.name),
            )
            for route in plan.routes
        )

    def _tell(self, _: Meters) -> None:
        """Write once a second while somebody looks; never raises, for the metrics' beat goes on after it."""
        if not self._watched():
            return
        try:
            self._write()
            if self._counting is None or self._counting.done():
                self._counting = asyncio.get_running_loop().create_task(self.count_letters())
        except Exception:
            if not self._failed:
                self._failed = True
                log.exception("how this worker stands could not be told; this is told once")

    def _watched(self) -> bool:
        with contextlib.suppress(OSError):
            return time.time() - self._looked.stat().st_mtime < LOOKED_SECONDS
        return False

    def _write(self) -> None:
        draft = self._file.with_suffix(".draft")
        with contextlib.suppress(OSError):  # a full disk takes the page from the operator, nothing else
            number = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(number, "wb") as file:
                file.write(msgspec.json.encode(self.now()))
            draft.replace(self._file)


def _route(
    route: ServedRoute, window: Window, upstreams: tuple[UpstreamNow, ...], refused: dict[str, int]
) -> RouteNow:
    slot = route.adapter
    guarded = slot.adapter.condition() if isinstance(slot.adapter, Guarded) else None
    return RouteNow(
        name=route.name,
        base=route.base.decode(),
        audience=route.audience,
        current=route.current.version,
        versions=tuple(route.versions),
        partner=slot.name,
        kind=slot.adapter.kind,
        circuit="none" if guarded is None else guarded.circuit,
        in_flight=slot.in_flight,
        waiting=0 if guarded is None else guarded.waiting,
        shed=0 if guarded is None else guarded.shed,
        denied=route.denied,
        report_only=route.report_only,
        upstreams=upstreams,
        window=window,
        refused=refused,
    )


def _limits(plan: Plan, now: int) -> tuple[list[LimitNow], int]:
    """Give the limits of consumers and routes, and how many more there are."""
    owners: list[tuple[str, LimitSet]] = [
        *((f"consumer/{one.id}", one.limits) for one in plan.consumers.values()),
        *((f"route/{one.name}", one.limits) for one in plan.routes),
    ]
    made: list[LimitNow] = []
    more = 0
    for owner, limits in owners:
        if len(made) >= MOST_LIMITS:
            more += len(limits.told)
            continue
        for meter in limits.told:
            made += limits_now(owner, meter.tell(now), meter.describe())
    return made, more


def limits_now(owner: str, told: bytes, words: tuple[str, ...]) -> list[LimitNow]:
    """Read the items of a RateLimit field, each with its limit in words."""
    found = []
    for (name, parameters), said in zip(_ITEM.findall(told), words, strict=False):
        numbers: dict[bytes, Any] = {key: int(value) for key, value in _NUMBER.findall(parameters)}
        text = said.partition(": ")[2] or said
        found.append(LimitNow(owner, name.decode(), text, numbers.get(b"r", 0), numbers.get(b"t")))
    return found
