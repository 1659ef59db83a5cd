"""Chooses who keeps the limits of this worker, as the settings say."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from kernel.audit.record import act_record
from kernel.errors import AuditError
from runtime_proxy.throttle import LocalLimiter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from kernel.settings import Settings
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.limit_counters import LimitCounters
    from runtime_proxy.throttle import Limiter

log = logging.getLogger("interlock.proxy")


def limiter_of(
    settings: Settings,
    counters: LimitCounters,
    journal: AuditJournal,
    *,
    workers: int,
    clock: Callable[[], int],
) -> Limiter:
    """Share limits in Redis where `redis_url` names one; else each worker keeps its part alone.

    Raises `SettingsError` for a URL that is none.
    """
    if not settings["redis_url"]:
        return LocalLimiter(workers, clock=clock, counters=counters)
    from runtime_proxy.lease_store import LeaseStore  # noqa: PLC0415 - Redis is loaded only where it is used
    from runtime_proxy.leasing import LeasedLimiter  # noqa: PLC0415

    def told(act: str, reason: str) -> None:
        more = {"reason": reason} if reason else {}
        try:
            kept = journal.append(act_record(actor="proxy", act=act, subject="limits", **more))
            kept.add_done_callback(_look)
        except AuditError as error:
            log.critical("%s could not be recorded: %s", act, error)

    shares = max(settings["limit_shares"], workers)
    store = LeaseStore(settings["redis_url"], counters, shares=shares, clock=clock, wall=time.time, told=told)
    return LeasedLimiter(store, settings["environment"])


def _look(kept: asyncio.Future[None]) -> None:
    if not kept.cancelled() and kept.exception() is not None:
        log.critical("a change of the limits' store could not be recorded: %s", kept.exception())
