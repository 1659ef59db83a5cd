"""Replies of our own: problems, and what we answer to OPTIONS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_proxy.exchange import Headers, Reply

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import Plan
    from runtime_proxy.refusal import Refusal


def answer_of(refusal: Refusal, exchange: Exchange) -> Reply:
    """Write a refusal as the reply of this exchange, with the contract that it was judged by."""
    exchange.refusal = refusal
    version = exchange.operation.version if exchange.operation is not None else None
    lines = refusal.header_lines()
    present = {name for name, _ in exchange.reply_headers}
    if version is not None:
        lines += [line for line in version.headers if line[0] not in present]
    lines += exchange.reply_headers
    body = refusal.body(
        request_id=exchange.request_id,
        contract=version.contract if version is not None else "",
        version=version.version if version is not None else "",
        digest=version.digest if version is not None else "",
    )
    return Reply(refusal.status, lines, body, close=refusal.closes)


def options_reply(allow: Headers, exchange: Exchange) -> Reply:
    """Answer an OPTIONS that the contract leaves to us (RFC 9110 section 9.3.7)."""
    return Reply(204, [*allow, *exchange.reply_headers])


def published_reply(exchange: Exchange, plan: Plan | None, path: bytes) -> Reply | None:
    """Answer a request for a discovery document of our own (RFC 8615), the same for all; None: it is none."""
    document = plan.published.get(path) if plan is not None else None
    if document is None:
        return None
    lines = [*exchange.reply_headers]
    if exchange.method not in {b"GET", b"HEAD"}:
        return Reply(405, [(b"allow", b"GET, HEAD"), *lines])
    lines += [
        (b"content-type", b"application/json"),
        (b"cache-control", b"public, max-age=300"),
        (b"access-control-allow-origin", b"*"),  # SMART App Launch: browsers must be able to read it
    ]
    return Reply(200, lines, b"" if exchange.method == b"HEAD" else document)
