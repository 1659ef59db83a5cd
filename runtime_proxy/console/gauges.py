"""What is read off the data plane once a second, rather than counted: bundles, calls on their way, the journal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from adapters.resilience.guarded import Guarded
from runtime_proxy.conditions import sent_again, upstreams_of
from runtime_proxy.console import table

if TYPE_CHECKING:
    from adapters.resilience.guarded import Condition
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.console.meters import Meters
    from runtime_proxy.health import Health
    from runtime_proxy.limit_counters import LimitCounters
    from runtime_proxy.pipeline import Pipeline
    from runtime_proxy.plan import Plan

_CIRCUITS: Final = ("closed", "half-open", "open")


class PlaneGauges:
    """Sets the gauges of one data plane, and hands its own counts on to counters that outlive it."""

    def __init__(
        self, pipeline: Pipeline, health: Health, journal: AuditJournal, limits: LimitCounters
    ) -> None:
        self._pipeline = pipeline
        self._limits = limits
        self._told: dict[tuple[str, tuple[str, ...]], int] = {}
        self._health = health
        self._journal = journal
        self._partners: set[str] = set()
        self._upstreams: set[tuple[str, str]] = set()

    def __call__(self, meters: Meters) -> None:
        """Set them all; runs in the serving loop."""
        health, plan = self._health, self._pipeline.plan
        in_flight = dict.fromkeys(self._partners, 0)  # those that are gone stand at 0
        if plan is not None:
            for slot in plan.slots:
                in_flight[slot.name] = in_flight.get(slot.name, 0) + slot.in_flight
                if isinstance(slot.adapter, Guarded):
                    self._tell_guards(meters, slot.name, slot.adapter.condition())
            self._tell_plan(meters, plan)
            for part, serial in plan.serials.as_json().items():
                meters.set(table.SERIAL, serial, part)
        self._partners |= in_flight.keys()
        for partner, calls in in_flight.items():
            meters.set(table.IN_FLIGHT, calls, partner)
        for kind, count in health.denied.items():
            meters.set(table.DENIED, count, kind)
        meters.set(table.LISTENERS_OUT, sum(name.startswith("listener ") for name in health.troubles))
        self._pass_on(meters, table.LISTENER_FAULTS.name, (), health.listener_faults)
        since = health.behind_since
        meters.set(table.LAG, 0.0 if since is None else time.monotonic() - since)
        meters.set(table.QUEUE, getattr(self._journal, "waiting", 0))
        if self._limits.store_up is not None:
            meters.set(table.STORE_UP, int(self._limits.store_up))
        self._pass_on(meters, table.ACTIVATIONS.name, (), health.activations)
        self._pass_on(meters, table.REFUSED_BUNDLES.name, (), health.refused_bundles)
        for name, labels, count in self._limits.counts():
            self._pass_on(meters, name, labels, count)

    def _tell_plan(self, meters: Meters, plan: Plan) -> None:
        usable = dict.fromkeys(self._upstreams, 0)
        for partner, one in upstreams_of(plan):
            usable[partner, one.name] = int(one.healthy and not one.ejected)
        self._upstreams |= usable.keys()
        for labels, count in usable.items():
            meters.set(table.UPSTREAM_USABLE, count, *labels)
        for route, how, count in sent_again(plan):
            self._pass_on(meters, table.SENT_AGAIN.name, (route, how), count)

    def _tell_guards(self, meters: Meters, partner: str, now: Condition) -> None:
        if now.circuit in _CIRCUITS:
            meters.set(table.CIRCUIT, _CIRCUITS.index(now.circuit), partner)
            self._pass_on(meters, table.CIRCUIT_OPENED.name, (partner,), now.opened)
        meters.set(table.WAITING, now.waiting, partner)
        self._pass_on(meters, table.ADAPTER_SHED.name, (partner,), now.shed)

    def _pass_on(self, meters: Meters, name: str, labels: tuple[str, ...], count: int) -> None:
        """Add what has come since the last time: the worker counts from 0, its file from the start of the proxy."""
        before = self._told.get((name, labels), 0)
        if count < before:
            before = 0  # whoever counts was made anew
        if count != before:
            meters.count(table.BY_NAME[name], *labels, by=count - before)
            self._told[name, labels] = count
