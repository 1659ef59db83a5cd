"""What an audit record says of an exchange beside the plain facts: these need the longer way of writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange


def note_further(record: dict[str, Any], exchange: Exchange) -> None:
    """Add how the caller was known and what for, what went on of a streamed body, what was let through, what was kept."""
    identity = exchange.identity
    if identity is not None and identity.noted is not None:
        record.update(identity.noted)
    if exchange.source is not None:
        record.update(exchange.source.facts())
    if exchange.observed:
        of_answer = exchange.observed_answers
        record["report_only"] = True
        record["let_through"] = {"request": exchange.observed - of_answer, "response": of_answer}
    if exchange.cached:
        record["cache"] = exchange.cached
        if exchange.cached == "hit":  # nobody was asked
            record.pop("upstream_status", None)
            record.pop("upstream_us", None)
