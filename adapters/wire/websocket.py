"""One end of a WebSocket (RFC 6455): whole messages in and out, over bytes that somebody else carries.

The protocol itself is the `websockets` package's, without its sockets. No extension is offered or taken up:
what is judged is what is sent, and nothing unpacks into more than it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.server import ServerProtocol

_MOST_HELD: Final = 256 * 1024  # bytes of messages that wait, from which on no more is read
_MOST_WAITING: Final = 64  # messages
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
GOING_AWAY: Final = int(CloseCode.GOING_AWAY)
POLICY: Final = int(CloseCode.POLICY_VIOLATION)
INTERNAL: Final = int(CloseCode.INTERNAL_ERROR)
NORMAL: Final = int(CloseCode.NORMAL_CLOSURE)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was sent: `text` says which of the two kinds it is; `data` is UTF-8 then."""

    text: bool
    data: bytes


class Carrier(Protocol):
    """Carries the bytes of one end."""

    def write(self, data: bytes) -> None:
        """Write bytes."""

    async def drained(self) -> None:
        """Wait until the peer has taken enough of them."""

    def hold(self, hold: bool) -> None:  # noqa: FBT001 - a switch
        """Read no more from the peer (True), or read on."""

    def end(self) -> None:
        """Close the connection once everything is written."""


class Socket:
    """A WebSocket whose handshake is done by its owner; `feed` it what arrives, `lost` when that ends.

    `receive` gives messages in order, None once the peer has closed or is gone; then `code` says how
    (1006 where it never said so). A peer that breaks the protocol, or passes `max_size`, is closed with the
    code that the package chooses (1002, 1007, 1009).
    """

    def __init__(self, protocol: ClientProtocol | ServerProtocol, carrier: Carrier) -> None:
        self._protocol = protocol
        self._carrier = carrier
        self._waiting: deque[Message] = deque()
        self._held = 0
        self._parts: list[bytes] = []
        self._text = False
        self._reader: asyncio.Future[None] | None = None
        self._paused = False
        self._ended = False
        self.heard = asyncio.get_running_loop().time()  # when the peer last sent anything

    @property
    def code(self) -> int:
        """The close code that the peer gave (1000 for an empty goodbye), 1006 where it is gone without one."""
        said = self._protocol.close_rcvd
        if said is None:
            return int(CloseCode.ABNORMAL_CLOSURE)
        return NORMAL if said.code == CloseCode.NO_STATUS_RCVD else int(said.code)

    @property
    def failed(self) -> bool:
        """Whether we closed it, for a frame or message that the protocol does not allow."""
        return self._protocol.close_sent is not None and self._protocol.close_rcvd is None

    @property
    def ended(self) -> bool:
        """Whether nothing more passes, in either direction."""
        return self._ended or self._protocol.state is State.CLOSED

    @property
    def open(self) -> bool:
        """Whether messages can still be sent."""
        return self._protocol.state is State.OPEN and not self._ended

    @property
    def held(self) -> int:
        """How many bytes of messages wait to be received."""
        return self._held

    # -- bytes ----------------------------------------------------------------------------------------
    def feed(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self.heard = asyncio.get_running_loop().time()
        self._protocol.receive_data(data)
        self._turn()

    def lost(self, slug: str = "") -> None:
        """Take it that no more bytes will come."""
        del slug
        if not self._ended:
            self._ended = True
            if self._protocol.state is not State.CLOSED:
                self._protocol.receive_eof()
            self._wake()

    def flush(self) -> None:
        """Write what the protocol has to say; b"" among it means: end the connection."""
        for data in self._protocol.data_to_send():
            if data:
                self._carrier.write(data)
            else:
                self._carrier.end()

    def _turn(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in _DATA:
                self._take(event)
        self.flush()
        if self._protocol.state in (State.CLOSING, State.CLOSED):
            self._wake()
        if not self._paused and (self._held > _MOST_HELD or len(self._waiting) > _MOST_WAITING):
            self._paused = True
            self._carrier.hold(True)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._parts = []
            self._text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data = b"".join(self._parts)
            self._parts = []
            if self._text and not _is_utf8(data):
                self._protocol.fail(CloseCode.INVALID_DATA)
                return
            self._waiting.append(Message(self._text, data))
            self._held += len(data)
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # -- messages -------------------------------------------------------------------------------------
    async def receive(self) -> Message | None:
        """Give the next message; None once there will be none."""
        while not self._waiting:
            if self._ended or self._protocol.state is not State.OPEN:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._waiting.popleft()
        self._held -= len(message.data)
        if self._paused and self._held <= _MOST_HELD // 4 and len(self._waiting) <= _MOST_WAITING // 4:
            self._paused = False
            self._carrier.hold(False)
        return message

    async def send(self, message: Message) -> None:
        """Send a message, no faster than the peer takes it; nothing where it is closed."""
        if self.open:
            if message.text:
                self._protocol.send_text(message.data)
            else:
                self._protocol.send_binary(message.data)
            self.flush()
            await self._carrier.drained()

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self.open:
            self._protocol.send_ping(b"")
            self.flush()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye; the connection ends when the peer has answered, or its carrier's patience does."""
        if self._protocol.state is State.OPEN and not self._ended:
            self._protocol.send_close(code, reason)
            self.flush()
        self._wake()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
