"""The edge over raw sockets: what RFC 9112 and 9110 ask of a server, and what nobody may smuggle past it."""

import asyncio
import re

import pytest

from runtime_proxy.exchange import Exchange, Reply
from tests.doubles.edge import CHUNKED, GET, HOST, NEXT, POST, Client, Pipeline, edge_of, talk

# -- one row a rule: (clause, bytes, what is answered). Every refusal ends the connection. -----------
OK = (200, b"GET /orders ")
TAKEN = [
    ("9112-3 get", GET + b"\r\n", [OK]),
    ("9112-2.2 one empty line before", b"\r\n" + GET + b"\r\n", [OK]),
    ("9112-3.2.1 query", b"GET /a?x=[1]|2&y=%7B HTTP/1.1\r\n" + HOST + b"\r\n", [(200, b"GET /a?x=[1]|2&y=%7B ")]),
    ("9112-5.1 white space around values", b"GET /orders HTTP/1.1\r\nHost:\t proxy.example \t\r\nX-A:\r\n\r\n", [OK]),
    ("9110-5.5 obs-text", GET + b"X-A: caf\xe9\r\n\r\n", [OK]),
    ("9110-9.1 other methods", b"PROPFIND /orders HTTP/1.1\r\n" + HOST + b"\r\n", [(200, b"PROPFIND /orders ")]),
    ("9112-6.2 length", POST + b"Content-Length: 3\r\n\r\nabc", [(200, b"POST /orders abc")]),
    ("9112-6.2 length zero", POST + b"Content-Length: 0\r\n\r\n", [(200, b"POST /orders ")]),
    ("9110-8.6 leading zeros", POST + b"Content-Length: 003\r\n\r\nabc", [(200, b"POST /orders abc")]),
    ("9112-7.1 chunked", CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", [(200, b"POST /orders abcde")]),
    ("9112-7.1.2 trailers are dropped", CHUNKED + b"1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n", [(200, b"POST /orders a")]),
    ("9112-7 coding name in any case", POST + b"Transfer-Encoding: Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n", [(200, b"POST /orders a")]),
    ("9112-9.3.2 pipelined", POST + b"Content-Length: 1\r\n\r\na" + NEXT + NEXT, [(200, b"POST /orders a"), (200, b"GET /next "), (200, b"GET /next ")]),
    ("9112-9.3.2 pipelined after chunks", CHUNKED + b"1\r\na\r\n0\r\n\r\n" + NEXT, [(200, b"POST /orders a"), (200, b"GET /next ")]),
    ("9112-9.6 close", GET + b"Connection: close\r\n\r\n" + NEXT, [OK]),
    ("9112-9.6 close in a list", GET + b"Connection: x, Close\r\n\r\n" + NEXT, [OK]),
    ("9112-9.6 close in a second line", GET + b"Connection: x\r\nConnection: close\r\n\r\n" + NEXT, [OK]),
    ("9112-C.2.2 close in the field of clients of old", GET + b"Proxy-Connection: close\r\n\r\n" + NEXT, [OK]),
    ("9112-C.2.2 which may say to stay too", GET + b"Proxy-Connection: keep-alive\r\n\r\n" + NEXT, [OK, (200, b"GET /next ")]),
    ("9112-9.3 1.0 closes", b"GET /orders HTTP/1.0\r\n" + HOST + b"\r\n" + NEXT, [OK]),
    ("9112-3.2 1.0 without Host", b"GET /orders HTTP/1.0\r\n\r\n", [OK]),
    ("9110-10.1.1 expectation in 1.0", b"GET /orders HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", [OK]),
    ("9110-7.8 upgrade is not taken up", GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" + NEXT, [OK, (200, b"GET /next ")]),
    ("9110-7.8 upgrade with a body", POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab" + NEXT, [(200, b"POST /orders ab"), (200, b"GET /next ")]),
    ("9110-7.8 upgrade with chunks", POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" + NEXT, [(200, b"POST /orders ab"), (200, b"GET /next ")]),
    ("9112-3.2 Host with port", b"GET /orders HTTP/1.1\r\nHost: 10.0.0.7:8443\r\n\r\n", [OK]),
    ("9112-3.2 Host in IPv6", b"GET /orders HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [OK]),
]  # fmt: skip
REFUSED = [
    ("9112-6.1 length and coding", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 coding and length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.3-5 two lengths", POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "framing-refused"),
    ("9112-6.3-5 the same length twice", POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "framing-refused"),
    ("9112-6.3-5 list of lengths", POST + b"Content-Length: 1, 1\r\n\r\na", "framing-refused"),
    ("9110-8.6 length with sign", POST + b"Content-Length: +1\r\n\r\na", "framing-refused"),
    ("9110-8.6 negative length", POST + b"Content-Length: -1\r\n\r\na", "framing-refused"),
    ("9110-8.6 length with space", POST + b"Content-Length: 1 2\r\n\r\na", "framing-refused"),
    ("9110-8.6 length in hex", POST + b"Content-Length: 0x1\r\n\r\na", "framing-refused"),
    ("9110-8.6 empty length", POST + b"Content-Length:\r\n\r\n", "framing-refused"),
    ("9110-8.6 length beyond 64 bits", POST + b"Content-Length: 99999999999999999999999\r\n\r\n", "framing-refused"),
    ("9112-6.1 coding in 1.0", b"POST /orders HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.3-4 chunked is not last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.3-4 no chunked", POST + b"Transfer-Encoding: gzip\r\n\r\n", "framing-refused"),
    ("9112-6.1 identity", POST + b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", "framing-refused"),
    ("9112-6.1 chunked twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 chunked in two lines", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 empty member", POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 empty coding", POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 parameter", POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "framing-refused"),
    ("9112-6.1 quoted", POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', "framing-refused"),
    ("9112-6.1 vertical tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "request-malformed"),
    ("9112-6.1 unknown coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "transfer-coding-unknown"),
    ("9112-6.1 identity, then chunked", POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "transfer-coding-unknown"),
    ("9112-7.1 size in hex notation", CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1 size with sign", CHUNKED + b"+1\r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1 size then space", CHUNKED + b"1 \r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1 bare LF after size", CHUNKED + b"1\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1 chunk longer than said", CHUNKED + b"1\r\nab\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1 size beyond 64 bits", CHUNKED + b"fffffffffffffffff\r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1.1 bare LF in extension", CHUNKED + b"1;a\nb\r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1.1 CR in extension", CHUNKED + b"1;a\rb\r\na\r\n0\r\n\r\n", "framing-refused"),
    ("9112-7.1.1 endless extension", CHUNKED + b"1;" + b"a" * 70_000, "framing-refused"),
    ("9112-7.1.1 flood of extensions", CHUNKED + (b"1;" + b"a" * 200 + b"\r\na\r\n") * 200, "framing-refused"),
    ("9112-7.1.2 length in trailer", CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "framing-refused"),
    ("9112-7.1.2 folded trailer", CHUNKED + b"0\r\nx: a\r\n b\r\n\r\n", "framing-refused"),
    ("9112-2.2 bare LF", b"GET /orders HTTP/1.1\nHost: a\n\n", "request-malformed"),
    ("9112-2.2 bare LF after a header", GET + b"X-A: b\nX-C: d\r\n\r\n", "request-malformed"),
    ("9112-2.2 bare CR", GET + b"X-A: b\rX-C: d\r\n\r\n", "request-malformed"),
    ("9112-2.2 bare LF at the end", GET + b"X-A: b\r\n\n", "request-malformed"),
    ("9112-2.2 two empty lines before", b"\r\n\r\n" + GET + b"\r\n", "request-malformed"),
    ("9112-2.2 LF before", b"\n" + GET + b"\r\n", "request-malformed"),
    ("9112-3 two spaces", b"GET  /orders HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 two spaces before version", b"GET /orders  HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 tab", b"GET\t/orders HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 space at the end", b"GET /orders HTTP/1.1 \r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 space before", b" GET /orders HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 space in target", b"GET /orders x HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 no version", b"GET /orders\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-2.3 version in small letters", b"GET /orders http/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-2.3 long version", b"GET /orders HTTP/1.10\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3 other protocol", b"SOURCE /orders ICE/1.0\r\n" + HOST + b"\r\n", "request-malformed"),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "request-malformed"),
    ("9110-2.5 HTTP/1.2", b"GET /orders HTTP/1.2\r\n" + HOST + b"\r\n", "http-version-unsupported"),
    ("9110-2.5 HTTP/2.0", b"GET /orders HTTP/2.0\r\n" + HOST + b"\r\n", "http-version-unsupported"),
    ("9110-2.5 HTTP/0.9", b"GET /orders HTTP/0.9\r\n" + HOST + b"\r\n", "http-version-unsupported"),
    ("9113-3.4 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http-version-unsupported"),
    ("9110-9.1 unknown method", b"FROBNICATE /orders HTTP/1.1\r\n" + HOST + b"\r\n", "method-unknown"),
    ("9110-9.1 small letters", b"get /orders HTTP/1.1\r\n" + HOST + b"\r\n", "method-unknown"),
    ("9110-9.3.6 CONNECT", b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n", "method-unknown"),
    ("9110-9.3.6 CONNECT with a path", b"CONNECT /orders HTTP/1.1\r\n" + HOST + b"\r\n", "method-unknown"),
    ("9112-3 method is no token", b"GE(T /orders HTTP/1.1\r\n" + HOST + b"\r\n", "request-malformed"),
    ("9112-3.2.2 absolute form", b"GET http://other.example/orders HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("9112-3.2.3 authority form", b"GET proxy.example:80 HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("9112-3.2.4 asterisk form", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("3986-3.5 fragment", b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("3986-2 backslash", b"GET /a\\b HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("3986-2 quote", b'GET /a?"b" HTTP/1.1\r\n' + HOST + b"\r\n", "target-invalid"),
    ("3986-2 not ASCII", b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("3986-2 NUL", b"GET /a\0 HTTP/1.1\r\n" + HOST + b"\r\n", "target-invalid"),
    ("9112-3.2 no Host", b"GET /orders HTTP/1.1\r\n\r\n", "host-invalid"),
    ("9112-3.2 two Hosts", GET + HOST + b"\r\n", "host-invalid"),
    ("9112-3.2 two different Hosts", GET + b"Host: other\r\n\r\n", "host-invalid"),
    ("9112-3.2 empty Host", b"GET /orders HTTP/1.1\r\nHost:\r\n\r\n", "host-invalid"),
    ("9112-3.2 list", b"GET /orders HTTP/1.1\r\nHost: a, b\r\n\r\n", "host-invalid"),
    ("9112-3.2 user", b"GET /orders HTTP/1.1\r\nHost: u@a\r\n\r\n", "host-invalid"),
    ("9112-3.2 path", b"GET /orders HTTP/1.1\r\nHost: a/b\r\n\r\n", "host-invalid"),
    ("9112-3.2 odd port", b"GET /orders HTTP/1.1\r\nHost: a:8x\r\n\r\n", "host-invalid"),
    ("9112-3.2 two Hosts in 1.0", b"GET /orders HTTP/1.0\r\n" + HOST + HOST + b"\r\n", "host-invalid"),
    ("9112-5.2 fold", GET + b"X-A: b\r\n c\r\n\r\n", "request-malformed"),
    ("9112-5.2 fold with tab", GET + b"X-A: b\r\n\tc\r\n\r\n", "request-malformed"),
    ("9112-5.2 fold of the first line", b"GET /orders HTTP/1.1\r\n " + HOST + b"\r\n", "request-malformed"),
    ("9112-5.1 space before colon", GET + b"X-A : b\r\n\r\n", "request-malformed"),
    ("9112-5.1 no name", GET + b": b\r\n\r\n", "request-malformed"),
    ("9112-5 no colon", GET + b"nonsense\r\n\r\n", "request-malformed"),
    ("9110-5.5 NUL", GET + b"X-A: b\0c\r\n\r\n", "request-malformed"),
    ("9110-5.5 control byte", GET + b"X-A: b\x01c\r\n\r\n", "request-malformed"),
    ("9110-5.5 DEL", GET + b"X-A: b\x7fc\r\n\r\n", "request-malformed"),
    ("9110-10.1.1 other expectation", POST + b"Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", "expectation-failed"),
    ("9110-10.1.1 two expectations", POST + b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", "expectation-failed"),
    ("9112-8 half a head", GET, "request-malformed"),
    ("9112-8 half a body", POST + b"Content-Length: 5\r\n\r\nabc", "request-malformed"),
    ("9112-8 half a chunk", CHUNKED + b"5\r\nabc", "request-malformed"),
    ("limit target", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "target-too-long"),
    ("limit target, endless", b"GET /" + b"a" * 40_000, "target-too-long"),
    ("limit head", GET + b"X-A: " + b"b" * 33_000 + b"\r\n\r\n", "head-too-large"),
    ("limit head, endless", GET + b"X-A: " + b"b" * 33_000, "head-too-large"),
    ("limit headers", GET + b"x: y\r\n" * 100 + b"\r\n", "head-too-large"),
    ("limit body", POST + b"Content-Length: 8388609\r\n\r\n", "body-too-large"),
    ("limit chunked body", CHUNKED + b"800001\r\n", "body-too-large"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "data", "answers"), TAKEN, ids=[row[0] for row in TAKEN])
@pytest.mark.parametrize("split", [False, True], ids=["whole", "byte by byte"])
async def test_what_is_http_is_answered_in_order(
    clause: str, data: bytes, answers: list[tuple[int, bytes]], *, split: bool
) -> None:
    pipeline = Pipeline()
    # Whoever sends more after the answer that ends the connection may lose it in a reset: that is no fault here.
    ahead = len(NEXT) if data.endswith(NEXT) else 0
    pieces = [data[i : i + 1] for i in range(len(data) - ahead - 1)]
    got = await talk(pipeline, *([*pieces, data[len(pieces) :]] if split else [data]))
    assert got == answers
    assert pipeline.refused == []


@pytest.mark.parametrize(("clause", "data", "slug"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_what_is_not_is_refused_and_nothing_after_it_is_read(
    clause: str, data: bytes, slug: str
) -> None:
    pipeline = Pipeline()
    got = await talk(pipeline, data if clause.startswith(("9112-8", "limit")) else data + NEXT)
    assert got == [(REFUSED_STATUS[slug], slug.encode())]
    assert pipeline.seen == []
    assert [(row[0], row[1]) for row in pipeline.refused] == [(slug, "127.0.0.1")]


@pytest.mark.parametrize("row", TAKEN + REFUSED, ids=[row[0] for row in TAKEN + REFUSED])
async def test_field_lines_that_came_before_are_read_as_the_first_time(row) -> None:
    pipeline = Pipeline()
    seen = []
    async with edge_of(pipeline) as edge:
        for _ in range(4):
            client = await Client.to(edge)
            await client.send(row[1].removesuffix(NEXT))
            client.writer.write_eof()
            answers = await client.all()
            seen.append((answers, [(one.method, one.target, one.headers, one.body) for one in pipeline.seen]))
            pipeline.seen.clear()
            await client.close()
    assert seen == [seen[0]] * 4


async def test_other_callers_with_the_same_lines_but_another_line_before_them() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        for number in range(4):
            body = b"x" * number
            await client.send(
                b"POST /orders/%d HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (number, HOST, number, body)
            )
            assert (await client.answer())[2] == b"POST /orders/%d %b" % (number, body)
        assert pipeline.seen[-1].known is not None
        assert pipeline.seen[-1].headers == [(b"host", b"proxy.example"), (b"content-length", b"3")]
        for line, status in ((b"FROBNICATE /a HTTP/1.1", 501), (b"GET /a HTTP/1.0", 200)):
            other = await Client.to(edge)
            await other.send(line + b"\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
            assert (await other.answer())[0] == status
            await other.close()
        assert pipeline.seen[-1].modern is False
        await client.close()


REFUSED_STATUS = {
    "framing-refused": 400,
    "request-malformed": 400,
    "target-invalid": 400,
    "host-invalid": 400,
    "request-timeout": 408,
    "body-too-large": 413,
    "target-too-long": 414,
    "expectation-failed": 417,
    "head-too-large": 431,
    "transfer-coding-unknown": 501,
    "method-unknown": 501,
    "too-many-connections": 503,
    "http-version-unsupported": 505,
}


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (row[1], row[2])
        for row in REFUSED
        if row[0].startswith(("9112-2", "9112-3", "9112-5", "9112-6", "9110"))
    ],
    ids=[row[0] for row in REFUSED if row[0].startswith(("9112-2", "9112-3", "9112-5", "9112-6", "9110"))],
)
async def test_refusals_do_not_hang_on_how_the_bytes_are_split(data: bytes, slug: str) -> None:
    pipeline = Pipeline()
    got = await talk(pipeline, *[data[i : i + 1] for i in range(len(data))])
    assert [status for status, _ in got] == [REFUSED_STATUS[slug]]
    assert pipeline.seen == []


async def test_the_exchange_holds_what_was_sent() -> None:
    pipeline = Pipeline()
    await talk(
        pipeline,
        b"POST /Orders?A=b HTTP/1.1\r\nHOST: p\r\nX-Ab:  C d \r\nx-ab: E\r\nContent-Length: 2\r\n\r\n{}",
    )
    (exchange,) = pipeline.seen
    assert (exchange.method, exchange.target, exchange.body, exchange.peer) == (
        b"POST",
        b"/Orders?A=b",
        b"{}",
        "127.0.0.1",
    )
    assert exchange.headers == [
        (b"host", b"p"),
        (b"x-ab", b"C d"),
        (b"x-ab", b"E"),
        (b"content-length", b"2"),
    ]
    assert exchange.started > 0
    assert exchange.secure is False


async def test_a_refusal_of_the_body_knows_its_exchange() -> None:
    pipeline = Pipeline()
    await talk(pipeline, POST + b"Content-Length: 9999999\r\n\r\n")
    (_, _, exchange) = pipeline.refused[0]
    assert exchange is not None
    assert exchange.target == b"/orders"


# -- bodies ------------------------------------------------------------------------------------------
async def test_a_body_above_the_limit_of_its_operation_is_refused() -> None:
    pipeline = Pipeline()
    pipeline.limit = 4
    assert await talk(pipeline, POST + b"Content-Length: 4\r\n\r\nabcd") == [(200, b"POST /orders abcd")]
    assert await talk(pipeline, POST + b"Content-Length: 5\r\n\r\nabcde") == [(413, b"body-too-large")]
    assert await talk(pipeline, CHUNKED + b"4\r\nabcd\r\n0\r\n\r\n") == [(200, b"POST /orders abcd")]
    assert await talk(pipeline, CHUNKED + b"4\r\nabcd\r\n1\r\n") == [(413, b"body-too-large")]


async def test_an_operation_cannot_raise_the_limit_of_the_setting() -> None:
    pipeline = Pipeline()
    pipeline.limit = 10**9
    got = await talk(
        pipeline, POST + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000, proxy_max_body_bytes=1024
    )
    assert got == [(413, b"body-too-large")]


async def test_a_refused_upload_gets_its_answer_although_it_is_still_sending() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(POST + b"Content-Length: 500000\r\n\r\n", b"x" * 500_000)
        assert (await client.answer())[0] == 200
        pipeline.limit = 1
        await client.send(POST + b"Content-Length: 500000\r\n\r\n", b"x" * 500_000)
        assert (await client.answer())[0] == 413
        assert await client.ended()
        await client.close()


async def test_a_large_body_is_whole_and_exact() -> None:
    body = bytes(range(256)) * 16_384
    pipeline = Pipeline()
    got = await talk(pipeline, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert got == [(200, b"POST /orders " + body)]
    assert pipeline.seen[0].body == body


# -- refusals by the head alone ----------------------------------------------------------------------
async def test_a_refused_head_does_not_wait_for_its_body_and_keeps_the_connection() -> None:
    async with edge_of(Pipeline()) as edge:
        client = await Client.to(edge)
        await client.send(b"POST /no HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n01234")
        assert (await client.answer())[0] == 401
        await client.send(b"56789" + NEXT)
        assert (await client.answer())[2] == b"GET /next "
        await client.send(b"POST /no HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nab" + NEXT)
        assert (await client.answer())[0] == 401
        assert (await client.answer())[2] == b"GET /next "
        await client.send(b"POST /no HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n")
        assert (await client.answer())[0] == 401
        await client.send(b"a")
        await client.send(b"b" + NEXT)
        assert (await client.answer())[2] == b"GET /next "
        await client.close()


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"]
)  # fmt: skip
async def test_a_refused_head_ends_the_connection_where_its_body_is_not_worth_reading(framing: bytes) -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(b"POST /no HTTP/1.1\r\n" + HOST + framing)
        status, headers, _ = await client.answer()
        assert (status, headers[b"connection"]) == (401, b"close")
        await client.send(b"abc" + NEXT)
        assert await client.ended()
        await client.close()
    assert [exchange.target for exchange in pipeline.seen] == [b"/no"]


# -- Expect: 100-continue (RFC 9110 §10.1.1) ---------------------------------------------------------
async def test_continue_is_said_after_the_head_is_admitted() -> None:
    async with edge_of(Pipeline()) as edge:
        client = await Client.to(edge)
        await client.send(POST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        assert (await client.answer())[0] == 100
        await client.send(b"ab" + NEXT)
        assert (await client.answer())[2] == b"POST /orders ab"
        assert (await client.answer())[2] == b"GET /next "
        await client.close()


async def test_continue_is_not_said_when_the_body_is_here_or_absent_or_too_long() -> None:
    expect = POST + b"Expect: 100-continue\r\n"
    assert await talk(Pipeline(), expect + b"Content-Length: 2\r\n\r\nab") == [(200, b"POST /orders ab")]
    assert await talk(Pipeline(), expect + b"Content-Length: 0\r\n\r\n") == [(200, b"POST /orders ")]
    assert await talk(Pipeline(), expect + b"Content-Length: 9999999\r\n\r\n") == [(413, b"body-too-large")]


# -- answers -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "reply", "head", "body"),
    [
        (b"GET", Reply(200, [(b"x-a", b"b")], b"ok"), [b"x-a: b", b"content-length: 2"], b"ok"),
        (b"GET", Reply(200, [], b""), [b"content-length: 0"], b""),
        (b"GET", Reply(204, [(b"content-length", b"5")], b""), [], b""),
        (b"GET", Reply(304, [(b"content-length", b"5")], b""), [b"content-length: 5"], b""),
        (b"HEAD", Reply(200, [(b"content-length", b"5")], b""), [b"content-length: 5"], b""),
        (b"HEAD", Reply(200, [], b"abc"), [b"content-length: 3"], b""),
        (b"HEAD", Reply(200, [], b""), [], b""),
        (b"GET", Reply(299, [(b"transfer-encoding", b"chunked"), (b"connection", b"x"), (b"keep-alive", b"y")], b"ok"), [b"content-length: 2"], b"ok"),
    ],
)  # fmt: skip
async def test_answers_are_framed_by_the_edge(
    method: bytes, reply: Reply, head: list[bytes], body: bytes
) -> None:
    pipeline = Pipeline()
    pipeline.reply = reply
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        request = method + b" /x HTTP/1.1\r\n" + HOST + b"\r\n"
        await client.send(request, request)
        for _ in range(2):
            raw = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 10)
            status, *lines = raw[:-4].split(b"\r\n")
            assert status.startswith(b"HTTP/1.1 %d " % reply.status)
            dates = [line for line in lines if line.startswith(b"date: ")]
            assert [line for line in lines if line not in dates] == head
            assert len(dates) == 1
            assert re.fullmatch(
                rb"date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", dates[0]
            )
            assert await asyncio.wait_for(client.reader.readexactly(len(body)), 10) == body
        await client.close()


async def test_a_date_of_the_provider_stays() -> None:
    pipeline = Pipeline()
    pipeline.reply = Reply(200, [(b"date", b"Mon, 01 Jan 2024 00:00:00 GMT")])
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n")
        raw = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 10)
        await client.close()
    assert raw.count(b"date: ") == 1
    assert b"date: Mon, 01 Jan 2024 00:00:00 GMT\r\n" in raw


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, [(b"x-a", b"b\r\nset-cookie: c")]),
        Reply(200, [(b"x-a", b"b\nc")]),
        Reply(200, [(b"x-a", b"b\rc")]),
        Reply(200, [(b"x-a", b"b\0c")]),
        Reply(200, [(b"x\r\ny", b"z")]),
        Reply(101, []),
        Reply(999, []),
    ],
)
async def test_a_reply_that_would_be_another_message_is_an_internal_error(reply: Reply) -> None:
    pipeline = Pipeline()
    pipeline.reply = reply
    got = await talk(pipeline, GET + b"\r\n" + NEXT)
    assert [status for status, _ in got] == [500]
    assert b"internal-error" in got[0][1]


@pytest.mark.parametrize("target", [b"/crash", b"/crash-admit"])
async def test_a_failing_pipeline_is_an_internal_error_and_others_go_on(target: bytes) -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client, other = await Client.to(edge), await Client.to(edge)
        await client.send(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT)
        await other.send(GET + b"\r\n")
        assert [status for status, _ in await client.all()] == [500]
        assert (await other.answer())[0] == 200
        await client.close()
        await other.close()


async def test_a_reply_may_end_the_connection() -> None:
    pipeline = Pipeline()
    pipeline.reply = Reply(200, [], b"last", close=True)
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        await client.send(GET + b"\r\n" + NEXT)
        status, headers, body = await client.answer()
        assert (status, headers[b"connection"], body) == (200, b"close", b"last")
        assert await client.ended()
        await client.close()
    assert len(pipeline.seen) == 1


async def test_an_exchange_that_needs_a_task_gets_one_and_keeps_its_order() -> None:
    pipeline = Pipeline()
    tasks: list[object] = []

    async def serve(exchange: Exchange) -> Reply:
        if exchange.target == b"/slow":
            async with asyncio.timeout(5):  # asks for the current task
                await asyncio.sleep(0.01)
        tasks.append(asyncio.current_task())
        return Reply(200, [], exchange.target)

    def admit(exchange: Exchange) -> bool:
        exchange.needs_task = exchange.target == b"/slow"
        return True

    pipeline.serve, pipeline.admit = serve, admit  # type: ignore[method-assign]
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        client.writer.write(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT)
        bodies = [(await client.answer())[2] for _ in range(2)]
        await client.close()
    assert bodies == [b"/slow", b"/next"]
    assert tasks[0] is not None
    assert tasks[1] is None


async def test_thousands_of_requests_sent_ahead_are_answered_without_depth() -> None:
    pipeline = Pipeline()
    async with edge_of(pipeline) as edge:
        client = await Client.to(edge)
        client.writer.write(NEXT * 3000)
        statuses = [(await client.answer())[0] for _ in range(3000)]
        await client.close()
    assert statuses == [200] * 3000
    assert len(pipeline.seen) == 3000
