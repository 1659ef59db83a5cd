"""Connections in every state, through a real `proxy run`: half closed, slow, gone, refused, waited for, ahead of itself."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from tests.doubles.raw_http import RawClient
from tests.doubles.upstream import answer
from tests.doubles.wire_house import WireHouse, wire_house

HOST = b"Host: proxy.example\r\n"
NEXT = b"GET /orders/next HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /orders HTTP/1.1\r\nContent-Type: text/plain\r\n" + HOST
REFUSED = b"POST /nowhere HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireHouse]:
    with wire_house(tmp_path_factory.mktemp("wire"), INTERLOCK_PROXY_GUARD_REQUESTS="1000000") as house:
        yield house


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireHouse]:
    times = {f"INTERLOCK_PROXY_{name}_TIMEOUT": "0.4" for name in ("HEAD", "BODY", "IDLE")}
    with wire_house(tmp_path_factory.mktemp("wire"), **times) as house:
        yield house


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def gate(wire: WireHouse, target: str) -> threading.Event:
    """Have the provider wait before it answers this target."""
    wire.upstream.gates[f"GET {target}"] = event = threading.Event()
    return event


def until_seen(wire: WireHouse, target: str) -> None:
    for _ in range(2000):
        if any(one.target == target for one in wire.upstream.seen):
            return
        time.sleep(0.005)
    raise AssertionError(f"{target} never reached the provider")


def statuses(client: RawClient) -> list[tuple[int, str]]:
    return [(got.status, got.slug) for got in client.answers()]


# -- half-closed (RFC 9112 §9.6, RFC 9293 §3.6) --------------------------------------------------------
def test_a_client_that_has_said_all_gets_all_its_answers(wire: WireHouse) -> None:
    event = gate(wire, "/orders/half-1")
    with wire.client() as client:
        client.send(get("/orders/half-1") + NEXT + POST + b"Content-Length: 2\r\n\r\nab")
        client.half_close()
        until_seen(wire, "/orders/half-1")
        event.set()
        assert statuses(client) == [(200, "")] * 3


@pytest.mark.parametrize(
    ("rest", "last"),
    [
        (b"GET /orders HT", [(400, "request-malformed")]),
        (POST + b"Content-Length: 5\r\n\r\nab", [(400, "request-malformed")]),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", [(400, "request-malformed")]),
        (
            POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
            [(100, ""), (400, "request-malformed")],
        ),
        (b"\r\n", []),
        (REFUSED + b"Content-Length: 9\r\n\r\nab", [(404, "not-found")]),
    ],
    ids=["head", "body", "chunks", "expected body", "empty line", "body of a refused head"],
)
@pytest.mark.parametrize("before", [b"", get("/orders/half-2")], ids=["alone", "behind another"])
def test_what_was_cut_off_is_told_so_behind_what_was_whole(
    wire: WireHouse, before: bytes, rest: bytes, last: list[tuple[int, str]]
) -> None:
    event = gate(wire, "/orders/half-2")
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(before + rest)
        client.half_close()
        if before:
            until_seen(wire, "/orders/half-2")
        event.set()
        found = statuses(client)
    assert [row for row in found[bool(before) :] if row[0] != 100] == [row for row in last if row[0] != 100]
    assert found[: bool(before)] == [(200, "")] * bool(before)
    assert len(wire.seen()) == bool(before)


def test_a_client_that_is_gone_before_its_body_is_whole_has_called_nobody(wire: WireHouse) -> None:
    wire.upstream.seen.clear()
    for data in (
        POST + b"Content-Length: 9\r\n\r\nab",
        POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        POST,
    ):
        with wire.client() as client:
            client.send(data)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with wire.client() as client:
        client.send(NEXT)
        assert client.answer() is not None
    assert wire.seen() == [("GET", "/orders/next", b"")]


# -- Expect (RFC 9110 §10.1.1) -------------------------------------------------------------------------
def test_continue_is_said_once_and_only_for_a_body_that_is_wanted(wire: WireHouse) -> None:
    with wire.client() as client:
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        got = client.answer()
        assert got is not None
        assert (got.status, got.headers, got.body) == (100, (), b"")
        client.send(b"ab")
        assert client.silent()
        client.send(b"cd" + NEXT)
        assert [client.answer().status, client.answer().status] == [200, 200]  # type: ignore[union-attr]


@pytest.mark.parametrize("framing", [b"Content-Length: 4\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_refused_head_is_answered_without_continue_and_its_body_is_no_request(
    wire: WireHouse, framing: bytes
) -> None:
    """What follows may be the body or the next request: nobody can know, so nobody reads it."""
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(REFUSED + b"Expect: 100-continue\r\n" + framing)
        got = client.answer()
        assert got is not None
        assert (got.status, got.header(b"connection")) == (404, [b"close"])
        client.send(NEXT)
        assert client.ended()
    assert wire.seen() == []


# -- pipelining after refusals (RFC 9112 §9.3.2) -------------------------------------------------------
@pytest.mark.parametrize("cut", range(0, 12, 3))
def test_the_body_of_a_refused_head_is_skipped_to_the_byte(wire: WireHouse, cut: int) -> None:
    wire.upstream.seen.clear()
    body = b"GET /admin/"
    with wire.client() as client:
        whole = REFUSED + b"Content-Length: 11\r\n\r\n" + body + NEXT
        at = len(whole) - len(NEXT) - cut
        client.send(whole[:at])
        got = client.answer()
        assert got is not None
        assert got.status == 404
        client.send(whole[at:])
        got = client.answer()
        assert got is not None
        assert got.status == 200
    assert wire.seen() == [("GET", "/orders/next", b"")]


def test_refusals_and_answers_keep_their_order(wire: WireHouse) -> None:
    event = gate(wire, "/orders/order-1")
    with wire.client() as client:
        client.send(
            get("/orders/order-1")
            + get("/nowhere")
            + NEXT
            + get("/orders/%00")
            + b"GET /\\ HTTP/1.1\r\n\r\n"
            + NEXT
        )
        until_seen(wire, "/orders/order-1")
        event.set()
        assert statuses(client) == [
            (200, ""), (404, "not-found"), (200, ""), (400, "target-invalid"), (400, "target-invalid")
        ]  # fmt: skip


# -- early answers -------------------------------------------------------------------------------------
def test_an_answer_before_the_body_is_read_is_that_answer(wire: WireHouse) -> None:
    wire.upstream.answers["POST /orders?early"] = answer(413, b"no", "text/plain")
    wire.upstream.early.add("POST /orders?early")
    body = b"x" * 3_000_000
    with wire.client() as client:
        for _ in range(2):
            head = POST.replace(b"/orders", b"/orders?early") + b"Content-Length: %d\r\n\r\n" % len(body)
            client.send(head + body + NEXT)
            got, after = client.answer(), client.answer()
            assert got is not None
            assert after is not None
            assert (got.status, got.body, after.status) == (413, b"no", 200)


# -- slow readers, slow writers ------------------------------------------------------------------------
def test_a_slow_reader_of_pipelined_answers_gets_every_one_of_them(wire: WireHouse) -> None:
    big = bytes(range(256)) * 8192  # 2 MiB: more than any socket takes at once
    wire.upstream.answers["GET /orders/big"] = answer(200, big, "application/octet-stream")
    with wire.client(receive_buffer=8192) as client:
        client.send(get("/orders/big") * 5 + NEXT)
        time.sleep(0.3)
        for _ in range(5):
            got = client.answer()
            assert got is not None
            assert (got.status, got.body == big) == (200, True)
        got = client.answer()
        assert got is not None
        assert got.status == 200


@pytest.mark.parametrize(
    ("begun", "drip"),
    [
        (b"GET /orders HTTP/1.1\r\n", b"X-A: b\r\n"),
        (b"", b"G"),
        (b"\r\n", b""),
        (POST + b"Content-Length: 100000\r\n\r\n", b"x"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n"),
    ],
    ids=["headers", "method", "empty line", "body", "chunks", "extension", "trailers"],
)
def test_dripping_bytes_win_no_time(hasty: WireHouse, begun: bytes, drip: bytes) -> None:
    with hasty.client() as client:
        client.send(begun)
        stop = threading.Event()

        def go_on() -> None:
            while not stop.wait(0.03):
                client.send(drip)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            got = client.answer()
        finally:
            stop.set()
            thread.join()
        assert got is not None
        assert (got.status, got.slug, got.header(b"connection")) == (408, "request-timeout", [b"close"])


def test_the_body_of_a_refused_head_is_not_waited_for(hasty: WireHouse) -> None:
    with hasty.client() as client:
        client.send(REFUSED + b"Content-Length: 100\r\n\r\n")
        got = client.answer()
        assert got is not None
        assert (got.status, got.header(b"connection")) == (404, [])
        assert client.ended()


def test_a_client_that_reads_nothing_is_dropped(hasty: WireHouse) -> None:
    hasty.upstream.answers["GET /orders/big"] = answer(200, b"x" * 8_000_000, "application/octet-stream")
    with hasty.client(receive_buffer=4096) as client:
        client.send(get("/orders/big") * 20)
        time.sleep(2.0)
        taken = 0
        try:
            while data := client.socket.recv(1 << 20):
                taken += len(data)
        except ConnectionResetError:
            pass
        assert taken < 16_000_000
    assert len(hasty.seen()) < 6


# -- upgrades (RFC 9110 §7.8) --------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0", b"HTTP/2.0, IRC/6.9"])
def test_no_upgrade_is_taken_up_or_passed_on(wire: WireHouse, protocol: bytes) -> None:
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(
            b"GET /orders/up HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\nUpgrade: "
            + protocol + b"\r\n" + HOST + b"\r\n" + NEXT
        )  # fmt: skip
        for _ in range(2):
            got = client.answer()
            assert got is not None
            assert (got.status, got.header(b"upgrade")) == (200, [])
    first = wire.upstream.seen[0]
    assert [first.header(name) for name in ("upgrade", "connection", "http2-settings")] == [[], [], []]
