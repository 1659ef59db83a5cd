"""What the bench prints: a table for each case, what callers wait for, what the audit costs, and which goals are met."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from tests.bench.cases import Case
from tests.bench.latency import SHARE, Disk
from tests.bench.load import Measured
from tests.bench.pace import Paced
from tests.bench.programs import UNAUDITED

SAME_RATE = "nginx, our rate"
RECORDS = 2  # of one POST: received, completed
# CPU per request of the order: at most so many times that of nginx; the peers at least so many times ours.
MOST_NGINX, FURTHER_NGINX = 2.5, 2.0
LEAST_PEERS = {"kin-openapi": 1.0, "wallarm": 1.0, "prism": 12.0, "connexion": 40.0}
MOST_P99 = 2.0  # times nginx's, at the same share of capacity
SYNCS = 3  # of the disk, which the audit may add to that
MOST_RECORD, IN_FLIGHT = 10.0, 32  # µs of a record, callers
MOST_BESIDE = 1.5  # times its own p99 alone
_LATE = 0.5  # of a p99: where the load itself was later, the figure says nothing


@dataclass
class Findings:
    """Everything measured in one run of the bench; what was not asked for is empty."""

    form: str
    runs: dict[str, dict[str, list[Measured]]] = field(default_factory=dict)  # case → program
    skipped: dict[str, str] = field(default_factory=dict)
    waits: dict[str, list[Paced]] = field(default_factory=dict)
    disk: Disk | None = None
    records: dict[int, float] = field(default_factory=dict)  # callers in flight → µs a record
    isolation: str = ""
    failure: str = ""  # of a measurement of ours, so that it must not pass for one that is met

    def middle(self, case: str) -> dict[str, Measured]:
        """Give the medians of each program; empty where the case was not run."""
        return {name: _median(rows, Measured) for name, rows in self.runs.get(case, {}).items()}

    def waited(self) -> dict[str, Paced]:
        """Give the medians of the paced runs."""
        return {name: _median(rows, Paced) for name, rows in self.waits.items()}

    def as_json(self) -> dict[str, Any]:
        """Give all runs, not only the medians."""
        return asdict(self)


@dataclass(frozen=True)
class Goal:
    """A figure and what is wanted; a `further` one does not count for the exit code."""

    met: bool
    text: str
    further: bool = False

    def __str__(self) -> str:
        """One line; what is missed and counts is in capitals."""
        return f"{'met   ' if self.met else 'not yet' if self.further else 'MISSED'} {self.text}"


def goals(found: Findings) -> Iterator[Goal]:
    """Judge what was measured; what was not is not judged."""
    if found.failure:
        yield Goal(met=False, text=found.failure)
    order, storm = found.middle("order"), found.middle("storm")
    ours = order.get("interlock")
    if ours is not None and "nginx" in order:
        ratio = ours.cpu / order["nginx"].cpu
        yield Goal(ratio <= MOST_NGINX, f"{ratio:6.2f} x nginx, at most {MOST_NGINX:g} wanted")
        yield Goal(ratio <= FURTHER_NGINX, f"{ratio:6.2f} x nginx, {FURTHER_NGINX:g} later on", further=True)
    for name, least in LEAST_PEERS.items():
        if ours is not None and name in order:
            ratio = order[name].cpu / ours.cpu
            yield Goal(ratio >= least, f"{ratio:6.2f} x cheaper than {name}, at least {least:g} wanted")
    if ours is not None and "interlock" in storm:
        refused = storm["interlock"].cpu
        yield Goal(
            refused < ours.cpu, f"{refused:6.1f} µs a 429, below the {ours.cpu:.1f} µs of a call wanted"
        )
    if IN_FLIGHT in found.records:
        cost = found.records[IN_FLIGHT]
        yield Goal(
            cost <= MOST_RECORD,
            f"{cost:6.1f} µs an audit record, {IN_FLIGHT} in flight, at most {MOST_RECORD:g} wanted",
        )
    yield from _goals_of_waiting(found)
    worst = max((row[3] for row in _isolation(found.isolation) if row[1] == "yes"), default=0.0)
    if worst:
        yield Goal(
            worst <= MOST_BESIDE,
            f"{worst:6.2f} x its p99 alone beside a broken route, at most {MOST_BESIDE:g} wanted",
        )


def _goals_of_waiting(found: Findings) -> Iterator[Goal]:
    waited = found.waited()
    if found.disk is None or not {"nginx", "interlock", UNAUDITED} <= waited.keys():
        return
    bound = MOST_P99 * waited["nginx"].p99
    if any(waited[name].late > _LATE * waited[name].p99 for name in ("nginx", "interlock", UNAUDITED)):
        yield Goal(False, "the paced load was late itself: p99 at 70 % is not judged", further=True)
        return
    plain, audited = waited[UNAUDITED].p99, waited["interlock"].p99
    yield Goal(plain <= bound, f"{plain:6.2f} ms p99 without audit, at most {bound:.2f} (2 x nginx) wanted")
    bound += SYNCS * found.disk.p50
    yield Goal(
        audited <= bound,
        f"{audited:6.2f} ms p99 with audit, at most {bound:.2f} (that and {SYNCS} fdatasync) wanted",
    )


def show(found: Findings, cases: tuple[Case, ...], *, runs: int, seconds: float, connections: int) -> None:
    """Print everything but the goals."""
    click.echo(
        f"\nInterlock runs {found.form}. {os.cpu_count()} cores: one for the program, one for load and provider. Medians of "
        f"{runs} runs of {seconds:g} s, {connections} connections; CPU µs a request, of the whole process tree."
    )
    for case in cases:
        if case.name in found.runs:
            _show_case(case, found.middle(case.name))
    for name, reason in found.skipped.items():
        click.echo(f"{name:<12} skipped: {reason}")
    _show_waiting(found)
    _show_audit(found)
    if found.isolation:
        click.echo(f"\nA healthy route beside a broken one\n{found.isolation}")


def _show_case(case: Case, middle: dict[str, Measured]) -> None:
    click.echo(f"\n{case.title}")
    click.echo(
        f"{'':<12}{'CPU µs':>9}{'user':>9}{'system':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'RSS MB':>8}"
        f"{'x nginx':>9}{'/ ours':>9}"
    )
    for name, row in middle.items():
        to_nginx = f"{row.cpu / middle['nginx'].cpu:9.2f}" if "nginx" in middle else f"{'':9}"
        to_ours = f"{row.cpu / middle['interlock'].cpu:9.2f}" if "interlock" in middle else ""
        click.echo(
            f"{name:<12}{row.cpu:9.1f}{row.user:9.1f}{row.system:8.1f}{row.rate:9.0f}{row.p50:9.2f}{row.p99:9.2f}"
            f"{row.rss:8.0f}{to_nginx}{to_ours}"
        )
    for name, reason in case.absent.items():
        click.echo(f"{name:<12} not in this case: {reason}")


def _show_waiting(found: Findings) -> None:
    if found.waits:
        click.echo(f"\nWaiting at {SHARE:.0%} of what each carries, Poisson arrivals, the order")
        click.echo(f"{'':<16}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'load late by, ms':>18}")
    for name, row in found.waited().items():
        click.echo(f"{name:<16}{row.rate:9.0f}{row.p50:9.2f}{row.p99:9.2f}{row.late:18.2f}")
    if found.disk is not None:
        click.echo(f"fdatasync of this disk: {found.disk.p50:.2f} ms, p99 {found.disk.p99:.2f} ms")


def _show_audit(found: Findings) -> None:
    if found.records:
        click.echo("\nAudit: CPU µs of one durable record")
    for in_flight, cost in found.records.items():
        click.echo(f"{cost:8.1f}  the journal alone, {in_flight} in flight")
    order = found.middle("order")
    if {"interlock", UNAUDITED} <= order.keys():
        cost = (order["interlock"].cpu - order[UNAUDITED].cpu) / RECORDS
        click.echo(
            f"{cost:8.1f}  within the proxy: the order with and without audit, {RECORDS} records a call"
        )


def _isolation(text: str) -> Iterator[tuple[str, str, float, float]]:
    """Read the rows of tests.bench.isolation: beside what, guarded or not, p99, and that to the p99 alone."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 6 and words[1] in ("yes", "no"):
            yield words[0], words[1], float(words[3]), float(words[4])


def _median(rows: list[Any], kind: Any) -> Any:
    return kind(**{name: statistics.median(asdict(one)[name] for one in rows) for name in asdict(rows[0])})
