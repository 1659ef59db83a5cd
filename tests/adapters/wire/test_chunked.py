"""The chunked decoder: any split of the same bytes reads the same, and nothing unbounded gets in."""

import asyncio
import itertools
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.chunked import ChunkedBody, ChunkedBodyTooLarge, ChunkedError

CODED = b"4\r\nWiki\r\n6;note=x\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Sum: 7\r\nx-more:\r\n\r\n"
DECODED = b"Wikipedia in \r\n\r\nchunks."


@given(st.lists(st.integers(0, len(CODED)), max_size=8), st.binary(max_size=12))
def test_every_split_reads_the_same(cuts: list[int], after: bytes) -> None:
    data = CODED + after
    borders = [0, *sorted(cuts), len(data)]
    body = ChunkedBody(1000)
    rest: bytes | None = None
    for start, end in itertools.pairwise(borders):
        if rest is None:
            rest = body.feed(data[start:end])
        else:
            rest += data[start:end]
    assert (body.body, rest) == (DECODED, after)
    assert body.trailers == [(b"x-sum", b"7"), (b"x-more", b"")]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n", b"g\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b" 1\r\n", b"1 \r\n", b"1\n", b"1\r\nab\r\n", b"1\r\na\n", b"1\r\na\r0",
        b"1;\x00\r\n", b"1;\x01\r\n", b"1 x\r\n", b"1\r\r\n", b"1111111111111111\r\n", b"1;" + b"a" * 300,
        b"0\r\nx : y\r\n\r\n", b"0\r\nx\r\n\r\n", b"0\r\nx: y\n\r\n\r\n", b"0\r\nx: a\r\n b\r\n\r\n", b"0\r\nx: \0\r\n\r\n",
        b"0\r\nx: " + b"y" * 9000, b"0\r\nx: " + b"y" * 9000 + b"\r\n\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("split", [False, True])
def test_what_rfc_9112_7_1_does_not_allow_is_refused(data: bytes, *, split: bool) -> None:
    body = ChunkedBody(10_000)
    parts = [data[i : i + 1] for i in range(len(data))] if split else [data]
    with pytest.raises(ChunkedError):
        deque(map(body.feed, parts), maxlen=0)


def test_the_limit_is_judged_before_the_data_arrives() -> None:
    ChunkedBody(10).feed(b"a\r\n")
    with pytest.raises(ChunkedBodyTooLarge):
        ChunkedBody(10).feed(b"b\r\n")
    body = ChunkedBody(10)
    body.feed(b"6\r\nsodium\r\n")
    with pytest.raises(ChunkedBodyTooLarge):
        body.feed(b"5\r\n")


def test_chunks_of_one_byte_are_taken_and_chunks_of_extensions_are_not() -> None:
    body = ChunkedBody(100_000)
    assert body.feed(b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n") == b""
    assert body.body == b"x" * 50_000
    with pytest.raises(ChunkedError):
        ChunkedBody(100_000).feed((b"1;" + b"a" * 100 + b"\r\nx\r\n") * 1000)


async def test_this_folder_runs_on_the_loop_of_production() -> None:
    assert type(asyncio.get_running_loop()).__module__ == "uvloop"
