"""Take a bundle up: compiled beside the one that serves, probed, then swapped by one reference."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Any, Final

from kernel.audit.record import act_record
from kernel.errors import AuditError, BundleMissing, InterlockError
from runtime_proxy.assemble import Parts, assembling
from runtime_proxy.compiled import compile_routed
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.fronts import seen_from
from runtime_proxy.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kernel.bundle.model import Bundle
    from kernel.bundle.read import BundleSource
    from runtime_proxy.adapter_set import AdapterSet
    from runtime_proxy.assemble import Terms
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.compiled import Compiled
    from runtime_proxy.denials import Denials
    from runtime_proxy.fronts import Front
    from runtime_proxy.health import Health
    from runtime_proxy.pipeline import Pipeline
    from runtime_proxy.plan import Plan, ServedVersion
    from runtime_proxy.throttle import Limiter
    from runtime_proxy.token_trust import TrustStore

log = logging.getLogger("interlock.proxy")
_AT_ONCE: Final = 0.002  # seconds of making a plan without serving others
_BRACES: Final = re.compile(r"\{[^{}]*\}")


class Activation:
    """Swaps the pipelines' plan whenever the bundle folder holds a newer bundle that can be served."""

    def __init__(
        self,
        pipelines: Mapping[Front, Pipeline],
        adapters: AdapterSet,
        *,
        limiter: Limiter,
        health: Health,
        journal: AuditJournal,
        terms: Terms,
        denials: Denials,
        trust: TrustStore,
        swapped: Callable[[Plan], None] = lambda _: None,
    ) -> None:
        self._pipelines = pipelines
        self.plan: Plan | None = None  # in force; each pipeline has what its front may see of it
        self._adapters = adapters
        self._limiter = limiter
        self._health = health
        self._journal = journal
        self._terms = terms
        self._denials = denials
        self._trust = trust
        self._swapped = swapped
        self._compiled: dict[str, Compiled] = {}
        self.bundle: Bundle | None = None  # in force

    def contracts(self) -> Iterable[Compiled]:
        """Give the contracts in force."""
        return self._compiled.values()

    async def take_up(self, bundle: Bundle) -> Plan:
        """Serve this bundle from now on; raises `InterlockError`, and then the one before keeps serving."""
        compiled = await asyncio.to_thread(compile_routed, bundle, self._compiled)
        change = await self._adapters.prepare(bundle.routes.adapters)
        try:
            now = self._limiter.clock()
            parts = Parts(compiled, change.slots, self._limiter, self._terms, now, self._trust)
            plan = await _gently(assembling(bundle, parts))
            probe(plan)
            views = [(pipeline, seen_from(plan, front)) for front, pipeline in self._pipelines.items()]
        except BaseException:
            await self._adapters.undo(change)
            raise
        self._compiled = compiled
        self.bundle = bundle
        before, self.plan = self.plan, plan
        self._denials.enforce(plan)
        for pipeline, view in views:
            pipeline.plan = view
        if before is not None and before.store is not None:
            before.store.close()  # what start-up made is out of the garbage collector's sight
        self._adapters.commit(change)
        await self._adapters.listen(change)  # last: no device keeps the rest from being served
        self._trust.retain([route.policy.tokens for route in plan.routes])
        self._health.activations += 1
        self._health.trouble = ""
        self._health.behind_since = None
        self._swapped(plan)
        log.info(
            "serving bundle %s: %s",
            plan.serials,
            ", ".join(route.name for route in plan.routes) or "no routes",
        )
        return plan

    async def watch(self, source: BundleSource, seconds: float) -> None:
        """Look for a newer bundle every `seconds`, for ever."""
        while True:
            await self.look(source)
            await asyncio.sleep(seconds)

    async def look(self, source: BundleSource) -> bool:
        """Take up what lies in the folder, if it has changed; False: it was not taken."""
        if not source.changed():
            return True
        try:
            read = await asyncio.to_thread(source.read)
            plan = await self.take_up(read.bundle)
            await asyncio.to_thread(source.accept, read)
        except BundleMissing as error:
            self._health.trouble = error.message
            return False
        except InterlockError as error:
            await self._kept_old(error)
            return False
        except Exception as error:
            log.exception("a fault while a bundle was taken up")
            await self._kept_old(ActivationFailed(f"{type(error).__name__} in the proxy itself"))
            return False
        await self._record("bundle-activated", str(plan.serials))
        return True

    async def _kept_old(self, error: InterlockError) -> None:
        self._health.trouble = str(error)
        self._health.refused_bundles += 1
        if self._health.behind_since is None:
            self._health.behind_since = time.monotonic()
        old = self.plan
        log.error(
            "a bundle was not taken, %s: %s",
            f"still serving {old.serials}" if old else "serving nothing",
            error,
        )
        await self._record(
            "bundle-refused", str(old.serials) if old is not None else "none", reason=error.code
        )

    async def _record(self, act: str, subject: str, **more: Any) -> None:
        try:
            await self._journal.append(act_record(actor="proxy", act=act, subject=subject, **more))
        except AuditError as error:
            log.critical("the change of bundles could not be recorded: %s", error)


async def _gently(steps: Iterator[Plan | None]) -> Plan:
    """Take the steps on the loop, for they ask what the limits hold, and serve others in between."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _AT_ONCE
    for plan in steps:
        if plan is not None:
            return plan
        if loop.time() >= until:
            await asyncio.sleep(0)
            until = loop.time() + _AT_ONCE
    raise ActivationFailed("no plan was made")  # the last step is the plan


def probe(plan: Plan) -> None:
    """Try the plan before it serves: each version must answer for a path of its own under its base."""
    for route in plan.routes:
        for version in route.versions.values():
            _probe_version(version)
        operation = next(iter(route.current.operations))
        path = route.base + _sample_path(operation.template)
        found = plan.router.match(operation.method, path)
        if not isinstance(found, Match) or found.target is not route:
            raise ActivationFailed(f"{route.name}: the router does not lead to it")


def _probe_version(version: ServedVersion) -> None:
    if not version.operations:
        raise ActivationFailed(f"{version.contract} {version.version} declares no operation")
    operation = next(iter(version.operations))
    segments = tuple(_sample_path(operation.template)[1:].split(b"/"))
    if not isinstance(version.trie.match(operation.method, segments), Match):
        raise ActivationFailed(
            f"{version.contract} {version.version}: {operation.id} is not found by its own path"
        )


def _sample_path(template: str) -> bytes:
    return _BRACES.sub("0", template).encode()
