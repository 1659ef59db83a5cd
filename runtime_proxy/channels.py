"""Opens the WebSocket channels of AsyncAPI contracts: handshake, origin, record, provider; then a conversation."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from adapters.errors import UpstreamError
from adapters.port import open_through
from adapters.wire.http_fields import values_of
from kernel.errors import AuditError
from runtime_proxy.connection_options import options_of
from runtime_proxy.conversation import Conversation
from runtime_proxy.exchange import Reply
from runtime_proxy.refusals_channel import HandshakeInvalid, OriginRefused, UpgradeRequired

if TYPE_CHECKING:
    from adapters.port import Call
    from runtime_proxy.exchange import Exchange, Headers
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.settle import Settling
    from runtime_proxy.trail import Trail

_VERSION: Final = b"13"  # RFC 6455 section 4.1
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")  # 16 bytes
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MOST_SUBPROTOCOLS: Final = 16


async def enter_channel(
    served: ServedOperation, exchange: Exchange, call: Call, trail: Trail, settling: Settling
) -> Reply | None:
    """Open the channel, or say why not; None: it is asked for its events, by an ordinary GET."""
    assert served.channel is not None
    asked = b"websocket" in options_of(values_of(exchange.headers, b"upgrade"))
    if served.channel.events and not (asked and exchange.modern):  # RFC 9110 section 7.8: ignored in HTTP/1.0
        return None
    if not asked:
        return await settling.refuse(exchange, UpgradeRequired(headers=[(b"upgrade", b"websocket")]))
    offered = _offered(exchange.headers)
    refusal = _refusal_of(served, exchange, offered)
    if refusal is not None:
        return await settling.refuse(exchange, refusal)
    try:
        trail.check()
        await trail.received(exchange)
    except AuditError as error:
        return settling.not_carried(exchange, error)
    adapter = served.route.adapter.adapter
    loop = asyncio.get_running_loop()
    exchange.sent = True
    try:
        # In a task of its own: time-outs need one, and whoever waits here may be driven without.
        provider = await loop.create_task(
            open_through(
                adapter,
                call,
                tuple(one.decode("latin-1") for one in offered[:_MOST_SUBPROTOCOLS]),
                served.route.streams.item_bytes,
            )
        )
    except UpstreamError as error:
        return await settling.no_answer(exchange, served, error)
    except asyncio.CancelledError:
        settling.abandoned(exchange)
        raise
    reply = Reply(101, exchange.reply_headers)
    reply.stream = Conversation(served, exchange, provider, trail)
    return reply


def _refusal_of(served: ServedOperation, exchange: Exchange, offered: list[bytes]) -> Refusal | None:
    """Judge the whole handshake (RFC 6455 section 4.2.1): the provider is not asked for what none can open."""
    channel, headers = served.channel, exchange.headers
    if channel is None or not channel.sockets:
        return HandshakeInvalid("This channel is no WebSocket: ask for its events by GET.")
    if exchange.method != b"GET" or not exchange.modern:
        return HandshakeInvalid("A WebSocket is opened by GET, over HTTP/1.1.")
    if values_of(headers, b"sec-websocket-version") != [_VERSION]:
        return UpgradeRequired(
            "Version 13 of the protocol is spoken here.",
            headers=[(b"upgrade", b"websocket"), (b"sec-websocket-version", _VERSION)],
        )
    fault = _fault_of(headers, offered)
    if fault:
        return HandshakeInvalid(fault)
    origins = values_of(headers, b"origin")
    if any(served.route.origins.isdisjoint({one.decode("latin-1"), "*"}) for one in origins):
        return OriginRefused()
    return None


def _fault_of(headers: Headers, offered: list[bytes]) -> str:
    """Say which field of the handshake is wrong; "" for none."""
    if b"upgrade" not in options_of(values_of(headers, b"connection")):
        return "`Connection` does not name `Upgrade`."
    keys = values_of(headers, b"sec-websocket-key")
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        return "One `Sec-WebSocket-Key` of 16 bytes is needed."
    if not all(_TOKEN.fullmatch(one) for one in offered):
        return "`Sec-WebSocket-Protocol` is no list of names."
    return ""


def _offered(headers: Headers) -> list[bytes]:
    """Give the subprotocols of all lines, in order (RFC 6455 section 11.3.4)."""
    found = b",".join(values_of(headers, b"sec-websocket-protocol")).split(b",")
    return [one for token in found if (one := token.strip(b" \t"))]
