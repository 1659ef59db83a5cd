"""The listener of one laboratory connection: MLLP blocks in, the intake's answers out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adapters.devices.lab_hl7v2.device import LabDevice
from adapters.wire.mllp.framing import Block
from adapters.wire.mllp.server import MllpServer, Send
from adapters.wire.mllp.tls import server_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.intake import Intake

log = logging.getLogger(__name__)
_DAMAGE = {
    "whole": "",
    "incomplete": "transmission-incomplete",
    "too-large": "message-too-large",
    "broken": "frame-broken",
}


class LabListener:
    """Listens for one device connection; `intake` is asked for when the listener starts."""

    kind = "lab_hl7v2"

    def __init__(self, device: LabDevice, intake: Callable[[], Intake]) -> None:
        self.name = device.name
        self.device = device
        self._find_intake = intake
        self._intake: Intake | None = None
        settings = device.settings
        tls = server_context(**settings.tls) if settings.tls else None
        self._server = MllpServer(self._take, limits=settings.limits, tls=tls)

    async def start(self) -> None:
        """Finish what an earlier process left, then bind and listen; raises `ListenFailed`."""
        self._intake = self._find_intake()
        recovered = await self._intake.recover(self.device)
        if recovered:
            log.info("%s: %d messages of an earlier run are settled", self.name, recovered)
        await self._server.start(self.device.settings.host, self.device.settings.port)

    async def stop(self) -> None:
        """Stop accepting, finish messages under way, close."""
        await self._server.stop()

    def address(self) -> tuple[str, int]:
        """Return the bound host and port."""
        return self._server.address()

    async def _take(self, block: Block, peer: str, send: Send) -> None:
        del peer  # attribution goes by the header; who may connect is ruled by TLS and the network
        assert self._intake is not None
        await self._intake.take(block.data, self.device, send, damage=_DAMAGE[block.kind])
