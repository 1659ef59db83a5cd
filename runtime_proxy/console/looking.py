"""Decides whose exchanges are looked at, and hands each, once it is answered, to whoever shows or sends it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from runtime_proxy.console.exporter import Exporter
from runtime_proxy.console.recent import Recent
from runtime_proxy.console.seen import seen
from runtime_proxy.console.spans import resource_of
from runtime_proxy.steps import Sampling

if TYPE_CHECKING:
    from kernel.settings import Settings
    from runtime_proxy.console.meters import Meters
    from runtime_proxy.exchange import Exchange, Reply
    from runtime_proxy.fronts import Front


log = logging.getLogger("interlock.proxy")
_FAILED: Final = 500  # answers from here on are kept whatever the sample


class Looking:
    """The exchanges of one worker that are looked at; made only where something is asked for."""

    def __init__(self, settings: Settings, meters: Meters) -> None:
        """Read the settings; raises `SettingsError`."""
        self._meters = meters
        self._trace_ratio: float = settings["trace_ratio"]
        self._kept_ratio: float | None = settings["ops_sample"] if settings["ops_listen"] else None
        self.recent: Recent | None = Recent() if settings["ops_listen"] else None
        self._failed = False
        self._exporter: Exporter | None = None
        if settings["trace_endpoint"]:
            resource = resource_of(settings["environment"], meters.worker)
            self._exporter = Exporter(settings["trace_endpoint"], resource)
            meters.watch(self._exporter.gauge)

    @staticmethod
    def wanted(settings: Settings) -> bool:
        """Say whether anything is to be looked at."""
        return bool(settings["trace_endpoint"] or settings["ops_listen"])

    def sampling(self, front: Front) -> Sampling:
        """Give the choice for one address: who calls from outside does not decide what we record."""
        ratio = self._trace_ratio if self._exporter is not None else None
        return Sampling(trace_ratio=ratio, kept_ratio=self._kept_ratio, follows=front.tells)

    def answered(self, exchange: Exchange | None, reply: Reply, slug: str) -> None:
        """Count an answer like any other, and pass it on if it is looked at; in place of `Meters.answered`."""
        self._meters.answered(exchange, reply, slug)
        if exchange is None or exchange.prepared is not None:
            return
        try:
            self._look(exchange, reply)
        except Exception:  # an answer is going out: whatever is wrong here is not its fault
            if not self._failed:
                self._failed = True
                log.exception("an exchange could not be shown; this is told once")

    def _look(self, exchange: Exchange, reply: Reply) -> None:
        recent, steps = self.recent, exchange.steps
        failed = recent is not None and reply.status >= _FAILED
        if recent is not None and exchange.refusal is not None:
            served = exchange.operation
            recent.refuse("" if served is None else served.route.name, exchange.refusal.slug)
        if steps is None and not failed:
            return
        one = seen(exchange, reply)
        if steps is not None and steps.traced and self._exporter is not None:
            self._exporter.offer(one)
        if recent is not None:
            if failed:
                recent.failed.append(one)
            if steps is not None and steps.kept:
                recent.kept.append(one)

    def start(self) -> None:
        """Begin to send; call it inside the serving loop."""
        if self._exporter is not None:
            self._exporter.start()

    async def stop(self) -> None:
        """Send the rest."""
        if self._exporter is not None:
            await self._exporter.stop()
