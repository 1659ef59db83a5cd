"""The steps of an exchange that is looked at: when each ended, and its place in its trace.

The pipeline says `mark` where a step has ended; an exchange that nobody looks at has no `Steps`, and costs the
tests for that. What is marked here is told by console/spans.py (traces) and console/recent.py (pages).
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, Protocol

from runtime_proxy.trace import new_span_id, new_trace_id, parent_of

if TYPE_CHECKING:
    from adapters.port import Call, Headers
    from runtime_proxy.trace import Parent

# Steps by name, in the order in which a call meets them; `match` holds the guard too, `body` the authorization.
MATCH: Final = "match"
WAIT: Final = "wait"  # for an issuer's keys, or what introspection says
AUTHENTICATE: Final = "authenticate"
LIMIT: Final = "limit"
BODY: Final = "body"  # authorize, then read the body from the client
VALIDATE_REQUEST: Final = "validate request"
PREPARE: Final = "prepare"  # the call to the provider is put together; its idempotency key is looked up
AUDIT: Final = "audit"  # a record is made durable
ADAPTER: Final = "adapter"
VALIDATE_RESPONSE: Final = "validate response"
ANSWER: Final = "answer"  # what is left: for a refusal, recording it


class Looked(Protocol):
    """What is read and set here of an exchange (runtime_proxy/exchange.py)."""

    headers: Headers
    started: float
    trace_id: str
    steps: Steps | None


class Steps:
    """`marks` are names with the time.perf_counter() at which each ended; each began where the one before ended.

    `traced` are those that go to a collector, `kept` those that the console shows.
    """

    __slots__ = ("kept", "marks", "parent", "sent_span", "span_id", "trace_id", "traced", "wall_ns")

    def __init__(self, exchange: Looked, parent: Parent | None, *, traced: bool, kept: bool) -> None:
        self.traced = traced
        self.kept = kept
        self.parent = "" if parent is None else parent.span_id
        self.trace_id = new_trace_id() if parent is None else parent.trace_id
        self.span_id = new_span_id()
        self.sent_span = ""  # id of the span that the provider is told of
        self.marks: list[tuple[str, float]] = []
        # One reading of each clock: `started` in nanoseconds since the epoch.
        self.wall_ns = time.time_ns() - int((time.perf_counter() - exchange.started) * 1e9)

    def mark(self, step: str) -> None:
        """Say that a step has ended."""
        self.marks.append((step, time.perf_counter()))

    def judging(self) -> None:
        """Say that an operation was found; the head is judged once more where somebody had to be asked."""
        self.mark(WAIT if self.marks else MATCH)

    def going_out(self, exchange: Looked, call: Call) -> None:
        """Let the provider, and the audit records, know the trace of a call that is traced."""
        self.mark(PREPARE)
        if not self.traced:
            return
        self.sent_span = new_span_id()
        exchange.trace_id = self.trace_id
        ours = (b"traceparent", f"00-{self.trace_id}-{self.sent_span}-01".encode())
        call.headers = [ours if line[0] == b"traceparent" else line for line in call.headers]


class Sampling:
    """Decides from its head which exchange is looked at.

    A caller's `sampled` flag decides where `follows`, `trace_ratio` (0 to 1) else; `kept_ratio` is that of the
    console. None of them: nothing is traced, nothing is kept.
    """

    def __init__(self, *, trace_ratio: float | None, kept_ratio: float | None, follows: bool) -> None:
        self._trace_ratio = trace_ratio
        self._kept_ratio = kept_ratio or 0.0
        self._follows = follows

    def begin(self, exchange: Looked) -> None:
        """Give the exchange its `Steps`, if it is looked at."""
        draw = random.random()  # noqa: S311 - one draw for both: what the console shows has a trace
        kept = draw < self._kept_ratio
        if self._trace_ratio is None:
            if kept:
                exchange.steps = Steps(exchange, None, traced=False, kept=True)
            return
        parent = parent_of(exchange.headers)
        traced = parent.sampled if parent is not None and self._follows else draw < self._trace_ratio
        if traced or kept:
            steps = exchange.steps = Steps(exchange, parent, traced=traced, kept=kept)
            if traced:
                exchange.trace_id = steps.trace_id  # for the record of a refusal too
