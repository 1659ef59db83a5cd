"""A pipeline that answers with what it was given, an edge before it, and a raw client."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable

from kernel.settings import load
from runtime_proxy.edge import Edge, serve_edge
from runtime_proxy.exchange import Exchange, Reply
from runtime_proxy.refusals import REFUSALS

HOST = b"Host: proxy.example\r\n"
GET = b"GET /orders HTTP/1.1\r\n" + HOST
POST = b"POST /orders HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"


class Pipeline:
    """Answers with what it was given: method, target, body; refuses heads of targets that begin with /no."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []
        self.refused: list[tuple[str, str, Exchange | None]] = []
        self.gate: asyncio.Event | None = None
        self.reply: Reply | None = None
        self.limit: int | None = None

    def admit(self, exchange: Exchange) -> bool:
        if exchange.target == b"/crash-admit":
            raise RuntimeError("planted")
        if self.limit is not None:
            exchange.body_limit = self.limit
        return not exchange.target.startswith(b"/no")

    async def serve(self, exchange: Exchange) -> Reply:
        self.seen.append(exchange)
        if self.gate is not None:
            await self.gate.wait()
        if exchange.target == b"/crash":
            raise RuntimeError("planted")
        if self.reply is not None:
            return self.reply
        status = 401 if exchange.target.startswith(b"/no") else 200
        body = b" ".join((exchange.method, exchange.target, exchange.body))
        return Reply(status, [(b"content-type", b"text/plain")], body)

    async def protocol_refusal(self, slug: str, peer: str, exchange: Exchange | None) -> Reply:
        self.refused.append((slug, peer, exchange))
        return Reply(REFUSALS[slug].status, [], slug.encode(), close=True)


@contextlib.asynccontextmanager
async def edge_of(
    pipeline: Pipeline, *, tls: ssl.SSLContext | None = None, **settings: object
) -> AsyncIterator[Edge]:
    rows = load({"proxy_drain_timeout": 0, **settings}, environ={})
    edge = await serve_edge(pipeline, "127.0.0.1", 0, rows, tls=tls)
    try:
        yield edge
    finally:
        await edge.drain()


class Client:
    """A raw connection; `answers` reads whole HTTP answers off it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, edge: Edge, **options: object) -> Client:
        return cls(*await asyncio.open_connection(*edge.address, **options))  # type: ignore[arg-type]

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self, *, head: bool = False) -> tuple[int, dict[bytes, bytes], bytes]:
        async with asyncio.timeout(10):
            raw = await self.reader.readuntil(b"\r\n\r\n")
            status, *lines = raw[:-4].split(b"\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
            }
            match = re.fullmatch(rb"HTTP/1\.1 (\d\d\d) [A-Za-z -]*", status)
            assert match is not None, status
            body = b""
            if not head and int(match[1]) not in (100, 204, 304):
                body = await self.reader.readexactly(int(headers[b"content-length"]))
            return int(match[1]), headers, body

    async def ended(self) -> bool:
        """Did the server end the stream, with nothing more in it."""
        async with asyncio.timeout(10):
            return await self.reader.read() == b""

    async def all(self) -> list[tuple[int, bytes]]:
        """Read all answers until the server ends the stream."""
        got = []
        while not self.reader.at_eof():
            try:
                status, _, body = await self.answer()
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
                break
            got.append((status, body))
        return got

    def reset(self) -> None:
        """Go away without a FIN, as a client that crashes."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def talk(pipeline: Pipeline, *parts: bytes, **settings: object) -> list[tuple[int, bytes]]:
    """Send all parts, end the sending half, and return every answer."""
    async with edge_of(pipeline, **settings) as edge:
        client = await Client.to(edge)
        await client.send(*parts)
        client.writer.write_eof()
        got = await client.all()
        await client.close()
        return got


async def until(condition: Callable[[], object]) -> None:
    """Wait until something has happened; at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)
