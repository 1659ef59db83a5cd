"""Prints the CPU that one durable audit record costs, with 1, 4, 16 and 32 callers in flight.

    .venv/bin/python tests/bench/audit.py [FOLDER]      (FOLDER on the disk to be measured)

CPU is that of the whole process (user and system), so the writer thread and the kernel's part of
write and fdatasync are in it; the cost of an event loop that does nothing but wait is in it too.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import click
import uvloop

from kernel.audit.journal import Journal
from kernel.audit.record import exchange_record, operation_fields
from kernel.sealing.keys import SigningKey

BODY = b"x" * 860
FIELDS = operation_fields(
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
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        while (begun := time.perf_counter()) < end:
            await journal.append(
                exchange_record(
                    FIELDS,
                    "completed",
                    request_id="0198c1a2-7d1e-7000-8000-000000000001",
                    client="127.0.0.1",
                    consumer="ward-7",
                    key="k1",
                    auth="api-key",
                    status=201,
                    outcome="success",
                    request_body=BODY,
                    upstream_status=201,
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


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        click.echo(
            f"{'in flight':>9} {'fdatasync':>9} {'records':>8} {'µs CPU':>7} {'per s':>8} {'ms p50':>7}"
        )
        for fsync in (True, False):
            for in_flight in (1, 4, 16, 32):
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    row = runner.run(measure(Path(folder) / "audit", in_flight, 2.0, fsync=fsync))
                click.echo(
                    f"{in_flight:>9} {fsync!s:>9} {row[0]:>8} {row[1]:>7.1f} {row[2]:>8.0f} {row[3]:>7.2f}"
                )
        click.echo(f"on {os.uname().sysname} {os.uname().release}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
