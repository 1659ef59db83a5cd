"""Wakes whoever waits for records to be durable: one call into each event loop for a whole group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from kernel.audit.forms import Draft
from kernel.errors import AuditError
from kernel.promise import Promise


class Entry(Promise):
    """A record on its way to the disk, and the promise that it is there; `loop` None: a thread waits for it."""

    __slots__ = ("error", "record")

    def __init__(self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None) -> None:
        super().__init__(loop)
        self.record = record
        self.error: AuditError | None = None  # why it could not be kept


def tell(group: list[Entry], settle_all: Callable[[list[Entry]], None]) -> bool:
    """Settle every entry of a group, those of a loop by `settle_all` in it; True when a loop took the call."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Entry]] = {}
    latest, mine = None, []
    for entry in group:
        loop = entry.loop
        if loop is None:
            settle(entry)
            continue
        if loop is not latest:
            latest, mine = loop, by_loop.setdefault(loop, [])
        mine.append(entry)
    reached = False
    for loop, entries in by_loop.items():
        try:
            loop.call_soon_threadsafe(settle_all, entries)
        except RuntimeError:
            continue  # the loop is closed: nobody waits there any more
        reached = True
    return reached


def again(error: AuditError) -> AuditError:
    """Copy an error, so that callers do not share one traceback."""
    return AuditError(error.message, hint=error.hint, place=error.place)


def settle(entry: Entry) -> None:
    """Bring one its result; one who went away misses nothing, the record is kept all the same."""
    if entry.error is None:
        entry.keep(None)
    else:
        entry.fail(again(entry.error))
