"""Hold the provider's answer to the contract; what breaks it is recorded, and never shown to the consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.port import Answer
    from kernel.operation.violation import Violation
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation


def validate_response(served: ServedOperation, exchange: Exchange, answer: Answer) -> tuple[Violation, ...]:
    """Judge status, headers and body; empty when the provider kept the contract."""
    head = exchange.method == b"HEAD"
    return served.operation.check_response(answer.status, answer.headers, answer.body, head=head)
