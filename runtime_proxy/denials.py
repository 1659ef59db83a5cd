"""Puts deny lists in force: what one names is refused within a second or two, with the bundle as it is.

A denied key is taken out of the plan's keys (401, like a key that never was); a denied consumer and a denied
route are marked (403). Nothing here waits for a bundle, and no fault of a list lifts what was denied before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from kernel.audit.record import act_record
from kernel.bundle.deny import Denied
from kernel.errors import AuditError, InterlockError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kernel.bundle.deny import DenyList
    from kernel.bundle.deny_source import DenySource
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.health import Health
    from runtime_proxy.plan import KeyRow, Plan

log = logging.getLogger("interlock.proxy")
LONGEST_LOOK: Final = 0.5  # seconds between looks at the lists, however seldom the bundle is looked at


class Denials:
    """The deny lists of one worker, and what they take out of the plan in force."""

    def __init__(self, sources: Sequence[DenySource], health: Health, journal: AuditJournal) -> None:
        self._sources = sources
        self._health = health
        self._journal = journal
        self._denied: frozenset[Denied] = frozenset()
        self._plan: Plan | None = None
        self._keys: dict[bytes, KeyRow] = {}  # all of the plan's

    def enforce(self, plan: Plan) -> None:
        """Apply what is denied to a plan that is about to serve."""
        self._plan = plan
        self._keys = dict(plan.keys)
        self._apply()

    def standing(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Give what is denied: what, the list's origin, since when, by whom, why."""
        for source in self._sources:
            if source.last is not None:
                for one in source.last.denials:
                    yield str(one.what), source.last.origin, one.at, one.by, one.reason

    async def look(self) -> None:
        """Read the lists that changed, and put them in force; faults are told and lift nothing."""
        for source in self._sources:
            if source.changed():
                await self._read(source)

    async def watch(self, seconds: float) -> None:
        """Look every `seconds`, and at least twice a second, for ever."""
        while True:
            await asyncio.sleep(min(seconds, LONGEST_LOOK))
            try:
                await self.look()
            except Exception:
                log.exception("a fault while the deny lists were read")

    async def _read(self, source: DenySource) -> None:
        before = source.last
        name = f"deny list ({source.origin})"
        try:
            await asyncio.to_thread(source.read)
            self._health.troubles.pop(name, None)
        except (InterlockError, OSError) as error:
            told = self._health.troubles.get(name)
            self._health.troubles[name] = str(error)
            if told != str(error):
                log.error("%s: %s", name, error)  # noqa: TRY400 - expected: its words say it all
                await self._record(
                    "deny-list-refused", source.origin, reason=getattr(error, "code", "os-error")
                )
        self._denied = frozenset().union(*(one.last.whats() for one in self._sources if one.last is not None))
        self._apply()
        if source.last is not None and source.last != before:
            await self._tell(source.last, before)

    def _apply(self) -> None:
        """Mark what is denied; between two requests, so that none sees half of it."""
        denied, plan = self._denied, self._plan
        self._health.denied = {kind: sum(one.kind == kind for one in denied) for kind in _KINDS}
        if plan is None:
            return
        plan.keys.clear()
        plan.keys.update((key, row) for key, row in self._keys.items() if Denied("key", row.id) not in denied)
        for consumer in plan.consumers.values():
            consumer.denied = Denied("consumer", consumer.id) in denied
        for route in plan.routes:
            route.denied = Denied("route", f"{route.contract}/v{route.major}") in denied

    async def _tell(self, now: DenyList, before: DenyList | None) -> None:
        was = before.whats() if before is not None else frozenset()
        made, lifted = now.whats() - was, was - now.whats()
        log.warning(
            "deny list (%s) %d: %d denied now, %d lifted", now.origin, now.serial, len(made), len(lifted)
        )
        detail = {"denied": len(made), "lifted": len(lifted), "standing": len(now.denials)}
        await self._record("deny-list-activated", f"{now.origin} {now.serial}", detail=detail)

    async def _record(self, act: str, subject: str, **more: Any) -> None:
        try:
            await self._journal.append(act_record(actor="proxy", act=act, subject=subject, **more))
        except AuditError as error:
            log.critical("a change of the deny lists could not be recorded: %s", error)


_KINDS: Final = ("key", "consumer", "route")
