"""Prints the CPU that one durable audit record costs, with 1, 4, 16 and 32 callers in flight.

The record is that of a provider's answer, made as the proxy makes it (kernel/audit/forms.py).

    .venv/bin/python -m tests.bench.audit [FOLDER] [--json]      (FOLDER on the disk to be measured)

CPU is that of the whole process (user and system), so the writer thread and the kernel's part of
write and fdatasync are in it; the cost of an event loop that does nothing but wait is in it too.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import uvloop

from kernel.audit.journal import Journal
from kernel.audit.record import operation_fields
from kernel.sealing.keys import SigningKey

BODY = b"x" * 860
FIELDS = {"auth": "api-key"} | operation_fields(
    contract="lab-orders", version="1.1.0", digest=f"sha256:{'ab' * 32}", operation="createOrder", method="POST",
    route="/orders", adapter="laboratory", server="proxy-0", environment="dev", data_category="health", bundle="4.9.3",
)  # fmt: skip


async def measure(
    folder: Path, in_flight: int, seconds: float, *, fsync: bool = True
) -> tuple[int, float, float, float]:
    """Give records, CPU µs per record, records per second, and the median wait in ms."""
    journal = Journal.open(
        folder, f"bench-{in_flight}-{int(fsync)}", SigningKey.generate("audit"), fsync=fsync
    )
    form = journal.form(FIELDS)
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        while (begun := time.perf_counter()) < end:
            await journal.append(
                form.completed(
                    request_id="0198c1a2-7d1e-7000-8000-000000000001",
                    client="127.0.0.1",
                    consumer="ward-7",
                    key="k1",
                    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
                    closes="",
                    status=201,
                    body=BODY,
                    upstream_us=812,
                    duration_us=1304,
                )
            )
            waits.append(time.perf_counter() - begun)

    before, begun = _cpu(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    spent, passed = _cpu() - before, time.perf_counter() - begun
    await journal.aclose()
    waits.sort()
    return len(waits), spent / len(waits) * 1e6, len(waits) / passed, waits[len(waits) // 2] * 1e3


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rows(
    folder: Path, seconds: float, *, callers: tuple[int, ...], syncs: tuple[bool, ...]
) -> Iterator[tuple[int, bool, int, float, float, float]]:
    """Measure each; gives callers in flight, whether synced, and what `measure` gives."""
    for fsync in syncs:
        for in_flight in callers:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                yield (
                    in_flight,
                    fsync,
                    *runner.run(measure(folder / "audit", in_flight, seconds, fsync=fsync)),
                )


def main() -> None:
    """Measure and print the table, or for the bench the µs of the synced ones by callers in flight."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    with tempfile.TemporaryDirectory(dir=words[0] if words else None) as name:
        folder = Path(name)
        if "--json" in sys.argv:
            found = rows(folder, 1.5, callers=(1, 4, 32), syncs=(True,))
            click.echo(json.dumps({row[0]: row[3] for row in found}))
            return
        click.echo(
            f"{'in flight':>9} {'fdatasync':>9} {'records':>8} {'µs CPU':>7} {'per s':>8} {'ms p50':>7}"
        )
        for row in rows(folder, 2.0, callers=(1, 4, 16, 32), syncs=(True, False)):
            click.echo(f"{row[0]:>9} {row[1]!s:>9} {row[2]:>8} {row[3]:>7.1f} {row[4]:>8.0f} {row[5]:>7.2f}")
        click.echo(f"on {os.uname().sysname} {os.uname().release}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
