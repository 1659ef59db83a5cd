"""One row a rule, over raw sockets, through a real `proxy run`: what reaches the provider, and what never does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.wire_house import WireHouse, wire_house

HOST = b"Host: proxy.example\r\n"
NEXT = b"GET /orders/next HTTP/1.1\r\n" + HOST + b"\r\n"


def get(target: bytes = b"/orders", *lines: bytes, method: bytes = b"GET", host: bytes = HOST) -> bytes:
    """Write a request without a body."""
    head = b"%b %b HTTP/1.1\r\n%b" % (method, target, host)
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def post(body: bytes = b"", *lines: bytes, length: bytes | None = None) -> bytes:
    """Write a request whose framing stands in `lines`, or is the length of the body."""
    framed = (b"Content-Length: %b" % (length if length is not None else b"%d" % len(body)),)
    if (
        any(line.lower().startswith((b"content-length", b"transfer-encoding")) for line in lines)
        and length is None
    ):
        framed = ()
    return get(b"/orders", b"Content-Type: text/plain", *framed, *lines, method=b"POST") + body


def chunked(data: bytes, *lines: bytes) -> bytes:
    return post(data, b"Transfer-Encoding: chunked", *lines)


LIST = ("GET", "/orders", b"")
SMUGGLED = b"GET /admin/keys HTTP/1.1\r\nHost: a\r\n\r\n"


def placed(body: bytes) -> tuple[str, str, bytes]:
    return ("POST", "/orders", body)


def read(target: str) -> tuple[str, str, bytes]:
    return ("GET", target, b"")


# -- what is let through, and what the provider then sees: (clause, bytes, [method, target, body]) -----
TAKEN = [
    ("9112-3 get", get(), [LIST]),
    ("9112-2.2 an empty line before", b"\r\n" + get(), [LIST]),
    ("9112-2.2 an empty line between", get() + b"\r\n" + get(), [LIST, LIST]),
    ("9112-5.1 tabs and spaces around values", get(b"/orders", b"X-A:\t  b \t"), [LIST]),
    ("9112-5.1 empty value", get(b"/orders", b"X-A:"), [LIST]),
    ("9110-5.5 obs-text", get(b"/orders", b"X-A: caf\xe9\xff"), [LIST]),
    ("9110-5.6.2 every token character", get(b"/orders", b"!#$%&'*+-.^`|~9: b"), [LIST]),
    ("9112-6.2 length", post(b"abc"), [placed(b"abc")]),
    ("9112-6.2 length zero", post(b"", b"Content-Length: 0"), [placed(b"")]),
    ("9110-8.6 leading zeros", post(b"abc", length=b"0003"), [placed(b"abc")]),
    ("9112-6.2 a body that looks like a request", post(SMUGGLED), [placed(SMUGGLED)]),
    ("9112-7.1 chunks", chunked(b"3\r\nabc\r\n0000A\r\n0123456789\r\n000\r\n\r\n"), [placed(b"abc0123456789")]),
    ("9112-7.1 a chunk that looks like the end", chunked(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), [placed(b"0\r\n\r\n")]),
    ("9112-7.1.1 extensions are dropped", chunked(b'1;a;b=c;d="e;f"\r\nx\r\n0;last\r\n\r\n'), [placed(b"x")]),
    ("9112-7.1.2 trailers are dropped", chunked(b"1\r\na\r\n0\r\nX-Purpose: no\r\nHost: b\r\n\r\n"), [placed(b"a")]),
    ("9112-7 coding in any case and white space", post(b"1\r\na\r\n0\r\n\r\n", b"tRANSFER-eNCODING:\t CHUNKED  "), [placed(b"a")]),
    ("9112-9.3.2 pipelined", post(b"a") + chunked(b"1\r\nb\r\n0\r\n\r\n") + get() + NEXT, [placed(b"a"), placed(b"b"), LIST, read("/orders/next")]),
    ("9110-9.3.5 body without meaning is none", get(b"/orders/7", method=b"DELETE"), [("DELETE", "/orders/7", b"")]),
    ("9110-7.8 upgrade to h2c is not taken up", get(b"/orders", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__") + NEXT, [LIST, read("/orders/next")]),
    ("9110-7.8 upgrade with a body", post(b"ab", b"Connection: Upgrade", b"Upgrade: h2c", length=b"2") + NEXT, [placed(b"ab"), read("/orders/next")]),
    ("6455-4.1 upgrade to websocket where none is declared", get(b"/orders", b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13") + NEXT, [LIST, read("/orders/next")]),
    ("9110-10.1.1 expectation with its body here", post(b"ab", b"Expect: 100-Continue", length=b"2"), [placed(b"ab")]),
    ("9110-10.1.1 expectation without a body", get(b"/orders", b"Expect: 100-continue"), [LIST]),
    ("9112-3.2 Host with port", get(host=b"Host: 10.0.0.7:8443\r\n"), [LIST]),
    ("9112-3.2 Host as IPv6", get(host=b"Host: [2001:db8::1]:80\r\n"), [LIST]),
    ("9112-3.2 Host in capitals", get(host=b"HOST: PROXY.Example\r\n"), [LIST]),
    ("3986-3.2.3 empty port", get(host=b"Host: proxy.example:\r\n"), [LIST]),
    ("3986-3.2.2 name ends with a dot", get(host=b"Host: proxy.example.\r\n"), [LIST]),
    ("9112-3.2.2 absolute form of the same host", get(b"http://proxy.example/orders/7?x=%2F"), [read("/orders/7?x=%2F")]),
    ("9112-3.2.2 absolute form, host in capitals", get(b"HTTP://Proxy.EXAMPLE/orders/7"), [read("/orders/7")]),
    ("9110-4.2.3 absolute form with the default port", get(b"http://proxy.example:80/orders"), [LIST]),
    ("9112-3.2.2 absolute form with port", get(b"http://h:81/orders", host=b"Host: h:81\r\n"), [LIST]),
    ("3986-3.4 query bytes", get(b"/orders?x=[1]|2&y=%7B/?:@!$'()*,;"), [read("/orders?x=[1]|2&y=%7B/?:@!$'()*,;")]),
    ("3986-3.4 question marks", get(b"/orders??x=?"), [read("/orders??x=?")]),
    ("3986-3.4 a path in the query is data", get(b"/orders?x=/../../admin/keys"), [read("/orders?x=/../../admin/keys")]),
    ("3986-3.3 every pchar", get(b"/orders/a-._~!$&'()*+,;=:@b"), [read("/orders/a-._~!$&'()*+,;=:@b")]),
    ("3986-2.4 %2F is data", get(b"/orders/a%2Fb%2fc"), [read("/orders/a%2Fb%2fc")]),
    ("3986-2.4 decoded once", get(b"/orders/%252e%252e%252fadmin"), [read("/orders/%252e%252e%252fadmin")]),
    ("3986-2.3 an escaped letter is the letter", get(b"/%6frders/%37"), [read("/%6frders/%37")]),
    ("3986-2.1 UTF-8", get(b"/orders/%E5%A4%A9%F0%9F%92%89"), [read("/orders/%E5%A4%A9%F0%9F%92%89")]),
    ("3986-3.3 three dots are a name", get(b"/orders/..."), [read("/orders/...")]),
    ("3986-3.3 dots in a name", get(b"/orders/..a"), [read("/orders/..a")]),
    ("3986-3.3 a parameter of a segment", get(b"/orders/a;v=1"), [read("/orders/a;v=1")]),
]  # fmt: skip

FRAMING, MALFORMED, HOST_BAD = "framing-refused", "request-malformed", "host-invalid"
TE = b"Transfer-Encoding: "
ENDED = b"0\r\n\r\n"

# -- what is refused; the connection ends, and what follows on it is read by nobody: (clause, bytes, slug)
REFUSED = [
    # smuggling by two framings
    ("9112-6.1 length and coding", post(ENDED + SMUGGLED, b"Content-Length: 5", TE + b"chunked"), FRAMING),
    ("9112-6.1 coding and length", post(ENDED + SMUGGLED, TE + b"chunked", b"Content-Length: 43"), FRAMING),
    ("9112-6.1 length zero and coding", post(ENDED, b"Content-Length: 0", TE + b"chunked"), FRAMING),
    ("9112-6.1 length and a coding that is none", post(b"abc", b"Content-Length: 3", TE + b"identity"), FRAMING),
    ("9112-6.1 two framings on an upgrade", post(ENDED, b"Content-Length: 5", TE + b"chunked", b"Connection: Upgrade", b"Upgrade: h2c"), FRAMING),
    ("9112-6.3-5 two lengths", post(b"abc", b"Content-Length: 3", b"Content-Length: 0"), FRAMING),
    ("9112-6.3-5 one length twice", post(b"abc", b"Content-Length: 3", b"content-length: 3"), FRAMING),
    ("9112-6.3-5 list of lengths", post(b"abc", length=b"3, 3"), FRAMING),
    ("9112-6.3-5 two lengths on an upgrade", post(b"abc", b"Content-Length: 3", b"Content-Length: 3", b"Connection: Upgrade", b"Upgrade: h2c"), FRAMING),
    # odd lengths
    *[(f"9110-8.6 length {value!r}", post(b"abc", length=value), FRAMING) for value in (
        b"+3", b"-3", b"3 0", b"0x3", b"3.0", b"3e0", b"1_0", b"3;", b"3,", b",3", b'"3"', b"", b"three",
        b"\xef\xbc\x93", b"18446744073709551619", b"99999999999999999999999999", b"3\xa0")],
    # codings in disguise
    *[(f"9112-6.1 coding {value!r}", post(ENDED + SMUGGLED, TE + value), FRAMING) for value in (
        b"chunked, chunked", b"chunked, gzip", b"chunked, identity", b"gzip", b"xchunked", b"chunked-x", b"chunked;q=1",
        b'"chunked"', b"'chunked'", b",chunked", b"chunked,", b"", b",", b"chunked chunked", b"chunked\xa0", b"\xefchunked",
        b"identity", b"chu nked")],
    ("9112-6.1 chunked in two lines", post(ENDED, TE + b"chunked", TE + b"chunked"), FRAMING),
    ("9112-6.1 chunked, then another", post(ENDED, TE + b"chunked", TE + b"x"), FRAMING),
    ("9112-6.1 empty line, then chunked", post(ENDED, TE, TE + b"chunked"), FRAMING),
    ("9112-6.1 unknown coding", post(ENDED, TE + b"gzip, chunked"), "transfer-coding-unknown"),
    ("9112-6.1 another, then chunked", post(ENDED, TE + b"identity", TE + b"chunked"), "transfer-coding-unknown"),
    ("9112-6.1 coding in HTTP/1.0", b"POST /orders HTTP/1.0\r\n" + TE + b"chunked\r\n\r\n" + ENDED, FRAMING),
    *[(f"9112-5 coding {line!r}", post(ENDED, line, b"Content-Length: 5"), MALFORMED) for line in (
        b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked", b"Transfer-Encoding\t: chunked", b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding:\x0cchunked", b"Transfer-Encoding: chunked\x00", b"Transfer-Encoding\x00: chunked", b"X: y\rTransfer-Encoding: chunked",
        b"X: y\nTransfer-Encoding: chunked", b"X: y\n\rTransfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding", b"Transfer\xadEncoding: chunked",
        b"\xefTransfer-Encoding: chunked", b"Transfer Encoding: chunked", b"X:\x00\r\nTransfer-Encoding: chunked")],
    # chunks
    *[(f"9112-7.1 chunk {data!r}", chunked(data), FRAMING) for data in (
        b"0x1\r\na\r\n" + ENDED, b"+1\r\na\r\n" + ENDED, b"-1\r\na\r\n" + ENDED, b" 1\r\na\r\n" + ENDED, b"1 \r\na\r\n" + ENDED,
        b"1\na\r\n" + ENDED, b"1\r\na\n" + ENDED, b"1\r\nab\r\n" + ENDED, b"2\r\na\r\n" + ENDED, b"\r\n" + ENDED, b"g\r\n" + ENDED,
        b"1_0\r\n0123456789abcdef\r\n" + ENDED, b"1\r\r\na\r\n" + ENDED, b"1,\r\na\r\n" + ENDED, b"fffffffffffffffff\r\na\r\n",
        b"10000000000000001\r\na\r\n", b"\xb1\r\na\r\n" + ENDED, b"1\r\na" + ENDED, b"1\x00\r\na\r\n" + ENDED, b"0\n\r\n", b"0\r\n\n", b"\n1\r\na\r\n" + ENDED)],
    *[(f"9112-7.1.1 extension {data[:24]!r}", chunked(data), FRAMING) for data in (
        b"1;a\nb\r\na\r\n" + ENDED, b"1;a\rb\r\na\r\n" + ENDED, b"1;\n" + SMUGGLED, b"1;\x00\r\na\r\n" + ENDED, b'1;a="\n"\r\na\r\n' + ENDED, b"1;\x7f\r\na\r\n" + ENDED,
        b"1;" + b"a" * 300 + b"\r\na\r\n" + ENDED, b"1;" + b"a" * 70_000, (b"1;" + b"a" * 200 + b"\r\na\r\n") * 200)],
    *[(f"9112-7.1.2 trailer {data[:24]!r}", chunked(b"0\r\n" + data), FRAMING) for data in (
        b"x: a\r\n b\r\n\r\n", b"x : a\r\n\r\n", b"x\r\n\r\n", b": a\r\n\r\n", b"x: a\n\r\n\r\n", b"x: a\nb: c\r\n\r\n", b"x: a\rb\r\n\r\n", b"x: \x00\r\n\r\n", b" x: a\r\n\r\n",
        b"x: " + b"a" * 9000 + b"\r\n\r\n", b"a: b\r\n" * 2000 + b"\r\n")],
    ("9112-7.1.2 framing in a trailer", chunked(b"0\r\nContent-Length: 5\r\n\r\n"), FRAMING),
    ("9112-7.1.2 coding in a trailer", chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), FRAMING),
    # lines
    *[(f"9112-2.2 {data!r}", data, MALFORMED) for data in (
        b"GET /orders HTTP/1.1\nHost: a\n\n", b"GET /orders HTTP/1.1\r\nHost: a\n\r\n", b"GET /orders HTTP/1.1\nHost: a\r\n\r\n", b"GET /orders HTTP/1.1\r\nHost: a\r\n\n",
        b"GET /orders HTTP/1.1\rHost: a\r\n\r\n", b"\n" + get(), b"\r" + get(), b"\r\n\r\n" + get(), b"\x00" + get(), b"\xef\xbb\xbf" + get(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")],
    *[(f"9112-3 {line!r}", line + b"\r\n" + HOST + b"\r\n", MALFORMED) for line in (
        b"GET  /orders HTTP/1.1", b"GET /orders  HTTP/1.1", b" GET /orders HTTP/1.1", b"GET /orders HTTP/1.1 ", b"GET\t/orders HTTP/1.1", b"GET /orders\tHTTP/1.1", b"GET /orders",
        b"GET", b"GET /or ders HTTP/1.1", b"GET /orders http/1.1", b"GET /orders HTTP/1.10", b"GET /orders HTTP/01.1", b"GET /orders HTTP/1", b"GET /orders HTTP 1.1", b"GET /orders HTTP/1.1\x00",
        b"GET /orders HTTPS/1.1", b"GE(T /orders HTTP/1.1", b"G\xc3\x8bT /orders HTTP/1.1", b"GET /orders\x0bHTTP/1.1", b"GET /orders\x0cHTTP/1.1", b"GET /orders HTTP/1.1\rX: y")],
    *[(f"9112-5 {line!r}", get(b"/orders", line), MALFORMED) for line in (
        b"X-A : b", b" X-A: b", b"X-A", b": b", b"X\x00A: b", b"X A: b", b"X\xe9: b", b"X(A): b", b'"X": b', b"X-A: b\x00c", b"X-A: b\x01c", b"X-A: b\x7fc", b"X-A: b\x1b[0m",
        b"X-A: b\rc", b"X-A: b\nX-B: c", b"X-A: b\r\n c", b"X-A: b\r\n\tc", b"X-A: b\r\n ", b"X-A:b\r", b"@: b", b"{}: b")],
    ("9112-2.2 white space before the first header", b"GET /orders HTTP/1.1\r\n " + HOST + b"\r\n", MALFORMED),
    # versions and methods
    *[(f"9110-2.5 {version!r}", b"GET /orders " + version + b"\r\n" + HOST + b"\r\n", "http-version-unsupported") for version in (b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/9.9")],
    ("9113-3.4 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http-version-unsupported"),
    *[(f"9110-9.1 {method!r}", get(method=method), "method-unknown") for method in (b"FROBNICATE", b"get", b"Get", b"CONNECT", b"GE", b"GETT", b"X" * 33)],
    ("9110-9.3.6 CONNECT with authority", get(b"a:80", method=b"CONNECT"), "method-unknown"),
    # targets
    *[(f"9112-3.2 target {target!r}", get(target), "target-invalid") for target in (
        b"proxy.example:80", b"*", b"orders", b"?x", b"http://other.example/orders", b"http://proxy.example@other/orders", b"http://u:p@proxy.example/orders", b"http:///orders", b"http:/orders",
        b"http://proxy.example:81/orders", b"ftp://proxy.example/orders", b"javascript:x", b"http://proxy.example", b"http://proxy.example\\/orders", b"http://proxy.example/or#ders", b"https://proxy.example/orders",
        b"/a#b", b"/a\\b", b'/a"b', b"/a<b>", b"/a^b", b"/a`b", b"/{a}", b"/\xc3\xa4", b"/a\x00", b"/a\x01", b"/a\x7f", b"/a?\xff", b"/?\x00")],
    ("9112-3.2.4 asterisk form", get(b"*", method=b"OPTIONS"), "target-invalid"),
    # Host
    ("9112-3.2 none", get(host=b""), HOST_BAD),
    ("9112-3.2 two", get(host=HOST + HOST), HOST_BAD),
    ("9112-3.2 two different", get(host=HOST + b"Host: b\r\n"), HOST_BAD),
    ("9112-3.2 two on an upgrade", get(b"/orders", b"Connection: Upgrade", b"Upgrade: h2c", host=HOST + b"Host: b\r\n"), HOST_BAD),
    *[(f"9112-3.2 Host {value!r}", get(host=b"Host: " + value + b"\r\n"), HOST_BAD) for value in (
        b"", b"a, b", b"a b", b"u@a", b"a/b", b"a?b", b"a#b", b"a\\b", b"http://a", b"a:8x", b"a:80:80", b"a:99999", b"a:65536", b":80", b"[::1", b"::1", b"[::1]x", b"[]", b"[:::::]", b"[1]", b"[fe80::1%25lo]",
        b".", b"..", b"a..b", b".a", b"a%00", b"a%2fb", b"a;b", b"a'b", b'a"b', b"a<b", b"\xe4", b"a" * 256)],
    # expectations
    *[(f"9110-10.1.1 Expect {value!r}", post(b"a", b"Expect: " + value, length=b"1"), "expectation-failed") for value in (b"200-ok", b"", b"100-continue, 100-continue", b"y 100-continue", b"100-continue;x", b"x, 100-continue")],
    ("9110-10.1.1 two expectations", post(b"a", b"Expect: 100-continue", b"Expect: 100-continue", length=b"1"), "expectation-failed"),
    # Connection names what belongs to the whole way, not to one hop
    *[(f"9110-7.6.1 Connection: {value!r}", post(b"{}", b"Connection: " + value, b"Authorization: a", b"Cookie: b=c", length=b"2"), "connection-option-refused") for value in (
        b"Host", b"content-length", b"close, Content-Type", b"Authorization", b"keep-alive, cookie", b"X-Forwarded-For", b"Forwarded", b"x-request-id", b"traceparent", b"Idempotency-Key",
        b"Content-Encoding", b"expect", b"Via", b"Cache-Control")],
    ("9110-7.6.1 a declared header", get(b"/orders", b"X-Purpose: TREAT", b"Connection: x-purpose"), "connection-option-refused"),
    ("9110-7.6.1 in a second line", get(b"/orders", b"Connection: keep-alive", b"Connection: Host"), "connection-option-refused"),
    # sizes
    ("9110-15.5.15 target", get(b"/orders?x=" + b"a" * 8192), "target-too-long"),
    ("9110-15.5.15 endless target", b"GET /orders?x=" + b"a" * 40_000, "target-too-long"),
    ("6585-5 one long line", get(b"/orders", b"X-A: " + b"b" * 33_000), "head-too-large"),
    ("6585-5 endless head", get()[:-2] + b"X-A: " + b"b" * 33_000, "head-too-large"),
    ("6585-5 long name", get(b"/orders", b"x" * 33_000 + b": b"), "head-too-large"),
    ("6585-5 many lines", get(b"/orders", *[b"x: y"] * 100), "head-too-large"),
    ("6585-5 many lines on an upgrade", get(b"/orders", b"Connection: Upgrade", b"Upgrade: h2c", *[b"x: y"] * 100), "head-too-large"),
    ("9110-15.5.14 length", post(b"", length=b"8388609"), "body-too-large"),
    ("9110-15.5.14 length in many digits", post(b"", length=b"1" * 18), "body-too-large"),
    ("9110-15.5.14 chunk", chunked(b"800001\r\n"), "body-too-large"),
    ("9110-15.5.14 chunks", chunked(b"400000\r\n" + b"x" * 0x400000 + b"\r\n400001\r\n"), "body-too-large"),
]  # fmt: skip

# -- heads that are HTTP and are refused alone; the connection goes on: (clause, bytes, status, slug) ----
DECLINED = [
    *[(f"3986-3.3 {target!r}", get(target), 400, "target-invalid") for target in (
        b"/orders/../admin/keys", b"/orders/./7", b"/orders/..", b"/orders/.", b"/../admin/keys", b"/orders/%2e%2e/admin/keys", b"/orders/%2E./7", b"/orders/.%2e", b"/orders/..%2Fadmin%2Fkeys", b"/orders/a%2F..%2Fb",
        b"/orders/%2e%2e%2fadmin", b"/orders/..;/admin/keys", b"/orders/..;v=1/admin/keys", b"/orders/%2e%2e%3b/admin/keys", b"/orders/.;/7", b"/orders/a%2f..;x%2fb", b"//orders", b"/orders//7", b"/orders/7//", b"//proxy.example/orders",
        b"/orders/..%5Cadmin", b"/orders/a%5cb", b"/orders/%00", b"/orders/a%00.json", b"/orders/%", b"/orders/%2", b"/orders/%2g", b"/orders/%u002e", b"/orders/%%32e", b"/orders/[7]", b"/orders/a|b")],
    *[(f"3629-3 {target!r}", get(target), 400, "target-invalid") for target in (
        b"/orders/%c0%ae%c0%ae/keys", b"/orders/%c0%af", b"/orders/%e0%80%af", b"/orders/%f0%80%80%af", b"/orders/%c1%9c", b"/orders/%ed%a0%80", b"/orders/%ff", b"/orders/%80", b"/orders/%f5%80%80%80", b"/orders/%E5%A4")],
    *[(f"3986-7.3 control {target!r}", get(target), 400, "target-invalid") for target in (b"/orders/a%0d%0aX-A:b", b"/orders/%0a", b"/orders/%09", b"/orders/%1b", b"/orders/%7F")],
    *[(f"3986-6.2 another path {target!r}", get(target), 404, "not-found") for target in (b"/Orders", b"/orders%2F7", b"/orders/7/", b"/orders%3Fx", b"/admin%2Fkeys", b"/admin", b"/", b"/orders/a/b", b"/%2Forders", b"/orders;x", b"/orders%20", b"/orders%23")],
    ("9110-15.5.6 another method", get(method=b"PATCH"), 405, "method-not-allowed"),
    ("9110-9.3.8 TRACE", get(method=b"TRACE"), 405, "method-not-allowed"),
    ("9110-8.6 a body that nobody declared", get(b"/orders", b"Content-Length: 2") + b"ab", 400, "body-unexpected"),
]  # fmt: skip


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireHouse]:
    with wire_house(tmp_path_factory.mktemp("wire"), INTERLOCK_PROXY_GUARD_REQUESTS="1000000") as house:
        yield house


@pytest.mark.parametrize("piecewise", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("clause", "data", "seen"), TAKEN, ids=[row[0] for row in TAKEN])
def test_what_is_let_through_is_seen_as_it_was_validated(
    wire: WireHouse, clause: str, data: bytes, seen: list[tuple[str, str, bytes]], *, piecewise: bool
) -> None:
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(data, piecewise=piecewise)
        for _ in seen:
            got = client.final()
            assert got is not None, "no answer"
            assert got.status == 200, got
        client.send(NEXT)
        got = client.answer()
        assert got is not None, "the connection ended"
        assert got.status == 200
        client.half_close()
        assert client.ended()
    assert wire.seen() == [*seen, read("/orders/next")]


@pytest.mark.parametrize("piecewise", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("clause", "data", "slug"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused_reaches_nobody_and_ends_the_connection(
    wire: WireHouse, clause: str, data: bytes, slug: str, *, piecewise: bool
) -> None:
    if piecewise and len(data) > 2000:
        pytest.skip("long rows are not sent byte by byte")
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(data + NEXT, piecewise=piecewise)
        got = client.final()
        assert got is not None, "no answer"
        assert (got.slug, got.header(b"connection")) == (slug, [b"close"])
        assert client.ended()
    assert wire.seen() == []


@pytest.mark.parametrize(("clause", "data", "status", "slug"), DECLINED, ids=[row[0] for row in DECLINED])
def test_what_is_declined_reaches_nobody_and_the_next_request_is_read(
    wire: WireHouse, clause: str, data: bytes, status: int, slug: str
) -> None:
    wire.upstream.seen.clear()
    with wire.client() as client:
        client.send(data + NEXT)
        got = client.answer()
        assert got is not None, "no answer"
        assert (got.status, got.slug, got.header(b"connection")) == (status, slug, [])
        got = client.answer()
        assert got is not None, "the connection ended"
        assert got.status == 200
    assert wire.seen() == [read("/orders/next")]
