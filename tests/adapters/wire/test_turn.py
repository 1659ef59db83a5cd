"""What one turn of the loop brought is worked on together; nothing waits longer than that, and nothing is mixed up."""

from __future__ import annotations

import asyncio
import logging

import pytest

from adapters.port import Call
from adapters.wire.http import HttpClient, Origin
from adapters.wire.http_connection import HttpConnection
from adapters.wire.http_framing import ReadLimits
from adapters.wire.turn import FREE, LARGE, SMALL, Turn
from tests.doubles.edge import HOST, Client, Pipeline, edge_of


class Wire(asyncio.Transport):
    """A transport without a socket."""

    closed = False
    reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.closed = True

    def write(self, data: object) -> None:
        """Nobody reads it."""

    def is_closing(self) -> bool:
        return self.closed


class Taker:
    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    def take_up(self) -> None:
        if self.name == "broken":
            raise RuntimeError("planted")
        self.told.append(self.name)


async def test_all_of_a_turn_are_worked_on_after_it_whatever_becomes_of_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    turn, loop = Turn(), asyncio.get_running_loop()
    for name in ("a", "broken", "b"):
        turn.add(Taker(name, told), loop)
    assert told == []
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(0)
    assert told == ["a", "b"]
    assert len(caplog.records) == 1
    turn.add(Taker("c", told), loop)
    await asyncio.sleep(0)
    assert told == ["a", "b", "c"]


async def test_bytes_that_nobody_asked_for_are_not_the_answer_to_the_next_call() -> None:
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection = HttpConnection(client, ReadLimits(), loop, loop.time() + 60)
    wire = Wire()
    connection.connection_made(wire)
    client._idle.append(connection)
    assert connection.alive
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno")
    assert not connection.alive
    assert client._kept() is None
    assert wire.closed
    await asyncio.sleep(0)
    connection.connection_lost(None)
    await client.close()


async def test_pieces_of_one_turn_are_taken_in_their_order() -> None:
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection = HttpConnection(client, ReadLimits(), loop, loop.time() + 60)
    connection.connection_made(Wire())
    call = Call(b"POST", b"/", [], b"{}", 5.0)
    answer = connection.exchange(b"", call, loop.time() + 5)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\na" % (SMALL + 3))
    assert not answer.done()
    connection.data_received(b"b")
    connection.data_received(b"c" + b"d" * SMALL)
    assert answer.result().body == b"abc" + b"d" * SMALL
    answer = connection.exchange(b"", call, loop.time() + 5)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\ne")
    connection.eof_received()  # which is what frames it
    assert answer.result().body == b"e"
    await asyncio.sleep(0)
    connection.connection_lost(None)
    await client.close()


async def test_of_long_answers_one_large_piece_is_worked_on_at_a_time() -> None:
    """Three connections of a provider that floods: what others bring waits for one piece of theirs, not for three."""
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    call = Call(b"POST", b"/", [], b"{}", 5.0)
    connections, wires, answers = [], [], []
    for _ in range(3):
        connections.append(HttpConnection(client, ReadLimits(), loop, loop.time() + 60))
        wires.append(Wire())
        connections[-1].connection_made(wires[-1])
        answers.append(connections[-1].exchange(b"", call, loop.time() + 5))
    for connection in connections:
        connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (FREE + LARGE))
        for _ in range(4):
            connection.data_received(b"f" * (FREE // 4))
    assert [wire.reading for wire in wires] == [True] * 3
    await asyncio.sleep(0)
    for connection in connections:
        connection.data_received(b"f" * LARGE)
    states = []
    async with asyncio.timeout(10):
        while not answers[2].done():
            state = [answer.done() for answer in answers], [wire.reading for wire in wires]
            if state not in states:
                states.append(state)
            await asyncio.sleep(0)
    assert states == [
        ([True, False, False], [True, False, False]),
        ([True, True, False], [True, True, False]),
    ]
    assert [wire.reading for wire in wires] == [True] * 3
    assert [answer.result().body for answer in answers] == [b"f" * (FREE + LARGE)] * 3
    for connection in connections:
        connection.close()
        connection.connection_lost(None)
    await client.close()


async def test_a_large_piece_that_waits_comes_before_the_end_of_its_stream() -> None:
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection = HttpConnection(client, ReadLimits(), loop, loop.time() + 60)
    connection.connection_made(Wire())
    answer = connection.exchange(b"", Call(b"POST", b"/", [], b"{}", 5.0), loop.time() + 5)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * FREE)
    connection.data_received(b"b" * LARGE)
    connection.data_received(b"c" * LARGE)
    connection.eof_received()
    assert answer.result().body == b"a" * FREE + b"b" * LARGE + b"c" * LARGE
    connection.connection_lost(None)
    await asyncio.sleep(0.01)
    await client.close()


async def test_a_large_piece_that_waits_puts_off_no_deadline() -> None:
    """A provider that floods has nearly always a piece waiting when the clock looks."""
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection = HttpConnection(client, ReadLimits(), loop, loop.time() + 60)
    connection.connection_made(Wire())
    answer = connection.exchange(b"", Call(b"POST", b"/", [], b"{}", 5.0), loop.time() - 1)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + b"f" * FREE)
    connection.data_received(b"f" * LARGE)
    connection.data_received(b"f" * LARGE)
    connection.expired()
    assert str(answer.exception()) == "lab did not answer in time"
    connection.connection_lost(None)
    await client.close()


async def test_a_large_piece_that_waits_may_be_the_end_of_an_answer_that_is_late() -> None:
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection, wire = HttpConnection(client, ReadLimits(), loop, loop.time() + 60), Wire()
    connection.connection_made(wire)
    answer = connection.exchange(b"", Call(b"POST", b"/", [], b"{}", 5.0), loop.time() - 1)
    length = FREE + 2 * LARGE
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + b"f" * FREE)
    connection.data_received(b"f" * LARGE)
    connection.data_received(b"f" * LARGE)
    assert not answer.done()
    connection.expired()
    assert answer.result().body == b"f" * length
    assert not wire.closed
    connection.close()
    connection.connection_lost(None)
    await client.close()


async def test_a_connection_that_nobody_takes_from_is_not_read_from_when_it_is_its_time() -> None:
    client, loop = HttpClient("lab", Origin("127.0.0.1", 9)), asyncio.get_running_loop()
    connection, wire = HttpConnection(client, ReadLimits(), loop, loop.time() + 60), Wire()
    connection.connection_made(wire)
    connection.exchange(b"", Call(b"POST", b"/", [], b"{}", 5.0), loop.time() + 5)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + b"f" * FREE)
    connection.data_received(b"f" * LARGE)
    connection.data_received(b"f" * LARGE)
    connection._slow_down(True)
    connection.take_up()
    assert not wire.reading
    connection._slow_down(False)
    assert wire.reading
    connection.close()
    connection.connection_lost(None)
    await client.close()


async def test_a_request_and_the_end_of_its_sender_in_one_turn() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        client.writer.write(b"GET /orders HTTP/1.1\r\n" + HOST + b"\r\n")
        client.writer.write_eof()
        assert await client.all() == [(200, b"GET /orders ")]
        await client.close()
