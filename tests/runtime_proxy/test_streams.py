"""Bodies that pass in pieces, over real sockets: framing, ends, limits, records, and what is held meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import resource
from typing import Any

import pytest

from kernel.bundle.policy import RoutePolicy, Streams
from tests.doubles.edge import until
from tests.doubles.streaming import Asked, read_chunks, site_of

READING = {
    "type": "object",
    "required": ["bpm"],
    "properties": {"bpm": {"type": "integer", "maximum": 300}},
}
BYTES: dict[str, Any] = {"application/octet-stream": {}}
LINES: dict[str, Any] = {"application/x-ndjson": {"itemSchema": READING}}
EVENTS: dict[str, Any] = {"text/event-stream": {"itemSchema": {"type": "object", "required": ["id"]}}}


def document() -> dict[str, Any]:
    """Write a contract whose images and readings are too much to be held."""

    def both(content: dict[str, Any]) -> dict[str, Any]:
        return {
            "security": [],
            "responses": {"200": {"description": "ok", "content": content}, "404": {"description": "none"}},
        }

    def takes(content: dict[str, Any]) -> dict[str, Any]:
        return {
            "security": [],
            "requestBody": {"required": True, "content": content},
            "parameters": [{"name": "bed", "in": "query", "schema": {"type": "integer"}}],
            "responses": {"201": {"description": "ok", "content": {"application/json": {}}}},
        }

    return {
        "openapi": "3.2.0",
        "info": {"title": "Streams", "version": "1.0.0"},
        "paths": {
            "/image": {"get": both(BYTES), "put": takes(BYTES)},
            "/readings": {"get": both(LINES), "post": takes(LINES)},
            "/events": {"get": both(EVENTS)},
        },
    }


def get(path: str, version: str = "1.1", *lines: str) -> bytes:
    return "\r\n".join([f"GET /orders/v1{path} HTTP/{version}", "Host: a", *lines, "", ""]).encode()


def put(path: str, *lines: str) -> bytes:
    method = "PUT" if path.startswith("/image") else "POST"
    media = "application/octet-stream" if method == "PUT" else "application/x-ndjson"
    head = [f"{method} /orders/v1{path} HTTP/1.1", "Host: a", f"Content-Type: {media}", *lines, "", ""]
    return "\r\n".join(head).encode()


def begins(media: str, *lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Type: {media}", *lines, "", ""]).encode()


async def head_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    async with asyncio.timeout(10):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    return int(first.split(" ")[1]), {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


CHUNKED = "Transfer-Encoding: chunked"


# -- answers ----------------------------------------------------------------------------------------


async def test_an_answer_goes_on_before_it_has_ended_and_both_its_records_stand(make_house) -> None:
    more = asyncio.Event()

    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED, "Trailer: X-Sum"))
        await asked.chunk(b"first")
        await more.wait()
        await asked.chunk(b"second")
        await asked.send(b"0\r\nX-Sum: 1\r\n\r\n")

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/image"))
        status, headers = await head_of(reader)
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        assert "content-length" not in headers
        assert "trailer" not in headers
        assert await reader.readexactly(10) == b"5\r\nfirst\r\n"
        assert site.house.journal.stages() == ["received"]  # durable before the first byte
        more.set()
        assert await reader.readexactly(16) == b"6\r\nsecond\r\n0\r\n\r\n"
        record = site.last("completed")
        assert record["closes"] == site.last("received")["id"]
        assert record["response_sha256"] == hashlib.sha256(b"firstsecond").hexdigest()
        assert (record["response_bytes"], record["outcome"], record["status"]) == (11, "success", 200)
        writer.write(get("/image"))  # both connections carry another exchange
        assert (await head_of(reader))[0] == 200
        assert len(site.provider.asked) == 2
        assert site.provider.asked[0].writer is site.provider.asked[1].writer
        assert await read_chunks(reader) == (b"firstsecond", True)
        assert next(iter(site.house.pipeline.plan.slots)).in_flight == 0


async def test_a_stream_is_counted_once_when_it_begins(make_house) -> None:
    more = asyncio.Event()

    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED))
        await asked.chunk(b"first")
        await more.wait()
        await asked.send(b"0\r\n\r\n")

    told: list[tuple[int, str]] = []
    async with site_of(make_house(), script, document()) as site:
        site.edge.watch = lambda exchange, reply, slug: told.append((reply.status, slug))
        reader, writer = await site.connect()
        writer.write(get("/image"))
        await head_of(reader)
        assert told == [(200, "")]
        more.set()
        assert await read_chunks(reader) == (b"first", True)
    assert told == [(200, "")]


async def test_a_length_stays_a_length_and_its_last_byte_waits_for_the_record(make_house) -> None:
    body = bytes(range(256)) * 1024

    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", f"Content-Length: {len(body)}"), body)

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/image"))
        _, headers = await head_of(reader)
        assert headers["content-length"] == str(len(body))
        assert "transfer-encoding" not in headers
        assert await reader.readexactly(len(body)) == body
        assert site.last("completed")["response_sha256"] == hashlib.sha256(body).hexdigest()
        site.house.journal.refuse_next(after=1)  # *received* is kept, the end is not
        writer.write(get("/image"))
        await head_of(reader)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(len(body))


async def test_without_its_first_record_nothing_goes_on(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED))
        await asked.chunk(b"secret")
        await asked.gone()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        site.house.journal.refuse_next()
        writer.write(get("/image"))
        status, headers = await head_of(reader)
        assert status == 503
        assert b"secret" not in await reader.readexactly(int(headers["content-length"]))


async def test_a_client_of_1_0_gets_its_stream_until_the_end_of_the_connection(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED))
        await asked.chunk(b"all")
        await asked.send(b"0\r\n\r\n")

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/image", "1.0"))
        _, headers = await head_of(reader)
        assert headers["connection"] == "close"
        assert "transfer-encoding" not in headers
        assert await reader.read() == b"all"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("framing", [CHUNKED, "Content-Length: 1000000"])
async def test_a_provider_that_breaks_off_is_seen_as_an_incomplete_message(
    make_house, version: str, framing: str
) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", framing))
        await asked.send(b"4\r\npart\r\n" if framing == CHUNKED else b"part")
        await until(lambda: asked.writer.transport.get_write_buffer_size() == 0)
        asked.writer.close()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/image", version))
        _, headers = await head_of(reader)
        if "content-length" in headers:
            with pytest.raises(asyncio.IncompleteReadError):
                await reader.readexactly(1_000_000)
        elif version == "1.1":
            assert await read_chunks(reader) == (b"part", False)
        else:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        record = site.last("completed")
        assert (record["outcome"], record["reason"]) == ("failed", "upstream-broken")
        assert next(iter(site.house.pipeline.plan.slots)).in_flight == 0


async def test_a_consumer_that_leaves_ends_the_call_at_the_provider(make_house) -> None:
    left = asyncio.Event()

    async def script(asked: Asked) -> None:
        await asked.send(begins("text/event-stream", CHUNKED))
        await asked.chunk(b"id: 1\ndata: x\n\n")
        await asked.gone()
        left.set()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/events"))
        await head_of(reader)
        await reader.readuntil(b"data: x\n\n")
        writer.close()
        async with asyncio.timeout(10):
            await left.wait()
        assert site.last("completed")["reason"] == "consumer-gone"


async def test_an_answer_whose_head_breaks_the_contract_is_withheld(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED))
        await asked.chunk(b"secret")
        await asked.gone()

    given = document()
    given["paths"]["/image"]["get"]["responses"]["200"]["headers"] = {
        "X-Study": {"required": True, "schema": {"type": "string"}}
    }
    async with site_of(make_house(), script, given) as site:
        reader, writer = await site.connect()
        writer.write(get("/image"))
        status, headers = await head_of(reader)
        assert status == 502
        assert b"secret" not in await reader.readexactly(int(headers["content-length"]))


async def test_head_brings_no_body_and_the_length_of_one(make_house) -> None:
    async def script(asked: Asked) -> None:
        assert asked.head.startswith(b"HEAD ")
        await asked.send(begins("application/octet-stream", "Content-Length: 1000000"))

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/image").replace(b"GET", b"HEAD"))
        status, headers = await head_of(reader)
        assert (status, headers["content-length"]) == (200, "1000000")
        writer.write(get("/image").replace(b"GET", b"HEAD"))
        assert (await head_of(reader))[0] == 200


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Streams(max_bytes=100_000), "upstream-broken"),
        (Streams(idle_seconds=0.2), "stream-idle"),
        (
            Streams(total_seconds=2.0),
            "stream-too-long",
        ),  # long enough for the head, however busy the machine is
    ],
)
async def test_bounds_of_a_route_end_a_stream(make_house, policy: Streams, reason: str) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/octet-stream", CHUNKED))
        await asked.chunk(b"x" * 90_000)
        if policy.max_bytes:
            await asked.chunk(b"x" * 90_000)
        with contextlib.suppress(ConnectionError):
            while policy.total_seconds:
                await asked.chunk(b"x")
                await asyncio.sleep(0.05)
        await asked.gone()

    async with site_of(make_house(), script, document(), policy=RoutePolicy(streams=policy)) as site:
        reader, writer = await site.connect()
        writer.write(get("/image"))
        await head_of(reader)
        async with asyncio.timeout(10):
            _, whole = await read_chunks(reader)
        assert not whole
        assert site.last("completed")["reason"] == reason


# -- items ------------------------------------------------------------------------------------------


async def test_items_go_on_one_by_one_and_the_first_bad_one_ends_the_stream(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/x-ndjson", CHUNKED))
        await asked.chunk(b'{"bpm":60}\n{"bpm"')
        await asked.chunk(b':61}\n{"bpm":62}\n{"bpm":999}\n{"bpm":63}\n')
        await asked.gone()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(get("/readings"))
        await head_of(reader)
        assert await read_chunks(reader) == (b'{"bpm":60}\n{"bpm":61}\n{"bpm":62}\n', False)
        record = site.last("completed")
        assert (record["outcome"], record["reason"]) == ("failed", "item-outside-contract")
        assert record["problems"] == [{"pointer": "/3/bpm", "keyword": "maximum", "in": "body"}]
        assert record["detail"] == {"items": 3}


async def test_where_only_reports_are_asked_for_bad_items_pass_and_are_counted(make_house, caplog) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("application/x-ndjson", CHUNKED))
        await asked.chunk(b'{"bpm":999}\n{"bpm":1}')
        await asked.send(b"0\r\n\r\n")

    async with site_of(make_house(), script, document(), report_only=True) as site:
        reader, writer = await site.connect()
        writer.write(get("/readings"))
        await head_of(reader)
        assert await read_chunks(reader) == (b'{"bpm":999}\n{"bpm":1}', True)
        assert site.last("completed")["report_only"] is True
        assert "pointer=/0/bpm keyword=maximum" in caplog.text


async def test_an_item_that_never_ends_is_not_held(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(begins("text/event-stream", CHUNKED))
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await asked.chunk(b"data: " + b"x" * 10_000 + b"\n")
        await asked.gone()

    policy = RoutePolicy(streams=Streams(max_item_bytes=50_000))
    async with site_of(make_house(), script, document(), policy=policy) as site:
        reader, writer = await site.connect()
        writer.write(get("/events"))
        await head_of(reader)
        assert await read_chunks(reader) == (b"", False)
        assert site.last("completed")["problems"][0]["keyword"] == "limit"


# -- requests ---------------------------------------------------------------------------------------


async def created(asked: Asked) -> None:
    body = await asked.body()
    got = b'{"bytes":%d}' % len(body)
    await asked.send(
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(got),
        got,
    )


@pytest.mark.parametrize("framing", [CHUNKED, "Content-Length: 200000"])
async def test_a_body_goes_on_before_it_has_ended(make_house, framing: str) -> None:
    arrived = asyncio.Event()

    async def script(asked: Asked) -> None:
        if asked.head.startswith(b"GET"):
            await asked.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            return
        assert asked.field("transfer-encoding" if framing == CHUNKED else "content-length") is not None
        first = await asked.reader.readexactly(7 if framing == CHUNKED else 4)
        assert first.endswith(b"half"[: len(first)])
        arrived.set()
        await asked.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while framing == CHUNKED and b"0\r\n\r\n" not in await asked.reader.read(65536):
            pass
        if framing != CHUNKED:
            await asked.reader.readexactly(200_000 - 4)
        await asked.send(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        rest = b"x" * (200_000 - 4)
        writer.write(put("/image", framing))
        writer.write(b"4\r\nhalf\r\n" if framing == CHUNKED else b"half")
        async with asyncio.timeout(10):
            await arrived.wait()
        assert site.house.journal.stages() == ["received"]
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest) if framing == CHUNKED else rest)
        writer.write(get("/image"))  # sent ahead: answered after it
        status, headers = await head_of(reader)
        assert (status, headers["content-length"]) == (201, "2")
        record = site.last("completed")
        assert await reader.readexactly(2) == b"{}"
        assert (await head_of(reader))[0] == 404
        assert record["request_bytes"] == 200_000
        assert record["request_sha256"] == hashlib.sha256(b"half" + rest).hexdigest()
        assert record["closes"] == site.last("received")["id"]


async def test_the_client_is_told_to_go_on_when_the_provider_is_there(make_house) -> None:
    async with site_of(make_house(), created, document()) as site:
        reader, writer = await site.connect()
        writer.write(put("/image", CHUNKED, "Expect: 100-continue"))
        assert await reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"3\r\nabc\r\n0\r\n\r\n")
        assert (await head_of(reader))[0] == 201
        assert await reader.readexactly(11) == b'{"bytes":3}'


async def test_what_is_wrong_with_the_head_is_said_before_the_body(make_house) -> None:
    async with site_of(make_house(), created, document()) as site:
        reader, writer = await site.connect()
        writer.write(put("/image?bed=x", CHUNKED) + b"3\r\nabc\r\n")
        status, headers = await head_of(reader)
        assert (status, headers["connection"]) == (400, "close")
        assert site.provider.asked == []


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'b\r\n{"bpm":60}\n\r\nc\r\n{"bpm":999}\n\r\n', 422, "body-invalid"),
        (b'b\r\n{"bpm":60}\n\r\n3\r\nno\n\r\n', 400, "body-malformed"),
        (b"zz\r\n", 400, "framing-refused"),
    ],
)
async def test_a_body_that_breaks_the_contract_breaks_off_at_the_provider(
    make_house, body: bytes, status: int, slug: str
) -> None:
    cut = asyncio.Event()

    async def script(asked: Asked) -> None:
        with pytest.raises(asyncio.IncompleteReadError):
            await asked.body()
        cut.set()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(put("/readings", CHUNKED) + body)
        got, headers = await head_of(reader)
        assert got == status
        assert slug.encode() in await reader.readexactly(int(headers["content-length"]))
        async with asyncio.timeout(10):
            await cut.wait()
        record = site.last("completed")
        assert (record["refusal"], record["outcome"]) == (slug, "unknown")


async def test_a_client_that_leaves_half_way_is_an_incomplete_request_at_the_provider(make_house) -> None:
    cut = asyncio.Event()

    async def script(asked: Asked) -> None:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asked.body()
        cut.set()

    async with site_of(make_house(), script, document()) as site:
        _, writer = await site.connect()
        writer.write(put("/image", "Content-Length: 1000000") + b"x" * 1000)
        await until(lambda: site.provider.asked)
        writer.close()
        async with asyncio.timeout(10):
            await cut.wait()
        await until(lambda: "completed" in site.house.journal.stages())


async def test_a_body_that_does_not_go_on_is_given_up(make_house) -> None:
    async def script(asked: Asked) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await asked.body()

    policy = RoutePolicy(streams=Streams(idle_seconds=0.2))
    async with site_of(make_house(), script, document(), policy=policy) as site:
        reader, writer = await site.connect()
        writer.write(put("/image", "Content-Length: 1000000") + b"x" * 1000)
        assert (await head_of(reader))[0] == 408


async def test_a_body_above_the_bound_is_refused_by_its_length_or_when_it_passes_it(make_house) -> None:
    async def script(asked: Asked) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await asked.body()

    policy = RoutePolicy(streams=Streams(max_bytes=100_000))
    async with site_of(make_house(), script, document(), policy=policy) as site:
        reader, writer = await site.connect()
        writer.write(put("/image", "Content-Length: 100001"))
        assert (await head_of(reader))[0] == 413
        assert site.provider.asked == []
        reader, writer = await site.connect()
        writer.write(put("/image", CHUNKED) + b"186a1\r\n" + b"x" * 100_001 + b"\r\n")
        assert (await head_of(reader))[0] == 413


async def test_an_answer_that_comes_early_ends_the_upload(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )
        await asked.gone()

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect()
        writer.write(put("/image", CHUNKED) + b"3\r\nabc\r\n")
        status, headers = await head_of(reader)
        assert (status, headers["connection"]) == (201, "close")


# -- what is held -----------------------------------------------------------------------------------

_TOTAL = 200 * 1024 * 1024
_PIECE = b"\x5a" * (256 * 1024)
_MOST_HELD = 24 * 1024 * 1024  # in all buffers of one stream, those of four sockets in the kernel among them


async def test_200_mb_pass_each_way_within_bounds_and_unchanged(make_house) -> None:
    """What is held is counted: what has left the one end and not reached the other."""
    sent = received = most = 0

    async def script(asked: Asked) -> None:
        nonlocal sent, received, most
        if asked.head.startswith(b"GET"):
            await asked.send(begins("application/octet-stream", f"Content-Length: {_TOTAL}"))
            while sent < _TOTAL:
                await asked.send(_PIECE)
                sent += len(_PIECE)
            return
        while received < _TOTAL:
            received += len(await asked.reader.read(len(_PIECE)))
            most = max(most, sent - received)
        await asked.send(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect(limit=64 * 1024)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        digest = hashlib.sha256()
        writer.write(get("/image"))
        await head_of(reader)
        while received < _TOTAL:
            piece = await reader.read(len(_PIECE))
            received += len(piece)
            digest.update(piece)
            most = max(most, sent - received)
        assert site.last("completed")["response_sha256"] == digest.hexdigest()
        assert most < _MOST_HELD
        sent = received = most = 0
        writer.write(put("/image", f"Content-Length: {_TOTAL}"))
        while sent < _TOTAL:
            writer.write(_PIECE)
            await writer.drain()
            sent += len(_PIECE)
        assert (await head_of(reader))[0] == 201
        assert site.last("completed")["request_bytes"] == _TOTAL
        assert most < _MOST_HELD
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 64 * 1024  # KiB


async def test_a_consumer_that_does_not_read_stops_its_provider(make_house) -> None:
    sent = 0

    async def script(asked: Asked) -> None:
        nonlocal sent
        await asked.send(begins("application/octet-stream", CHUNKED))
        with contextlib.suppress(ConnectionError):
            while sent < _TOTAL:
                await asked.chunk(_PIECE)
                sent += len(_PIECE)

    async with site_of(make_house(), script, document()) as site:
        reader, writer = await site.connect(limit=64 * 1024)
        writer.write(get("/image"))
        await head_of(reader)
        seen = -1
        while seen != sent:  # until nothing moves for a while
            seen = sent
            await asyncio.sleep(0.3)
        assert 0 < sent < 4 * _MOST_HELD
        writer.transport.abort()


async def test_a_provider_that_does_not_read_stops_its_consumer(make_house) -> None:
    go = asyncio.Event()

    async def script(asked: Asked) -> None:
        asked.writer.transport.pause_reading()
        await go.wait()

    async with site_of(make_house(), script, document()) as site:
        _, writer = await site.connect()
        writer.write(put("/image", f"Content-Length: {_TOTAL}"))
        await until(lambda: site.provider.asked)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < _TOTAL:
                writer.write(_PIECE)
                sent += len(_PIECE)
                async with asyncio.timeout(0.5):
                    await writer.drain()
        assert 0 < sent < 4 * _MOST_HELD
        go.set()
        writer.transport.abort()
