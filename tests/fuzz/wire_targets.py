"""Fuzz targets of the wire: bytes in, and either what everybody would read the same, or a typed refusal."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from adapters.port import Call
from adapters.wire.chunked import ChunkedBody, ChunkedError
from adapters.wire.http import HttpClient, Origin
from adapters.wire.http_framing import AnswerBroken, ReadLimits
from adapters.wire.http_reading import AnswerReader
from adapters.wire.known_fields import FieldMemory
from adapters.wire.turn import Turn
from kernel.settings import load
from runtime_proxy.answering import DateLine
from runtime_proxy.edge_connection import EdgeConnection
from runtime_proxy.edge_view import EdgeLimits
from runtime_proxy.exchange import Exchange, Reply
from runtime_proxy.raw_path import split_path
from runtime_proxy.refusals import REFUSALS

LIMITS = EdgeLimits.of(load({"proxy_max_head_bytes": 4096, "proxy_max_body_bytes": 65_536}, environ={}))
NOBODY: Any = None  # a loop that is never asked


class Transport:
    """Keeps what is written; a connection that is closed takes nothing more."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.written += b"".join(parts)

    def close(self) -> None:
        self.closing = True

    abort = write_eof = close

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else None

    def pause_reading(self) -> None:
        """Nothing to do: what is fed is fed."""

    resume_reading = pause_reading


@dataclass
class Edge:
    """The least edge: its handler answers 200 at once and keeps what it was shown."""

    limits: EdgeLimits = LIMITS
    draining: bool = False
    now: float = 0.0
    watch: Any = None
    date: DateLine = field(default_factory=DateLine)
    memory: FieldMemory = field(default_factory=FieldMemory)
    turn: Turn = field(default_factory=Turn)
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def handler(self) -> Any:
        return self

    def joined(self, connection: Any) -> None:
        """Nobody counts here."""

    def left(self, connection: Any, *, busy: bool = False) -> None:
        """Nobody counts here."""

    def finished(self, connection: Any) -> None:
        """Nobody counts here."""

    def admit(self, exchange: Exchange) -> bool:
        return not exchange.target.startswith(b"/no")

    async def serve(self, exchange: Exchange) -> Reply:
        self.seen.append((exchange.method, exchange.target, exchange.headers, exchange.body))
        return Reply(200, [], b"")

    async def protocol_refusal(self, slug: str, peer: str, exchange: Exchange | None) -> Reply:
        self.refused.append(slug)
        return Reply(REFUSALS[slug].status, [], slug.encode(), close=True)

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        raise AssertionError("nothing here needs a task")


def _fed(data: bytes, step: int) -> Edge:
    edge = Edge()
    connection = EdgeConnection(edge, NOBODY)
    transport = Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    for at in range(0, len(data), step):
        if transport.closing:
            break
        connection.take_in(data[at : at + step])
    if not transport.closing:
        connection.eof_received()
    assert b"HTTP/1.1 500" not in transport.written, "a fault of ours"
    assert transport.written.count(b"HTTP/1.1 ") >= len(edge.seen) + len(edge.refused)
    assert len(edge.refused) <= 1, "something was read after a refusal"
    return edge


CLIENT = HttpClient("fuzz", Origin("127.0.0.1", 9))


def edge(data: bytes) -> None:
    """Requests do not hang on how their bytes are split, and what goes on is read as what had come."""
    whole = _fed(data, max(len(data), 1))
    for step in (1, 7):
        pieces = _fed(data, step)
        assert pieces.seen == whole.seen
        assert bool(pieces.refused) == bool(whole.refused)
    for method, target, headers, body in whole.seen:
        assert target[:1] == b"/"
        assert not any(set(name + value) & set(b"\r\n\0") for name, value in headers)
        if target.startswith(b"/no"):
            continue
        call = Call(method, target, headers, body, 1.0, "a@1.0.0", "x", idempotent=False)
        again = _fed(CLIENT._head(call) + body, 1 << 20)
        assert [(row[0], row[1], row[3]) for row in again.seen] == [(method, target, body)]


def chunks(data: bytes) -> None:
    """A chunked body does not hang on how its bytes are split."""

    def read(step: int) -> tuple[bytes, bytes] | None:
        body = ChunkedBody(10_000)
        try:
            for at in range(0, len(data), step):
                rest = body.feed(data[at : at + step])
                if rest is not None:
                    return body.body, rest + data[at + step :]
        except ChunkedError:
            return None
        return None

    whole = read(max(len(data), 1))
    assert whole == read(1) == read(5)
    if whole is not None:
        body, rest = whole
        assert data.endswith(rest)
        again = ChunkedBody(10_000)
        coded = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        assert again.feed(coded) == b""
        assert again.body == body


def answers(data: bytes) -> None:
    """Answers of a provider do not hang on how their bytes are split; what is odd is broken, not guessed."""
    for to_head in (False, True):

        def read(step: int, *, to_head: bool = to_head) -> Any:
            reader = AnswerReader(ReadLimits(4096, 10_000, 50))
            reader.expect(to_head=to_head)
            try:
                for at in range(0, len(data), step):
                    answer = reader.feed(data[at : at + step])
                    if answer is not None:
                        return answer.status, answer.headers, answer.body
                answer = reader.finish()
            except AnswerBroken:
                return "broken"
            return None if answer is None else (answer.status, answer.headers, answer.body)

        whole = read(max(len(data), 1))
        assert whole == read(1) == read(6)
        if isinstance(whole, tuple):
            assert 200 <= whole[0] <= 599
            assert not any(set(name + value) & set(b"\r\n\0") for name, value in whole[1])


def paths(data: bytes) -> None:
    """A path that is taken has no second reading: no empty or dot segment, decoded once or twice split."""
    segments = split_path(data)
    if segments is None:
        return
    assert b"/" + b"/".join(segments) == data
    decoded = unquote_to_bytes(data)
    decoded.decode()
    assert not any(byte < 0x20 or byte in b"\x7f\\" for byte in decoded)
    for part in decoded.split(b"/"):
        assert part.split(b";")[0] not in {b".", b".."}
    assert b"" not in segments[:-1] or segments == (b"",)
