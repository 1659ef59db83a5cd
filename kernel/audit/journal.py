"""The append-only journal of one writer: a record is answered for once the disk has it, and not before.

Group commit: what a few turns of the event loop bring is chained by the loop as one group, and a thread of
the journal does nothing but bring it to the disk; what arrives meanwhile forms the next group. Only then
everybody who waits is woken. When the disk refuses once, the journal is dead for ever: after a failed
sync nobody knows what the disk holds, so it is never tried again (PostgreSQL's lesson of 2018), and
every caller gets `AuditError`, which the proxy answers 503.
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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.heads import HeadsFile, HeadSigner
from kernel.audit.recovery import find_end
from kernel.audit.tape import Tape
from kernel.audit.waiters import Entry, again, settle, tell
from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WRITER = re.compile(r"[a-z][a-z0-9-]{0,63}")
# A group waits for that many turns of the loop, none of which waits for anything, or for that many records (ADR 40).
_TURNS: Final = 4
_ENOUGH: Final = 64
# Seconds after which the thread writes what waits by itself: the loop that was told to go on with it may have ended.
_PATIENCE: Final = 0.05
_FOREVER: Final = float("inf")


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
        self._queue: deque[Entry] = deque()  # not written yet; any thread may add to it
        self._written: list[Entry] = []  # being written, or not synced
        self._failure: AuditError | None = None
        self._closing = False
        self._gone = False
        self._due: asyncio.AbstractEventLoop | None = None  # turns of this loop bring the next group
        # Whoever has claimed the tape may use it: who writes a group claims it, the thread lets go of it
        # when the group is synced. The guard only protects the claim. A group is the thread's only once it
        # is handed over, whole: a claim alone may be that of a writer who is still at it.
        self._claimed = False
        self._handed = False
        self._guard = threading.Lock()
        self._wake = threading.Lock()  # a binary semaphore: cheaper than a condition, and never lost
        self._wake.acquire()
        self._syncer = threading.Thread(target=self._run, name=f"audit-{self.writer}", daemon=True)

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
        journal._syncer.start()
        return journal

    def form(self, fields: Mapping[str, Any]) -> ExchangeForm:
        """Give the form for the plain records of one operation; good while this journal is open."""
        return self._tape.form(fields)

    def append(self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None = None) -> Entry:
        """Hand a record over; the promise is kept when it is durable. The dict is the journal's from then on.

        Raises `AuditError` at once when the journal is dead, closed, or too many records wait; the promise
        raises it when this record could not be kept. `loop` is the running one, where the caller knows it.
        """
        if loop is None:
            loop = asyncio.get_running_loop()
        entry = Entry(record, loop)
        self._put(entry)
        if self._due is not loop and not self._claimed:  # else `_settle` goes on with it
            self._begin_to_gather(loop)
        return entry

    def append_and_wait(self, record: dict[str, Any], timeout: float | None = 30.0) -> None:
        """Keep a record from a thread of its own (never from an event loop); raises `AuditError`."""
        entry, settled = Entry(record, None), threading.Event()
        entry.settled = settled.set
        self._put(entry)
        self._write_group()
        if not settled.wait(timeout):
            raise AuditError("the disk did not take an audit record in time")
        entry.result()

    def watch(self, committed: Callable[[int, float], None] | None) -> None:
        """Have `committed` told of every group commit: records and seconds; it runs in the writer's thread."""
        self._tape.watch = committed

    @property
    def waiting(self) -> int:
        """How many records wait for the disk."""
        return len(self._queue) + len(self._written)

    @property
    def failure(self) -> AuditError | None:
        """Why the journal is dead, or None while it lives."""
        return self._failure

    def close(self) -> None:
        """Write what waits, end what is open as unknown, sign the last head, let go; may be called twice."""
        self._closing = True
        self._kick()
        self._syncer.join()

    async def aclose(self) -> None:
        """Close without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def _put(self, entry: Entry) -> None:
        if self._failure is not None:
            raise again(self._failure)
        if self._closing:
            raise AuditError("the journal is closed")
        if len(self._queue) >= self._most_waiting:
            raise AuditError(
                "too many audit records wait for the disk", hint="see audit_queue; is the disk slow?"
            )
        self._queue.append(entry)
        if self._gone:  # the thread ended between our look and our append
            self._tell_late()

    def _begin_to_gather(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop
        loop.call_soon(self._gather, loop, _TURNS)

    def _gather(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        """Write what waits, once that many turns of the loop have brought more or enough is there."""
        if turns and not self._claimed and len(self._queue) < _ENOUGH:
            loop.call_soon(self._gather, loop, turns - 1)
            return
        self._due = None
        self._write_group()

    def _write_group(self) -> None:
        with self._guard:
            if self._claimed or self._closing:
                return  # whoever has the tape, or closes, takes up what waits
            self._claimed = True
        self._write_queue()
        self._handed = True
        self._kick()

    def _write_queue(self) -> None:
        """Write all that waits; the tape is claimed. A failure stays for the thread to find."""
        queue = self._queue
        entries = [queue.popleft() for _ in range(len(queue))]
        self._written += entries  # before a failure is known: the thread ends with it, and tells them
        try:
            for index, error in self._tape.write([entry.record for entry in entries]).items():
                entries[index].error = error
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing may be answered for any more
            self._die(error)

    def _kick(self) -> None:
        try:
            self._wake.release()
        except RuntimeError:
            return  # somebody else has just done it

    # From here on everything runs in the journal's thread.

    def _run(self) -> None:
        try:
            while self._failure is None and not (self._closing and self._take()):
                if self._handed:
                    self._handed = False
                    self._commit_group()
                else:
                    self._pause()
            if self._failure is None:
                while self._queue:
                    self._write_queue()
                    self._sync()
                    told, self._written = self._written, []
                    tell(told, _settle_all)
                self._tape.end_epoch()
        except Exception as error:  # noqa: BLE001 - as above
            self._die(error)
        finally:
            self._closing = self._gone = True
            try:
                self._tape.close()
            finally:
                os.close(self._lock)
                self._tell_late()

    def _pause(self) -> None:
        """Wait for a group; in between sign a head when one is due, and write what nobody came to write."""
        tape = self._tape
        head_in = tape.head_due - time.monotonic() if tape.head_wanted else _FOREVER
        seconds = min(head_in, _PATIENCE) if self._queue else head_in
        if seconds == _FOREVER:
            self._wake.acquire()
        elif not self._wake.acquire(timeout=max(seconds, 0.001)) and self._take():
            if seconds == head_in:
                tape.sign_head()
            self._let_go()
            if self._queue:
                self._write_group()

    def _commit_group(self) -> None:
        """Sync what was written, let go of the tape, wake everybody who waits for it."""
        self._sync()
        if time.monotonic() >= self._tape.head_due:
            self._tape.sign_head()
        told, self._written = self._written, []  # only now: where anything fails, they are told so
        # In this order: the loops that are told go on with what came meanwhile, and must find the tape free.
        self._let_go()
        if not tell(told, self._settle) and self._queue:
            self._write_group()

    def _sync(self) -> None:
        """Make durable what was written."""
        if self._failure is not None:
            raise self._failure
        self._tape.sync()

    def _settle(self, told: list[Entry]) -> None:
        """Settle those who are told, in their own loop, then go on with what came meanwhile."""
        _settle_all(told)
        if self._queue and self._due is not (loop := asyncio.get_running_loop()):  # another may have ended
            self._begin_to_gather(loop)

    def _take(self) -> bool:
        with self._guard:
            if self._claimed:
                return False
            self._claimed = True
            return True

    def _let_go(self) -> None:
        with self._guard:
            self._claimed = False

    def _die(self, error: Exception) -> None:
        if self._failure is not None:
            return
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        self._failure = AuditError(
            f"the audit log cannot be written any more: {reason}",
            hint="repair the disk, then start this process again; it recovers the journal by itself",
            place=Place(str(self._tape.path)),
        )

    def _tell_late(self) -> None:
        error = self._failure or AuditError("the journal is closed")
        late, self._written = self._written, []
        with contextlib.suppress(IndexError):  # another thread may be emptying it too
            while True:
                late.append(self._queue.popleft())
        for entry in late:
            entry.error = error
        tell(late, _settle_all)


def _settle_all(told: list[Entry]) -> None:
    for entry in told:
        settle(entry)


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
