"""Runs the proxy as one process, or as several workers under a supervisor: what --workers decides."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.errors import ListenFailed
from cli.claims import claim
from cli.errors import Exit, run_guarded
from cli.proxy_process import (
    WRITER,
    Local,
    bundle_source,
    forget_counts,
    head_signer,
    log_to_stderr,
    open_plane,
    run_file,
    run_loop,
    serve,
    take_up_file,
    write_ready,
)
from cli.proxy_said import say_console, say_ready
from kernel.bundle.read import BundleSource
from runtime_proxy.attend import Attendance
from runtime_proxy.edges import Edges, front_of, open_fronts
from runtime_proxy.fronts import fronts_of
from runtime_proxy.listening import Sockets, address_of
from runtime_proxy.slots import Terms
from runtime_proxy.supervisor import Supervisor
from runtime_proxy.takeover import Renewal, inherited, only_tried_out
from runtime_proxy.throwaway import Throwaway, make_bundle
from runtime_proxy.workers import run_worker, settle_memory

if TYPE_CHECKING:
    from kernel.settings import Settings
    from runtime_proxy.dataplane import DataPlane
    from runtime_proxy.seat import Seat

_STOP_MARGIN = 10.0  # seconds beyond the drain that a worker has for its last records


def workers_of(settings: Settings) -> int:
    """Say how many workers are asked for; 0 stands for the cores that this process may use."""
    asked: int = settings["proxy_workers"]
    return asked or len(os.sched_getaffinity(0))


def serve_folder(settings: Settings, workers: int) -> int:
    """Serve a data folder until told to stop; gives the exit code."""
    if only_tried_out():
        return Exit.OK
    former = inherited()
    lock = claim(settings.path, WRITER) if former is None else former.kept[0]
    if former is None:
        forget_counts(settings.path)
    if workers == 1 and former is None:
        run_loop(serve(settings))
        return Exit.OK
    log_to_stderr(quiet=False)
    sockets = _sockets(settings, workers) if former is None else former.sockets
    ready = settings.path / "run" / "proxy.json"
    head_signer(settings)  # made before any worker looks for it
    supervisor = Supervisor(
        lambda seat: _ending(lambda: run_worker(_serve_seat(settings, seat))),
        sockets,
        name=WRITER,
        terms=_terms(settings),
        announce=lambda told: write_ready(ready, _fronts(settings, sockets[0]), **told),
        renewal=Renewal((lock,)),
    )
    settle_memory()  # what all workers share stays shared
    try:
        return supervisor.run(former.workers if former is not None else ())
    finally:
        ready.unlink(missing_ok=True)


def serve_file(local: Local, settings: Settings, workers: int) -> int:
    """Serve one file until told to stop; gives the exit code. Raises `ListenFailed` in words of the options."""
    try:
        return _serve_file(local, settings, workers)
    except ListenFailed as error:
        if f"{settings['proxy_host']}:{settings['proxy_port']}:" in error.message:  # not the console's
            error.hint = "choose another --port (0: any free one) or --host, or end the program that uses it"
        raise


def _serve_file(local: Local, settings: Settings, workers: int) -> int:
    if workers == 1:
        run_loop(run_file(local, settings), quiet=True)
        return Exit.OK
    log_to_stderr(quiet=True)
    with tempfile.TemporaryDirectory(prefix="interlock-run-") as folder:
        made = make_bundle(local.file, local.way, Path(folder) / "bundle")
        sockets = _sockets(settings, workers)
        said: list[bool] = []

        def ready(_told: dict[str, Any]) -> None:
            if not said:
                said.append(True)
                bound = _fronts(settings, sockets[0])
                say_console(settings, bound.get("ops"), Path(folder))
                say_ready(made, local.way, next(iter(bound.values())))

        def body(seat: Seat) -> int:
            return _ending(lambda: run_worker(_run_seat(local, made, settings, Path(folder), seat)))

        supervisor = Supervisor(body, sockets, name=WRITER, terms=_terms(settings), announce=ready)
        settle_memory()
        return supervisor.run()


async def _serve_seat(settings: Settings, seat: Seat) -> None:
    async with open_plane(settings, head_signer(settings), seat=seat) as plane:
        await plane.start(bundle_source(settings))
        await _attend(plane, settings, seat)


async def _run_seat(local: Local, made: Throwaway, settings: Settings, folder: Path, seat: Seat) -> None:
    async with open_plane(settings, made.signer, folder, seat) as plane:
        source = BundleSource(made.folder, lambda: made.trust)
        await take_up_file(plane, source, made, local, warn=seat.slot == 0)
        await _attend(plane, settings, seat)


async def _attend(plane: DataPlane, settings: Settings, seat: Seat) -> None:
    """Serve in this seat until told to drain, then drain."""
    settle_memory()
    edge = Edges(plane.answering, settings)
    plane.count_answers(edge)
    attendance = Attendance(seat, plane, edge)
    try:
        await attendance.until_told()
    finally:
        plane.health.draining = True
        await attendance.rest()
        await edge.drain(patient=attendance.patient)


def _fronts(settings: Settings, sockets: Sockets) -> dict[str, tuple[str, int]]:
    """Where each front is bound, by name, the proxy's own first."""
    fronts = fronts_of(settings)
    bound = {front_of(one, fronts).name: address_of((one,)) for one in reversed(sockets)}
    return {front.name: bound[front.name] for front in fronts if front.name in bound}


def _sockets(settings: Settings, workers: int) -> tuple[Sockets, ...]:
    return open_fronts(fronts_of(settings), workers)


def _terms(settings: Settings) -> Terms:
    return Terms(stop=settings["proxy_drain_timeout"] + _STOP_MARGIN)


def _ending(run: Callable[[], None]) -> int:
    code = run_guarded(run)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code
