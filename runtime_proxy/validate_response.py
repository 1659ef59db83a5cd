"""Hold the provider's answer to the contract; what breaks it is recorded, and never shown to the consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import InterlockError
from runtime_proxy.observe import watches_answer

if TYPE_CHECKING:
    from adapters.port import Answer
    from kernel.operation.violation import Violation
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation


def validate_response(served: ServedOperation, exchange: Exchange, answer: Answer) -> tuple[Violation, ...]:
    """Judge status, headers and body; empty when the provider kept the contract.

    Raises `InterlockError` where the contract of the answer cannot be compiled and the answer must be held to it.
    """
    head = exchange.method == b"HEAD"
    try:
        return served.operation.check_response(answer.status, answer.headers, answer.body, head=head)
    except InterlockError:
        if served.fault and watches_answer(served, exchange):
            return ()  # which was counted when the request came
        raise
