"""The queue between a connection and a reader: bounded, told once each way, never asleep with something in it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.wire.body_pieces import LEAST_HELD, MOST_HELD, BodyPieces


def test_a_full_queue_slows_its_sender_once_and_lets_go_once() -> None:
    pieces = BodyPieces()
    pieces.put(bytes(MOST_HELD - 1))
    assert not pieces.fills()
    pieces.put(b"x")
    assert [pieces.fills(), pieces.fills()] == [True, False]
    pieces.put(bytes(LEAST_HELD + 1))
    pieces.take()
    assert not pieces.drains()  # one byte and more than the least are left
    pieces.take()
    assert not pieces.drains()
    pieces.take()
    assert [pieces.held, pieces.drains(), pieces.drains()] == [0, True, False]


def test_a_queue_that_was_never_full_never_says_that_it_drained() -> None:
    pieces = BodyPieces()
    pieces.put(b"ab")
    assert pieces.take() == b"ab"
    assert [pieces.empty, pieces.drains(), pieces.released()] == [True, False, False]


def test_everything_comes_in_order_and_empty_pieces_are_nothing() -> None:
    pieces = BodyPieces()
    for piece in (b"a", b"", b"bc"):
        pieces.put(piece)
    assert (pieces.held, pieces.all(), pieces.held, pieces.empty) == (3, b"abc", 0, True)


async def _woken(pieces: BodyPieces) -> bytes:
    await pieces.arrival()
    return pieces.take()


def test_a_reader_that_waits_is_woken_and_can_be_cancelled() -> None:
    async def story() -> bytes:
        pieces = BodyPieces()
        pieces.wake()  # nobody waits: nothing happens
        gone = asyncio.ensure_future(pieces.arrival())
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        pieces.wake()  # nobody waits any more
        reader = asyncio.ensure_future(_woken(pieces))
        await asyncio.sleep(0)
        pieces.put(b"late")
        pieces.wake()
        pieces.wake()
        return await reader

    assert asyncio.run(story()) == b"late"
