"""Starts `interlock` with a journal that writes nothing: only so that the bench can say what the audit costs.

No setting does this, for nothing may be answered without its record; `python -m tests.bench.unaudited proxy serve …`
still makes the record of each call, and drops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cli import proxy_process
from cli.main import main
from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.heads import HeadSigner
from kernel.errors import AuditError
from kernel.promise import Promise


class Unwritten:
    """Takes records as `kernel.audit.journal.Journal` does, and keeps none."""

    failure: AuditError | None = None
    recovered: tuple[dict[str, Any], ...] = ()
    waiting = 0

    @classmethod
    def open(cls, folder: Path, writer: str, signer: HeadSigner, **settings: Any) -> Unwritten:
        del folder, writer, signer, settings
        return cls()

    def form(self, fields: Mapping[str, Any]) -> ExchangeForm:
        return ExchangeForm(fields, writer="unaudited", epoch=1)

    def append(
        self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None = None
    ) -> Promise:
        del record
        promise = Promise(loop or asyncio.get_running_loop())
        promise.keep(None)
        return promise

    def append_and_wait(self, record: dict[str, Any], timeout: float | None = 30.0) -> None:
        del record, timeout

    def watch(self, committed: Callable[[int, float], None] | None) -> None:
        del committed

    async def aclose(self) -> None:
        pass


if __name__ == "__main__":
    proxy_process.Journal = Unwritten  # type: ignore[assignment, attr-defined]
    main()
