"""Make the call to the provider out of a validated request, and the reply out of its answer.

The body goes on byte for byte as it was validated, the path and query as they came. Headers of the
connection end here, in both directions; ours are set, never taken over from outside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from adapters.port import Call
from adapters.resilience.time_left import HEADER as BUDGET
from runtime_proxy.connection_options import END_TO_END, options_of
from runtime_proxy.credentials import CookieReader
from runtime_proxy.exchange import Headers, Reply
from runtime_proxy.forwarding import HOP_BY_HOP, is_twin
from runtime_proxy.observe import watches_request
from runtime_proxy.refusals_edge import ConnectionOptionRefused
from runtime_proxy.time_budget import TurnedBack, keep_within
from runtime_proxy.trace import continue_trace

if TYPE_CHECKING:
    from adapters.port import Answer
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation

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
    b"x-interlock-mock",
    b"x-interlock-violations",
    b"x-powered-by",
    b"x-request-id",
}
_LIMITED_INWARD: Final = _OURS_INWARD | {b"ratelimit", b"ratelimit-policy"}
_NONE: Final[frozenset[bytes]] = frozenset()
_UNBOUND: Final[list[bytes]] = []


def prepare(served: ServedOperation, exchange: Exchange) -> Call:  # noqa: C901, PLR0912 - one pass over the headers
    """Give the call for the adapter; the trace that it carries on stands in the exchange from now on.

    Raises `TurnedBack` where Connection would take away a header that the contract declares.
    """
    dropped, cookies = served.dropped, served.version.cookies
    headers: Headers = []
    traceparent: bytes | None = None
    tracestate: list[bytes] = []
    named: frozenset[bytes] = _NONE
    host = b""
    budget: list[bytes] = _UNBOUND
    for line in exchange.headers:
        name = line[0]
        if name in dropped:
            if name == b"host":
                host = line[1]
            elif name == b"traceparent":
                # Two of them are none (W3C trace context, section 3.2).
                traceparent = line[1] if traceparent is None else b""
            elif name == b"connection":
                named |= _tokens(line[1])
            elif name == BUDGET:
                budget = [*budget, line[1]]
        elif name == b"tracestate":
            tracestate.append(line[1])
        elif name.find(b"_") >= 0 and is_twin(name, dropped, served.declared):
            continue
        elif name == b"cookie" and cookies:
            rest = _without_cookies(cookies, line[1])
            if rest:
                headers.append((name, rest))
        else:
            headers.append(line)
    if named:
        if not named.isdisjoint(served.declared) and not watches_request(served, exchange):
            raise TurnedBack(ConnectionOptionRefused())
        headers = [line for line in headers if line[0] not in named]
    exchange.trace_id, sent, continued = continue_trace(traceparent)
    if continued and tracestate:
        headers.append((b"tracestate", b",".join(tracestate)))
    headers.append((b"traceparent", sent))
    headers += _announced(exchange.peer, host, exchange.secure)
    if not served.keeps_request_id:
        headers.append((b"x-request-id", exchange.request_id.encode()))
    route = served.route
    target = route.upstream_prefix + exchange.path
    query = _without_key(served, exchange.query) if exchange.query else b""
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
    if budget:
        keep_within(budget, call, exchange, served)
    if served.streams is not None:
        served.streams.equip(served, exchange, call)
    return call


def reply_of(answer: Answer, exchange: Exchange) -> Reply:
    """Give the consumer's reply: the provider's answer without what belongs to its connection."""
    head = exchange.method == b"HEAD"
    drop = _LIMITED_INWARD if exchange.limited else _OURS_INWARD
    if head or answer.status == 304:  # noqa: PLR2004 - Not Modified
        drop = drop - {b"content-length"}  # of the body that is not sent (RFC 9110 section 8.6)
    lines: Headers = []
    named: frozenset[bytes] = _NONE
    for line in answer.headers:
        if line[0] not in drop:
            lines.append(line)
        elif line[0] == b"connection":
            named |= _tokens(line[1])
    if named:  # what belongs to the whole way stays, whatever the provider says of it
        lines = [line for line in lines if line[0] not in named or line[0] in END_TO_END]
    if exchange.greeted:  # whom browsers let in is said here, whatever the provider says
        lines = [line for line in lines if not line[0].startswith(b"access-control-")]
    lines += exchange.reply_headers
    return Reply(answer.status, lines, b"" if head else answer.body)


@lru_cache(maxsize=4096)
def _announced(peer: str, host: bytes, secure: bool) -> Headers:  # noqa: FBT001 - the cache wants it so
    """Write what the provider may know about the caller's connection (RFC 7239, and its older forms)."""
    source = peer.encode("ascii", "replace")
    node = b'"[%b]"' % source if b":" in source else source
    scheme = b"https" if secure else b"http"
    return [
        (b"accept-encoding", b"identity"),
        (b"forwarded", b'for=%b;proto=%b;host="%b"' % (node, scheme, host)),
        (b"x-forwarded-for", source),
        (b"x-forwarded-proto", scheme),
        (b"x-forwarded-host", host),
    ]


def _without_key(served: ServedOperation, query: bytes) -> bytes:
    for reader in served.version.queries:
        query = reader.without(query)
    return query


def _without_cookies(readers: tuple[CookieReader, ...], line: bytes) -> bytes:
    for reader in readers:
        line = reader.without(line)
    return line


def _tokens(value: bytes) -> frozenset[bytes]:
    if value in {b"keep-alive", b"close"}:
        return _NONE
    return frozenset(options_of([value]))
