"""Make the call to the provider out of a validated request, and the reply out of its answer.

The body goes on byte for byte as it was validated, the path and query as they came. Headers of the
connection end here, in both directions; ours are set, never taken over from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.port import Call
from runtime_proxy.credentials import CookieReader
from runtime_proxy.exchange import Headers, Reply
from runtime_proxy.trace import continue_trace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.port import Answer
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation

# RFC 9110 section 7.6.1, and the fields that frame or route one connection's message.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Set by us or by the adapter, so never taken from the caller.
OURS_OUTWARD: Final = HOP_BY_HOP | {
    b"accept-encoding",
    b"content-length",
    b"expect",
    b"forwarded",
    b"host",
    b"traceparent",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-interlock-contract",
    b"x-interlock-violations",
    b"x-real-ip",
    b"x-request-id",
}
# Never shown to the consumer: framing, what we set ourselves, and what only tells an attacker something.
_OURS_INWARD: Final = HOP_BY_HOP | {
    b"alt-svc",
    b"content-length",
    b"date",
    b"server",
    b"traceparent",
    b"via",
    b"x-aspnet-version",
    b"x-interlock-contract",
    b"x-interlock-violations",
    b"x-powered-by",
    b"x-request-id",
}
_LIMIT_LINES: Final = frozenset({b"ratelimit", b"ratelimit-policy"})


def prepare(served: ServedOperation, exchange: Exchange) -> tuple[Call, str]:
    """Give the call for the adapter, and the trace id that it carries on."""
    headers, traceparent, tracestate, named = _pass_on(served, exchange.headers)
    if named:
        headers = [line for line in headers if line[0] not in named]
    trace_id, line, continued = continue_trace(traceparent)
    if continued and tracestate is not None:
        headers.append((b"tracestate", tracestate))
    headers.append((b"traceparent", line))
    _announce(served, exchange, headers)
    route = served.route
    target = route.upstream_prefix + exchange.path
    query = _without_key(served, exchange.query)
    call = Call(
        exchange.method,
        target + b"?" + query if query else target,
        headers,
        exchange.body,
        route.timeout_seconds,
        served.version.contract,
        served.operation.id,
        served.idempotent,
    )
    return call, trace_id


def reply_of(answer: Answer, ours: Headers, *, head: bool) -> Reply:
    """Give the consumer's reply: the provider's answer without what belongs to its connection."""
    drop = _OURS_INWARD
    if head or answer.status == 304:  # noqa: PLR2004 - Not Modified
        drop = drop - {b"content-length"}  # of the body that is not sent (RFC 9110 section 8.6)
    if any(line[0] == b"ratelimit" for line in ours):
        drop = drop | _LIMIT_LINES
    lines: Headers = []
    named: frozenset[bytes] = frozenset()
    for line in answer.headers:
        if line[0] not in drop:
            lines.append(line)
        elif line[0] == b"connection":
            named |= _tokens(line[1])
    if named:
        lines = [line for line in lines if line[0] not in named]
    lines += ours
    return Reply(answer.status, lines, b"" if head else answer.body)


def _pass_on(
    served: ServedOperation, incoming: Iterable[tuple[bytes, bytes]]
) -> tuple[Headers, bytes | None, bytes | None, frozenset[bytes]]:
    """Sort the caller's headers: passed on, traceparent, tracestate, and what Connection names."""
    dropped = served.dropped
    kept: Headers = []
    traceparent: bytes | None = None
    tracestate: list[bytes] = []
    named: frozenset[bytes] = frozenset()
    for line in incoming:
        name = line[0]
        if name in dropped:
            if name == b"traceparent":
                # Two of them are none (W3C trace context, section 3.2).
                traceparent = line[1] if traceparent is None else b""
            elif name == b"connection":
                named |= _tokens(line[1])
        elif name == b"tracestate":
            tracestate.append(line[1])
        elif b"_" in name and name.replace(b"_", b"-") in dropped:
            continue  # to many servers x_api_key and X-API-Key are the same variable
        elif name == b"cookie" and served.version.cookies:
            rest = _without_cookies(served.version.cookies, line[1])
            if rest:
                kept.append((name, rest))
        else:
            kept.append(line)
    return kept, traceparent, b",".join(tracestate) if tracestate else None, named


def _announce(served: ServedOperation, exchange: Exchange, headers: Headers) -> None:
    """Add what the provider may know about the caller's connection (RFC 7239, and its older forms)."""
    peer = exchange.peer.encode("ascii", "replace")
    node = b'"[%b]"' % peer if b":" in peer else peer
    scheme = b"https" if exchange.secure else b"http"
    host = next((line[1] for line in exchange.headers if line[0] == b"host"), b"")
    headers += (
        (b"accept-encoding", b"identity"),
        (b"forwarded", b'for=%b;proto=%b;host="%b"' % (node, scheme, host)),
        (b"x-forwarded-for", peer),
        (b"x-forwarded-proto", scheme),
        (b"x-forwarded-host", host),
    )
    if not served.keeps_request_id:
        headers.append((b"x-request-id", exchange.request_id.encode()))


def _without_key(served: ServedOperation, query: bytes) -> bytes:
    for reader in served.version.queries:
        query = reader.without(query)
    return query


def _without_cookies(readers: tuple[CookieReader, ...], line: bytes) -> bytes:
    for reader in readers:
        line = reader.without(line)
    return line


def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip().lower() for token in value.split(b","))
