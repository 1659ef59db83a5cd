"""The sending side of MLLP: one connection, messages out, answers in."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

from adapters.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from adapters.wire.mllp.framing import Block, Deframer, frame

_CHUNK = 64 * 1024
_LARGEST_ANSWER = 1024 * 1024
_FOREIGN = 16  # answers to other messages that are passed over before giving up


class MllpClient:
    """Use as `async with MllpClient(host, port) as line: …`, then `send`, `receive`, `exchange`."""

    def __init__(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None, seconds: float = 30.0
    ) -> None:
        self._host, self._port, self._tls, self._seconds = host, port, tls, seconds
        self._deframer = Deframer(_LARGEST_ANSWER)
        self._waiting: list[Block] = []
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        """Connect; raises `UpstreamUnreachable`."""
        try:
            self._reader, self._writer = await asyncio.wait_for(
                asyncio.open_connection(self._host, self._port, ssl=self._tls), self._seconds
            )
        except (OSError, TimeoutError) as error:
            raise UpstreamUnreachable(f"no connection to {self._host}:{self._port}", sent=False) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def send(self, message: bytes) -> None:
        """Send one message and wait for no answer."""
        await self.write(frame(message))

    async def write(self, data: bytes) -> None:
        """Send bytes as they are, for whoever frames them differently."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """Wait for the next answer; raises `UpstreamTimeout`, or `UpstreamBroken` when the line ends."""
        assert self._reader is not None
        while not self._waiting:
            try:
                data = await asyncio.wait_for(self._reader.read(_CHUNK), self._seconds)
            except TimeoutError as error:
                raise UpstreamTimeout(f"no answer in {self._seconds:g} s", sent=True) from error
            except OSError as error:
                raise UpstreamBroken("the connection broke", sent=True) from error
            if not data:
                raise UpstreamBroken("the connection ended without an answer", sent=True)
            self._waiting += [block for block in self._deframer.feed(data) if block.kind == "whole"]
        return self._waiting.pop(0).data

    async def exchange(self, message: bytes, is_answer: Callable[[bytes], bool]) -> bytes:
        """Send a message and give the first answer that is one to it (HL7: MSA-2 is its MSH-10)."""
        await self.send(message)
        for _ in range(_FOREIGN):
            answer = await self.receive()
            if is_answer(answer):
                return answer
        raise UpstreamBroken(f"{_FOREIGN} answers, none to this message", sent=True)
