"""Channels of AsyncAPI contracts over real sockets: a `websockets` client, our edge, a `websockets` provider."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.catalog import build
from kernel.bundle.model import AdapterInstance
from kernel.bundle.policy import Channels, RoutePolicy, Streams
from kernel.bundle.repeats import Retries
from runtime_proxy.conversation import Conversation
from runtime_proxy.edge import Edge, serve_edge
from runtime_proxy.exchange import StreamCut
from tests.doubles.edge import until
from tests.doubles.streaming import Asked, read_chunks, site_of

KEY = "ilk_w1_0123456789abcdef"
PULSE = {
    "type": "object",
    "required": ["bpm"],
    "additionalProperties": False,
    "properties": {"bpm": {"type": "integer", "maximum": 300}},
}


def modern(protocol: str = "ws", **channel: Any) -> dict[str, Any]:
    """Write a 3.0 contract: a monitor sends pulses, and takes alarm limits."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Monitors", "version": "1.0.0"},
        "servers": {
            "house": {
                "host": "monitors.example",
                "protocol": protocol,
                "security": [{"$ref": "#/components/securitySchemes/key"}],
            }
        },
        "channels": {
            "monitor": {
                "address": "/beds/{bed}/monitor",
                "parameters": {"bed": {"enum": ["b1", "b2"]}},
                "messages": {
                    "pulse": {"payload": {"$ref": "#/components/schemas/Pulse"}},
                    "limit": {"payload": {"type": "object", "required": ["high"]}},
                    "note": {"contentType": "text/plain", "payload": {"type": "string", "maxLength": 5}},
                },
                "bindings": {
                    "ws": {"query": {"type": "object", "properties": {"since": {"type": "integer"}}}}
                },
                **channel,
            }
        },
        "operations": {
            "sendPulse": {
                "action": "send",
                "channel": {"$ref": "#/channels/monitor"},
                "messages": [{"$ref": "#/channels/monitor/messages/pulse"}],
            },
            "setLimit": {
                "action": "receive",
                "channel": {"$ref": "#/channels/monitor"},
                "messages": [
                    {"$ref": "#/channels/monitor/messages/limit"},
                    {"$ref": "#/channels/monitor/messages/note"},
                ],
            },
        },
        "components": {
            "schemas": {"Pulse": PULSE},
            "securitySchemes": {"key": {"type": "httpApiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def older() -> dict[str, Any]:
    """Write the same in 2.6, where `publish` is what others may send."""
    return {
        "asyncapi": "2.6.0",
        "info": {"title": "Monitors", "version": "1.0.0"},
        "servers": {"house": {"url": "monitors.example", "protocol": "wss", "security": [{"key": []}]}},
        "channels": {
            "/beds/{bed}/monitor": {
                "parameters": {"bed": {"schema": {"type": "string", "enum": ["b1", "b2"]}}},
                "subscribe": {"message": {"payload": {"$ref": "#/components/schemas/Pulse"}}},
                "publish": {
                    "message": {
                        "oneOf": [
                            {"payload": {"type": "object", "required": ["high"]}},
                            {"contentType": "text/plain", "payload": {"type": "string", "maxLength": 5}},
                        ]
                    }
                },
            }
        },
        "components": {
            "schemas": {"Pulse": PULSE},
            "securitySchemes": {"key": {"type": "httpApiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


Provide = Callable[[ServerConnection], Awaitable[None]]


class Ward:
    """A proxy before a WebSocket provider."""

    def __init__(self, house: Any, edge: Edge) -> None:
        self.house = house
        self.edge = edge
        self.port = edge.address[1]

    def open(self, path: str = "/beds/b1/monitor", **options: Any) -> connect:
        headers = {"X-API-Key": KEY, **options.pop("headers", {})}
        return connect(
            f"ws://127.0.0.1:{self.port}/orders/v1{path}", additional_headers=headers, proxy=None, **options
        )

    async def refused(self, path: str = "/beds/b1/monitor", **options: Any) -> tuple[int, str]:
        """Try to open a channel; gives status and slug of the refusal."""
        with pytest.raises(InvalidStatus) as caught:
            async with self.open(path, **options):
                pass
        body = caught.value.response.body
        assert body is not None
        return caught.value.response.status_code, json.loads(body)["type"].rpartition(":")[2]

    async def closed(self) -> dict[str, Any]:
        """Give the record of the end."""
        await until(lambda: "completed" in self.house.journal.stages())
        return [one for one in self.house.journal.records if one["stage"] == "completed"][-1]


@contextlib.asynccontextmanager
async def ward_of(
    house: Any,
    provide: Provide,
    document: dict[str, Any],
    *,
    subprotocols: Any = None,
    guards: Any = None,
    before: Any = None,
    **publish: Any,
) -> AsyncIterator[Ward]:
    async with serve(provide, "127.0.0.1", 0, subprotocols=subprotocols, process_request=before) as server:
        port = server.sockets[0].getsockname()[1]
        house.provider = build(
            AdapterInstance(
                "laboratory", "http", {"base_url": f"ws://127.0.0.1:{port}/api", **(guards or {})}
            ),
            None,
        )
        await house.publish(document, kind="asyncapi", **publish)
        edge = await serve_edge(house.pipeline, "127.0.0.1", 0, house.settings)
        try:
            yield Ward(house, edge)
        finally:
            await edge.drain()
            await house.plane.stop()


async def echo_limits(socket: ServerConnection) -> None:
    """Send a pulse for each limit that comes."""
    async for message in socket:
        high = json.loads(message)["high"] if str(message).startswith("{") else 1
        await socket.send(json.dumps({"bpm": high}))


async def close_of(socket: ClientConnection) -> int:
    """Wait for the end; gives its code."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code


@pytest.mark.parametrize("document", [modern(), older()], ids=["3.0", "2.6"])
async def test_messages_pass_both_ways_and_both_records_stand(make_house, document: dict[str, Any]) -> None:
    paths: list[str] = []

    async def provide(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(socket.request.path)
        assert "X-API-Key" not in socket.request.headers
        await echo_limits(socket)

    async with ward_of(make_house(), provide, document) as ward:
        async with ward.open("/beds/b1/monitor?since=3") as socket:
            assert ward.house.journal.stages() == ["received"]
            assert socket.response is not None
            assert socket.response.headers["X-Interlock-Contract"] == "orders@1.0.0"
            await socket.send('{"high": 120}')
            assert await socket.recv() == '{"bpm": 120}'
            await socket.send("note")
            assert await socket.recv() == '{"bpm": 1}'
        record = await ward.closed()
        assert record["closes"] == ward.house.journal.records[-2]["id"]
        assert record["detail"] == {"received": 2, "sent": 2}
        assert (record["outcome"], record["status"]) == ("success", 101)
        assert (record["request_bytes"], record["response_bytes"]) == (17, 22)
        assert record["consumer"] == "ward"
        assert paths == ["/api/beds/b1/monitor?since=3"]
        await until(lambda: next(iter(ward.house.pipeline.plan.slots)).in_flight == 0)


@pytest.mark.parametrize("document", [modern(), older()], ids=["3.0", "2.6"])
@pytest.mark.parametrize(
    "message", ['{"bpm": 60}', '{"high":', '{"high": 1, "high": 2}', b"\x00\x01", "too long a note"]
)
async def test_what_the_consumer_may_not_send_closes_it_and_does_not_arrive(
    make_house, document: dict[str, Any], message: str | bytes
) -> None:
    got: list[Any] = []
    codes: list[int | None] = []

    async def provide(socket: ServerConnection) -> None:
        got.extend([one async for one in socket])
        codes.append(socket.close_code)

    async with ward_of(make_house(), provide, document) as ward:
        async with ward.open() as socket:
            await socket.send('{"high": 1}')
            await socket.send(message)
            assert await close_of(socket) == 1008
        record = await ward.closed()
        assert (record["outcome"], record["reason"]) == ("failed", "message-outside-contract")
        assert record["detail"] == {"received": 1, "sent": 0}
        assert len(record["problems"]) >= 1
        await until(lambda: codes)
        assert got == ['{"high": 1}']
        assert codes == [1001]


async def test_what_the_provider_may_not_send_does_not_arrive(make_house) -> None:
    codes: list[int | None] = []

    async def provide(socket: ServerConnection) -> None:
        await socket.send('{"bpm": 60}')
        await socket.send('{"bpm": 999}')
        await socket.wait_closed()
        codes.append(socket.close_code)

    async with ward_of(make_house(), provide, modern()) as ward:
        async with ward.open() as socket:
            assert await socket.recv() == '{"bpm": 60}'
            assert await close_of(socket) == 1011
        record = await ward.closed()
        assert record["problems"] == [{"pointer": "/bpm", "keyword": "maximum", "in": "body"}]
        await until(lambda: codes)
        assert codes == [1008]


async def test_where_only_reports_are_asked_for_all_passes_and_is_counted(make_house, caplog) -> None:
    async def provide(socket: ServerConnection) -> None:
        assert await socket.recv() == '{"low": 1}'
        await socket.send('{"bpm": 999}')
        await socket.close(4000)

    async with ward_of(make_house(), provide, modern(), report_only=True, report_requests=True) as ward:
        async with ward.open() as socket:
            await socket.send('{"low": 1}')
            assert await socket.recv() == '{"bpm": 999}'
            assert await close_of(socket) == 4000  # the provider's own goodbye passes
        assert (await ward.closed())["report_only"] is True
        assert "pointer=/bpm keyword=maximum" in caplog.text


async def test_the_head_is_judged_as_of_any_call(make_house) -> None:
    async with ward_of(make_house(), echo_limits, modern()) as ward:
        assert await ward.refused("/beds/b9/monitor") == (400, "parameter-invalid")
        assert await ward.refused("/beds/b1/monitor?since=x") == (400, "parameter-invalid")
        assert await ward.refused("/beds/b1/other") == (404, "not-found")
        assert await ward.refused(headers={"X-API-Key": "ilk_w1_wrong"}) == (401, "credentials-refused")
        assert await ward.refused(headers={"Origin": "https://elsewhere.example"}) == (403, "origin-refused")


async def test_origins_are_those_of_the_route(make_house) -> None:
    policy = RoutePolicy(channels=Channels(origins=("https://ward.example",)))
    async with ward_of(make_house(), echo_limits, modern(), policy=policy) as ward:
        async with ward.open(origin="https://ward.example") as socket:
            await socket.send('{"high": 1}')
            assert await socket.recv() == '{"bpm": 1}'
        assert await ward.refused(origin="https://elsewhere.example") == (403, "origin-refused")


async def test_the_subprotocol_is_the_one_that_the_provider_chose(make_house) -> None:
    async with ward_of(make_house(), echo_limits, modern(), subprotocols=["pulse.v2"]) as ward:
        async with ward.open(subprotocols=["pulse.v3", "pulse.v2"]) as socket:
            assert socket.subprotocol == "pulse.v2"
        assert await ward.refused() == (502, "upstream-broken")  # the provider takes none without


async def test_a_message_above_the_bound_closes_its_sender(make_house) -> None:
    policy = RoutePolicy(streams=Streams(max_item_bytes=1000))
    async with ward_of(make_house(), echo_limits, modern(), policy=policy) as ward:
        async with ward.open() as socket:
            await socket.send('{"high": 1, "x": "' + "y" * 1000 + '"}')
            assert await close_of(socket) == 1009
        assert (await ward.closed())["reason"] == "websocket-broken"


async def test_a_channel_ends_when_its_time_is_over(make_house) -> None:
    policy = RoutePolicy(streams=Streams(total_seconds=0.3))
    async with ward_of(make_house(), echo_limits, modern(), policy=policy) as ward:
        async with ward.open() as socket:
            assert await close_of(socket) == 1001
        assert (await ward.closed())["reason"] == "stream-too-long"


async def test_a_side_that_gives_no_sign_of_life_is_let_go(make_house) -> None:
    policy = RoutePolicy(streams=Streams(idle_seconds=0.4))
    async with ward_of(make_house(), echo_limits, modern(), policy=policy) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(raw_handshake())
        await reader.readuntil(b"\r\n\r\n")  # and no pong ever
        assert (await ward.closed())["reason"] == "consumer-gone"
        writer.transport.abort()


async def test_pongs_keep_a_silent_channel_open(make_house) -> None:
    policy = RoutePolicy(streams=Streams(idle_seconds=0.4))
    async with (
        ward_of(make_house(), echo_limits, modern(), policy=policy) as ward,
        ward.open(ping_interval=None) as socket,
    ):
        await asyncio.sleep(1.0)
        await socket.send('{"high": 1}')
        assert await socket.recv() == '{"bpm": 1}'


async def test_a_consumer_that_vanishes_is_told_to_the_provider(make_house) -> None:
    codes: list[int | None] = []

    async def provide(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()
        await socket.wait_closed()
        codes.append(socket.close_code)

    async with ward_of(make_house(), provide, modern()) as ward:
        async with ward.open() as socket:
            socket.transport.abort()
        await until(lambda: codes)
        assert codes == [1001]
        assert (await ward.closed())["reason"] == "consumer-gone"


async def test_a_provider_that_vanishes_is_no_clean_end(make_house) -> None:
    async def provide(socket: ServerConnection) -> None:
        await socket.send('{"bpm": 60}')
        socket.transport.abort()

    async with ward_of(make_house(), provide, modern()) as ward:
        async with ward.open() as socket:
            assert await close_of(socket) == 1011
        assert (await ward.closed())["reason"] == "upstream-broken"


async def test_a_provider_that_opens_none_is_a_bad_gateway(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with site_of(make_house(), script, modern(), kind="asyncapi") as site:
        ward = Ward(site.house, site.edge)
        assert await ward.refused() == (502, "upstream-broken")
        assert ward.house.journal.stages() == ["received", "completed"]


async def test_channels_open_through_guards_and_routes_that_repeat(make_house) -> None:
    settings = {"breaker": {}, "bulkhead": {}}
    policy = RoutePolicy(retries=Retries())
    async with (
        ward_of(make_house(), echo_limits, modern(), guards=settings, policy=policy) as ward,
        ward.open() as socket,
    ):
        await socket.send('{"high": 1}')
        assert await socket.recv() == '{"bpm": 1}'


async def test_an_adapter_that_opens_no_channels_is_a_bad_gateway(make_house) -> None:
    house = make_house()
    await house.publish(modern(), kind="asyncapi")
    handshake = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13")]
    key = ("sec-websocket-key", base64.b64encode(b"0123456789abcdef").decode())
    reply = await house.ask("GET", "/orders/v1/beds/b1/monitor", b"", *handshake, key)
    assert reply.status == 502
    assert house.provider.calls == []


async def test_a_stopping_proxy_says_goodbye(make_house) -> None:
    house = make_house(proxy_drain_timeout=5)
    async with serve(echo_limits, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        house.provider = build(
            AdapterInstance("laboratory", "http", {"base_url": f"http://127.0.0.1:{port}"}), None
        )
        await house.publish(modern(), kind="asyncapi")
        edge = await serve_edge(house.pipeline, "127.0.0.1", 0, house.settings)
        ward = Ward(house, edge)
        async with ward.open() as socket:
            draining = asyncio.create_task(edge.drain())
            assert await close_of(socket) == 1001
        async with asyncio.timeout(3):
            await draining
        assert (await ward.closed())["reason"] == "shutting-down"
        await house.plane.stop()


SOCKET_KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="
VERSION = "Sec-WebSocket-Version: 13"


def raw_handshake(
    *lines: str,
    version: str = "1.1",
    upgrade: tuple[str, ...] = ("Connection: Upgrade", "Upgrade: websocket"),
) -> bytes:
    head = [f"GET /orders/v1/beds/b1/monitor HTTP/{version}", "Host: a", f"X-API-Key: {KEY}", *upgrade]
    return "\r\n".join([*head, *(lines or (SOCKET_KEY, VERSION)), "", ""]).encode()


@pytest.mark.parametrize(
    ("handshake", "status", "slug"),
    [
        (raw_handshake(SOCKET_KEY, "Sec-WebSocket-Version: 8"), 426, b"upgrade-required"),
        (raw_handshake(SOCKET_KEY), 426, b"upgrade-required"),
        (raw_handshake(SOCKET_KEY, VERSION, VERSION), 426, b"upgrade-required"),
        (raw_handshake("Sec-WebSocket-Key: short", VERSION), 400, b"handshake-invalid"),
        (raw_handshake(SOCKET_KEY[:-1], VERSION), 400, b"handshake-invalid"),
        (raw_handshake(VERSION), 400, b"handshake-invalid"),
        (raw_handshake(SOCKET_KEY, SOCKET_KEY, VERSION), 400, b"handshake-invalid"),
        (raw_handshake(version="1.0"), 400, b"handshake-invalid"),
        (raw_handshake(upgrade=("Upgrade: websocket",)), 400, b"handshake-invalid"),
        (raw_handshake(SOCKET_KEY, VERSION, "Sec-WebSocket-Protocol: a b"), 400, b"handshake-invalid"),
        (
            raw_handshake(
                SOCKET_KEY, VERSION, "Origin: https://elsewhere.example", "Origin: https://ward.example"
            ),
            403,
            b"origin-refused",
        ),
    ],
)
async def test_a_broken_handshake_reaches_nobody(
    make_house, handshake: bytes, status: int, slug: bytes
) -> None:
    opened: list[ServerConnection] = []

    async def provide(socket: ServerConnection) -> None:
        opened.append(socket)

    policy = RoutePolicy(channels=Channels(origins=("https://ward.example",)))
    async with ward_of(make_house(), provide, modern(), policy=policy) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(handshake)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert (b"\r\nsec-websocket-version: 13\r\n" in head) is (status == 426)
        assert slug in await reader.readuntil(b"}")
        assert opened == []
        writer.transport.abort()


@pytest.mark.parametrize(
    "upgrade",
    [
        ("Connection: Upgrade", "Upgrade: h2c, websocket"),
        ("Connection: Upgrade", "Upgrade: h2c", "Upgrade: WebSocket"),
        ("Connection: keep-alive, Upgrade", "Upgrade: websocket"),
        ("Connection: upgrade", "Connection: keep-alive", "Upgrade: websocket"),
    ],
)
async def test_upgrade_and_connection_may_be_lists(make_house, upgrade: tuple[str, ...]) -> None:
    async with ward_of(make_house(), echo_limits, modern()) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(raw_handshake(upgrade=upgrade))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 101 ")
        assert b"\r\nupgrade: websocket\r\n" in head
        writer.transport.abort()
        await ward.closed()


async def test_the_subprotocols_of_all_lines_are_offered(make_house) -> None:
    lines = (SOCKET_KEY, VERSION, "Sec-WebSocket-Protocol: pulse.v2", "Sec-WebSocket-Protocol: pulse.v3")
    async with ward_of(make_house(), echo_limits, modern(), subprotocols=["pulse.v2"]) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(raw_handshake(*lines))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nsec-websocket-protocol: pulse.v2\r\n" in head.lower()
        writer.transport.abort()
        await ward.closed()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(StreamCut("handshake-invalid"), "handshake-invalid"), (RuntimeError("planted"), "internal-error")],
)
async def test_a_channel_that_cannot_begin_lets_go_of_the_provider(
    make_house, monkeypatch, fault: Exception, reason: str
) -> None:
    codes: list[int | None] = []

    async def provide(socket: ServerConnection) -> None:
        await socket.wait_closed()
        codes.append(socket.close_code)

    def begin(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(Conversation, "begin", begin)
    async with ward_of(make_house(), provide, modern()) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(raw_handshake())
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        record = await ward.closed()
        assert (record["outcome"], record["reason"], record.get("status")) == ("failed", reason, None)
        assert record["closes"] == ward.house.journal.records[-2]["id"]
        await until(lambda: codes)
        assert codes == [1001]
        assert next(iter(ward.house.pipeline.plan.slots)).in_flight == 0
        writer.transport.abort()


async def test_a_consumer_that_leaves_before_the_provider_answers_keeps_no_connection(make_house) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    codes: list[int | None] = []

    async def wait(*_: Any) -> None:
        asked.set()
        await answer.wait()

    async def provide(socket: ServerConnection) -> None:
        await socket.wait_closed()
        codes.append(socket.close_code)

    async with ward_of(make_house(), provide, modern(), before=wait) as ward:
        _, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(raw_handshake())
        await asked.wait()
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, reset)
        writer.transport.abort()
        await until(lambda: not ward.edge.connections)
        answer.set()
        record = await ward.closed()
        assert (record["outcome"], record["reason"], record.get("status")) == (
            "failed",
            "consumer-gone",
            None,
        )
        await until(lambda: codes)
        assert codes == [1001]


async def test_a_get_without_upgrade_is_told_what_is_missing(make_house) -> None:
    async with ward_of(make_house(), echo_limits, modern()) as ward:
        reader, writer = await asyncio.open_connection("127.0.0.1", ward.port)
        writer.write(
            f"GET /orders/v1/beds/b1/monitor HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 426 ")
        assert b"\r\nupgrade: websocket\r\n" in head
        writer.transport.abort()


# -- events of a channel ----------------------------------------------------------------------------


async def test_events_of_a_channel_are_judged_by_its_messages(make_house) -> None:
    async def script(asked: Asked) -> None:
        await asked.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await asked.chunk(b': hello\n\ndata: {"bpm": 60}\n\nevent: x\ndata: {"bpm": 61}\n\n')
        await asked.chunk(b'data: {"high": 1}\n\n')
        await asked.gone()

    async with site_of(make_house(), script, modern("http"), kind="asyncapi") as site:
        reader, writer = await site.connect()
        writer.write(
            f"GET /orders/v1/beds/b2/monitor HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await read_chunks(reader) == (
            b': hello\n\ndata: {"bpm": 60}\n\nevent: x\ndata: {"bpm": 61}\n\n',
            False,
        )
        record = site.last("completed")
        assert record["problems"][0]["pointer"] in {"/2/data/bpm", "/2/data/{key}"}
        assert record["detail"] == {"items": 2}
        with pytest.raises(InvalidStatus):
            async with Ward(site.house, site.edge).open():
                pass
