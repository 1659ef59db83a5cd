"""What of an operation passes in pieces: decided when the plan is made, asked with the head of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.port import Streaming
from kernel.errors import InterlockError
from runtime_proxy.stream_request import RequestSource

if TYPE_CHECKING:
    from adapters.port import Call, Headers
    from kernel.operation.operation import Operation
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import AdapterSlot, ServedOperation
    from runtime_proxy.stream_terms import StreamTerms


class Streams:
    """The streams of one operation; an operation without any has none of these."""

    __slots__ = ("_answers", "_limit", "_operation", "_requests", "_streaming", "terms")

    def __init__(self, operation: Operation, terms: StreamTerms, *, requests: bool, answers: bool) -> None:
        self._operation = operation
        self._requests = requests
        self._answers = answers
        self._limit = (
            terms.max_bytes if operation.max_body is None else min(terms.max_bytes, operation.max_body)
        )
        self._streaming = Streaming(self._wanted, terms.total_seconds, terms.max_bytes)
        self.terms = terms

    def admit(self, exchange: Exchange) -> None:
        """Decide from the head whether the body is carried as it comes, and allow what a stream may have."""
        if not self._requests:
            return
        try:
            exchange.flow = self._operation.request_flow(exchange.headers)
        except InterlockError:  # it cannot be compiled, which the check of the request says
            return
        if exchange.flow is not None:
            exchange.body_limit = self._limit

    def equip(self, served: ServedOperation, exchange: Exchange, call: Call) -> None:
        """Let the call bring its body, and its answer, in pieces."""
        if self._answers:
            call.streaming = self._streaming
        if exchange.upload is not None:
            exchange.source = call.source = RequestSource(served, exchange, exchange.upload, self.terms)
            call.idempotent = False  # what has been read of it cannot be sent twice

    def _wanted(self, status: int, headers: Headers) -> bool:
        try:
            return self._operation.answer_flow(status, headers) is not None
        except InterlockError:
            return False


def streams_of(
    operation: Operation, flows: tuple[bool, bool], slot: AdapterSlot, terms: StreamTerms
) -> Streams | None:
    """Give the streams of an operation on an adapter that can carry them; None: it has none.

    `flows`: whether some request, and some answer, may pass in pieces.
    """
    if not getattr(slot.adapter, "streams", False) or operation.idempotency is not None:
        return None  # what is sealed under a key is read whole
    requests, answers = flows
    return Streams(operation, terms, requests=requests, answers=answers) if requests or answers else None
