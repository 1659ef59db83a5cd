"""Request bodies that are sent as they arrive, no faster than the provider takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from adapters.errors import UpstreamBroken, UpstreamError

if TYPE_CHECKING:
    from adapters.port import BodySource

_LAST_CHUNK: Final = b"0\r\n\r\n"


class Outlet(Protocol):
    """What the connection of a provider offers to whoever writes a body (`HttpConnection`)."""

    def write_body(self, *parts: bytes) -> None:
        """Write bytes of the body."""

    async def drained(self) -> None:
        """Wait until the provider has taken enough of it."""

    def body_ended(self) -> None:
        """Take it that the request is whole now."""

    def body_broken(self, error: UpstreamError) -> None:
        """Take it that the request will never be whole."""


def framing_of(source: BodySource) -> bytes:
    """Give the field line that frames the body (RFC 9112 section 6)."""
    if source.length is None:
        return b"transfer-encoding: chunked"
    return b"content-length: %d" % source.length


async def send_body(source: BodySource, outlet: Outlet) -> None:
    """Pass the body on; whatever breaks it off disconnects the provider, who sees it incomplete."""
    chunked = source.length is None
    try:
        while piece := await source.read():
            if chunked:
                outlet.write_body(b"%x\r\n" % len(piece), piece, b"\r\n")
            else:
                outlet.write_body(piece)
            await outlet.drained()
        if chunked:
            outlet.write_body(_LAST_CHUNK)
        outlet.body_ended()
    except UpstreamError as error:
        outlet.body_broken(error)
    except Exception as error:  # noqa: BLE001 - a fault of the source must end the call, not hang it
        outlet.body_broken(UpstreamBroken(f"the body broke off: {type(error).__name__}", sent=True))
