"""Idempotency keys in one SQLite file of the data folder, shared by the workers of one host.

All work is done in one thread. What is asked for while a transaction is being made durable goes into the
next one together, so that a rush of calls costs few fsyncs.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import Place
from runtime_proxy.errors import KeysUnavailable
from runtime_proxy.idempotency_owners import Owners
from runtime_proxy.idempotency_rows import claim_row, end_row, mark_unknown, open_rows, sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runtime_proxy.idempotency_store import Claim, Kept

_AT_ONCE: Final = 256  # jobs in one transaction
_MOST_WAITING: Final = 8192
_SWEEP_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Job:
    work: Callable[[sqlite3.Connection, Owners], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class FileStore:
    """An `IdempotencyStore` in `<folder>/keys.sqlite`; the file is opened by the first claim.

    `most_bytes` bounds the file: beyond it no further key is taken (`KeysUnavailable`).
    """

    def __init__(self, folder: Path, *, most_bytes: int, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._now = now
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._owners: Owners | None = None
        self._swept = 0.0

    def claim(self, claim: Claim) -> asyncio.Future[Kept | None]:
        """Enter a key as running, durably, unless something stands there already."""
        return self._submit(lambda rows, owners: claim_row(rows, owners, claim, self._now()))

    def keep(self, claim: Claim, answer: bytes, ttl_seconds: int) -> asyncio.Future[None]:
        """End a claim with its sealed answer."""
        until = self._now() + ttl_seconds
        return self._submit(lambda rows, owners: end_row(rows, owners, claim, "done", answer, until))

    def release(self, claim: Claim) -> asyncio.Future[None]:
        """End a claim as if it had never been."""
        return self._submit(lambda rows, owners: end_row(rows, owners, claim, None))

    def doubt(self, claim: Claim) -> asyncio.Future[None]:
        """End a claim as unknown."""
        return self._submit(lambda rows, owners: end_row(rows, owners, claim, "unknown"))

    async def close(self) -> None:
        """Do what is waiting, then close the file."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    # -- the thread ---------------------------------------------------------------------------------
    def _submit(self, work: Callable[[sqlite3.Connection, Owners], Any]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        if self._jobs.qsize() >= _MOST_WAITING:
            done.set_exception(self._failed("too many calls wait for their keys"))
            return done
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="idempotency-keys", daemon=True)
            self._thread.start()
        self._jobs.put(_Job(work, loop, done))
        return done

    def _run(self) -> None:
        going = True
        while going:
            jobs: list[_Job] = []
            job = self._jobs.get()
            while True:
                if job is None:
                    going = False
                    break
                jobs.append(job)
                if len(jobs) >= _AT_ONCE or self._jobs.empty():
                    break
                job = self._jobs.get()
            if jobs:
                self._carry_out(jobs)
        self._let_go()

    def _carry_out(self, jobs: list[_Job]) -> None:
        """Do jobs in one transaction: all of it stands and is durable, or none of it."""
        results: list[Any] = []
        failure: KeysUnavailable | None = None
        try:
            rows, owners = self._opened()
            rows.execute("BEGIN IMMEDIATE")
            results = [job.work(rows, owners) for job in jobs]
            if time.monotonic() - self._swept > _SWEEP_SECONDS:
                self._swept = time.monotonic()
                sweep(rows, self._now())
            rows.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            failure = self._failed(str(error))
            self._let_go()
        for place, job in enumerate(jobs):
            result = None if failure is not None else results[place]
            job.loop.call_soon_threadsafe(_tell, job.done, result, failure)

    def _opened(self) -> tuple[sqlite3.Connection, Owners]:
        if self._connection is None or self._owners is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owners = self._owners or Owners(self._folder / "owners")
            self._owners = owners
            connection = open_rows(self._folder / "keys.sqlite", self._most_bytes)
            mark_unknown(connection, owners)
            self._connection = connection
        return self._connection, self._owners

    def _let_go(self) -> None:
        """Close the connection, rolling back what is open; the next job opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._thread is None and self._owners is not None:
            self._owners.close()
            self._owners = None

    def _failed(self, why: str) -> KeysUnavailable:
        return KeysUnavailable(f"idempotency keys cannot be kept: {why}", place=Place(str(self._folder)))


def _tell(done: asyncio.Future[Any], result: Any, failure: KeysUnavailable | None) -> None:
    if done.cancelled():
        return
    if failure is not None:
        done.set_exception(failure)
    else:
        done.set_result(result)
