"""An answer that passes in pieces: one audit record before its first byte goes on, one before its proper end.

What ends it otherwise (an item outside the contract, a limit, a provider or a consumer that is gone, a
record that cannot be kept) is never shown as an end: the message stays incomplete on the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Any, Literal

from adapters.errors import UpstreamError
from kernel.errors import AuditError
from kernel.operation.items import ItemBroken
from runtime_proxy.exchange import StreamCut
from runtime_proxy.observe import observe_response, watches_answer
from runtime_proxy.route import reply_of

if TYPE_CHECKING:
    from adapters.port import Answer, BodyStream
    from kernel.audit.record import Outcome
    from kernel.operation.violation import Violation
    from kernel.promise import Promise
    from runtime_proxy.exchange import Exchange, Reply
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.settle import Settling
    from runtime_proxy.stream_terms import StreamTerms
    from runtime_proxy.trail import Trail

log = logging.getLogger("interlock.proxy")
_CLIENT_ERROR = 400


async def begin_stream(
    served: ServedOperation, exchange: Exchange, answer: Answer, trail: Trail, settling: Settling
) -> Reply:
    """Give the reply whose body is still arriving; what the head breaks is refused as with any answer."""
    stream, streams = answer.stream, served.streams
    assert stream is not None
    assert streams is not None
    try:
        broken = served.operation.check_response(answer.status, answer.headers, None)
        if broken and not observe_response(served, exchange, broken):
            stream.cancel()
            return await settling.withhold(exchange, served, answer, broken)
        if exchange.received is None:
            await trail.received(exchange)
        reply = reply_of(answer, exchange)
        reply.stream = StreamedAnswer(served, exchange, answer, trail, streams.terms)
    except BaseException:
        stream.cancel()
        raise
    return reply


class StreamedAnswer:
    """The `ReplyStream` of one answer; `length` in bytes, None where the provider does not say it."""

    __slots__ = (
        "_answer",
        "_broken",
        "_deadline",
        "_ended",
        "_exchange",
        "_hash",
        "_held",
        "_last",
        "_reader",
        "_served",
        "_stream",
        "_terms",
        "_total",
        "_trail",
        "length",
    )

    def __init__(
        self,
        served: ServedOperation,
        exchange: Exchange,
        answer: Answer,
        trail: Trail,
        terms: StreamTerms,
    ) -> None:
        flow = served.operation.answer_flow(answer.status, answer.headers)
        self._reader = (
            None
            if flow is None
            else flow.reader(terms.item_bytes, self._observe if watches_answer(served, exchange) else None)
        )
        self._served = served
        self._exchange = exchange
        self._answer = answer
        assert answer.stream is not None
        self._stream: BodyStream = answer.stream
        self._trail = trail
        self._terms = terms
        self._deadline = asyncio.get_running_loop().time() + terms.total_seconds
        self._hash = hashlib.sha256()
        self._total = 0  # bytes that went on
        self._broken: tuple[Violation, ...] = ()
        self._last = False  # nothing more will come
        self._ended = False  # the record of the end is handed over
        self.length = answer.stream.length
        self._held, exchange.held = exchange.held, None  # what the exchange occupies, it occupies to its end
        served.route.adapter.in_flight += 1

    async def read(self) -> bytes:
        """Give the next bytes that may go on; b"" once the end is recorded. Raises `StreamCut`."""
        while not self._ended:
            if self._broken:
                raise self._cut("item-outside-contract")
            piece = await self._next()
            if piece:
                self._total += len(piece)
                self._hash.update(piece)
            if not self._broken and (self._last or self._total == self.length):
                await self._complete()
            if piece:
                return piece
        if not self._last:
            raise StreamCut("it has ended")
        return b""

    @property
    def takes_over(self) -> Literal[False]:
        """Say no: it is the body of an answer."""
        return False

    def leave(self) -> None:
        """Go on: a stream has the drain time to end."""

    def abandon(self, reason: str) -> None:
        """Give the rest up, since the consumer is gone (or we are); the provider is disconnected."""
        if not self._ended:
            self._record(reason)
            self._stream.cancel()

    async def _next(self) -> bytes:
        """Read on, and hold back what is not judged yet."""
        now = asyncio.get_running_loop().time()
        until = min(now + self._terms.idle_seconds, self._deadline)
        try:
            async with asyncio.timeout_at(until):
                piece = await self._stream.read()
        except TimeoutError:
            raise self._cut("stream-too-long" if until == self._deadline else "stream-idle") from None
        except UpstreamError as error:
            raise self._cut(error.code) from None
        self._last = not piece
        if self._reader is None:
            return piece
        try:
            return self._reader.feed(piece) if piece else self._reader.finish()
        except ItemBroken as error:
            self._broken = error.violations
            self._last = False
            return error.passed

    async def _complete(self) -> None:
        """Keep the record of a proper end; without it there is none."""
        self._last = True
        status = self._answer.status
        try:
            await self._ending("success" if status < _CLIENT_ERROR else "failed")
        except AuditError as error:
            log.critical("the end of a stream could not be recorded: %s", error)
            self._stream.cancel()
            raise StreamCut("audit-unavailable") from None

    def _cut(self, reason: str) -> StreamCut:
        if not self._ended:
            log.warning("%s: a stream is cut: %s, request %s", self._served.route.name, reason,
                        self._exchange.request_id)  # fmt: skip
            self._record(reason)
        self._stream.cancel()
        return StreamCut(reason)

    def _record(self, reason: str) -> None:
        """Hand over the record of an end that is none; nobody waits for it."""
        try:
            self._ending("failed", reason).add_done_callback(_look)
        except AuditError as error:
            log.critical("the end of a stream could not be recorded: %s", error)

    def _ending(self, outcome: Outcome, reason: str = "") -> Promise:
        self._ended = True
        self._served.route.adapter.in_flight -= 1
        if self._held is not None:
            self._held.release()
        more: dict[str, Any] = {"response_bytes": self._total, "upstream_status": self._answer.status}
        more["upstream_us"] = int(self._answer.upstream_seconds * 1e6)
        if self._total:
            more["response_sha256"] = self._hash.hexdigest()
        if self._reader is not None:
            more["detail"] = {"items": self._reader.count}
        if reason:
            more["reason"] = reason
        return self._trail.ended(
            self._exchange,
            outcome=outcome,
            status=self._answer.status,
            violations=self._broken,
            more=more,
        )

    def _observe(self, violations: tuple[Violation, ...]) -> None:
        observe_response(self._served, self._exchange, violations)


def _look(kept: Promise) -> None:
    if not kept.cancelled() and kept.exception() is not None:
        log.critical("the end of a stream could not be recorded: %s", kept.exception())
