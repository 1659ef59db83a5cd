"""Blocks out of bytes, however they are split."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.mllp.framing import Block, Deframer, frame

BODY = st.binary(max_size=200).map(lambda data: bytes(b for b in data if b not in (0x0B, 0x1C)))


def run(stream, cuts, limit=1000):
    deframer, found = Deframer(limit), []
    last = 0
    for cut in [*sorted(cuts), len(stream)]:
        found += deframer.feed(stream[last:cut])
        last = cut
    return found, deframer


@given(st.lists(BODY, max_size=5), st.data())
def test_any_split_gives_the_same_blocks(bodies, data):
    stream = b"".join(frame(body) for body in bodies)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    found, deframer = run(stream, cuts)
    assert found == [Block("whole", body, len(body)) for body in bodies]
    assert deframer.junk == 0
    assert not deframer.inside


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_bytes_in_any_split_mean_the_same(stream, cuts):
    whole, one = run(stream, [])
    pieces, other = run(stream, [cut for cut in cuts if cut <= len(stream)])
    end = one.abandon()
    assert end == other.abandon()
    if not any(
        block.kind == "broken" for block in whole + pieces
    ):  # what follows a false end may come in parts
        assert pieces == whole
        assert one.junk == other.junk


def test_junk_between_blocks_is_dropped_and_counted():
    found, deframer = run(b"\r\nxx" + frame(b"A") + b"??" + frame(b"B") + b"!", [])
    assert [block.data for block in found] == [b"A", b"B"]
    assert deframer.junk == 7


def test_a_missing_last_byte_is_tolerated():
    found, deframer = run(b"\x0bA\x1c\x0bB\x1c", [])
    assert found == [Block("whole", b"A", 1)]
    assert deframer.pending_end
    assert deframer.settle() == Block("whole", b"B", 1)
    assert deframer.feed(b"\r") == []
    assert deframer.junk == 1


def test_an_end_byte_inside_is_no_end():
    found, _ = run(b"\x0bA\x1cB\x1c\r" + frame(b"C"), [])
    assert found == [Block("broken", b"A\x1cB", 3), Block("whole", b"C", 1)]


def test_a_new_block_before_the_end_leaves_the_first_incomplete():
    found, _ = run(b"\x0bfirst\x0bsecond\x1c\r", [])
    assert found == [Block("incomplete", b"first", 5), Block("whole", b"second", 6)]


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_a_block_over_the_limit_keeps_its_beginning_only(step):
    stream = frame(b"x" * 5000) + frame(b"ok")
    found, _ = run(stream, range(0, len(stream), step), limit=100)
    assert found == [Block("too-large", b"x" * 100, 5000), Block("whole", b"ok", 2)]


def test_a_stream_that_ends_inside_is_incomplete_and_after_1c_whole():
    for stream, kind in ((b"\x0bhalf", "incomplete"), (b"\x0bhalf\x1c", "whole")):
        _, deframer = run(stream, [])
        assert deframer.abandon() == Block(kind, b"half", 4)
    _, deframer = run(b"", [])
    assert deframer.abandon() is None


def test_random_conversations_of_all_sizes():
    chance = random.Random(3)
    bodies = [chance.randbytes(chance.randint(0, 9000)).translate(None, b"\x0b\x1c") for _ in range(50)]
    stream = b"".join(frame(body) for body in bodies)
    found, _ = run(stream, sorted(chance.sample(range(len(stream)), 500)), limit=10_000)
    assert [block.data for block in found] == bodies
