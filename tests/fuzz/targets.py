"""All fuzz targets by name, with seeds of our own and the tokens that inputs are made of."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from tests.fuzz import message_targets, wire_targets
from tests.runtime_proxy import test_wire_answers as wire_answers
from tests.runtime_proxy import test_wire_requests as wire_requests
from tests.runtime_proxy.conftest import KEY

Target = Callable[[bytes], None]
HANGS_AFTER = 20  # seconds for one input

TARGETS: dict[str, Target] = {
    "edge": wire_targets.edge,
    "chunks": wire_targets.chunks,
    "answers": wire_targets.answers,
    "paths": wire_targets.paths,
    "request": message_targets.request,
    "response": message_targets.response,
    "strict_json": message_targets.strict_json,
    "plane": message_targets.plane,
}

_HEAD = (
    b"POST /orders/v1/orders HTTP/1.1\r\nHost: a\r\nX-API-Key: "
    + KEY.encode()
    + b"\r\nContent-Type: application/json\r\n"
)
_ORDER = b'{"code":"2823-3","priority":"urgent","copies":2,"note":"\\u00e4"}'
_ROWS = [row[1] for row in (*wire_requests.TAKEN, *wire_requests.REFUSED, *wire_requests.DECLINED)]
_BODIES = [
    _ORDER,
    b"{}",
    b'[1,-0.5e3,true,null,"\\ud83d\\ude00"]',
    b"ward=a&age=7&tags=1&tags=2",
    b"<r><ward>a</ward><tags>7</tags></r>",
    b'--B\r\nContent-Disposition: form-data; name="ward"\r\n\r\na\r\n--B--',
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00",
]
SEEDS: dict[str, list[bytes]] = {
    "edge": [row for row in _ROWS if len(row) < 600],
    "chunks": [b"3\r\nabc\r\n0\r\n\r\n", b"1;a=b\r\nx\r\nA\r\n0123456789\r\n00\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n"],
    "answers": [row[1] for row in (*wire_answers.PASSED, *wire_answers.BROKEN, *wire_answers.TO_HEAD) if len(row[1]) < 600],
    "paths": [row.split(b" ")[1].partition(b"?")[0] for row in _ROWS if row.count(b" ") > 1][:200],
    "request": [b"\xf8".join((b";ward=a", b"1,2", b"deep[ward]=a&list=1|2&x=3", b"7", bytes([n]), body)) for n, body in enumerate(_BODIES)],
    "response": [b"\xf8".join((b"gzip" if n == 6 else b"", b"7", bytes([n]), body)) for n, body in enumerate(_BODIES)],
    "strict_json": [*_BODIES[:3], b'{"a":1.0,"b":[[]]}', b"123456789012345678901234567890", b'"\\u0000"'],
    "plane": [
        _HEAD + b"Content-Length: %d\r\n\r\n" % len(_ORDER) + _ORDER,
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_ORDER), _ORDER),
        b"GET /orders/v1/orders?limit=7 HTTP/1.1\r\nHost: a\r\nX-Ward: 7\r\nX-API-Key: " + KEY.encode() + b"\r\n\r\n",
        b"GET /orders/v1/orders/a%2Fb HTTP/1.1\r\nHost: a\r\nX-API-Key: " + KEY.encode() + b"\r\nConnection: close\r\n\r\n",
        b"GET /orders/v1/status HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS /orders/v1/orders HTTP/1.0\r\n\r\n",
    ],
}  # fmt: skip
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"%", b"%2F", b"%2e", b"%00", b"%c0%af", b"..", b"//", b"?", b"&", b"=", b"[", b"]", b"\xff", b"\xf8", b"\xc3\xa4",
    b"Content-Length: ", b"Transfer-Encoding: ", b"chunked", b"identity", b"Host: b\r\n", b"Connection: ", b"close", b"keep-alive", b"Upgrade", b"Expect: 100-continue\r\n", b"HTTP/1.1", b"HTTP/1.0", b"GET ", b"HEAD ", b"0\r\n\r\n",
    b"0", b"1", b"fffffffffffffff", b"-", b"1e400", b'"', b"\\", b"\\u", b"{", b"}", b"[[", b"null", b"true", b'"a":', b"--B", b"<", b">", b"</", b"<!DOCTYPE", b"<![CDATA[", b"&#0;", b"gzip", b"br", b"zstd", b"304", b"100", b"HTTP/1.1 200 OK\r\n",
]  # fmt: skip


def run(name: str, data: bytes) -> None:
    """Show one input to one target; an input that takes for ever is a finding too."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANGS_AFTER)
    try:
        TARGETS[name](data)
    finally:
        signal.alarm(0)


def _hangs(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise AssertionError("an input hangs")
