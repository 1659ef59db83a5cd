"""Wakes whoever waits for records to be durable: one call into each event loop for a whole batch."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from kernel.errors import AuditError

Waiter = asyncio.Future[None] | Future[None]
Item = tuple[dict[str, Any], Waiter, asyncio.AbstractEventLoop | None]  # the loop is None for a thread


def tell(batch: list[Item], refused: dict[int, AuditError]) -> None:
    """Settle every waiter of a batch; `refused` holds errors by index."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], AuditError | None]]] = {}
    for index, (_, waiter, loop) in enumerate(batch):
        error = refused.get(index)
        if isinstance(waiter, Future):
            _settle(waiter, error)
        elif loop is not None:
            by_loop.setdefault(loop, []).append((waiter, error))
    for loop, waiters in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, waiters)
        except RuntimeError:
            continue  # the loop is closed: nobody waits there any more


def tell_all(batch: list[Item], error: AuditError) -> None:
    """Give every waiter of a batch the same error."""
    tell(batch, dict.fromkeys(range(len(batch)), error))


def again(error: AuditError) -> AuditError:
    """Copy an error, so that callers do not share one traceback."""
    return AuditError(error.message, hint=error.hint, place=error.place)


def _settle_all(waiters: list[tuple[asyncio.Future[None], AuditError | None]]) -> None:
    for waiter, error in waiters:
        _settle(waiter, error)


def _settle(waiter: Waiter, error: AuditError | None) -> None:
    if waiter.done():
        return  # the caller went away; the record is kept all the same
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(again(error))
