"""Runs one worker of the data plane: event loop, signals, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

# Requests leave no cycles behind, so looking for some every 700 allocations only costs time.
_GC_YOUNG: Final = 50_000
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_INTERRUPTED: Final = 130


def run_worker(main: Coroutine[Any, Any, None]) -> None:
    """Run one worker on uvloop until `main` returns.

    Several workers share a port under a supervisor (supervisor.py), each with a journal and a part of the
    limits of its own (DESIGN sections 7.6 and 7.7).
    """
    import uvloop  # noqa: PLC0415 - commands that serve nothing need not load it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def stop_event(signals: Sequence[signal.Signals] = _STOP_SIGNALS) -> asyncio.Event:
    """Give an event that one of `signals` sets; a second one ends the process without draining."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(_INTERRUPTED)
        stop.set()

    for number in signals:
        loop.add_signal_handler(number, asked)
    return stop


def settle_memory() -> None:
    """Put everything that start-up made out of the garbage collector's sight; call it once, before serving."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_YOUNG, 20, 20)
