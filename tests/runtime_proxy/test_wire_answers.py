"""Answers of a provider over raw sockets, through a real `proxy run`: what the consumer gets of them, and the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.wire_house import WireHouse, wire_house

HOST = b"Host: proxy.example\r\n"
TEXT = b"Content-Type: text/plain\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + TEXT
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"


def answer(body: bytes = b"", *lines: bytes, start: bytes = OK) -> bytes:
    """Write an answer framed by a length of ours."""
    lines = (b"Content-Length: %d" % len(body), *lines)
    typed = b"" if start == OK else TEXT
    return start + typed + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


# -- what passes: (clause, the provider's bytes, does it close, status, body, a header line or None) ------
PASSED = [
    ("9112-6.3-6 length", answer(b"abc"), False, 200, b"abc", None),
    ("9112-6.3-6 length zero", answer(), False, 200, b"", None),
    ("9112-6.3-8 until the end", OK + b"\r\nabc", True, 200, b"abc", None),
    ("9112-6.3-8 until the end in 1.0", b"HTTP/1.0 200 OK\r\n" + TEXT + b"\r\nabc", True, 200, b"abc", None),
    ("9112-6.3 a length in 1.0", b"HTTP/1.0 200 OK\r\n" + TEXT + b"Content-Length: 3\r\n\r\nabc", True, 200, b"abc", None),
    ("9112-7.1 chunks", CHUNKED + b"1\r\na\r\n002;x=y\r\nbc\r\n0\r\n\r\n", False, 200, b"abc", None),
    ("9112-7.1 chunks until the end", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", True, 200, b"abc", None),
    ("9112-7.1.2 trailers end here", CHUNKED + b"1\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n", False, 200, b"a", (b"set-cookie", [])),
    ("9112-4 no reason", answer(b"abc", start=b"HTTP/1.1 200 \r\n"), False, 200, b"abc", None),
    ("9112-4 no reason and no space", answer(b"abc", start=b"HTTP/1.1 200\r\n"), False, 200, b"abc", None),
    ("9112-4 an odd reason", answer(b"abc", start=b"HTTP/1.1 200 s\xfcper: \t!\r\n"), False, 200, b"abc", None),
    ("9110-15 an unknown status", answer(b"abc", start=b"HTTP/1.1 299 x\r\n"), False, 299, b"abc", None),
    ("9110-5.5 obs-text", answer(b"", b"X-A: caf\xe9"), False, 200, b"", (b"x-a", [b"caf\xe9"])),
    ("9110-5.3 one line each", answer(b"", b"Set-Cookie: a=1", b"Set-Cookie: b=2"), False, 200, b"", (b"set-cookie", [b"a=1", b"b=2"])),
    ("9110-7.6.1 fields of the connection", answer(b"", b"Connection: X-Hop, keep-alive", b"X-Hop: 1", b"Keep-Alive: timeout=9"), False, 200, b"", (b"x-hop", [])),
    ("9110-7.6.1 Connection names a field of the whole way", answer(b"", b"Connection: ETag", b'ETag: "a"'), False, 200, b"", (b"etag", [b'"a"'])),
    ("9112-9.6 close", answer(b"abc", b"Connection: close"), True, 200, b"abc", (b"connection", [])),
    ("9110-15.2 100 before", b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"abc"), False, 200, b"abc", None),
    ("8297 103 before", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nSet-Cookie: a=b\r\n\r\n" + answer(b"abc"), False, 200, b"abc", (b"link", [])),
    ("9110-15.2 eight before", b"HTTP/1.1 102 Processing\r\n\r\n" * 8 + answer(b"abc"), False, 200, b"abc", None),
    ("9110-15.3.5 204", b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, b"", (b"content-length", [])),
    ("9110-8.6 204 with length zero", answer(start=b"HTTP/1.1 204 No Content\r\n"), False, 204, b"", (b"content-length", [])),
    ("9112-6.3-1 204 with a body", answer(SECOND, start=b"HTTP/1.1 204 No Content\r\n"), False, 204, b"", (b"content-length", [])),
    ("9112-6.3-1 204 with chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n" + SECOND, False, 204, b"", None),
    ("9110-15.4.5 304 with a length", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n', False, 304, b"", (b"content-length", [b"9"])),
    ("9112-6.3-1 304 with a body", answer(SECOND, start=b"HTTP/1.1 304 Not Modified\r\n"), False, 304, b"", None),
    ("9112-6.3-1 304 with a coding", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", False, 304, b"", None),
    ("9110-15.3.6 205", answer(start=b"HTTP/1.1 205 Reset Content\r\n"), False, 205, b"", (b"content-length", [b"0"])),
    ("9112-9.2 an answer that nobody asked for", answer(b"abc") + SECOND, False, 200, b"abc", None),
    ("9112-9.2 bytes after the chunks", CHUNKED + b"1\r\na\r\n0\r\n\r\n" + SECOND, False, 200, b"a", None),
]  # fmt: skip

TE = b"Transfer-Encoding: "
# -- what is 502 upstream-broken: (clause, the provider's bytes); each then closes -------------------------
BROKEN = [
    ("9112-6.3-3 length and coding", OK + b"Content-Length: 3\r\n" + TE + b"chunked\r\n\r\n0\r\n\r\n"),
    ("9112-6.3-3 coding and length", OK + TE + b"chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    ("9112-6.3-5 two lengths", OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    ("9112-6.3-5 one length twice", OK + b"Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc"),
    *[(f"9110-8.6 length {value!r}", OK + b"Content-Length: " + value + b"\r\n\r\nabc") for value in (b"3, 3", b"+3", b"-1", b"0x3", b"3 3", b"", b"3;", b"1_0", b"99999999999999999999", b"\xb3")],
    *[(f"9112-6.1 coding {value!r}", OK + TE + value + b"\r\n\r\n0\r\n\r\n") for value in (b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked", b"identity", b"", b"chunked;q=1")],
    ("9112-6.1 coding in 1.0", b"HTTP/1.0 200 OK\r\n" + TEXT + b"" + TE + b"chunked\r\n\r\n0\r\n\r\n"),
    *[(f"9112-7.1 chunk {data!r}", CHUNKED + data) for data in (b"0x1\r\na\r\n0\r\n\r\n", b"1\na\r\n0\r\n\r\n", b"1\r\nab\r\n0\r\n\r\n", b"g\r\n", b"-1\r\n", b"1;a\nb\r\na\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"5\r\nab", b"1\r\na\r\n", b"0\r\nx : y\r\n\r\n", b"0\r\nContent-Length: 3\r\n\r\n")],
    ("9112-8 the body ends early", OK + b"Content-Length: 5\r\n\r\nabc"),
    ("9112-8 the head ends early", OK + b"Content-Le"),
    ("9112-9.5 no answer at all", b"\r\n"),
    ("9110-15.2.2 protocols switched", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
    ("9110-15.2 nine before", b"HTTP/1.1 102 Processing\r\n\r\n" * 9 + answer(b"abc")),
    ("9110-15.2 a framed one before", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\nabc" + answer(b"x")),
    *[(f"9112-4 {start!r}", answer(b"abc", start=start + b"\r\n")) for start in (b"HTTP/2 200", b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"http/1.1 200 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1 099 x", b"HTTP/1.1 600 x", b"HTTP/1.1 1000 x", b"HTTP/1.1 20 x",
        b"HTTP/1.1 2OO x", b"HTTP/1.1 200OK", b" HTTP/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1 200 \x00", b"HTTP/1.1 200 a\rb", b"220 smtp.example ESMTP")],
    *[(f"9112-5 {line!r}", answer(b"abc", line)) for line in (b"X : b", b" X: b", b"X", b": b", b"X\x00: b", b"X: b\x00", b"X: b\x01", b"X: b\rSet-Cookie: c", b"X: b\nSet-Cookie: c", b"X: b\r\n c", b"X\xe9: b")],
    ("9112-2.2 bare LF", b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"),
    ("limit head", answer(b"abc", b"X: " + b"a" * 40_000)),
    ("limit lines", answer(b"abc", *[b"x: y"] * 201)),
    ("limit length", OK + b"Content-Length: 8388609\r\n\r\n"),
    ("limit chunks", CHUNKED + b"800001\r\n"),
]  # fmt: skip

# -- answers to HEAD: (clause, the provider's bytes, status, Content-Length that the consumer sees) --------
TO_HEAD = [
    ("9110-9.3.2 length of what GET would give", OK + b"Content-Length: 500\r\n\r\n", 200, [b"500"]),
    ("9110-9.3.2 none", OK + b"\r\n", 200, []),
    ("9112-6.1 chunked without chunks", CHUNKED, 200, []),
    ("9112-6.3-1 a body all the same", answer(SECOND), 200, [b"%d" % len(SECOND)]),
    ("9112-6.3-1 chunks all the same", CHUNKED + b"0\r\n\r\n", 200, []),
    ("9110-9.3.2 an error", answer(start=b"HTTP/1.1 404 Not Found\r\n"), 404, [b"0"]),
    ("9110-9.3.2 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, [b"7"]),
    ("9110-15.2 100 before", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\n", 200, [b"5"]),
    ("9110-8.6 an odd length", OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 502, None),
]  # fmt: skip


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireHouse]:
    with wire_house(tmp_path_factory.mktemp("wire"), INTERLOCK_PROXY_GUARD_REQUESTS="1000000") as house:
        yield house


def request(target: str, method: str = "GET") -> bytes:
    return f"{method} {target} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def own(wire: WireHouse, number: int, raw: bytes, *, closes: bool, method: str = "GET") -> str:
    """Give the row a target of its own, with its answer."""
    target = f"/orders/row-{number}"
    wire.upstream.answers[f"{method} {target}"] = raw
    if closes:
        wire.upstream.closing.add(f"{method} {target}")
    return target


@pytest.mark.parametrize("number", range(len(PASSED)), ids=[row[0] for row in PASSED])
def test_an_answer_is_passed_on_framed_anew_and_the_next_one_is_its_own(wire: WireHouse, number: int) -> None:
    _, raw, closes, status, body, line = PASSED[number]
    target = own(wire, number, raw, closes=closes)
    with wire.client() as client:
        for _ in range(2):
            client.send(request(target) + request("/orders/next"))
            got, after = client.answer(), client.answer()
            assert got is not None, "no answer"
            assert after is not None, "no second answer"
            assert (got.status, got.body) == (status, body)
            assert line is None or got.header(line[0]) == line[1]
            assert (after.status, after.body) == (200, b"{}")


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[row[0] for row in BROKEN])
def test_an_answer_with_two_readings_is_withheld_and_the_next_one_is_its_own(
    wire: WireHouse, number: int
) -> None:
    target = own(wire, number + 1000, BROKEN[number][1], closes=True)
    with wire.client() as client:
        client.send(request(target) + request("/orders/next"))
        got, after = client.answer(), client.answer()
        assert got is not None, "no answer"
        assert after is not None, "no second answer"
        assert (got.status, got.slug) == (502, "upstream-broken")
        assert (after.status, after.body) == (200, b"{}")


@pytest.mark.parametrize("number", range(len(TO_HEAD)), ids=[row[0] for row in TO_HEAD])
def test_an_answer_to_head_has_no_body_whatever_comes(wire: WireHouse, number: int) -> None:
    _, raw, status, lengths = TO_HEAD[number]
    target = own(wire, number + 2000, raw, closes=False, method="HEAD")
    with wire.client() as client:
        for _ in range(2):
            client.send(request(target, "HEAD") + request("/orders/next"))
            got, after = client.answer(to_head=True), client.answer()
            assert got is not None, "no answer"
            assert after is not None, "no second answer"
            assert got.status == status
            assert lengths is None or got.header(b"content-length") == lengths
            assert (after.status, after.body) == (200, b"{}")
