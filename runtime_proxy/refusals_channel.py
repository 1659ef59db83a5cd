"""Refusals of WebSocket channels: the handshake that would open one."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class UpgradeRequired(Refusal):
    """The channel is a WebSocket, and none was asked for."""

    slug = "upgrade-required"
    status = 426
    title = "This channel is a WebSocket"
    explanation = "The contract offers this channel as a WebSocket alone, and the request asks for none that is spoken here."
    remedy = "Open it with a WebSocket client (RFC 6455, version 13)."


class HandshakeInvalid(Refusal):
    """The request asks for a WebSocket, and is no valid handshake."""

    slug = "handshake-invalid"
    status = 400
    title = "The handshake is not valid"
    explanation = (
        "A WebSocket is opened by `Upgrade: websocket`, `Connection: Upgrade`, a `Sec-WebSocket-Key` of 16 "
        "bytes and version 13, over HTTP/1.1; or the contract offers no WebSocket here."
    )
    remedy = "Use a WebSocket client, and see that nothing on the way takes the upgrade out."


class OriginRefused(Refusal):
    """A page of this origin may not open the channel."""

    slug = "origin-refused"
    status = 403
    title = "Pages of this origin may not open the channel"
    explanation = (
        "A browser says which page opens a WebSocket, and the route does not name this page's origin. "
        "Browsers send credentials of other sites along, so that none is taken without being named."
    )
    remedy = "Have the origin added to `channels.origins` in the policy of the route."


ROWS: Final[tuple[type[Refusal], ...]] = (UpgradeRequired, HandshakeInvalid, OriginRefused)
