"""What is kept of an exchange that was looked at: times, names out of the bundle, and nothing that was sent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime_proxy.steps import ANSWER

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange, Reply

METHODS: Final = frozenset(b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY".split())
OTHER_METHOD: Final = "_OTHER"  # OpenTelemetry's word; an unknown method is the caller's text


@dataclass(frozen=True, slots=True)
class Seen:
    """One answered exchange; `steps` are name and end, in microseconds after `started_ns` (since the epoch).

    `template` is that of the contract, never the path that was asked for.
    """

    started_ns: int
    total_us: int
    provider_us: int
    steps: tuple[tuple[str, int], ...]
    method: str
    status: int
    request_id: str
    sent: bool
    secure: bool
    contract: str = ""
    version: str = ""
    operation: str = ""
    template: str = ""
    route: str = ""
    partner: str = ""
    consumer: str = ""
    refusal: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent: str = ""
    sent_span: str = ""


def seen(exchange: Exchange, reply: Reply) -> Seen:
    """Take down an exchange with its answer, which is about to be written; with no steps where it has none."""
    now, started, steps = time.perf_counter(), exchange.started, exchange.steps
    served, identity, refusal = exchange.operation, exchange.identity, exchange.refusal
    named = {}
    if served is not None:
        named = {
            "contract": served.version.contract,
            "version": served.version.version,
            "operation": served.operation.id,
            "template": served.route.base.decode() + served.operation.template,
            "route": served.route.name,
            "partner": served.route.adapter.name,
        }
    if identity is not None and identity.key is not None:
        named["consumer"] = identity.key.consumer.id
    if refusal is not None:
        named["refusal"] = refusal.slug
    marks = []
    if steps is not None:
        named |= {"span_id": steps.span_id, "parent": steps.parent, "sent_span": steps.sent_span}
        marks = [*steps.marks, (ANSWER, now)]
    return Seen(
        started_ns=time.time_ns() - int((now - started) * 1e9) if steps is None else steps.wall_ns,
        total_us=int((now - started) * 1e6),
        provider_us=int(exchange.upstream_seconds * 1e6),
        steps=tuple((name, int((ended - started) * 1e6)) for name, ended in marks),
        method=exchange.method.decode() if exchange.method in METHODS else OTHER_METHOD,
        status=reply.status,
        request_id=exchange.request_id,
        sent=exchange.sent,
        secure=exchange.secure,
        trace_id=steps.trace_id if steps is not None and steps.traced else exchange.trace_id,
        **named,
    )
