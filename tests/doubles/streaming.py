"""A provider on a socket that a test scripts byte by byte, and a data plane with a real edge before it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog import build
from kernel.bundle.model import AdapterInstance
from runtime_proxy.edge import Edge, serve_edge

Script = Callable[["Asked"], Awaitable[None]]


@dataclass
class Asked:
    """One request at the provider: its head, and the connection to go on with."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def field(self, name: str) -> bytes | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip()
        return None

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def body(self) -> bytes:
        """Read the request's body to its end; raises `IncompleteReadError` where it has none."""
        length = self.field("content-length")
        if length is not None:
            return await self.reader.readexactly(int(length))
        got = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            got += (await self.reader.readexactly(size + 2))[:-2]
            if not size:
                return got

    async def gone(self) -> bool:
        """Wait until the proxy has closed the connection."""
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
            return True


@dataclass
class Provider:
    """Listens; each connection is given to `script` with every request that comes on it."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    port: int = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.tasks: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        self.server.close()
        for asked in self.asked:
            asked.writer.transport.abort()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                asked = Asked(head, reader, writer)
                self.asked.append(asked)
                await self.script(asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:  # noqa: BLE001 - the test is told of it at its end
            self.faults.append(error)
        finally:
            self.tasks.discard(task)
            writer.close()


@dataclass
class Site:
    """The whole way: client socket, edge, pipeline, adapter, provider."""

    house: Any
    edge: Edge
    provider: Provider
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.edge.address, **options)
        self.clients.append(writer)
        return reader, writer

    def last(self, stage: str) -> dict[str, Any]:
        return [one for one in self.house.journal.records if one["stage"] == stage][-1]


@contextlib.asynccontextmanager
async def site_of(
    house: Any, script: Script, *documents: dict[str, Any], scheme: str = "http", **publish: Any
) -> AsyncIterator[Site]:
    """Serve the documents of a `House` (tests/runtime_proxy/conftest.py) in front of a scripted provider."""
    provider = Provider(script)
    await provider.start()
    house.provider = build(
        AdapterInstance("laboratory", "http", {"base_url": f"{scheme}://127.0.0.1:{provider.port}"}), None
    )
    await house.publish(*documents, **publish)
    edge = await serve_edge(house.pipeline, "127.0.0.1", 0, house.settings)
    site = Site(house, edge, provider)
    try:
        yield site
    finally:
        for writer in site.clients:
            writer.transport.abort()
        await edge.drain()
        await house.plane.stop()
        await provider.stop()
        assert provider.faults == []


async def read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Read a chunked body: what came, and whether its last chunk did."""
    got = b""
    while True:
        try:
            size = int(await reader.readuntil(b"\r\n"), 16)
            got += (await reader.readexactly(size + 2))[:-2]
        except (asyncio.IncompleteReadError, ConnectionError):
            return got, False
        if not size:
            return got, True
