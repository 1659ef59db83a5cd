"""Runs a data plane in the foreground until it is told to stop: what `proxy serve` and `proxy run` share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapters.catalog import build
from adapters.errors import AdapterSettingsError
from adapters.house import House
from cli.proxy_said import say_console, say_ready
from kernel.audit.journal import Journal
from kernel.bundle.deny import local_list, registry_list
from kernel.bundle.deny_source import DenySource
from kernel.bundle.read import BundleSource
from kernel.sealing.keys import KeyFolder
from kernel.sealing.private_files import replace_file
from runtime_proxy.console.access_log import AccessLog
from runtime_proxy.console.meters import Meters
from runtime_proxy.console.series import SUFFIX
from runtime_proxy.dataplane import DataPlane
from runtime_proxy.edges import Edges
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.key_rooms import key_room
from runtime_proxy.throwaway import Throwaway, Way, make_bundle, prepare_all
from runtime_proxy.workers import run_worker, settle_memory, stop_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence

    from kernel.audit.heads import HeadSigner
    from kernel.settings import Settings
    from runtime_proxy.plan import Plan
    from runtime_proxy.seat import Seat

WRITER = "proxy"  # name of the journal of this worker
_HEADS_KEY = "proxy-heads"


def run_loop(main: Coroutine[Any, Any, None], *, quiet: bool = False) -> None:
    """Run on uvloop with logs on stderr; `quiet` tells warnings only, in one short line each."""
    log_to_stderr(quiet=quiet)
    run_worker(main)


def log_to_stderr(*, quiet: bool) -> None:
    """Begin to log; `quiet` tells warnings only, in one short line each."""
    form = "%(levelname)s %(message)s" if quiet else "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(format=form, level=logging.WARNING if quiet else logging.INFO)


def bundle_source(settings: Settings) -> BundleSource:
    """Give the bundle folder of a data folder, with its memory of what was served."""
    keys = KeyFolder(settings.path / "keys")
    return BundleSource(settings.path / "bundle", keys.trust, settings.path / "run" / "bundle-seen.json")


def deny_sources(settings: Settings, *, keeps: bool = True) -> tuple[DenySource, ...]:
    """Give the deny lists of a data folder: the registry's beside the bundle, and this host's own.

    `keeps`: the newest good ones are kept for the next start; a command only looks at what is kept.
    """
    trust, run = KeyFolder(settings.path / "keys").trust, settings.path / "run"
    return (
        DenySource(
            registry_list(settings.path / "bundle"),
            "registry",
            trust,
            run / "denied-registry.dsse.json",
            keeps=keeps,
        ),
        DenySource(local_list(settings.path), "local", trust, run / "denied-local.dsse.json", keeps=keeps),
    )


def head_signer(settings: Settings) -> HeadSigner:
    """Give the key that signs the heads of the proxy's journals; made at the first start."""
    return KeyFolder(settings.path / "keys").ensure(_HEADS_KEY, "audit-heads")


async def serve(settings: Settings) -> None:
    """Serve the bundle folder of a data folder until SIGTERM or SIGINT, then drain."""
    source = bundle_source(settings)
    signer = head_signer(settings)
    ready = settings.path / "run" / "proxy.json"
    async with open_plane(settings, signer) as plane:
        await plane.start(source)
        if plane.health.trouble:
            logging.getLogger("interlock.proxy").warning("not serving yet: %s", plane.health.trouble)
        settle_memory()
        stop = stop_event()  # before anybody is told that we are here
        async with _listening(plane, settings) as edge:
            _announce(ready, edge, plane)
            say_console(settings, edge.addresses().get("ops"))
            try:
                await _stopped(stop, lambda: _announce(ready, edge, plane), settings["proxy_bundle_poll"])
            finally:
                ready.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Local:
    """One file to be served, and where."""

    file: Path
    way: Way
    keep_going: bool = False  # start although some operations cannot be checked


async def run_file(local: Local, settings: Settings) -> None:
    """Serve one OpenAPI file until SIGTERM or SIGINT; everything it needs lies in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="interlock-run-") as folder:
        made = make_bundle(local.file, local.way, Path(folder) / "bundle")
        source = BundleSource(made.folder, lambda: made.trust)
        async with open_plane(settings, made.signer, Path(folder)) as plane:
            await plane.begin()
            await take_up_file(plane, source, made, local)
            settle_memory()
            stop = stop_event()
            async with _listening(plane, settings) as edge:
                say_console(settings, edge.addresses().get("ops"), Path(folder))
                say_ready(made, local.way, next(iter(edge.addresses().values())))
                await _stopped(stop, lambda: None, 3600.0)


async def take_up_file(
    plane: DataPlane, source: BundleSource, made: Throwaway, local: Local, *, warn: bool = True
) -> Plan:
    """Serve the bundle of one file, everything compiled; raises what the file has of faults."""
    try:
        plan = await plane.activation.take_up(source.read().bundle)
    except ActivationFailed as error:
        if isinstance(error.__cause__, AdapterSettingsError):
            raise _as_typed(error.__cause__) from None  # what was typed is wrong, not the bundle
        raise
    faults = prepare_all(plan, made.document)
    if faults and not local.keep_going:
        more = f" ({len(faults) - 1} more operations have faults)" if faults[1:] else ""
        faults[0].hint = f"{faults[0].hint}; --keep-going serves the other operations{more}"
        raise faults[0]
    for fault in faults if warn else ():
        click.echo(f"warning: this operation is refused with 501: {fault}", err=True)
    return plan


def _as_typed(error: AdapterSettingsError) -> AdapterSettingsError:
    """Speak of the option: the file's one adapter has no other setting than its address."""
    error.message = "--upstream must be http(s)://HOST[:PORT][/PATH] (ws(s):// for channels)"
    error.hint = "write it like https://lab.example:8443/api, without user, query and fragment"
    return error


@contextlib.asynccontextmanager
async def open_plane(
    settings: Settings, signer: HeadSigner, folder: Path | None = None, seat: Seat | None = None
) -> AsyncIterator[DataPlane]:
    """Open the journal and make the data plane; on the way out everything is closed, the journal last.

    `folder` is that of `proxy run`; None serves a data folder. `seat` is that of one of several workers.
    """
    root = settings.path if folder is None else folder
    journal = Journal.open(
        root / "audit",
        WRITER if seat is None else seat.writer,
        signer,
        segment_bytes=settings["audit_segment_bytes"],
        queue=settings["audit_queue"],
        fsync=settings["audit_fsync"],
    )
    meters = _meters(settings, root, WRITER if seat is None else seat.writer)
    journal.watch(meters.committed)
    try:
        plane = DataPlane(
            settings,
            journal,
            lambda instance: build(instance, house),
            server=WRITER,
            open_reports=folder is not None,
            keys=key_room(root, settings),
            deny=deny_sources(settings) if folder is None else (),
            workers=1 if seat is None else seat.workers,
            listening=seat is None,
            meters=meters,
        )
        house = House(settings, bundle=plane.bundle, audit=journal)
        plane.open_console(settings, root, house.open_letters)
        meters.start()
        try:
            yield plane
        finally:
            await plane.stop()
            await house.close()
    finally:
        await journal.aclose()
        meters.stop()


def _meters(settings: Settings, root: Path, worker: str) -> Meters:
    target: str = settings["access_log"]
    log = AccessLog(target, settings["access_log_sample"], worker) if target else None
    return Meters(root / "run" / "metrics", worker, most_rows=settings["metrics_rows"], log=log)


def forget_counts(root: Path) -> None:
    """Begin all counters at 0: for a start, not for a worker that is replaced."""
    for file in (root / "run" / "metrics").glob(f"*{SUFFIX}"):
        file.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _listening(plane: DataPlane, settings: Settings) -> AsyncIterator[Edges]:
    edge = Edges(plane.answering, settings)
    await edge.listen()
    plane.count_answers(edge)
    try:
        yield edge
    finally:
        plane.health.draining = True
        await edge.drain()


async def _stopped(stop: asyncio.Event, tell: Any, seconds: float) -> None:
    """Wait for the signal to stop; calls `tell` every `seconds` meanwhile."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
        tell()


def _announce(file: Path, edges: Edges, plane: DataPlane) -> None:
    """Write run/proxy.json: where the proxy and its listeners are; rewritten only when that changes."""
    write_ready(file, edges.addresses(), plane.adapters.addresses())


def write_ready(
    file: Path,
    fronts: Mapping[str, tuple[str, int]],
    listeners: Mapping[str, Sequence[Any]],
    **more: Any,
) -> None:
    """Write run/proxy.json where it does not say the same already; `pid` is that of this process.

    `fronts` are the addresses by name, the proxy's own first; those of audiences stand under their names.
    """
    (host, port), *_ = fronts.values()
    own = [(name, at) for name, at in list(fronts.items())[1:] if name != "ops"]
    if "ops" in fronts:
        more = {"console": {"host": fronts["ops"][0], "port": fronts["ops"][1]}, **more}
    if own:
        more = {"audiences": {name: {"host": at[0], "port": at[1]} for name, at in own}, **more}
    ports = {name: {"host": at[0], "port": at[1]} for name, at in listeners.items()}
    table = {"host": host, "port": port, "pid": os.getpid(), "listeners": ports, **more}
    data = json.dumps(table, indent=2, sort_keys=True).encode() + b"\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_bytes() != data:
        replace_file(file, data, 0o644)
