"""Measures the proxy beside nginx, a Go proxy on kin-openapi, Prism and connexion, all in one run: `make bench`.

One core holds the program under test, the other the load (wrk) and the provider (nginx). Every program
forwards the same requests; all but nginx validate them and their answers against the same contract; Interlock
also verifies key or token, keeps limits, counts, and writes the durable audit log. What counts is CPU
time per request of the whole process tree, as a ratio to nginx as a plain pass-through: requests per
second say more about the machine, ratios travel.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from tests.bench import interlock, latency, report
from tests.bench.cases import Case, cases
from tests.bench.load import drive, headers_of, probe, write_script
from tests.bench.machine import BenchError
from tests.bench.pace import Paced
from tests.bench.programs import LOAD, UNAUDITED, UNDER_TEST, Peer, Programs
from tests.bench.report import SAME_RATE, Findings

FOLDER = interlock.ROOT / ".tools/bench"
PEERS = ("nginx", "interlock", UNAUDITED, "kin-openapi", "wallarm", "prism", "connexion")
NEEDED = ("nginx", "interlock")
# Beside the cases: what callers wait for, what a record costs, what a broken route costs its neighbours.
PARTS = ("latency", "audit", "isolation")
_ISOLATION_CALLS = 1000


def main() -> int:
    """Start everything, measure in turns, print; 0 when all goals that could be judged are met."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = Findings(interlock.form())
    chosen = tuple(case for case in cases() if case.name in arguments.case)
    with contextlib.ExitStack() as stack:
        bench = Bench(Programs(stack, FOLDER), found, arguments)
        bench.start(chosen)
        for case in chosen:
            bench.measure(case)
        if "latency" in arguments.case:
            bench.wait(cases()[0])
    _measure_apart(found, arguments)
    return _report(found, chosen, arguments)


class Bench:
    """The programs that are up, and what was found of them so far."""

    def __init__(self, programs: Programs, found: Findings, arguments: argparse.Namespace) -> None:
        self._programs = programs
        self._found = found
        self._arguments = arguments
        self._peers: dict[str, Peer] = {}

    def start(self, chosen: tuple[Case, ...]) -> None:
        """Start whom the chosen cases need; without nginx or ourselves there is nothing to compare."""
        wanted = {name for case in chosen for name in case.peers} | set(NEEDED) | {UNAUDITED}
        for name in PEERS:
            if name not in wanted or name not in self._arguments.only:
                continue
            try:
                self._peers[name] = self._programs.start(name)
            except BenchError as error:
                if name in NEEDED:
                    raise
                self._found.skipped[name] = str(error)

    def measure(self, case: Case) -> None:
        """Run one case in turns over all who serve it; the record of each call is left out for the order alone."""
        names = [*case.peers, UNAUDITED] if case.name == "order" else case.peers
        peers = {name: self._peers[name] for name in PEERS if name in names and name in self._peers}
        headers = headers_of(case, self._programs.credentials.header(case.credential))
        script = write_script(FOLDER, case, headers)
        for name, peer in tuple(peers.items()):
            self._try(case, name, peers, partial(probe, peer.program, peer.url(case), case, headers))
        for turn in range(self._arguments.runs):
            for name, peer in tuple(peers.items()):
                _say(f"{case.name}, run {turn + 1} of {self._arguments.runs}: {name}")
                self._try(case, name, peers, partial(self._drive, case, name, peer, script))

    def wait(self, case: Case) -> None:
        """Measure what callers wait for at a share of the capacity that was measured just now."""
        headers = headers_of(case, self._programs.credentials.header(case.credential))
        script = write_script(FOLDER, case, headers)
        capacity = {name: row.rate for name, row in self._found.middle(case.name).items()}
        for name in ("nginx", "interlock", UNAUDITED):
            if name in self._peers and name not in capacity:
                capacity[name] = self._drive(case, name, self._peers[name], script)
        self._found.disk = latency.disk(FOLDER)
        runs = [(name, name) for name in ("nginx", "interlock", UNAUDITED) if name in self._peers]
        if len(runs) > 1:
            runs.insert(1, (SAME_RATE, "nginx"))
        for turn in range(self._arguments.runs):
            for label, name in runs:
                _say(f"latency, run {turn + 1} of {self._arguments.runs}: {label}")
                rate = latency.SHARE * capacity["interlock" if label == SAME_RATE else name]
                self._found.waits.setdefault(label, []).append(self._paced(case, name, rate, headers))

    def _paced(self, case: Case, name: str, rate: float, headers: dict[str, str]) -> Paced:
        peer = self._peers[name]
        file = FOLDER / "request.bytes"
        file.write_bytes(latency.request_bytes(case, case.target_of(peer.prefix), headers))
        return latency.paced(
            peer.url(case), file, status=case.status, rate=rate, seconds=self._arguments.seconds, core=LOAD,
            connections=self._arguments.connections,
        )  # fmt: skip

    def _drive(self, case: Case, name: str, peer: Peer, script: Path) -> float:
        measured = drive(
            peer.program, peer.url(case), script, status=case.status, core=LOAD,
            connections=self._arguments.connections, seconds=self._arguments.seconds, warm_up=1.0,
        )  # fmt: skip
        self._found.runs.setdefault(case.name, {}).setdefault(name, []).append(measured)
        return measured.rate

    def _try(self, case: Case, name: str, peers: dict[str, Peer], work: Callable[[], object]) -> None:
        """Leave a peer out of a case that it does not serve, and say so; we and nginx must serve all."""
        try:
            work()
        except BenchError as error:
            if name in NEEDED:
                raise
            self._found.skipped[f"{name}, {case.name}"] = str(error)
            self._found.runs.get(case.name, {}).pop(name, None)
            del peers[name]


def _report(found: Findings, chosen: tuple[Case, ...], arguments: argparse.Namespace) -> int:
    judged = tuple(report.goals(found))
    if arguments.json:
        goals = [{"met": goal.met, "further": goal.further, "text": goal.text.strip()} for goal in judged]
        click.echo(json.dumps({**found.as_json(), "goals": goals}, indent=2))
    else:
        report.show(
            found, chosen, runs=arguments.runs, seconds=arguments.seconds, connections=arguments.connections
        )
        click.echo()
        for goal in judged:
            click.echo(str(goal))
    return 0 if all(goal.met or goal.further for goal in judged) else 1


def _measure_apart(found: Findings, arguments: argparse.Namespace) -> None:
    """Run what needs no peer; where it fails, what was measured before is printed all the same."""
    try:
        if "audit" in arguments.case:
            told = _script("tests.bench.audit", str(FOLDER), "--json", core=UNDER_TEST)
            found.records = {int(in_flight): cost for in_flight, cost in json.loads(told).items()}
        if "isolation" in arguments.case:
            found.isolation = _script("tests.bench.isolation", str(_ISOLATION_CALLS))
    except BenchError as error:
        found.failure = str(error)


def _script(module: str, *words: str, core: int | None = None) -> str:
    """Run a measurement of its own; raises `BenchError` with its last line."""
    _say(module)
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    done = subprocess.run(
        [*pinned, sys.executable, "-m", module, *words],
        cwd=interlock.ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BenchError(f"{module} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _arguments() -> argparse.Namespace:
    names = [*(case.name for case in cases()), *PARTS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--case", nargs="+", choices=names, default=names, help="what to measure (default all)"
    )
    parser.add_argument("--only", nargs="+", choices=PEERS, default=PEERS, help="programs (default all)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program, in turns (default 3)")
    parser.add_argument("--seconds", type=float, default=4, help="length of one run (default 4)")
    parser.add_argument("--connections", type=int, default=64, help="connections of the load (default 64)")
    parser.add_argument("--json", action="store_true", help="print all runs as JSON")
    return parser.parse_args()


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    sys.exit(main())
