"""`interlock up`: registry with board, and proxy with listeners, as two supervised processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.claims import announced, end_with_parent, refuse_second
from cli.errors import Exit
from kernel.errors import InterlockError

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0


class StartFailed(InterlockError):
    """A part of Interlock ended or did not become ready."""

    code = "start-failed"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder (default: INTERLOCK_DATA or .interlock)."
)
@click.option("--registry-port", type=int, help="Port of board and API (default 8700).")
@click.option("--proxy-port", type=int, help="Port of the proxy (default 8701).")
def up(data: Path | None, registry_port: int | None, proxy_port: int | None) -> int:
    """Run everything in the foreground until interrupted. Databases and keys are made at the first start."""
    from kernel.settings import load

    settings = load(
        {"data": str(data) if data else None, "registry_port": registry_port, "proxy_port": proxy_port}
    )
    house = start_house(
        settings.path, registry_port=settings["registry_port"], proxy_port=settings["proxy_port"]
    )
    try:
        click.echo(f"board and API  {house.registry_url}", err=True)
        click.echo(f"proxy          {house.proxy_url}", err=True)
        click.echo("stop with Ctrl-C", err=True)
        return house.wait()
    finally:
        house.stop()


class House:
    """The two processes of one data folder; either may be stopped without the other."""

    def __init__(self, data: Path, registry: subprocess.Popen[bytes], proxy: subprocess.Popen[bytes]) -> None:
        self.data = data
        self.registry = registry
        self.proxy = proxy
        self.registry_url = f"http://{_address(self.ports('registry'))}"
        self.proxy_url = f"http://{_address(self.ports('proxy'))}"

    def ports(self, part: str) -> dict[str, Any]:
        """Read what a part wrote about itself into run/<part>.json: host, port, listeners."""
        table: dict[str, Any] = json.loads((self.data / "run" / f"{part}.json").read_text(encoding="utf-8"))
        return table

    def wait(self) -> int:
        """Wait until one of the parts ends or a signal asks to stop; returns the exit code to end with."""
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _frame: stopping.append(got))
        while not stopping:
            for name, part in (("registry", self.registry), ("proxy", self.proxy)):
                if part.poll() is not None:
                    raise StartFailed(
                        f"the {name} ended with code {part.returncode}", hint="its last lines stand above"
                    )
            time.sleep(0.2)
        return Exit.OK

    def stop(self) -> None:
        """End both parts: the proxy first, so that it drains while the registry still stands."""
        for part in (self.proxy, self.registry):
            end(part)


def start_house(data: Path, *, registry_port: int, proxy_port: int, log: Path | None = None) -> House:
    """Start registry, then proxy, and return once both say that they are ready.

    From here on SIGTERM ends this process through its `finally` blocks, so that no part is left behind.
    """
    signal.signal(signal.SIGTERM, _end_in_order)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in ("registry", "proxy"):
        refuse_second(data, part)
    registry = start_part(["registry-serve"], data, "registry", {"registry_port": registry_port}, log)
    try:
        proxy = start_part(["proxy", "serve"], data, "proxy", {"proxy_port": proxy_port}, log)
    except BaseException:
        end(registry)
        raise
    return House(data, registry, proxy)


def start_part(
    command: Sequence[str], data: Path, part: str, options: dict[str, Any], log: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start one part as a child process and wait for its run/<part>.json.

    Raises `AlreadyRunning` before anything is touched, and `StartFailed`.
    """
    refuse_second(data, part)
    ready = data / "run" / f"{part}.json"
    ready.unlink(missing_ok=True)
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    sink = log.open("ab") if log else None
    try:
        child = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            [sys.executable, "-m", "cli", *command, "--data", str(data), *flags],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 - nothing here has threads before its children stand
        )
    finally:
        if sink is not None:
            sink.close()
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise StartFailed(
                f"the {part} ended with code {child.returncode}",
                hint=f"read {log}" if log else "its last lines stand above",
            )
        if announced(data, part) == child.pid:
            return child
        time.sleep(0.05)
    end(child)
    raise StartFailed(
        f"the {part} was not ready after {_READY_SECONDS:g} s", hint=f"read {log}" if log else ""
    )


def _end_in_order(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def end(part: subprocess.Popen[bytes]) -> None:
    """Ask a child to end (it drains), and end it after a while."""
    if part.poll() is None:
        part.send_signal(signal.SIGTERM)
        try:
            part.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait()


def _address(table: dict[str, Any]) -> str:
    return f"{table['host']}:{table['port']}"
