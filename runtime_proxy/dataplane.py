"""The parts of one serving process, in the order in which they start and stop; the socket is the edge's."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from kernel.errors import BundleMissing
from runtime_proxy.activate import Activation
from runtime_proxy.adapter_set import AdapterSet
from runtime_proxy.assemble import Terms
from runtime_proxy.coldness import Coldness
from runtime_proxy.console.gauges import PlaneGauges
from runtime_proxy.console.looking import Looking
from runtime_proxy.console.standing import Parts, Standing
from runtime_proxy.console.table import CONNECTIONS
from runtime_proxy.denials import Denials
from runtime_proxy.fronts import fronts_of
from runtime_proxy.guard import Guard
from runtime_proxy.health import Health, Outward
from runtime_proxy.idempotency import NO_KEYS, Keeping
from runtime_proxy.limit_counters import LimitCounters
from runtime_proxy.limiters import limiter_of
from runtime_proxy.pipeline import Pipeline
from runtime_proxy.settle import Settling
from runtime_proxy.shedding import Shedding
from runtime_proxy.stream_terms import StreamTerms
from runtime_proxy.token_trust import TrustStore
from runtime_proxy.trail import Trail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from adapters.port import Adapter, Listener
    from kernel.bundle.deny_source import DenySource
    from kernel.bundle.model import AdapterInstance, Bundle
    from kernel.bundle.read import BundleSource
    from kernel.settings import Settings
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.console.meters import Meters
    from runtime_proxy.edges import Edges
    from runtime_proxy.exchange import Handler
    from runtime_proxy.fronts import Front
    from runtime_proxy.idempotency import KeyRoom
    from runtime_proxy.plan import Plan


class DataPlane:
    """One worker: `handlers` are the pipelines, one for each front, and `handler` is the first.

    The edges call `answering`.

    `build` makes adapters (adapters/catalog.py).
    `keys` is where idempotency keys are kept; without it, calls that need one get 503. `deny` are the deny lists.
    `open_reports` is for `proxy run` alone: routes that report requests then ask for no key. `workers` share
    the limits, each a part of its own; of them one has the device listeners (`listening`).
    """

    def __init__(
        self,
        settings: Settings,
        journal: AuditJournal,
        build: Callable[[AdapterInstance], Adapter | Listener],
        *,
        server: str = "proxy",
        open_reports: bool = False,
        workers: int = 1,
        listening: bool = True,
        swapped: Callable[[Plan], None] = lambda _: None,
        monotonic: Callable[[], int] = time.monotonic_ns,
        keys: KeyRoom = NO_KEYS,
        deny: Sequence[DenySource] = (),
        meters: Meters | None = None,
    ) -> None:
        fields = {"server": server, "environment": settings["environment"]}
        self._trail = Trail(journal, fields, clock=monotonic)
        self.health = Health(self._trail)
        self._keeping = Keeping(keys, self._trail, Settling(self._trail))
        counters = LimitCounters()
        self._limiter = limiter_of(settings, counters, journal, workers=workers, clock=monotonic)
        self._shedding = Shedding(settings["proxy_shed_lag"], counters)
        guard = Guard(settings["proxy_guard_requests"])
        self.handlers = {
            front: Pipeline(
                guard,
                self._shedding,
                self._trail,
                self.health if front.tells else Outward(self.health),
                self._keeping,
                monotonic=monotonic,
            )
            for front in fronts_of(settings)
            if not front.is_console
        }
        self.answering: dict[Front, Handler] = dict(self.handlers)  # and the console, once it is open
        self.handler = next(iter(self.handlers.values()))
        self.adapters = AdapterSet(
            build, grace=settings["proxy_body_timeout"], listening=listening, health=self.health
        )
        self.denials = Denials(deny, self.health, journal)
        self._trust = TrustStore()
        self.activation = Activation(
            self.handlers,
            self.adapters,
            limiter=self._limiter,
            health=self.health,
            journal=journal,
            terms=Terms(
                settings["proxy_max_body_bytes"],
                server,
                open_reports=open_reports,
                certificates=bool(settings["proxy_tls_client_ca"]),
                streams=StreamTerms.of(settings),
                cache=(settings["proxy_cache_entries"], settings["proxy_cache_bytes"]),
            ),
            trust=self._trust,
            denials=self.denials,
            swapped=swapped,
        )
        self._meters = meters
        if meters is not None:
            self.health.metrics = meters.pieces
            meters.watch(PlaneGauges(self.handler, self.health, journal, counters))
        self._looking = self._look_at(settings)
        self._counters = counters
        self._several = workers > 1
        self._standing: Standing | None = None
        self._cold: float = settings["proxy_cold_seconds"]
        self._poll: float = settings["proxy_bundle_poll"]
        self._watches: list[asyncio.Task[None]] = []

    def _look_at(self, settings: Settings) -> Looking | None:
        """Have exchanges looked at where the settings ask for it; else no call pays for that."""
        if self._meters is None or not Looking.wanted(settings):
            return None
        looking = Looking(settings, self._meters)
        for front, pipeline in self.handlers.items():
            pipeline.sampling = looking.sampling(front)
        return looking

    def open_console(
        self, settings: Settings, root: Path, letters: Callable[[], int | None] = lambda: None
    ) -> None:
        """Have the operator's pages answered where the settings name an address; `root` keeps their token.

        `letters` counts the open dead letters, None where this process has none; it may block.
        """
        fronts = [front for front in fronts_of(settings) if front.is_console]
        if not fronts or self._meters is None or self._looking is None or self._looking.recent is None:
            return
        from runtime_proxy.console.desk import open_desk  # noqa: PLC0415 - templates are loaded where they are used

        parts = Parts(
            self.activation,
            self.adapters,
            self.denials,
            self.health,
            self._counters,
            self._limiter.clock,
            letters,
        )
        standing = Standing(root / "run" / "ops", parts, self._meters, self._looking.recent)
        environment: str = settings["environment"]
        self._standing = standing
        self.answering[fronts[0]] = open_desk(standing, root, environment, several=self._several)

    def count_answers(self, edges: Edges) -> None:
        """Have everything that the edges answer counted, if anything is."""
        meters = self._meters
        if meters is not None:
            edges.watch(meters.answered if self._looking is None else self._looking.answered)
            meters.watch(lambda all_: all_.set(CONNECTIONS, edges.connections))

    def bundle(self) -> Bundle:
        """Give the bundle in force; raises `BundleMissing` before there is one."""
        if self.activation.bundle is None:
            raise BundleMissing("no bundle is active yet", hint="freeze and route a contract")
        return self.activation.bundle

    async def begin(self) -> None:
        """Start what runs beside the exchanges; `start` does it too."""
        self._trail.start()
        self._shedding.start()
        await self._limiter.start()
        if self._looking is not None:
            self._looking.start()

    async def start(self, source: BundleSource) -> bool:
        """Take up what lies there and keep looking; False: there was nothing to serve yet."""
        await self.begin()
        await self.denials.look()  # before anything serves: what is denied never does
        served = await self.activation.look(source)
        self._watches = [
            asyncio.create_task(self.activation.watch(source, self._poll)),
            asyncio.create_task(self.denials.watch(self._poll)),
        ]
        if self._meters is not None:  # who counts nothing does not know what is cold
            coldness = Coldness(self.activation, self._meters.calls, self._cold)
            self._watches.append(asyncio.create_task(coldness.watch()))
        return served

    async def stop(self) -> None:
        """Stop looking, let listeners and adapters go, close what is open in the audit log."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._shedding.stop()
        if self._looking is not None:
            await self._looking.stop()
        if self._standing is not None:
            self._standing.forget()
        await self._limiter.stop()
        await self.adapters.stop()
        await self._trust.close()
        await self._trail.stop()
        await self._keeping.close()
