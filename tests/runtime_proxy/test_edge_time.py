"""The edge under slow, many, hanging and leaving clients, and when it is told to stop."""

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from adapters.errors import ListenFailed
from kernel.settings import load
from runtime_proxy.edge import serve_edge
from runtime_proxy.exchange import Reply
from tests.doubles.edge import CHUNKED, GET, NEXT, POST, Client, Pipeline, edge_of, until

FAST = {"proxy_head_timeout": 0.1, "proxy_body_timeout": 0.1, "proxy_idle_timeout": 0.1}


# -- time limits -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        GET,
        b"G",
        POST + b"Content-Length: 5\r\n\r\nabc",
        CHUNKED + b"5\r\nab",
        POST + b"Content-Length: 5\r\n\r\n",
    ],
)
async def test_a_request_that_does_not_arrive_in_time_is_told_so(data: bytes) -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline, **FAST) as edge:
        client = await Client.to(edge)
        await client.send(data)
        status, headers, body = await client.answer()
        assert (status, headers[b"connection"], body) == (408, b"close", b"request-timeout")
        assert await client.ended()
        await client.close()
    assert pipeline.seen == []


async def test_dripping_does_not_extend_the_time_of_a_head() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline, **FAST) as edge:
        client = await Client.to(edge)
        answer = asyncio.ensure_future(client.answer())
        for _ in range(500):
            if answer.done():
                break
            await client.send(b"G")
            await asyncio.sleep(0.01)
        assert (await answer)[0] == 408
        await client.close()


@pytest.mark.parametrize("first", [b"", GET + b"\r\n"], ids=["new", "kept"])
async def test_an_idle_connection_ends_without_a_word(first: bytes) -> None:
    async with edge_of(Pipeline(), **FAST) as edge:
        client = await Client.to(edge)
        if first:
            await client.send(first)
            assert (await client.answer())[0] == 200
        assert await client.ended()
        await client.close()
        assert edge.connections == 0


async def test_a_running_exchange_has_no_limit_of_the_edge() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline, **FAST) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        await asyncio.sleep(0.3)
        pipeline.gate.set()
        assert (await client.answer())[0] == 200
        await client.close()


# -- backpressure ------------------------------------------------------------------------------------
async def test_a_client_that_sends_ahead_is_not_read_while_its_request_runs() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        flood = asyncio.ensure_future(client.send(*[NEXT * 2000] * 400))  # 40 MB
        await until(lambda: pipeline.seen)
        await asyncio.sleep(0.2)
        (connection,) = edge._connections
        assert len(connection._ahead) <= 512 * 1024
        assert not flood.done()
        assert len(pipeline.seen) == 1
        flood.cancel()
        client.writer.transport.abort()


async def test_many_pipelined_requests_are_answered_in_order() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        requests = [b"GET /%d HTTP/1.1\r\nHost: p\r\n\r\n" % i for i in range(5000)]
        sending = asyncio.ensure_future(client.send(b"".join(requests)))
        for i in range(5000):
            assert (await client.answer())[2] == b"GET /%d " % i
        await sending
        await client.close()


async def test_a_client_that_does_not_read_gets_no_second_answer_and_is_dropped() -> None:
    pipeline = Pipeline()
    pipeline.reply = Reply(200, [], b"x" * 4_000_000)
    async with edge_of(pipeline, **FAST) as edge:
        client = await Client.to(edge, limit=1024)
        client.writer.transport.pause_reading()
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await client.send((GET + b"\r\n") * 50)
        await until(lambda: pipeline.seen and not edge.connections)
        assert len(pipeline.seen) <= 4
        client.writer.transport.abort()


async def test_a_slow_reader_that_goes_on_reading_gets_everything() -> None:
    pipeline = Pipeline()
    pipeline.reply = Reply(200, [], b"x" * 8_000_000)
    async with edge_of(pipeline, proxy_body_timeout=0.3) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n" + NEXT)
        read = 0
        for _ in range(2):
            raw = await client.reader.readuntil(b"\r\n\r\n")
            assert raw.startswith(b"HTTP/1.1 200 ")
            for _ in range(16):
                read += len(await client.reader.readexactly(500_000))
                await asyncio.sleep(0.03)
        assert read == 16_000_000
        await client.close()


# -- clients that leave ------------------------------------------------------------------------------
async def test_a_running_exchange_is_seen_through_when_its_client_leaves() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline, proxy_drain_timeout=5) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        await until(lambda: pipeline.seen)
        client.reset()
        await until(lambda: not edge.connections)
        drained = asyncio.ensure_future(edge.drain())
        await asyncio.sleep(0.05)
        assert not drained.done(), "the exchange still runs"
        pipeline.gate.set()
        await asyncio.wait_for(drained, 10)
        assert not edge._tasks


async def test_a_client_may_end_its_half_and_still_gets_its_answer() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        client.writer.write_eof()
        await until(lambda: pipeline.seen)
        await asyncio.sleep(0.05)
        pipeline.gate.set()
        status, headers, _ = await client.answer()
        assert (status, headers[b"connection"]) == (200, b"close")
        assert await client.ended()
        await client.close()


async def test_a_lingering_connection_is_bounded() -> None:
    async with edge_of(Pipeline()) as edge:
        client = await Client.to(edge)
        await client.send(b"nonsense\r\n\r\n")
        assert (await client.answer())[0] == 400
        with pytest.raises(ConnectionError):
            await client.send(*[b"x" * 100_000] * 1000)
        client.writer.transport.abort()


# -- many ----------------------------------------------------------------------------------------------
async def test_connections_above_the_limit_are_told_so_and_room_comes_back() -> None:
    async with edge_of(Pipeline(), proxy_max_connections=2) as edge:
        clients = [await Client.to(edge) for _ in range(2)]
        for client in clients:
            await client.send(GET + b"\r\n")
            assert (await client.answer())[0] == 200
        third = await Client.to(edge)
        status, headers, body = await third.answer()
        assert (status, headers[b"connection"], body) == (503, b"close", b"too-many-connections")
        assert await third.ended()
        await third.close()
        await clients.pop().close()
        await until(lambda: edge.connections <= 1)
        fourth = await Client.to(edge)
        await fourth.send(GET + b"\r\n")
        assert (await fourth.answer())[0] == 200
        for client in (*clients, fourth):
            await client.close()


async def test_a_flood_of_connections_above_the_limit_is_closed_without_a_word() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline, proxy_max_connections=1) as edge:
        clients = [await Client.to(edge) for _ in range(100)]
        await asyncio.sleep(0.1)
        assert edge.connections <= 65
        for client in clients:
            client.writer.transport.abort()


# -- stopping --------------------------------------------------------------------------------------------
async def test_drain_finishes_what_runs_tells_others_to_close_and_takes_nothing_new() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline, proxy_drain_timeout=10) as edge:
        running, idle, late = [await Client.to(edge) for _ in range(3)]
        await running.send(GET + b"\r\n")
        await until(lambda: pipeline.seen)
        drained = asyncio.ensure_future(edge.drain())
        await asyncio.sleep(0.02)
        with pytest.raises(ConnectionError):
            await Client.to(edge)
        await late.send(NEXT)  # already connected: it is still served, and told to go
        await until(lambda: len(pipeline.seen) >= 2)
        assert await idle.ended()
        assert not drained.done()
        pipeline.gate.set()
        for client in (running, late):
            status, headers, _ = await client.answer()
            assert (status, headers[b"connection"]) == (200, b"close")
            assert await client.ended()
        await asyncio.wait_for(drained, 10)
        assert edge.connections == 0
        for client in (running, idle, late):
            await client.close()


async def test_drain_gives_up_what_does_not_end() -> None:
    pipeline = Pipeline()
    pipeline.gate = asyncio.Event()
    async with edge_of(pipeline, proxy_drain_timeout=0.1) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        await until(lambda: pipeline.seen)
        await asyncio.wait_for(edge.drain(), 10)
        assert (edge.connections, len(edge._tasks)) == (0, 0)
        client.writer.transport.abort()


async def test_an_address_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenFailed, match=str(port)):
            await serve_edge(Pipeline(), "127.0.0.1", port, load({}, environ={}))


async def test_two_edges_may_share_a_port_when_both_say_so() -> None:
    settings = load({"proxy_drain_timeout": 0}, environ={})
    first = await serve_edge(Pipeline(), "127.0.0.1", 0, settings, reuse_port=True)
    second = await serve_edge(Pipeline(), *first.address, settings, reuse_port=True)
    assert first.address == second.address
    await first.drain()
    await second.drain()


# -- TLS -------------------------------------------------------------------------------------------------
async def test_tls(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(cert, key)
    theirs = ssl.create_default_context(cafile=str(cert))
    pipeline = Pipeline()
    async with edge_of(pipeline, tls=ours) as edge:
        client = await Client.to(edge, ssl=theirs, server_hostname="localhost")
        await client.send(POST + b"Content-Length: 3\r\n\r\nabc" + NEXT)
        assert (await client.answer())[2] == b"POST /orders abc"
        assert (await client.answer())[2] == b"GET /next "
        assert [exchange.secure for exchange in pipeline.seen] == [True, True]
        await client.send(b"nonsense\r\n\r\n")
        assert (await client.answer())[0] == 400
        assert await client.ended()
        await client.close()
        plain = await Client.to(edge)
        await plain.send(GET + b"\r\n")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await plain.answer()
        plain.writer.transport.abort()
