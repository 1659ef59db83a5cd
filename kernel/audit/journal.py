"""The append-only journal of one writer: a record is answered for once the disk has it, and not before.

Callers put records on a bounded queue; one thread takes whatever has arrived, chains it, writes it with
one write and one fdatasync (group commit), and only then wakes everybody who waits. When the disk refuses
once, the journal is dead for ever: after a failed fsync nobody knows what the disk holds, so it is never
tried again (PostgreSQL's lesson of 2018), and every caller gets `AuditError`, which the proxy answers 503.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from kernel.audit.heads import HeadsFile, HeadSigner
from kernel.audit.recovery import find_end
from kernel.audit.tape import Tape
from kernel.audit.waiters import Item, again, tell, tell_all
from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from pathlib import Path

_WRITER = re.compile(r"[a-z][a-z0-9-]{0,63}")
_MOST_IN_A_BATCH = 4096


class Journal:
    """One writer's journal; make it with `Journal.open`, end it with `close`.

    `recovered` holds the records of outcome unknown that `open` wrote for exchanges which a crash cut off.
    """

    def __init__(self, tape: Tape, lock: int, *, queue: int) -> None:
        self.writer = tape.end.writer
        self.recovered: tuple[dict[str, Any], ...] = ()
        self._tape = tape
        self._lock = lock
        self._most_waiting = queue
        self._queue: deque[Item] = deque()
        self._failure: AuditError | None = None
        self._closing = False
        self._idle = False
        self._gone = False
        self._caller: asyncio.AbstractEventLoop | None = (
            None  # who will wake the writer at the end of its turn
        )
        self._wake = threading.Lock()  # a binary semaphore: cheaper than a condition, and never lost
        self._wake.acquire()
        self._thread = threading.Thread(target=self._run, name=f"audit-{self.writer}", daemon=True)

    @classmethod
    def open(
        cls,
        folder: Path,
        writer: str,
        signer: HeadSigner,
        *,
        heads_folder: Path | None = None,
        segment_bytes: int = 64 * 1024 * 1024,
        queue: int = 16_384,
        fsync: bool = True,
    ) -> Journal:
        """Open or begin `<folder>/<writer>/`, alone; raises `AuditError` when it is in use or was altered.

        `folder` is `<data>/audit`; heads go to `heads_folder`, by default `<data>/audit-heads`. Exchanges
        that a crash left open get a record of outcome unknown here, before anything else is written.
        """
        if _WRITER.fullmatch(writer) is None:
            raise AuditError(
                f"{writer[:64]!r} is no name for a journal", hint="lower-case letters, digits, hyphens"
            )
        own = folder / writer
        heads_in = folder.parent / "audit-heads" if heads_folder is None else heads_folder
        try:
            own.mkdir(mode=0o750, parents=True, exist_ok=True)
            lock = _lock(own)
            try:
                end = find_end(own, writer, heads_in)
                heads = HeadsFile(heads_in, writer)
                tape = Tape(own, end, heads, signer, segment_bytes=segment_bytes, fsync=fsync)
                journal = cls(tape, lock, queue=queue)
                journal.recovered = tape.begin_epoch()
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise AuditError(
                f"the journal cannot be opened: {error.strerror}", place=Place(str(own))
            ) from error
        journal._thread.start()
        return journal

    def append(self, record: dict[str, Any]) -> asyncio.Future[None]:
        """Hand a record over; the future is done when it is durable. The dict is the journal's from then on.

        Raises `AuditError` at once when the journal is dead, closed, or too many records wait; the future
        raises it when this record could not be kept.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._put((record, waiter, loop))
        if self._idle and self._caller is not loop:
            # At the end of this turn of the loop: all that it handles now goes into one group, and the
            # writer does not compete with it meanwhile.
            self._caller = loop
            loop.call_soon(self._call)
        return waiter

    def append_and_wait(self, record: dict[str, Any], timeout: float | None = 30.0) -> None:
        """Keep a record from a thread of its own (never from an event loop); raises `AuditError`."""
        waiter: Future[None] = Future()
        self._put((record, waiter, None))
        if self._idle:
            self._kick()
        try:
            waiter.result(timeout)
        except TimeoutError:
            raise AuditError("the disk did not take an audit record in time") from None

    @property
    def waiting(self) -> int:
        """How many records wait for the disk."""
        return len(self._queue)

    @property
    def failure(self) -> AuditError | None:
        """Why the journal is dead, or None while it lives."""
        return self._failure

    def close(self) -> None:
        """Write what waits, end what is open as unknown, sign the last head, let go; may be called twice."""
        self._closing = True
        self._kick()
        self._thread.join()

    async def aclose(self) -> None:
        """Close without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def _put(self, item: Item) -> None:
        if self._failure is not None:
            raise again(self._failure)
        if self._closing:
            raise AuditError("the journal is closed")
        if len(self._queue) >= self._most_waiting:
            raise AuditError(
                "too many audit records wait for the disk", hint="see audit_queue; is the disk slow?"
            )
        self._queue.append(item)
        if self._gone:  # the thread ended between our look and our append
            self._tell_late()

    def _call(self) -> None:
        self._caller = None
        if self._idle:
            self._kick()

    def _kick(self) -> None:
        self._idle = False
        try:
            self._wake.release()
        except RuntimeError:
            return  # somebody else has just done it

    # From here on everything runs in the writer thread.

    def _run(self) -> None:
        try:
            while True:
                if self._queue:
                    self._write_batch()
                elif self._closing:
                    break
                else:
                    self._pause()
                if time.monotonic() >= self._tape.head_due:
                    self._tape.sign_head()
            self._tape.end_epoch()
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing may be answered for any more
            self._die(error)
        finally:
            self._closing = self._gone = True
            self._tape.close()
            os.close(self._lock)
            self._tell_late()

    def _pause(self) -> None:
        """Wait for a record; wake up in between only when a head is due."""
        self._idle = True
        if self._queue or self._closing:  # it came before its sender could see that nobody is awake
            self._idle = False
            return
        if self._tape.head_wanted:
            self._wake.acquire(timeout=max(self._tape.head_due - time.monotonic(), 0.001))
        else:
            self._wake.acquire()
        self._idle = False

    def _write_batch(self) -> None:
        queue = self._queue
        batch: list[Item] = []
        while queue and len(batch) < _MOST_IN_A_BATCH:
            batch.append(queue.popleft())
        try:
            refused = self._tape.commit([item[0] for item in batch])
        except BaseException:
            queue.extendleft(reversed(batch))  # `_die` tells them with all the others
            raise
        tell(batch, refused)

    def _die(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        self._failure = AuditError(
            f"the audit log cannot be written any more: {reason}",
            hint="repair the disk, then start this process again; it recovers the journal by itself",
            place=Place(str(self._tape.path)),
        )

    def _tell_late(self) -> None:
        late: list[Item] = []
        with contextlib.suppress(IndexError):  # the other thread may be emptying it too
            while True:
                late.append(self._queue.popleft())
        tell_all(late, self._failure or AuditError("the journal is closed"))


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AuditError(
            "another process writes this journal",
            hint="each worker needs a writer name of its own",
            place=Place(str(folder)),
        ) from None
    return descriptor
