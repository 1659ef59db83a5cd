"""Writes exchanges as OpenTelemetry spans, in the JSON of OTLP 1.x (opentelemetry-proto, trace/v1).

Names follow the semantic conventions for HTTP 1.2x and later. Left out on purpose: `url.path`, `url.query`,
`client.address` and headers, which may be health data or name a person; `http.route` says what was called.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import orjson

from runtime_proxy import steps
from runtime_proxy.trace import new_span_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime_proxy.console.seen import Seen

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3  # SpanKind
_ERROR: Final = 2  # StatusCode
_SAMPLED: Final = 0x01
_REMOTE_PARENT: Final = 0x300  # SpanFlags: it is known whether the parent is remote, and it is
_LOCAL_PARENT: Final = 0x100  # it is known, and it is not
_SERVER_ERROR: Final = 500
# Steps that have a span of their own; the rest is what the server span has beside them.
_SPANS: Final = {
    steps.WAIT: "wait for issuer",
    steps.AUTHENTICATE: "authenticate",
    steps.LIMIT: "limit",
    steps.VALIDATE_REQUEST: "validate request",
    steps.VALIDATE_RESPONSE: "validate response",
    steps.AUDIT: "audit",
}
# Refusals that stand for what went wrong with the provider, whose span ends with them.
_PROVIDERS: Final = frozenset(
    {"circuit-open", "provider-busy", "upstream-broken", "upstream-timeout", "upstream-unreachable"}
)


def resource_of(environment: str, worker: str) -> dict[str, Any]:
    """Say who sends: the `resource` of all spans of a worker."""
    return {
        "attributes": _attributes(
            {
                "service.name": "interlock-proxy",
                "service.version": version("interlock"),
                "service.instance.id": f"{os.uname().nodename}/{worker}",
                "deployment.environment.name": environment,
                "process.pid": os.getpid(),
            }
        )
    }


def export_request(resource: dict[str, Any], seen: Iterable[Seen]) -> bytes:
    """Write an ExportTraceServiceRequest."""
    spans = [span for one in seen for span in _spans_of(one)]
    scope = {"name": "interlock.runtime_proxy", "version": version("interlock")}
    return orjson.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}
    )


def _spans_of(one: Seen) -> list[dict[str, Any]]:
    spans = [_server_span(one)]
    begun = 0
    for name, ended in one.steps:
        if name == steps.ADAPTER:
            spans.append(_client_span(one, begun, ended))
        elif name in _SPANS:
            spans.append(_span(one, _SPANS[name], _INTERNAL, begun, ended))
        begun = ended
    return spans


def _server_span(one: Seen) -> dict[str, Any]:
    span = _span(one, f"{_verb(one)} {one.template}".rstrip(), _SERVER, 0, one.total_us)
    span |= {"spanId": one.span_id, "flags": _SAMPLED | (_REMOTE_PARENT if one.parent else _LOCAL_PARENT)}
    span["parentSpanId"] = one.parent
    failed = one.status >= _SERVER_ERROR
    span["attributes"] = _attributes(
        {
            "http.request.method": one.method,
            "http.route": one.template,
            "http.response.status_code": one.status,
            "url.scheme": "https" if one.secure else "http",
            "network.protocol.name": "http",
            "error.type": (one.refusal or str(one.status)) if failed else "",
            "interlock.request_id": one.request_id,
            "interlock.contract": one.contract,
            "interlock.contract.version": one.version,
            "interlock.operation": one.operation,
            "interlock.route": one.route,
            "interlock.consumer": one.consumer,
            "interlock.refusal": one.refusal,
        }
    )
    if failed:  # 4xx is no error of a server (semantic conventions, HTTP spans, "Status")
        span["status"] = {"code": _ERROR}
    return span


def _client_span(one: Seen, begun: int, ended: int) -> dict[str, Any]:
    span = _span(one, _verb(one), _CLIENT, begun, ended)
    span["spanId"] = one.sent_span or span["spanId"]
    fault = one.refusal if one.refusal in _PROVIDERS else ""
    answered = not one.refusal  # else the status that we answered with is our own
    if answered and one.status >= 400:  # noqa: PLR2004 - for a client 4xx is an error too
        fault = str(one.status)
    span["attributes"] = _attributes(
        {
            "http.request.method": one.method,
            "http.response.status_code": one.status if answered else 0,
            "error.type": fault,
            "interlock.partner": one.partner,
        }
    )
    if fault:
        span["status"] = {"code": _ERROR}
    return span


def _span(one: Seen, name: str, kind: int, begun: int, ended: int) -> dict[str, Any]:
    return {
        "traceId": one.trace_id,
        "spanId": new_span_id(),
        "parentSpanId": one.span_id,
        "flags": _SAMPLED | _LOCAL_PARENT,
        "name": name,
        "kind": kind,
        # 64-bit numbers are strings in the JSON of Protocol Buffers.
        "startTimeUnixNano": str(one.started_ns + begun * 1000),
        "endTimeUnixNano": str(one.started_ns + ended * 1000),
    }


def _verb(one: Seen) -> str:
    return "HTTP" if one.method == "_OTHER" else one.method  # as the conventions name such a span


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    """Write attributes; what is empty is left out."""
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
        if value
    ]
