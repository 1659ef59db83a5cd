"""A request body on its way to the provider: counted, digested, and judged item by item where it has items."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from adapters.errors import UpstreamBroken
from kernel.operation.items import ItemBroken
from runtime_proxy.edge_upload import UploadBroken
from runtime_proxy.observe import observe_request, watches_request
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_call import BodyInvalid

if TYPE_CHECKING:
    from kernel.operation.violation import Violation
    from runtime_proxy.edge_upload import Upload
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.stream_terms import StreamTerms


class RequestSource:
    """The `BodySource` of a call; `refusal` says why it broke off, if it did."""

    __slots__ = (
        "_deadline",
        "_exchange",
        "_hash",
        "_idle",
        "_reader",
        "_served",
        "_upload",
        "ended",
        "length",
        "refusal",
        "total",
    )

    def __init__(
        self, served: ServedOperation, exchange: Exchange, upload: Upload, terms: StreamTerms
    ) -> None:
        flow = exchange.flow
        assert flow is not None
        self._served = served
        self._exchange = exchange
        self._upload = upload
        self._reader = flow.reader(
            terms.item_bytes, self._observe if watches_request(served, exchange) else None
        )
        self._idle = terms.idle_seconds
        self._deadline = asyncio.get_running_loop().time() + terms.total_seconds
        self._hash = hashlib.sha256()
        self.length = upload.length
        self.refusal: Refusal | None = None
        self.total = 0  # bytes that went on
        self.ended = False

    async def read(self) -> bytes:
        """Give the next bytes that may go on, b"" at the end; raises `UpstreamBroken` where it breaks off."""
        while not self.ended:
            piece = await self._piece()
            self.ended = not piece
            if self._reader is not None:
                try:
                    piece = self._reader.feed(piece) if piece else self._reader.finish()
                except ItemBroken as error:
                    broken = REFUSALS[error.slug](violations=error.violations)
                    raise self._broken_off(broken) from None
            if piece:
                self.total += len(piece)
                self._hash.update(piece)
                return piece
        return b""

    def facts(self) -> dict[str, Any]:
        """Give what the audit record says of the body: bytes and digest of what went on."""
        if not self.total:
            return {}
        return {"request_sha256": self._hash.hexdigest(), "request_bytes": self.total}

    async def _piece(self) -> bytes:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._idle, self._deadline)):
                return await self._upload.read()
        except UploadBroken as error:
            raise self._broken_off(REFUSALS[error.slug]()) from None
        except TimeoutError:
            raise self._broken_off(REFUSALS["request-timeout"]()) from None

    def _broken_off(self, refusal: Refusal) -> UpstreamBroken:
        self.refusal = refusal
        return UpstreamBroken(f"the caller's body broke off: {refusal.slug}", sent=True)

    def _observe(self, violations: tuple[Violation, ...]) -> None:
        observe_request(self._served, self._exchange, BodyInvalid(violations=violations))
