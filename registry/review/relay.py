"""Carries audit records from the outbox into the journal `registry`, in order, each exactly once.

A row is marked only after the journal holds it durably. When the process ends between the two, the next
start finds the row's number in the newest record of the journal, and marks it without sending it again.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from kernel.audit.search import last_value
from kernel.errors import InterlockError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from kernel.audit.journal import Journal
    from registry.review.ports import Store
    from registry.review.shelves import OutboxRow

WRITER: Final = "registry"
_BATCH: Final = 256
_EVERY: Final = 1.0  # seconds between looks when nobody says that there is something
log = logging.getLogger("interlock.registry.relay")


class Relay:
    """One thread between outbox and journal; `wake` it after a commit, `close` it at the end."""

    def __init__(
        self, store: Store, journal: Journal, audit_folder: Path, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._journal = journal
        self._audit_folder = audit_folder
        self._now = now
        self._something = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-relay", daemon=True)

    def start(self) -> None:
        """Settle what an earlier process left between journal and outbox, then carry in the background."""
        self.reconcile()
        self._thread.start()

    def wake(self) -> None:
        """Say that a commit left records."""
        self._something.set()

    def close(self) -> None:
        """Carry what waits, and end the thread; the journal stays open."""
        self._ended.set()
        self._something.set()
        if self._thread.is_alive():
            self._thread.join()

    def reconcile(self) -> None:
        """Mark rows that the journal holds already; raises `AuditError` when it cannot be read."""
        last = last_value(self._audit_folder, WRITER, "outbox")
        if last is None:
            return
        with self._store.writing() as ledger:
            # Rows are numbered in the order of their commits, and sent in it: all up to the last are held.
            held = [row.position for row in ledger.outbox.waiting(100_000) if row.position <= last]
            ledger.outbox.relayed(held, self._now())

    def drain(self) -> int:
        """Carry everything that waits and return how many; raises `InterlockError`."""
        carried = 0
        while True:
            with self._store.reading() as ledger:
                rows = ledger.outbox.waiting(_BATCH)
            if not rows:
                return carried
            carried += self._carry(rows)

    def _carry(self, rows: tuple[OutboxRow, ...]) -> int:
        held: list[int] = []
        try:
            for row in rows:
                self._journal.append_and_wait({**row.record, "outbox": row.position})
                held.append(row.position)
        finally:
            if held:
                with self._store.writing() as ledger:
                    ledger.outbox.relayed(held, self._now())
        return len(held)

    def _run(self) -> None:
        doubtful = False
        while True:
            self._something.wait(_EVERY)
            self._something.clear()
            try:
                if doubtful:  # a record that was not confirmed in time may have reached the disk since
                    self.reconcile()
                self.drain()
                doubtful = False
            except InterlockError as error:
                # The rows stay where they are; /healthz says that they wait.
                log.error("audit records wait for the journal: %s", error.message)  # noqa: TRY400 - no trace: expected
                doubtful = True
                self._ended.wait(_EVERY)
            if self._ended.is_set():
                return
