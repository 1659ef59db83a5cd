"""Measures the proxy beside nginx, Prism and connexion, all in one run: `make bench`.

One core holds the program under test, the other the load (wrk) and the provider (nginx). Every program
forwards the same 860-byte laboratory order; all but nginx validate it and its answer against the same
contract; Interlock also checks the key, keeps limits and writes the durable audit log. What counts is CPU
time per request of the whole process tree, as a ratio to nginx as a plain pass-through: requests per
second say more about the machine, ratios travel.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from tests.bench import interlock, nginx
from tests.bench.load import Measured, drive, write_script
from tests.bench.machine import BenchError, Program, free_port, running, wait_for_port
from tests.bench.order import SIZE, order
from tests.bench.peers import prism

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".tools/bench"
UNDER_TEST, LOAD = 0, 1  # cores
# What is wanted: CPU per request at most 3.5 x nginx; Prism at least 12 x ours, connexion at least 40 x.
GOALS = {"nginx": 3.5, "prism": 12.0, "connexion": 40.0}


@dataclass
class Peer:
    """A program under test that is up, and where to send the load."""

    program: Program
    url: str


def main() -> int:
    """Start everything, measure in turns, print the table; 0 when all goals that could be judged are met."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    FOLDER.mkdir(parents=True, exist_ok=True)
    runs: dict[str, list[Measured]] = {}
    skipped: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        upstream_port = free_port()
        upstream = stack.enter_context(
            running("upstream", nginx.upstream(FOLDER, upstream_port), core=LOAD, folder=FOLDER)
        )
        wait_for_port(upstream, upstream_port)
        data = FOLDER / "data"
        shutil.rmtree(data, ignore_errors=True)
        key = interlock.prepare(data, upstream_port)
        script = write_script(FOLDER, order(), key)
        starts: dict[str, Callable[[], Peer]] = {
            "nginx": lambda: _nginx(stack, upstream_port),
            "interlock": lambda: _interlock(stack, data),
            "prism": lambda: _prism(stack, upstream_port),
            "connexion": lambda: _connexion(stack, upstream_port, key),
        }
        peers: dict[str, Peer] = {}
        for name in arguments.only or starts:
            try:
                peers[name] = starts[name]()
            except BenchError as error:
                if name in ("nginx", "interlock"):
                    raise
                skipped[name] = str(error)
        for turn in range(arguments.runs):
            for name, peer in peers.items():
                _say(f"run {turn + 1} of {arguments.runs}: {name}")
                measured = drive(
                    peer.program, peer.url, script, core=LOAD, connections=arguments.connections,
                    seconds=arguments.seconds, warm_up=min(2.0, arguments.seconds),
                )  # fmt: skip
                runs.setdefault(name, []).append(measured)
    return _report(runs, skipped, arguments)


def _nginx(stack: contextlib.ExitStack, upstream_port: int) -> Peer:
    port = free_port()
    command = nginx.pass_through(FOLDER, port, upstream_port)
    program = stack.enter_context(running("nginx", command, core=UNDER_TEST, folder=FOLDER))
    wait_for_port(program, port)
    return Peer(program, f"http://127.0.0.1:{port}{interlock.TARGET}")


def _interlock(stack: contextlib.ExitStack, data: Path) -> Peer:
    program = stack.enter_context(
        running(
            "interlock", interlock.command(data), core=UNDER_TEST, folder=FOLDER,
            environment={**interlock.ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        )
    )  # fmt: skip
    return Peer(program, f"http://127.0.0.1:{interlock.port_of(program, data)}{interlock.TARGET}")


def _prism(stack: contextlib.ExitStack, upstream_port: int) -> Peer:
    port = free_port()
    command = prism.command(prism.install(FOLDER / "prism"), interlock.CONTRACT, port, upstream_port)
    program = stack.enter_context(running("prism", command, core=UNDER_TEST, folder=FOLDER))
    wait_for_port(program, port)
    return Peer(program, f"http://127.0.0.1:{port}/orders")


def _connexion(stack: contextlib.ExitStack, upstream_port: int, key: str) -> Peer:
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "tests.bench.peers.connexion_app:app", "--host", "127.0.0.1",
        "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--log-level", "warning",
    ]  # fmt: skip
    environment = {
        "BENCH_PROVIDER": f"http://127.0.0.1:{upstream_port}{interlock.TARGET}",
        "BENCH_KEY": key,
        "PYTHONPATH": str(ROOT),
    }
    program = stack.enter_context(
        running("connexion", command, core=UNDER_TEST, folder=FOLDER, environment=environment)
    )
    wait_for_port(program, port)
    return Peer(program, f"http://127.0.0.1:{port}{interlock.TARGET}")


def _report(runs: dict[str, list[Measured]], skipped: dict[str, str], arguments: argparse.Namespace) -> int:
    middle = {
        name: Measured(
            **{field: statistics.median(asdict(one)[field] for one in rows) for field in asdict(rows[0])}
        )
        for name, rows in runs.items()
    }
    if arguments.json:
        table = {name: [asdict(one) for one in rows] for name, rows in runs.items()}
        click.echo(
            json.dumps({"connections": arguments.connections, "runs": table, "skipped": skipped}, indent=2)
        )
    else:
        click.echo(
            f"\n{SIZE}-byte JSON POST, {arguments.connections} connections, {os.cpu_count()} cores (one for the "
            f"program, one for load and provider), median of {arguments.runs} runs of {arguments.seconds:g} s\n"
        )
        click.echo(
            f"{'':<10}{'CPU µs':>9}{'user':>8}{'system':>8}{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'RSS MB':>8}{'x nginx':>9}"
        )
        for name, row in middle.items():
            ratio = f"{row.cpu / middle['nginx'].cpu:9.2f}" if "nginx" in middle else ""
            click.echo(
                f"{name:<10}{row.cpu:9.1f}{row.user:8.1f}{row.system:8.1f}{row.rate:9.0f}"
                f"{row.p50:8.2f}{row.p99:8.2f}{row.rss:8.0f}{ratio}"
            )
        for name, reason in skipped.items():
            click.echo(f"{name:<10} skipped: {reason}")
        click.echo()
    return _judge(middle, quiet=arguments.json)


def _judge(middle: dict[str, Measured], *, quiet: bool) -> int:
    missed = 0
    ours = middle.get("interlock")
    for name, goal in GOALS.items():
        if ours is None or name not in middle:
            continue
        ratio = ours.cpu / middle[name].cpu if name == "nginx" else middle[name].cpu / ours.cpu
        met = ratio <= goal if name == "nginx" else ratio >= goal
        words = "x nginx, at most" if name == "nginx" else f"x cheaper than {name}, at least"
        missed += not met
        if not quiet:
            click.echo(f"{'met   ' if met else 'MISSED'} {ratio:6.2f} {words} {goal:g} wanted")
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each program, in turns (default 3)")
    parser.add_argument("--seconds", type=float, default=6, help="length of one run (default 6)")
    parser.add_argument("--connections", type=int, default=64, help="connections of wrk (default 64)")
    parser.add_argument("--only", nargs="+", choices=["nginx", "interlock", "prism", "connexion"])
    parser.add_argument("--json", action="store_true", help="print all runs as JSON")
    return parser.parse_args()


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    sys.exit(main())
