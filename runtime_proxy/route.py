"""Make the call to the provider out of a validated request, and the reply out of its answer.

The body goes on byte for byte as it was validated, the path and query as they came. Headers of the
connection end here, in both directions; ours are set, never taken over from outside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from adapters.port import Call
from adapters.resilience.time_left import HEADER as BUDGET
from adapters.wire.http_fields import OURS, encode
from runtime_proxy.connection_options import NOTHING, named_by
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
_NONE_YET: Final[list[bytes]] = []  # never changed


class Passing:
    """What of a request's headers goes on to the provider, with ours that say where it came from."""

    __slots__ = ("budget", "headers", "lines", "peer", "secure", "traceparent", "tracestate")

    def __init__(self, exchange: Exchange) -> None:
        self.peer = exchange.peer
        self.secure = exchange.secure
        self.headers: Headers = []
        self.lines = b""  # the same as they are written, once they have come again
        self.traceparent: bytes | None = None
        self.tracestate: list[bytes] = _NONE_YET
        self.budget: list[bytes] = _NONE_YET  # how long the caller waits

    @property
    def recurs(self) -> bool:
        """Say whether other calls with the same field lines pass the same on."""
        return self.traceparent is None and not (self.tracestate or self.budget)

    def is_of(self, exchange: Exchange) -> bool:
        """Say whether it holds for another exchange with the same field lines."""
        return self.peer == exchange.peer and self.secure == exchange.secure


def prepare(served: ServedOperation, exchange: Exchange) -> Call:
    """Give the call for the adapter; the trace that it carries on stands in the exchange from now on.

    Raises `TurnedBack` where Connection would take away a header that the contract declares.
    """
    known = exchange.known
    passing: Passing | None = None if known is None else known.made.get(served)
    if passing is None or not passing.is_of(exchange):
        passing = _passing(served, exchange)
        if known is not None and passing.recurs:
            passing.lines = encode(passing.headers, OURS)
            known.keep(served, passing)
    exchange.trace_id, traceparent, continued = continue_trace(passing.traceparent)
    headers = passing.headers.copy()
    if continued and passing.tracestate:
        headers.append((b"tracestate", b",".join(passing.tracestate)))
    headers.append((b"traceparent", traceparent))
    lines = passing.lines
    if lines:
        lines = b"%btraceparent: %b\r\n" % (lines, traceparent)
    if not served.keeps_request_id:
        request_id = exchange.request_id.encode()
        headers.append((b"x-request-id", request_id))
        if lines:
            lines = b"%bx-request-id: %b\r\n" % (lines, request_id)
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
    if lines:
        call.note_lines(lines)
    if passing.budget:
        keep_within(passing.budget, call, exchange, served)
    return call


def _passing(  # noqa: C901, PLR0912 - one pass over the headers
    served: ServedOperation, exchange: Exchange
) -> Passing:
    dropped, cookies = served.dropped, served.version.cookies
    passing = Passing(exchange)
    headers = passing.headers
    named = NOTHING
    host = b""
    for line in exchange.headers:
        name = line[0]
        if name in dropped:
            if name == b"host":
                host = line[1]
            elif name == b"traceparent":
                # Two of them are none (W3C trace context, section 3.2).
                passing.traceparent = line[1] if passing.traceparent is None else b""
            elif name == b"connection":
                named |= named_by(line[1])
            elif name == BUDGET:
                passing.budget = [*passing.budget, line[1]]
        elif name == b"tracestate":
            passing.tracestate = [*passing.tracestate, line[1]]
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
        headers = passing.headers = [line for line in headers if line[0] not in named]
    headers += _announced(exchange.peer, host, exchange.secure)
    return passing


def reply_of(answer: Answer, exchange: Exchange) -> Reply:
    """Give the consumer's reply: what is left of the provider's answer, without the fields of its connection."""
    head = exchange.method == b"HEAD"
    drop = _LIMITED_INWARD if exchange.limited else _OURS_INWARD
    if head or answer.status == 304:  # noqa: PLR2004 - Not Modified
        drop = drop - {b"content-length"}  # of the body that is not sent (RFC 9110 section 8.6)
    lines = [line for line in answer.headers if line[0] not in drop]
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
