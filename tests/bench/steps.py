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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import uvloop

from runtime_proxy import route
from runtime_proxy.validate_request import validate_request
from runtime_proxy.validate_response import validate_response
from tests.bench import interlock
from tests.bench.desk import Desk, answer_head

PAGE = interlock.ROOT / "docs/reference/cost.md"
_REPEAT = 0.002  # seconds
_RECORDS = 16  # of one write: eight calls, received and completed


@dataclass(frozen=True)
class Step:
    """One step of a call; `times` is how often a call does it."""

    name: str
    work: Callable[[], object]
    times: float = 1.0


def steps(desk: Desk) -> Iterator[Step]:
    """Give the steps in the order in which a call takes them."""
    body = desk.read()
    exchange = desk.admitted(body)
    served = exchange.operation
    assert served is not None
    assert validate_request(served, exchange) is None
    call, trail = route.prepare(served, exchange), desk.plane._trail
    answer = desk.provider.read()
    assert validate_response(served, exchange, answer) == ()
    reply = route.reply_of(answer, exchange)
    yield Step("read head", desk.read)
    yield Step("exchange", lambda: desk.exchange(body))
    yield Step("admit", lambda: desk.admitted(body))
    yield Step("validate request", lambda: validate_request(served, exchange))
    yield Step("prepare", lambda: route.prepare(served, exchange))
    yield Step("received", lambda: trail.received(exchange))
    yield Step("client head", lambda: desk.provider.client._head(call))
    yield Step("answer read", desk.provider.read)
    yield Step("validate response", lambda: validate_response(served, exchange, answer))
    yield Step("reply", lambda: route.reply_of(answer, exchange))
    yield Step("completed", lambda: trail.completed(exchange, answer))
    yield Step("head of answer", lambda: answer_head(reply))
    records = []
    for _ in range(_RECORDS // 2):
        trail.received(exchange)
        records += desk.kept.last
        trail.completed(exchange, answer)
        records += desk.kept.last
    tape = desk.journal._tape
    yield Step("chain and write", lambda: tape.write(records), 2 / _RECORDS)


def costs(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Give the least CPU µs of one call of each, over repeats of some 2 ms: shorter than a turn of the scheduler.

    All take turns, so that they meet the same weather on the machine.
    """
    calls = []
    for work in works:
        for _ in range(200):
            work()
        calls.append(max(10, round(_REPEAT / max(_spent(work, 20) / 20, 1e-7))))
    best = [float("inf")] * len(works)
    for _ in range(repeats):
        for index, work in enumerate(works):
            best[index] = min(best[index], _spent(work, calls[index]))
    return [least / count * 1e6 for least, count in zip(best, calls, strict=True)]


def _spent(work: Callable[[], object], calls: int) -> float:
    begun = time.process_time()
    for _ in range(calls):
        work()
    return time.process_time() - begun


async def measure(folder: Path, repeats: int) -> tuple[dict[str, float], float, float]:
    """Give µs a call by step; of all but the writing in one go; and of that with both connections around it."""
    desk, connected = Desk(folder / "steps"), Desk(folder / "connected")
    await desk.open()
    await connected.open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as a worker has it
    listed = tuple(steps(desk))
    *single, whole, around = costs(
        [*(step.work for step in listed), desk.whole, connected.connected()], repeats
    )
    await desk.close()
    await connected.close()
    found = {step.name: spent * step.times for step, spent in zip(listed, single, strict=True)}
    found["admit"] -= found["exchange"]  # each is judged with an exchange of its own
    return found, whole, around


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
        found, whole, connected = runner.run(measure(Path(folder), chosen.repeats))
    click.echo(f"µs of CPU a call, {interlock.form()}\n")
    for name, spent in found.items():
        click.echo(f"{name:<20}{spent:8.2f}")
    click.echo(f"{'sum':<20}{sum(found.values()):8.2f}")
    click.echo(f"{'in one go':<20}{whole:8.2f}  all of it but chain and write, through the pipeline")
    click.echo(
        f"{'with connections':<20}{connected:8.2f}  the same between both connections, without their sockets"
    )
    if chosen.page:
        PAGE.write_text(refreshed(PAGE.read_text(), found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
