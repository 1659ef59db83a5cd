"""What adapters share in one process: settings, the bundle in force, the audit log, and the intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.frozen_schemas import FrozenSchemas
from adapters.intake import AuditLog, Intake
from kernel.sealing.payload import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.bundle.model import Bundle
    from kernel.settings import Settings


class House:
    """Make one for each process and close it after its adapters; the store opens with the first listener.

    `bundle` gives the bundle in force at every call and may raise `BundleError`; `audit` is a journal of
    this process (kernel.audit.journal.Journal).
    """

    def __init__(self, settings: Settings, *, bundle: Callable[[], Bundle], audit: AuditLog) -> None:
        self.settings = settings
        self.bundle = bundle
        self.audit = audit
        self._intake: Intake | None = None

    def intake(self) -> Intake:
        """Give the one intake of this process; raises `CanonicalStoreError` when it cannot be opened."""
        if self._intake is None:
            # Not at the top: the database takes 23 MB in every worker, and a proxy without devices needs none.
            from adapters.canonical.store import CanonicalStore  # noqa: PLC0415

            store = CanonicalStore.open(self.settings, Sealer(self.settings.path / "keys"))
            self._intake = Intake(store, FrozenSchemas(self.bundle), self.audit)
        return self._intake

    def open_letters(self) -> int | None:
        """Count the open dead letters; None where no listener has opened the store. It may block."""
        if self._intake is None:
            return None
        from adapters.canonical.reading import Reading  # noqa: PLC0415 - as above

        store = self._intake.store
        return Reading(store.engine, store.sealer).open_letters()

    async def close(self) -> None:
        """Let go of the store, where there is one; may be called twice."""
        intake, self._intake = self._intake, None
        if intake is not None:
            await intake.stop()
            intake.store.close()
