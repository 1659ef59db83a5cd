"""What counting costs a request, and what a page of metrics costs: `python -m tests.bench.metrics`."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import click

from runtime_proxy.console import table
from runtime_proxy.console.access_log import AccessLog
from runtime_proxy.console.meters import Meters
from runtime_proxy.exchange import Exchange, Reply

GOAL = 5.0  # µs a request
_CALLS, _RUNS = 50_000, 5


@dataclass
class _Named:
    """Stands for anything with a name, an id, and whatever else counting asks for."""

    id: str = "placeOrder"
    name: str = "laboratory"
    contract: str = "lab-orders"
    version: Any = "1.0.0"
    meter: Any = None
    operation: Any = None
    route: Any = None
    adapter: Any = None
    consumer: Any = None
    key: Any = None
    audit: Any = None


def main() -> int:
    """Print the figures in CPU time; 0 when counting costs what it may."""
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        meters = Meters(Path(folder), "proxy", most_rows=10_000)
        plain = _cost(meters)
        meters.log = AccessLog(str(Path(folder) / "access.log"), 1.0, "proxy")
        logged = _cost(meters)
        click.echo(f"{plain:8.2f} µs a request: counting (at most {GOAL:g} wanted)")
        click.echo(f"{logged - plain:8.2f} µs a request: the access log on top, every answer logged")
        for number in range(2_000):
            meters.series.row(table.REQUESTS, "c", "1.0.0", f"operation-{number}", "ehr", "2xx")
            meters.series.row(table.DURATION, "c", "1.0.0", f"operation-{number}")
        began = time.process_time()
        size = len(meters.page())
        click.echo(
            f"{(time.process_time() - began) * 1e3:8.1f} ms a page of {size // 1024} kB: {meters.series.rows} rows, one worker"
        )
        meters.stop()
    return 0 if plain <= GOAL else 1


def _cost(meters: Meters) -> float:
    served = _Named(version=_Named(), operation=_Named(), route=_Named(adapter=_Named()))
    served.audit = {
        "contract": "lab-orders",
        "version": "1.0.0",
        "operation": "placeOrder",
        "route": "/orders",
    }
    exchange = Exchange(b"POST", b"/lab-orders/v1/orders", [], "192.0.2.1", time.perf_counter())
    exchange.operation = cast("Any", served)
    exchange.identity = cast("Any", _Named(key=_Named(consumer=_Named(id="ward-7"))))
    exchange.upstream_seconds, exchange.sent = 0.0004, True
    reply = Reply(201, [])
    runs = []
    for _ in range(_RUNS):
        exchange.started = time.perf_counter()
        began = time.process_time()
        for _ in range(_CALLS):
            meters.answered(exchange, reply, "")
        runs.append((time.process_time() - began) / _CALLS * 1e6)
    return median(runs)


if __name__ == "__main__":
    sys.exit(main())
