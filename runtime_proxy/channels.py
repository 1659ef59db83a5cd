"""Opens the WebSocket channels of AsyncAPI contracts: handshake, origin, record, provider; then a conversation."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Final

from adapters.errors import UpstreamError
from adapters.port import open_through
from kernel.errors import AuditError
from runtime_proxy.conversation import Conversation
from runtime_proxy.exchange import Reply
from runtime_proxy.refusals_channel import HandshakeInvalid, OriginRefused, UpgradeRequired

if TYPE_CHECKING:
    from adapters.port import Call
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.settle import Settling
    from runtime_proxy.trail import Trail

_VERSION: Final = b"13"  # RFC 6455 section 4.1
_KEY_BYTES: Final = 16
_MOST_SUBPROTOCOLS: Final = 16


async def enter_channel(
    served: ServedOperation, exchange: Exchange, call: Call, trail: Trail, settling: Settling
) -> Reply | None:
    """Open the channel, or say why not; None: it is asked for its events, by an ordinary GET."""
    assert served.channel is not None
    fields = dict(exchange.headers)
    if b"websocket" not in _tokens(fields.get(b"upgrade", b"")):
        if served.channel.events:
            return None
        return await settling.refuse(exchange, UpgradeRequired(headers=[(b"upgrade", b"websocket")]))
    refusal = _refusal_of(served, fields)
    if refusal is not None:
        return await settling.refuse(exchange, refusal)
    try:
        trail.check()
        await trail.received(exchange)
    except AuditError as error:
        return settling.not_carried(exchange, error)
    offered = _tokens(fields.get(b"sec-websocket-protocol", b""), lower=False)[:_MOST_SUBPROTOCOLS]
    adapter = served.route.adapter.adapter
    loop = asyncio.get_running_loop()
    exchange.sent = True
    try:
        # In a task of its own: time-outs need one, and whoever waits here may be driven without.
        provider = await loop.create_task(
            open_through(
                adapter,
                call,
                tuple(one.decode("latin-1") for one in offered),
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


def _refusal_of(served: ServedOperation, fields: dict[bytes, bytes]) -> Refusal | None:
    channel = served.channel
    if channel is None or not channel.sockets:
        return HandshakeInvalid("This channel is no WebSocket: ask for its events by GET.")
    if fields.get(b"sec-websocket-version") != _VERSION:
        return UpgradeRequired(
            "Version 13 of the protocol is spoken here.",
            headers=[(b"upgrade", b"websocket"), (b"sec-websocket-version", _VERSION)],
        )
    if b"upgrade" not in _tokens(fields.get(b"connection", b"")) or not _is_key(
        fields.get(b"sec-websocket-key")
    ):
        return HandshakeInvalid()
    origin = fields.get(b"origin")
    if origin is not None and served.route.origins.isdisjoint({origin.decode("latin-1"), "*"}):
        return OriginRefused()
    return None


def _is_key(value: bytes | None) -> bool:
    try:
        return value is not None and len(base64.b64decode(value, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False


def _tokens(value: bytes, *, lower: bool = True) -> list[bytes]:
    found = [token.strip(b" \t") for token in value.split(b",")]
    return [token.lower() if lower else token for token in found if token]
