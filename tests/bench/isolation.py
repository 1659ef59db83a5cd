"""Prints what a healthy route's callers feel while another route's provider hangs, floods, resets or drips.

    .venv/bin/python -m tests.bench.isolation [CALLS]

One caller on the healthy route, 16 on the broken one who ask ten times a second each, in one worker. The goal is a
p99 of at most 1.5 times that of the healthy route alone. The proxy has one core, callers and providers the other:
else they would take from it what is asked for here. Each row is the median of five runs, which take turns, so that
all meet the same weather. A run of 1,000 calls ends before the time-out of a second that opens a circuit.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import click

from tests.doubles.misbehaving import WAYS, Misbehaving
from tests.doubles.upstream import Upstream, answer
from tests.house import data_folder

CALLERS, RUNS = 16, 5
GUARDS = {"breaker": {}, "bulkhead": {"calls": 8, "queue": 8}}


def healthy_calls(port: int, count: int) -> tuple[list[float], int]:
    """Call the healthy route over one connection; gives milliseconds and how many were not 201."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken, errors = [], 0
    for _ in range(count):
        begun = time.perf_counter()
        connection.request("POST", "/orders/v1/orders", b'{"n": 1}', {"Content-Type": "application/json"})
        got = connection.getresponse()
        got.read()
        taken.append((time.perf_counter() - begun) * 1000)
        errors += got.status != 201
    connection.close()
    return taken, errors


def crowd(port: int, stop: threading.Event) -> None:
    """Call the broken route until told to stop, ten times a second at most, as a client that keeps its connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.wait(0.1):
        connection.request("POST", "/others/v1/orders", b'{"n": 1}', {"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()


def misbehave(way: str) -> None:
    """Be the broken provider and its callers: tell the URL, read the port, go on until stdin ends."""
    os.nice(19)  # on the core that they share, the caller of the healthy route comes first
    broken, stop = Misbehaving(way or "hang"), threading.Event()
    sys.stdout.write(broken.url + "\n")
    sys.stdout.flush()
    port = int(sys.stdin.readline())
    callers = [threading.Thread(target=crowd, args=(port, stop)) for _ in range(CALLERS * bool(way))]
    for one in callers:
        one.start()
    sys.stdin.read()
    stop.set()
    for one in callers:
        one.join(30)
    broken.close()


def beside(way: str, guards: dict[str, Any] | None, calls: int) -> tuple[list[float], int]:
    """Measure the healthy route while another process misbehaves; it shares no interpreter with us."""
    healthy = Upstream({"POST /orders": answer(201, b"{}")})
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.isolation", "--misbehave", way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        url = child.stdout.readline().strip()
        with tempfile.TemporaryDirectory() as folder:
            data_folder.make_beside(Path(folder), healthy.url, url, guards)
            with data_folder.serving(Path(folder), before=("taskset", "-c", "0")) as (_, port):
                healthy_calls(port, 200)
                child.stdin.write(f"{port}\n")
                child.stdin.flush()
                found = healthy_calls(port, calls)
                child.stdin.close()  # the callers end before the proxy does
                child.wait(60)
                return found
    finally:
        child.stdin.close()
        child.wait(60)
        child.stdout.close()
        healthy.close()


def main() -> int:
    """Measure alone and beside each way of misbehaving, without and with guards."""
    if sys.argv[1:2] == ["--misbehave"]:
        misbehave(sys.argv[2])
        return 0
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    os.sched_setaffinity(0, {1})
    click.echo("beside      guards   p50 ms   p99 ms   p99 / alone   errors")
    for guards in (None, GUARDS):
        found: dict[str, list[tuple[list[float], int]]] = {way: [] for way in ("", *WAYS)}
        for _ in range(RUNS):
            for way, runs in found.items():
                runs.append(beside(way, guards, calls))
        alone = 0.0
        for way, runs in found.items():
            errors = sum(run[1] for run in runs)
            p50 = statistics.median(statistics.median(taken) for taken, _ in runs)
            p99 = statistics.median(statistics.quantiles(taken, n=100)[98] for taken, _ in runs)
            alone = alone or p99
            click.echo(
                f"{way or 'nothing':<11} {'yes' if guards else 'no':<7} {p50:>7.2f} {p99:>8.2f}"
                f" {p99 / alone:>13.2f} {errors:>8}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
