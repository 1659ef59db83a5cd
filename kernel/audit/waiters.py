"""Wakes whoever waits for records to be durable: one call into each event loop for a whole group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from kernel.audit.forms import Draft
from kernel.errors import AuditError
from kernel.promise import Promise

Waiter = Promise | Future[None]
Loop = asyncio.AbstractEventLoop | None  # None: it waits in a thread
Item = tuple[dict[str, Any] | Draft, Waiter, Loop]
Told = tuple[Waiter, Loop, AuditError | None]  # the error is why this record could not be kept


def tell(group: list[Told], settle_all: Callable[[list[Told]], None]) -> bool:
    """Settle every waiter of a group, those of a loop by `settle_all` in it; True when a loop took the call."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Told]] = {}
    for told in group:
        loop = told[1]
        if loop is None:
            settle(told[0], told[2])
        elif loop in by_loop:
            by_loop[loop].append(told)
        else:
            by_loop[loop] = [told]
    reached = False
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(settle_all, mine)
        except RuntimeError:
            continue  # the loop is closed: nobody waits there any more
        reached = True
    return reached


def again(error: AuditError) -> AuditError:
    """Copy an error, so that callers do not share one traceback."""
    return AuditError(error.message, hint=error.hint, place=error.place)


def settle(waiter: Waiter, error: AuditError | None) -> None:
    """Bring one waiter its result; one who went away misses nothing, the record is kept all the same."""
    if isinstance(waiter, Promise):
        if error is None:
            waiter.keep(None)
        else:
            waiter.fail(again(error))
    elif not waiter.done():
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(again(error))
