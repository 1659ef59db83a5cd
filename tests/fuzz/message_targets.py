"""Fuzz targets of messages: decoders judge or refuse whatever comes, and the whole data plane never fails on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import uvloop

from adapters.port import Answer, Call
from kernel.operation.compile import compile_contract
from kernel.operation.strict_json import read_json
from kernel.operation.undeclared import Unknown
from kernel.operation.violation import STATUS_OF, Undecodable
from runtime_proxy.edge_connection import EdgeConnection
from tests.fuzz.wire_targets import Edge, Transport
from tests.kernel.operation.test_hostile import CONTENT, ROOT
from tests.runtime_proxy.conftest import House, answer

(OPERATION,) = compile_contract(ROOT, unknown=Unknown("strict")).operations
MEDIA = [
    *(media.encode() for media in CONTENT),
    b"multipart/form-data; boundary=B",
    b"text/plain; charset=latin1",
    b"*/*",
]


def _parted(data: bytes) -> list[bytes]:
    """Part the input into six pieces at 0xF8, a byte that stands in no UTF-8."""
    return (data.split(b"\xf8", 5) + [b""] * 5)[:6]


def request(data: bytes) -> None:
    """Requests are judged: nothing but a problem with a status of its own, or none."""
    one, two, query, line, media, body = _parted(data)
    kind = MEDIA[media[0] % len(MEDIA)] if media else b"application/json"
    headers = [
        (b"x-ward", line),
        (b"cookie", line),
        (b"content-type", kind),
        (b"content-encoding", media[1:]),
    ]
    problem = OPERATION.check_request((one, two), query, headers, body)
    if problem is not None:
        assert problem.status == STATUS_OF[problem.slug]
        assert 0 < len(problem.violations) <= 16


def response(data: bytes) -> None:
    """Answers are judged: a list of violations, and nothing else."""
    coding, line, media, body, _, _ = _parted(data)
    kind = MEDIA[media[0] % len(MEDIA)] if media else b"application/json"
    headers = [(b"x-ward", line), (b"content-encoding", coding), (b"content-type", kind)]
    for violation in OPERATION.check_response(200, headers, body):
        assert violation.keyword


def strict_json(data: bytes) -> None:
    """What strict JSON takes, the standard library reads as the same value."""
    try:
        value = read_json(data)
    except Undecodable:
        return
    assert json.loads(data.decode(), object_pairs_hook=_once) == value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


def _declared(call: Call) -> Answer:
    """Answer every call as the contract has it."""
    if call.method == b"PUT" or call.target.startswith(b"/status"):
        return answer(204)
    if call.method == b"HEAD":
        return answer(200, b"")
    return answer(201 if call.method == b"POST" else 200, {"id": "o-1"})


class _Plane:
    """A whole data plane in memory, made with the first input, in a loop of its own."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.house = House(proxy_guard_requests=10**7)
        self.loop.run_until_complete(self.house.publish())
        self.house.provider.answer = _declared

    def talk(self, data: bytes) -> bytes:
        return self.loop.run_until_complete(self._talk(data))

    async def _talk(self, data: bytes) -> bytes:
        edge = _PlaneEdge()
        edge.pipeline = self.house.pipeline
        transport = Transport()
        connection = EdgeConnection(edge, self.loop)
        connection.connection_made(transport)  # type: ignore[arg-type]
        connection.data_received(data)
        if not transport.closing:
            connection.eof_received()
        for _ in range(200):
            if transport.closing or not connection._serving:
                break
            await asyncio.sleep(0)
        self.house.journal.records.clear()
        self.house.provider.calls.clear()
        return transport.written


class _PlaneEdge(Edge):
    pipeline: Any = None

    @property
    def handler(self) -> Any:
        return self.pipeline


_planes: list[_Plane] = []


def plane(data: bytes) -> None:
    """Whatever a client sends, it gets an answer that is its own fault or the contract's, never ours."""
    if not _planes:
        _planes.append(_Plane())
    written = _planes[0].talk(data)
    for status in (b"500", b"502", b"503", b"504"):
        assert b"HTTP/1.1 " + status not in written, "a fault of ours"
