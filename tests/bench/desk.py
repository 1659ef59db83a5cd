"""One order in one process: the data plane with everything on, between connections that have no sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.port import Answer, Call
from adapters.wire.http import HttpClient, Origin
from adapters.wire.http_connection import HttpConnection
from adapters.wire.http_framing import ReadLimits
from adapters.wire.http_reading import AnswerReader
from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.journal import Journal
from kernel.bundle.read import BundleSource
from kernel.errors import AuditError
from kernel.promise import Promise
from kernel.sealing.keys import KeyFolder
from kernel.settings import load
from runtime_proxy.answering import head_of
from runtime_proxy.dataplane import DataPlane
from runtime_proxy.edge import Edge
from runtime_proxy.edge_connection import EdgeConnection
from runtime_proxy.edge_view import EdgeLimits
from runtime_proxy.exchange import Exchange, Reply
from runtime_proxy.framing import HeadReader
from tests.bench import interlock
from tests.bench.order import RECEIPT, order

_ANSWER = (
    b"HTTP/1.1 201 Created\r\nServer: nginx/1.22.1\r\nDate: Thu, 26 Nov 2026 17:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%b"
) % (len(RECEIPT), RECEIPT)


@dataclass
class Kept:
    """A journal that is durable at once and remembers the last record."""

    journal: Journal
    failure: AuditError | None = None
    last: list[Any] = field(default_factory=list)

    def form(self, fields: dict[str, Any]) -> ExchangeForm | None:
        return self.journal.form(fields)

    def append(
        self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None = None
    ) -> Promise:
        self.last[:] = [record]
        promise = Promise(loop or asyncio.get_running_loop())
        promise.keep(None)
        return promise


class Wire(asyncio.Transport):
    """A transport without a socket: what is written is kept, the last of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.looked_at, self._other = socket.socketpair()

    def close(self) -> None:
        self.looked_at.close()
        self._other.close()

    def write(self, data: Any) -> None:
        self.written = data

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "socket":
            return self.looked_at  # by a client whose connection was idle for a while
        return ("127.0.0.1", 50_000) if name == "peername" else default

    def resume_reading(self) -> None:
        pass


class Provider:
    """An adapter whose provider answers at once: everything of the client but the socket.

    Once `connect` was called, calls go through a connection of the client, and wait until `answer` is.
    """

    name, kind = "laboratory", "http"

    def __init__(self) -> None:
        self.client = HttpClient("laboratory", Origin("127.0.0.1", 9))
        self.reader = AnswerReader(ReadLimits())
        self.connection: HttpConnection | None = None
        self.wire: Wire | None = None

    def connect(self) -> None:
        loop = asyncio.get_running_loop()
        self.connection = HttpConnection(self.client, ReadLimits(), loop, loop.time() + 3600)
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.client._idle.append(self.connection)

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()

    def answer(self) -> None:
        assert self.connection is not None
        self.connection.take_in(_ANSWER)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def read(self) -> Answer:
        self.reader.expect(to_head=False)
        answer = self.reader.feed(_ANSWER)
        assert answer is not None
        return answer

    def call(self, call: Call) -> Awaitable[Answer]:
        if self.connection is not None:
            return self.client.send(call)
        self.client._head(call)
        promise = Promise(asyncio.get_running_loop())
        promise.keep(self.read())
        return promise


class Desk:
    """The data plane with everything on, and one order that is carried through it again and again."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.credentials = interlock.prepare(folder, 9)
        self.provider = Provider()
        signer = KeyFolder(folder / "keys").ensure("audit")
        self.journal = Journal.open(folder / "audit", "steps", signer, fsync=False)
        self.kept = Kept(self.journal)
        settings = load(environ=dict(interlock.ENVIRONMENT))
        self.plane = DataPlane(settings, self.kept, lambda _: self.provider, server="proxy")
        self.raw = (
            f"POST {interlock.TARGET} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
            f"X-API-Key: {self.credentials.key}\r\nContent-Length: {len(order())}\r\n\r\n"
        ).encode() + order()
        self.settings = settings
        self._wires: list[Wire] = []
        self.head = HeadReader(max_head=65536, max_target=8192, max_headers=100)

    async def open(self) -> None:
        """Take the bundle up as a worker does."""
        keys = KeyFolder(self.data / "keys")
        await self.plane.activation.take_up(BundleSource(self.data / "bundle", keys.trust).read().bundle)

    async def close(self) -> None:
        """Let go of the journal and of what stands for sockets."""
        self.provider.close()
        for wire in self._wires:
            wire.close()
        await self.journal.aclose()

    def read(self) -> bytes:
        """Read the request as the edge does."""
        end = self.head.read(self.raw, 0)
        body = self.raw[end : end + self.head.length]
        self.head.finish(body)
        return body

    def exchange(self, body: bytes) -> Exchange:
        """Begin an exchange of what was read."""
        head = self.head
        made = Exchange(head.method, head.target, head.headers, "127.0.0.1", time.perf_counter(), False)
        made.body = body
        return made

    def admitted(self, body: bytes) -> Exchange:
        """Judge the head."""
        exchange = self.exchange(body)
        assert self.plane.handler.admit(exchange)
        return exchange

    def whole(self) -> Reply:
        """Carry one call from the bytes of the request to those of the answer, records unwritten."""
        carrying = self.plane.handler.serve(self.admitted(self.read()))
        try:
            carrying.send(None)
        except StopIteration as ended:
            reply: Reply = ended.value
            answer_head(reply)
            return reply
        raise RuntimeError("the call waits for something")

    def connected(self) -> Callable[[], None]:
        """Give a call through the edge's connection and the client's, as they are but for their sockets."""
        loop = asyncio.get_running_loop()
        edge = Edge(self.plane.handler, EdgeLimits.of(self.settings), loop)
        edge._clock.cancel()
        caller, wire = EdgeConnection(edge, loop), Wire()
        self._wires.append(wire)
        caller.connection_made(wire)
        self.provider.connect()

        def call() -> None:
            wire.written = b""
            caller.take_in(self.raw)
            self.provider.answer()
            assert wire.written.startswith(b"HTTP/1.1 201"), wire.written

        return call


def answer_head(reply: Reply) -> bytes:
    return head_of(reply, method=b"POST", persistent=True, date_line=b"date: x\r\n") + (reply.body or b"")
