"""The listening side of MLLP: connections, limits and time, one message after another on each of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.errors import ListenFailed
from adapters.wire.mllp.framing import Block, Deframer, frame

log = logging.getLogger(__name__)
Send = Callable[[bytes], Awaitable[None]]
# Takes one block from one peer; `send` frames and writes an answer, and never raises.
Take = Callable[[Block, str, Send], Awaitable[None]]
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class MllpLimits:
    """Caps of one listener; seconds count while it waits for bytes, never while a message is worked on."""

    connections: int = 64
    message_bytes: int = 16 * 1024 * 1024
    message_seconds: float = 60.0  # from 0B to 1C
    idle_seconds: float = 0.0  # between messages; 0 means for ever, as analyzers keep their line open
    end_seconds: float = 0.5  # how long a missing last 0D is waited for
    write_seconds: float = 30.0  # a peer that does not read its answers is cut off
    stop_seconds: float = 10.0  # what messages under way get when the listener stops


@dataclass(slots=True)
class MllpCounts:
    """What the listener saw since it started."""

    connections: int = 0
    refused_connections: int = 0
    messages: int = 0
    junk_bytes: int = 0


class _Connection:
    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.waiting = True  # between messages: nothing is lost when it ends now


class MllpServer:
    """Listens on one address and hands every block to `take`, in order for each connection."""

    def __init__(self, take: Take, *, limits: MllpLimits, tls: ssl.SSLContext | None = None) -> None:
        self.limits = limits
        self.counts = MllpCounts()
        self._take = take
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> None:
        """Bind and listen, again after `stop` too; raises `ListenFailed` naming the address."""
        self._stopping = False
        try:
            self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls)
        except OSError as error:
            raise ListenFailed(
                f"{host}:{port} cannot be bound: {error.strerror}",
                hint="another program may listen there; choose another port, or 0 for any free one",
            ) from error

    def address(self) -> tuple[str, int]:
        """Return the bound host and port."""
        if self._server is None or not self._server.sockets:
            raise ListenFailed("the listener has not been started")
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def stop(self) -> None:
        """Accept no more, let messages under way finish within `stop_seconds`, then close everything."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            if connection.waiting:
                connection.task.cancel()
        tasks = [connection.task for connection in self._connections]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.limits.stop_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = _Connection(task)
        if self._stopping or len(self._connections) >= self.limits.connections:
            self.counts.refused_connections += 1
            writer.close()
            return
        self.counts.connections += 1
        self._connections.add(connection)
        try:
            await self._converse(connection, reader, writer)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except (OSError, TimeoutError) as error:
            log.info("mllp connection ended: %s", type(error).__name__)
        finally:
            self._connections.discard(connection)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        deframer = Deframer(self.limits.message_bytes)
        peer = str((writer.get_extra_info("peername") or ("",))[0])

        gone = False

        async def send(message: bytes) -> None:
            nonlocal gone
            try:
                writer.write(frame(message))
                await asyncio.wait_for(writer.drain(), self.limits.write_seconds)
            except (OSError, TimeoutError):
                gone = True  # what became of the message is kept all the same; a resend gets this answer

        async def take(blocks: list[Block]) -> None:
            for block in blocks:
                self.counts.messages += 1
                await self._take(block, peer, send)

        ended = False
        while not ended and not gone and not (self._stopping and not deframer.inside):
            connection.waiting = not deframer.inside
            blocks, ended = await self._read(reader, deframer)
            connection.waiting = False
            self.counts.junk_bytes += deframer.junk
            deframer.junk = 0
            await take(blocks)

    async def _read(self, reader: asyncio.StreamReader, deframer: Deframer) -> tuple[list[Block], bool]:
        """Give the next blocks, and whether the stream ended (or its time)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.limits.message_seconds
        blocks: list[Block] = []
        while not blocks:
            if deframer.pending_end:
                patience: float | None = self.limits.end_seconds
            elif deframer.inside:
                patience = deadline - loop.time()
            else:
                patience = self.limits.idle_seconds or None
                deadline = loop.time() + self.limits.message_seconds
            try:
                data = await asyncio.wait_for(reader.read(_CHUNK), patience)
            except TimeoutError:
                if (block := deframer.settle()) is not None:
                    return [block], False
                data = b""
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                block = deframer.abandon()
                return ([block] if block else []), True
            if not deframer.inside:
                deadline = loop.time() + self.limits.message_seconds
            blocks = deframer.feed(data)
        return blocks, False
