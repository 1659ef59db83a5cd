"""What the proxy needs of kernel.audit.journal.Journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

    from kernel.audit.forms import Draft, ExchangeForm
    from kernel.errors import AuditError
    from kernel.promise import Promise


class AuditJournal(Protocol):
    """What keeps records, each before the answer that it stands for."""

    def form(self, fields: dict[str, Any]) -> ExchangeForm | None:
        """Give the form that plain records of one operation are written by, if the journal has such."""

    def append(
        self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None = None
    ) -> Promise:
        """Hand a record over; done when it is durable, `AuditError` when it cannot be kept.

        `loop` is the running one, where the caller knows it.
        """

    @property
    def failure(self) -> AuditError | None:
        """Why nothing can be kept any more."""
