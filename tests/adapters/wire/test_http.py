"""The pooled client against providers that behave, dawdle, lie and leave, over real sockets."""

import asyncio
import contextlib
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from adapters.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from adapters.port import Answer, Call
from adapters.wire.http import ClientLimits, HttpClient, Origin
from adapters.wire.http_framing import ReadLimits

ORDER = b'{"order":"LO-1","test":"718-7"}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Script = Callable[["Provider", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Provider:
    """A provider on a real socket; it keeps the requests that it read, whole and raw."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self.script(self, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        self.requests.append(head + body)
        return head + body


@contextlib.asynccontextmanager
async def provider(script: Script) -> AsyncIterator[Provider]:
    made = Provider(script)
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@contextlib.asynccontextmanager
async def client_of(made: Provider, limits: ClientLimits | None = None) -> AsyncIterator[HttpClient]:
    client = HttpClient("lab", Origin("127.0.0.1", made.port), limits)
    try:
        yield client
    finally:
        await client.close()


def call(**changes: object) -> Call:
    row: dict[str, object] = {
        "method": b"POST",
        "target": b"/orders?urgent=1",
        "headers": [(b"content-type", b"application/json")],
        "body": ORDER,
        "timeout_seconds": 5.0,
    }
    return Call(**(row | changes))  # type: ignore[arg-type]


def answering(*answers: bytes, close: bool = False) -> Script:
    """Answer the n-th request with the n-th bytes, over all connections."""
    left = list(answers)

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            await made.request(reader)
            writer.write(left.pop(0))
            await writer.drain()
            if close:
                return
        await reader.read()

    return script


async def one(
    answer: bytes, *, close: bool = False, limits: ClientLimits | None = None, **changes: object
) -> Answer:
    async with provider(answering(answer, close=close)) as made, client_of(made, limits) as client:
        return await client.send(call(**changes))


# -- what goes out -----------------------------------------------------------------------------------
async def test_the_request_is_framed_by_us_and_its_body_is_exact() -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"host", b"elsewhere"),
        (b"content-length", b"999"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
        (b"expect", b"100-continue"),
        (b"x-trace", b"a"),
        (b"x-trace", b"b"),
    ]
    async with provider(answering(OK)) as made, client_of(made) as client:
        await client.send(call(headers=headers))
    expected = (
        b"POST /orders?urgent=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
        b"x-trace: a\r\nx-trace: b\r\ncontent-length: %d\r\n\r\n" % (made.port, len(ORDER))
    )
    assert made.requests == [expected + ORDER]


@pytest.mark.parametrize(
    ("method", "body", "line"),
    [(b"GET", b"", b""), (b"DELETE", b"", b""), (b"POST", b"", b"content-length: 0\r\n"), (b"PUT", b"", b"content-length: 0\r\n"), (b"DELETE", b"x", b"content-length: 1\r\n")],
)  # fmt: skip
async def test_content_length_is_said_where_rfc_9110_8_6_wants_it(
    method: bytes, body: bytes, line: bytes
) -> None:
    async with provider(answering(OK)) as made, client_of(made) as client:
        await client.send(call(method=method, body=body, headers=[]))
    assert made.requests[0].split(b"\r\n", 2)[2] == line + b"\r\n" + body


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": [(b"x-note", b"a\r\nx-evil: 1")]},
        {"headers": [(b"x-note", b"a\nb")]},
        {"headers": [(b"x-note", b"a\rb")]},
        {"headers": [(b"x-note", b"a\0b")]},
        {"target": b"/a b"},
        {"target": b"/a\r\nx: y"},
        {"target": b"http://elsewhere/"},
        {"target": b"/\xc3\xa4"},
    ],
)
async def test_what_could_split_a_request_never_leaves(changes: dict[str, object]) -> None:
    async with provider(answering(OK)) as made, client_of(made) as client:
        with pytest.raises(UpstreamBroken) as caught:
            await client.send(call(**changes))
    assert caught.value.sent is False
    assert made.connections == 0


async def test_a_large_body_arrives_byte_for_byte() -> None:
    body = bytes(range(256)) * 8192
    async with provider(answering(OK)) as made, client_of(made) as client:
        await client.send(call(body=body))
    assert made.requests[0].endswith(b"\r\n\r\n" + body)


# -- what comes back ---------------------------------------------------------------------------------
FRAMED = [
    ("9112-6.3-6 length", OK, 200, b"ok", []),
    ("9112-6.3-6 length zero", b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", 201, b"", []),
    ("9112-6.3-6 leading zeros", b"HTTP/1.1 200 OK\r\ncontent-length: 0002\r\n\r\nok", 200, b"ok", []),
    ("9112-4 no reason", b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", 200, b"ok", []),
    ("9112-7.1 chunked", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", 200, b"ok", []),
    ("9112-7.1 capital", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00002\r\nok\r\n0\r\n\r\n", 200, b"ok", []),
    ("9112-7.1.2 trailers", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7 \r\n\r\n", 200, b"ok", [(b"x-sum", b"7")]),
    ("9110-15.2 interim", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK, 200, b"ok", []),
    ("9110-15.3.5 no content", b"HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n", 204, b"", []),
    ("9110-15.4.5 not modified", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", 304, b"", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("clause", "answer", "status", "body", "trailers"), FRAMED, ids=[row[0] for row in FRAMED]
)
@pytest.mark.parametrize("split", [False, True], ids=["whole", "byte by byte"])
async def test_answers_are_framed_as_rfc_9112_says(
    clause: str, answer: bytes, status: int, body: bytes, trailers: list[tuple[bytes, bytes]], *, split: bool
) -> None:
    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(4):
            await made.request(reader)
            for part in [answer[i : i + 1] for i in range(len(answer))] if split else [answer]:
                writer.write(part)
                await writer.drain()
        await reader.read()

    async with provider(script) as made, client_of(made) as client:
        for _ in range(4):  # the second proves that the first left nothing behind, the third knows its fields
            got = await client.send(call())
            assert (got.status, got.body, got.trailers) == (status, body, trailers)
            assert got.upstream_seconds > 0
    assert made.connections == 1


async def test_headers_come_as_they_are_without_the_framing() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Empty:\r\nX-Pad: \t a b \t\r\nSet-Cookie: a\r\n"
        b"Connection: keep-alive, X-Hop\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok"
    )
    got = await one(answer)
    assert got.headers == [
        (b"content-type", b"application/json"),
        (b"x-empty", b""),
        (b"x-pad", b"a b"),
        (b"set-cookie", b"a"),
        (b"connection", b"keep-alive, X-Hop"),
        (b"set-cookie", b"b"),
    ]


async def test_what_a_caller_does_with_headers_is_not_in_the_next_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: %d\r\n\r\n%b"
    bodies = [b"1", b"22", b"333", b"", b"55555"]
    async with (
        provider(answering(*(answer % (len(body), body) for body in bodies))) as made,
        client_of(made) as client,
    ):
        for body in bodies:
            got = await client.send(call())
            assert (got.headers, got.body) == ([(b"x-a", b"b")], body)
            got.headers.append((b"x-planted", b"c"))
    assert made.connections == 1


async def test_nothing_is_remembered_of_a_provider_without_connections() -> None:
    async with (
        provider(answering(*[OK] * 3)) as made,
        client_of(made, ClientLimits(idle_timeout=0.05)) as client,
    ):
        for _ in range(3):
            await client.send(call())
        assert client.memory.kept == 1
        async with asyncio.timeout(10):
            while client._clock is not None:
                await asyncio.sleep(0.01)
        assert client.memory.kept == 0


async def test_a_provider_s_own_keep_alive_time_is_known_too() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=%d\r\nContent-Length: 2\r\n\r\nok"
    )
    answers = [answer % 30, answer % 30, answer % 7, answer % 30]
    async with provider(answering(*answers)) as made, client_of(made) as client:
        seen = []
        for _ in answers:
            await client.send(call())
            seen.append(client._idle[-1].idle_seconds)
    assert seen == [30.0, 30.0, 7.0, 30.0]


async def test_lines_that_were_noted_go_out_in_place_of_the_headers_until_those_change() -> None:
    async def sent(one: Call) -> bytes:
        async with provider(answering(OK)) as made, client_of(made) as client:
            await client.send(one)
        return made.requests[0].removesuffix(ORDER).partition(b"\r\nhost: ")[2].partition(b"\r\n")[2]

    noted = call(headers=[(b"x-a", b"1")])
    noted.note_lines(b"x-a: noted\r\n")
    length = b"content-length: %d\r\n\r\n" % len(ORDER)
    assert await sent(noted) == b"x-a: noted\r\n" + length
    assert await sent(noted.but(target=b"/other")) == b"x-a: noted\r\n" + length
    assert await sent(noted.but(headers=[(b"x-c", b"3")])) == b"x-c: 3\r\n" + length
    noted.headers.append((b"x-b", b"2"))
    assert await sent(noted) == b"x-a: 1\r\nx-b: 2\r\n" + length
    noted.headers = [(b"x-d", b"4")]
    assert await sent(noted) == b"x-d: 4\r\n" + length


async def test_head_has_no_body_and_keeps_its_length_and_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n"
    async with provider(answering(head, head, OK)) as made, client_of(made) as client:
        for _ in range(2):
            got = await client.send(call(method=b"HEAD", body=b""))
            assert (got.body, got.headers) == (b"", [(b"content-length", b"1234")])
        assert (await client.send(call())).body == b"ok"
    assert made.connections == 1


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
async def test_an_answer_may_end_with_its_connection(head: bytes) -> None:
    got = await one(head + b"to the end", close=True)
    assert (got.status, got.body) == (200, b"to the end")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\n", b"HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n"]
)  # fmt: skip
async def test_a_connection_that_ends_is_not_used_again(head: bytes) -> None:
    answer = head + b"content-length: 2\r\n\r\nok"
    async with provider(answering(answer, answer)) as made, client_of(made) as client:
        for _ in range(2):
            assert (await client.send(call())).body == b"ok"
    assert made.connections == 2


REFUSED = [
    ("9112-6.3-3 length and coding", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("9112-6.3-3 coding and length", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n"),
    ("9112-6.3-5 two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"),
    ("9112-6.3-5 one length twice", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok"),
    ("9112-6.3-5 list", b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok"),
    ("9112-6.3-5 sign", b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok"),
    ("9112-6.3-5 hex", b"HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok"),
    ("9112-6.3-5 empty", b"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nok"),
    ("9112-6.1 gzip", b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ("9112-6.1 empty member", b"HTTP/1.1 200 OK\r\ntransfer-encoding: ,chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ("9112-6.1 identity then chunked", b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("9112-6.1 chunked twice", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("9112-6.1 coding in 1.0", b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("9112-7.1 size with sign", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n"),
    ("9112-7.1 size then space", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n"),
    ("9112-7.1 longer than said", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokk\r\n0\r\n\r\n"),
    ("9112-7.1 bare LF", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\nok\n0\n\n"),
    ("9112-7.1.2 length in trailer", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\n"),
    ("9112-5.2 fold", b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 2\r\n\r\nok"),
    ("9112-5.1 space before colon", b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok"),
    ("9112-2.2 bare LF", b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok\r\n\r\n"),
    ("9112-2.2 bare LF alone", b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
    ("9110-5.5 NUL", b"HTTP/1.1 200 OK\r\nx-a: b\0c\r\ncontent-length: 2\r\n\r\nok"),
    ("9112-4 status", b"HTTP/1.1 099 Odd\r\ncontent-length: 2\r\n\r\nok"),
    ("9112-4 other protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("9112-4 other protocol, whole", b"ICE/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    ("9110-15.2.2 switching", b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    ("9110-15.2 endless interim", b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + OK),
    ("limit head", b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 40_000 + b"\r\n\r\n"),
    ("limit head, endless", b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 40_000),
    ("limit headers", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 201 + b"\r\n"),
    ("limit body", b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"),
    ("limit chunked body", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n"),
    ("limit body to the end", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001),
    ("limit chunk overhead", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + (b"1;" + b"a" * 200 + b"\r\nx\r\n") * 100),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "answer"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_answers_that_could_be_read_twice_are_refused(clause: str, answer: bytes) -> None:
    limits = ClientLimits(read=ReadLimits(body_bytes=1000))
    async with provider(answering(answer, OK)) as made, client_of(made, limits) as client:
        with pytest.raises(UpstreamBroken) as caught:
            await client.send(call())
        assert caught.value.sent is True
        assert (await client.send(call())).body == b"ok"
    assert made.connections == 2, "the connection of a broken answer must not be used again"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-le", OK[:-1], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"],
)  # fmt: skip
async def test_an_answer_that_ends_early_is_broken_and_its_outcome_unknown(answer: bytes) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        await one(answer, close=True)
    assert caught.value.sent is True


async def test_bytes_after_an_answer_never_become_the_next_answer() -> None:
    poisoned = OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    async with provider(answering(poisoned, OK)) as made, client_of(made) as client:
        assert (await client.send(call())).body == b"ok"
        assert (await client.send(call())).body == b"ok"
    assert made.connections == 2


async def test_bytes_on_an_idle_connection_end_it() -> None:
    said = asyncio.Event()

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        writer.write(OK)
        if made.connections == 1:
            await said.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await reader.read()
        said.set()

    async with provider(script) as made, client_of(made) as client:
        assert (await client.send(call())).body == b"ok"
        said.set()
        said.clear()
        await asyncio.wait_for(said.wait(), 5)  # the provider saw us close
        assert (await client.send(call())).body == b"ok"
    assert made.connections == 2


async def test_redirects_are_answers() -> None:
    got = await one(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
    assert (got.status, got.headers) == (302, [(b"location", b"http://127.0.0.1:1/")])


# -- connections -------------------------------------------------------------------------------------
async def test_calls_at_once_share_a_bounded_pool_in_order() -> None:
    gate = asyncio.Event()

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await made.request(reader)
            await gate.wait()
            writer.write(OK)

    async with provider(script) as made, client_of(made, ClientLimits(max_connections=3)) as client:
        targets = [b"/orders/%d" % i for i in range(30)]
        calls = [asyncio.ensure_future(client.send(call(target=target))) for target in targets]
        while len(made.requests) < 3:
            await asyncio.sleep(0.001)
        gate.set()
        answers = await asyncio.gather(*calls)
    assert [answer.body for answer in answers] == [b"ok"] * 30
    assert (made.connections, made.most_open) == (3, 3)
    assert sorted(request.split()[1] for request in made.requests) == sorted(targets)


async def test_a_full_queue_and_a_long_wait_are_told_apart_and_nothing_was_sent() -> None:
    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        await reader.read()

    limits = ClientLimits(max_connections=1, max_waiting=1)
    async with provider(script) as made, client_of(made, limits) as client:
        first = asyncio.ensure_future(client.send(call()))
        while not made.requests:
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(client.send(call(timeout_seconds=0.2)))
        await asyncio.sleep(0)
        with pytest.raises(UpstreamUnreachable) as full:
            await client.send(call())
        with pytest.raises(UpstreamTimeout) as late:
            await second
        await client.close()
        with pytest.raises(UpstreamBroken) as ended:
            await first
    assert (full.value.sent, late.value.sent, ended.value.sent) == (False, False, True)
    assert len(made.requests) == 1


async def test_a_caller_who_leaves_keeps_its_place_until_the_answer_or_the_deadline() -> None:
    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        if made.connections == 1:
            await reader.read()
            return
        writer.write(OK)
        await reader.read()

    async with provider(script) as made, client_of(made, ClientLimits(max_connections=1)) as client:
        first = asyncio.ensure_future(client.send(call(timeout_seconds=0.2)))
        while not made.requests:
            await asyncio.sleep(0.001)
        waiting = asyncio.ensure_future(client.send(call()))
        gone = asyncio.ensure_future(client.send(call()))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        assert (await asyncio.wait_for(waiting, 5)).body == b"ok"
        for task in (first, gone):
            with pytest.raises(asyncio.CancelledError):
                await task
    assert made.connections == 2


def leaving() -> Script:
    """Answer the first request of every connection, read the second and leave without a word."""

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        writer.write(OK)
        await made.request(reader)

    return script


async def test_an_idempotent_call_that_met_a_closing_connection_is_sent_again_once() -> None:
    async with provider(leaving()) as made, client_of(made) as client:
        await client.send(call(idempotent=True))
        assert (await client.send(call(idempotent=True))).body == b"ok"
    assert (made.connections, len(made.requests)) == (2, 3)


async def test_any_other_call_is_not_and_its_outcome_is_unknown() -> None:
    async with provider(leaving()) as made, client_of(made) as client:
        await client.send(call())
        with pytest.raises(UpstreamBroken) as caught:
            await client.send(call())
    assert caught.value.sent is True
    assert (made.connections, len(made.requests)) == (1, 2)


async def test_an_idempotent_call_is_not_repeated_on_a_new_connection_or_after_a_byte_of_answer() -> None:
    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        if made.connections == 1:
            return
        writer.write(OK)
        await made.request(reader)
        writer.write(b"HTTP/1.1 2")
        await writer.drain()

    async with provider(script) as made, client_of(made) as client:
        for expected in ("new", None, "after a byte"):
            if expected is None:
                assert (await client.send(call(idempotent=True))).body == b"ok"
                continue
            with pytest.raises(UpstreamBroken):
                await client.send(call(idempotent=True))
    assert len(made.requests) == 3


async def test_a_connection_that_the_provider_closed_meanwhile_is_not_used() -> None:
    left = asyncio.Event()

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        writer.write(OK)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with provider(script) as made, client_of(made) as client:
        assert (await client.send(call())).body == b"ok"
        await left.wait()
        while client._connections:
            await asyncio.sleep(0.001)
        assert (await client.send(call())).body == b"ok"
    assert made.connections == 2


async def test_idle_connections_end_when_their_time_is_over() -> None:
    ended = asyncio.Event()

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        writer.write(OK)
        await reader.read()
        ended.set()

    async with provider(script) as made, client_of(made, ClientLimits(idle_timeout=0.05)) as client:
        await client.send(call())
        await asyncio.wait_for(ended.wait(), 5)


async def test_the_provider_s_own_keep_alive_time_is_respected() -> None:
    ended = asyncio.Event()

    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nkeep-alive: max=100, timeout=1\r\ncontent-length: 2\r\n\r\nok")
        await reader.read()
        ended.set()

    async with provider(script) as made, client_of(made, ClientLimits(idle_timeout=60)) as client:
        await client.send(call())
        await asyncio.wait_for(ended.wait(), 5)


# -- time limits -------------------------------------------------------------------------------------
async def silent(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await made.request(reader)
    await reader.read()


async def dripping(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await made.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def deaf(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


@pytest.mark.parametrize(
    ("script", "limits", "changes", "word"),
    [
        (silent, ClientLimits(), {"timeout_seconds": 0.1}, "answer"),
        (silent, ClientLimits(read_timeout=0.1), {}, "answer"),
        (dripping, ClientLimits(read_timeout=5), {"timeout_seconds": 0.2}, "answer"),
        (deaf, ClientLimits(write_timeout=0.1), {"body": b"x" * 50_000_000}, "take the request"),
    ],
    ids=["total", "read", "total of a dripping answer", "write"],
)
async def test_time_limits(
    script: Script, limits: ClientLimits, changes: dict[str, object], word: str
) -> None:
    async with provider(script) as made, client_of(made, limits) as client:
        with pytest.raises(UpstreamTimeout, match=word) as caught:
            await client.send(call(**changes))
        assert caught.value.sent is True
        assert client._idle == type(client._idle)()


async def test_connecting_has_a_time_limit_and_nothing_was_sent() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    try:
        for _ in range(8):  # fill the queue of connections that nobody accepts
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        client = HttpClient(
            "lab", Origin("127.0.0.1", listener.getsockname()[1]), ClientLimits(connect_timeout=0.2)
        )
        with pytest.raises(UpstreamTimeout) as caught:
            await client.send(call())
        await client.close()
    finally:
        for filler in (*fillers, listener):
            filler.close()
    assert caught.value.sent is False


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = HttpClient("lab", Origin("127.0.0.1", port))
    with pytest.raises(UpstreamUnreachable) as caught:
        await client.send(call())
    assert caught.value.sent is False
    await client.close()
    with pytest.raises(UpstreamUnreachable, match="stopped"):
        await client.send(call())


async def test_a_provider_that_answers_before_it_read_the_body_is_heard() -> None:
    async def script(made: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        await writer.drain()
        await asyncio.sleep(0.5)

    async with provider(script) as made, client_of(made) as client:
        got = await client.send(call(body=b"x" * 20_000_000))
    assert (got.status, got.body) == (413, b"big")


# -- TLS ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return key, cert


async def call_over_tls(
    certificate: tuple[Path, Path], *, trusted: bool, host: str
) -> list[Answer | UpstreamError]:
    key, cert = certificate
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(cert, key)
    made = Provider(answering(OK, OK))
    server = await asyncio.start_server(made, "127.0.0.1", 0, ssl=server_context)
    context = ssl.create_default_context(cafile=str(cert) if trusted else None)
    client = HttpClient("lab", Origin(host, server.sockets[0].getsockname()[1], context))
    results: list[Answer | UpstreamError] = []
    try:
        for _ in range(2):
            try:
                results.append(await client.send(call()))
            except UpstreamError as error:
                results.append(error)
        assert made.connections == (1 if trusted and host == "localhost" else 0)
        return results
    finally:
        await client.close()
        server.close()


async def test_tls_is_spoken_to_who_has_a_trusted_certificate_for_the_name(
    certificate: tuple[Path, Path],
) -> None:
    results = await call_over_tls(certificate, trusted=True, host="localhost")
    assert [result.body for result in results if isinstance(result, Answer)] == [b"ok", b"ok"]


@pytest.mark.parametrize(("trusted", "host"), [(False, "localhost"), (True, "127.0.0.1")])
async def test_tls_is_not_spoken_to_anybody_else(
    certificate: tuple[Path, Path], trusted: bool, host: str
) -> None:
    for result in await call_over_tls(certificate, trusted=trusted, host=host):
        assert isinstance(result, UpstreamUnreachable)
        assert result.sent is False
        assert "TLS" in str(result)
