"""Prints where the microseconds of the 860-byte call go, step by step, inside one process: no network, no disk sync.

    .venv/bin/python -m tests.bench.steps [--repeats 200]

Each figure is the least of many short repeats of process time, so that another program on the machine does little to
it; the parts of the event loop and of the kernel (reading, writing, waking) are what `make bench` shows beyond the sum.
docs/reference/cost.md says what each step does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import uvloop

from adapters.port import Answer, Call
from adapters.wire.http import HttpClient, Origin
from adapters.wire.http_reading import AnswerReader, ReadLimits
from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.journal import Journal
from kernel.bundle.read import BundleSource
from kernel.errors import AuditError
from kernel.promise import Promise
from kernel.sealing.keys import KeyFolder
from kernel.settings import load
from runtime_proxy import answering, route
from runtime_proxy.dataplane import DataPlane
from runtime_proxy.exchange import Exchange, Reply
from runtime_proxy.framing import HeadReader
from runtime_proxy.validate_request import validate_request
from runtime_proxy.validate_response import validate_response
from tests.bench import interlock
from tests.bench.order import RECEIPT, order

PAGE = interlock.ROOT / "docs/reference/cost.md"
_REPEAT = 0.002  # seconds
_RECORDS = 16  # of one write: eight calls, received and completed
_ANSWER = (
    b"HTTP/1.1 201 Created\r\nServer: nginx/1.22.1\r\nDate: Thu, 26 Nov 2026 17:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%b"
) % (len(RECEIPT), RECEIPT)


@dataclass(frozen=True)
class Step:
    """One step of a call; `times` is how often a call does it."""

    name: str
    work: Callable[[], object]
    times: float = 1.0


@dataclass
class Kept:
    """A journal that is durable at once and remembers the last record."""

    journal: Journal
    failure: AuditError | None = None
    last: list[Any] = field(default_factory=list)

    def form(self, fields: dict[str, Any]) -> ExchangeForm | None:
        return self.journal.form(fields)

    def append(self, record: dict[str, Any] | Draft) -> Promise:
        self.last[:] = [record]
        promise = Promise(asyncio.get_running_loop())
        promise.keep(None)
        return promise


class Provider:
    """An adapter whose provider answers at once: everything of the client but the socket."""

    name, kind = "laboratory", "http"

    def __init__(self) -> None:
        self.client = HttpClient("laboratory", Origin("127.0.0.1", 9))
        self.reader = AnswerReader(ReadLimits())

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def read(self) -> Answer:
        self.reader.expect(to_head=False)
        answer = self.reader.feed(_ANSWER)
        assert answer is not None
        return answer

    def call(self, call: Call) -> Awaitable[Answer]:
        self.client._head(call)
        promise = Promise(asyncio.get_running_loop())
        promise.keep(self.read())
        return promise


class Desk:
    """The data plane with everything on, and one order that is carried through it again and again."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.credentials = interlock.prepare(folder, 9)
        self.provider = Provider()
        signer = KeyFolder(folder / "keys").ensure("audit")
        self.journal = Journal.open(folder / "audit", "steps", signer, fsync=False)
        self.kept = Kept(self.journal)
        settings = load(environ=dict(interlock.ENVIRONMENT))
        self.plane = DataPlane(settings, self.kept, lambda _: self.provider, server="proxy")
        self.raw = (
            f"POST {interlock.TARGET} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
            f"X-API-Key: {self.credentials.key}\r\nContent-Length: {len(order())}\r\n\r\n"
        ).encode() + order()
        self.head = HeadReader(max_head=65536, max_target=8192, max_headers=100)

    async def open(self) -> None:
        """Take the bundle up as a worker does."""
        keys = KeyFolder(self.data / "keys")
        await self.plane.activation.take_up(BundleSource(self.data / "bundle", keys.trust).read().bundle)

    def read(self) -> bytes:
        """Read the request as the edge does."""
        end = self.head.read(self.raw, 0)
        body = self.raw[end : end + self.head.length]
        self.head.finish(body)
        return body

    def exchange(self, body: bytes) -> Exchange:
        """Begin an exchange of what was read."""
        head = self.head
        made = Exchange(head.method, head.target, head.headers, "127.0.0.1", time.perf_counter(), False)
        made.body = body
        return made

    def admitted(self, body: bytes) -> Exchange:
        """Judge the head."""
        exchange = self.exchange(body)
        assert self.plane.handler.admit(exchange)
        return exchange

    def whole(self) -> Reply:
        """Carry one call from the bytes of the request to those of the answer, records unwritten."""
        carrying = self.plane.handler.serve(self.admitted(self.read()))
        try:
            carrying.send(None)
        except StopIteration as ended:
            reply: Reply = ended.value
            _head(reply)
            return reply
        raise RuntimeError("the call waits for something")

    def steps(self) -> Iterator[Step]:
        """Give the steps in the order in which a call takes them."""
        body = self.read()
        exchange = self.admitted(body)
        served = exchange.operation
        assert served is not None
        assert validate_request(served, exchange) is None
        call, trail = route.prepare(served, exchange), self.plane._trail
        answer = self.provider.read()
        assert validate_response(served, exchange, answer) == ()
        reply = route.reply_of(answer, exchange)
        yield Step("read head", self.read)
        yield Step("exchange", lambda: self.exchange(body))
        yield Step("admit", lambda: self.admitted(body))
        yield Step("validate request", lambda: validate_request(served, exchange))
        yield Step("prepare", lambda: route.prepare(served, exchange))
        yield Step("received", lambda: trail.received(exchange))
        yield Step("client head", lambda: self.provider.client._head(call))
        yield Step("answer read", self.provider.read)
        yield Step("validate response", lambda: validate_response(served, exchange, answer))
        yield Step("reply", lambda: route.reply_of(answer, exchange))
        yield Step("completed", lambda: trail.completed(exchange, answer))
        yield Step("head of answer", lambda: _head(reply))
        records = []
        for _ in range(_RECORDS // 2):
            trail.received(exchange)
            records += self.kept.last
            trail.completed(exchange, answer)
            records += self.kept.last
        tape = self.journal._tape
        yield Step("chain and write", lambda: tape.write(records), 2 / _RECORDS)


def _head(reply: Reply) -> bytes:
    return answering.head_of(reply, method=b"POST", persistent=True, date_line=b"date: x\r\n") + (
        reply.body or b""
    )


def cost(work: Callable[[], object], repeats: int) -> float:
    """Give the least CPU µs of one call, over repeats of some 2 ms each: shorter than a turn of the scheduler."""
    for _ in range(200):
        work()
    begun = time.process_time()
    for _ in range(20):
        work()
    calls = max(10, int(_REPEAT / max((time.process_time() - begun) / 20, 1e-7)))
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, time.process_time() - begun)
    return best / calls * 1e6


async def measure(folder: Path, repeats: int) -> tuple[dict[str, float], float]:
    """Give µs a call by step, and of all steps but the writing in one go."""
    desk = Desk(folder)
    await desk.open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as a worker has it
    found = {step.name: cost(step.work, repeats) * step.times for step in desk.steps()}
    found["admit"] -= found["exchange"]  # each is judged with an exchange of its own
    whole = cost(desk.whole, repeats)
    await desk.journal.aclose()
    return found, whole


def refreshed(page: str, found: dict[str, float]) -> str:
    """Put figures into the second column of a table whose first has the names of steps."""
    for name, spent in found.items():
        page = re.sub(rf"(?m)^(\| {re.escape(name)} \|) [0-9.]+ \|", rf"\1 {spent:.2f} |", page)
    return page


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.steps")
    parser.add_argument(
        "--repeats", type=int, default=200, help="repeats, of which the least counts (default 200)"
    )
    parser.add_argument(
        "--page", action="store_true", help="write the figures into docs/reference/cost.md too"
    )
    chosen = parser.parse_args()
    logging.disable()
    with (
        tempfile.TemporaryDirectory(prefix="interlock-steps-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        found, whole = runner.run(measure(Path(folder), chosen.repeats))
    click.echo(f"µs of CPU a call, {interlock.form()}\n")
    for name, spent in found.items():
        click.echo(f"{name:<20}{spent:8.2f}")
    click.echo(f"{'sum':<20}{sum(found.values()):8.2f}")
    click.echo(f"{'in one go':<20}{whole:8.2f}  all of it but chain and write, through the pipeline")
    if chosen.page:
        PAGE.write_text(refreshed(PAGE.read_text(), found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
