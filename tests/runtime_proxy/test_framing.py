"""Heads that come again: what is known of them changes nothing of what they are read as."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.known_fields import FieldMemory
from runtime_proxy.framing import HeadReader, RequestRefused

FIELDS = b"\r\nHost: a\r\nContent-Length: %d\r\nX-API-Key: k\r\n\r\n"


def reader_of(memory: FieldMemory, *, max_head: int = 1024, max_target: int = 40) -> HeadReader:
    return HeadReader(max_head=max_head, max_target=max_target, max_headers=8, memory=memory)


def reading(reader: HeadReader, data: bytes) -> Any:
    """Read a head, and the body that its length says; or why it is refused."""
    try:
        end = reader.read(data, 0)
        if not end:
            return None
        if reader.length >= 0:
            reader.finish(b"x" * reader.length) if reader.length else reader.agree()
    except RequestRefused as refused:
        return refused.slug
    read = (reader.method, reader.target, reader.headers, reader.length, reader.persistent)
    return (end, *read, reader.modern, reader.expects)


class Told:
    """Stands for llhttp and counts what it is shown."""

    def __init__(self, parser: Any) -> None:
        self.parser = parser
        self.heads: list[bytes] = []

    def feed_data(self, data: bytes) -> None:
        self.heads.append(data)
        self.parser.feed_data(data)


def test_llhttp_is_shown_what_is_new_and_no_more() -> None:
    reader = reader_of(FieldMemory())
    told = Told(reader._parser)
    reader._parser = told  # type: ignore[assignment]
    shown = []
    for number, target in enumerate([b"/a", b"/a", b"/a", b"/b?c=d", b"/b?c=d", b"/a"]):
        reading(reader, b"POST %b HTTP/1.1" % target + FIELDS % number)
        shown.append(len(told.heads))
        told.heads.clear()
    assert shown == [1, 2, 0, 0, 0, 0]
    reading(reader, b"PURGE /a HTTP/1.1" + FIELDS % 0)
    assert told.heads == [b"PURGE /a HTTP/1.1" + FIELDS % 0]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"GET /%b HTTP/1.1" % (b"a" * 40) + FIELDS % 0, "target-too-long"),
        (b"BREW /a HTTP/1.1" + FIELDS % 0, "method-unknown"),
        (b"GET /a HTTP/2.0" + FIELDS % 0, "http-version-unsupported"),
        (b"GET  /a HTTP/1.1" + FIELDS % 0, "request-malformed"),
        (b"GET /a HTTP/1.1" + FIELDS % 10**17, "body-too-large"),
        (b"GET /a HTTP/1.1" + (FIELDS % 0)[:-2], None),
        (b"GET /a HTTP/1.1" + FIELDS.replace(b"%d", b"0, 0"), "framing-refused"),
    ],
)
def test_known_lines_excuse_nothing_else(data: bytes, found: str | None) -> None:
    reader = reader_of(FieldMemory())
    for _ in range(3):
        assert reading(reader, b"GET /a HTTP/1.1" + FIELDS % 0)[1] == b"GET"
    if found == "body-too-large":  # as a body: that is for whoever reads it
        assert reader.read(data, 0) == len(data)
        assert reader.length == 10**17
    else:
        assert reading(reader, data) == found


def test_a_head_that_is_too_large_stays_so_when_its_lines_are_known() -> None:
    memory = FieldMemory()
    head = b"GET /a HTTP/1.1" + FIELDS % 5
    for _ in range(3):
        assert reading(reader_of(memory), head)[0] == len(head)
    reader = reader_of(memory, max_head=len(head))
    assert [reading(reader, head)[0] for _ in range(3)] == [len(head)] * 3
    assert reading(reader, b"GET /ab HTTP/1.1" + FIELDS % 5) == "head-too-large"


def test_what_memory_has_forgotten_is_read_anew() -> None:
    memory = FieldMemory()
    reader = reader_of(memory)
    for _ in range(3):
        reading(reader, b"GET /a HTTP/1.1" + FIELDS % 0)
    assert reader.known is not None
    memory.forget()
    assert reading(reader, b"GET /a HTTP/1.1" + FIELDS % 0)[3] == [
        (b"host", b"a"),
        (b"content-length", b"0"),
        (b"x-api-key", b"k"),
    ]
    assert reader.known is None


LINES = st.sampled_from(
    [
        b"Host: a",
        b"Host: b",
        b"Content-Length: 3",
        b"content-length: 03",
        b"Content-Length: ",
        b"Content-Length: +3",
        b"CONTENT-LENGTH: 3",
        b"X-A: b",
        b"X-A:  b ",
        b"X-A: \nContent-Length: 4",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Proxy-Connection: close",
        b"Expect: 100-continue",
        b" folded",
    ]
)
STARTS = st.sampled_from(
    [
        b"POST /a HTTP/1.1",
        b"POST /a HTTP/1.1",
        b"POST /b HTTP/1.1",
        b"GET /a HTTP/1.1",
        b"GET /a HTTP/1.0",
        b"GET http://a/ HTTP/1.1",
        b"CONNECT /a HTTP/1.1",
        b"MKCOL /a HTTP/1.1",
    ]
)


@given(st.lists(st.tuples(STARTS, st.lists(LINES, max_size=4)), min_size=1, max_size=3))
def test_readings_of_what_comes_again_agree_with_the_first(heads: list[tuple[bytes, list[bytes]]]) -> None:
    memory = FieldMemory()
    whole = [
        start + b"\r\n" + b"".join(line + b"\r\n" for line in [b"Host: a", *lines]) + b"\r\n"
        for start, lines in heads
    ]
    first = [reading(reader_of(FieldMemory()), head) for head in whole]
    for _ in range(3):
        reader = reader_of(memory)
        for head, found in zip(whole, first, strict=True):
            again = reading(reader, head)
            assert again == found
            if isinstance(found, str) or not found[5] or found[4] < 0:
                reader = reader_of(memory)  # the connection has ended, or its body would come in chunks
