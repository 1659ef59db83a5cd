"""Says whether the end of a call speaks against its provider: what callers can bring about must not."""

from __future__ import annotations

from typing import Final

from adapters.errors import CallShed, UpstreamBroken, UpstreamError, UpstreamTimeout
from adapters.port import Answer, Call
from adapters.resilience.time_left import hurried

FAILURES: Final = frozenset({500, 502, 503, 504})  # statuses that count against a provider


def speaks_against(outcome: Answer | UpstreamError, call: Call) -> bool | None:
    """Judge an answer or a failure; None: it says nothing of the provider."""
    if isinstance(outcome, Answer):
        return outcome.status in FAILURES
    if isinstance(outcome, CallShed) or (isinstance(outcome, UpstreamBroken) and not outcome.sent):
        return None
    if isinstance(outcome, UpstreamTimeout) and hurried(call):
        return None
    return True
