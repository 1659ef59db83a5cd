"""`interlock demo`: the whole main job on example contracts, told in plain words."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from cli.errors import Exit

_MARK = "this-is-a-demonstration"
_REGISTRY_PORT, _PROXY_PORT, _MLLP_PORT = 8700, 8701, 2575


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(".interlock-demo"),
    show_default=True,
    help="Folder of the demonstration; an earlier one there is replaced.",
)
@click.option(
    "--exit",
    "end",
    is_flag=True,
    help="End after the story with exit code 0, or 1 when it did not go as told.",
)
def demo(data: Path, end: bool) -> int:
    """Run the whole main job on example contracts, say what happened, and leave it running."""
    from cli.demo import calling, changing, measuring, opening, proving
    from cli.demo.stage import Stage
    from cli.up import start_house

    folder = _fresh(data.resolve())
    stage = Stage(folder)
    began = time.monotonic()
    log = folder / "demo.log"
    laboratory, laboratory_port = _start_providers(folder)
    try:
        stage.facts["mllp_port"] = free_port(_MLLP_PORT)
        house = start_house(
            folder, registry_port=free_port(_REGISTRY_PORT), proxy_port=free_port(_PROXY_PORT), log=log
        )
        try:
            proxy_port = int(house.proxy_url.rsplit(":", 1)[1])
            opening.play(stage, house.registry_url, laboratory_port)
            calling.play(stage, proxy_port)
            measuring.play(stage, stage.facts["mllp_port"])
            changing.play(stage, proxy_port)
            proving.play(stage)
            click.echo(f"\nAll of this took {time.monotonic() - began:.0f} s and went as told.")
            if not end:
                _say_where(stage, house.registry_url, house.proxy_url)
                return house.wait()
        finally:
            house.stop()
    finally:
        laboratory.terminate()
        laboratory.wait(10)
    _say_stopped(folder)
    return Exit.OK


def _fresh(folder: Path) -> Path:
    """Give an empty folder; only a folder of an earlier demonstration is ever removed."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise click.UsageError(
                f"{folder} is not empty and not of a demonstration; choose another with --data"
            )
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return folder


def _start_providers(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    port_file = folder / "providers.port"
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "cli.demo.providers", str(port_file)], stdin=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not port_file.exists():
        if child.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException("the simulated providers did not start")
        time.sleep(0.02)
    return child, int(port_file.read_text(encoding="ascii"))


def free_port(wanted: int) -> int:
    """Give `wanted` when it is free on loopback, else any free port."""
    import socket

    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("no free port on loopback")


def _say_where(stage: object, registry_url: str, proxy_url: str) -> None:
    from cli.demo.opening import MEMBER
    from cli.demo.stage import Stage

    assert isinstance(stage, Stage)
    click.echo("\nIt is left running:")
    click.echo(
        f"  board and API   {registry_url}   sign in as {MEMBER}, password in {stage.data}/tokens/demo-board-member.password"
    )
    click.echo(f"  proxy           {proxy_url}   for example:")
    click.echo(f"    curl -H 'X-API-Key: {stage.facts['ehr']}' {proxy_url}/lab-orders/v1/orders")
    click.echo(f"  MLLP listener   127.0.0.1:{stage.facts['mllp_port']}")
    click.echo(f"  commands        INTERLOCK_DATA={stage.data} .venv/bin/interlock contract list")
    click.echo("Stop with Ctrl-C.")


def _say_stopped(folder: Path) -> None:
    """Tell how the story ended, once nothing of it runs any more, and where to go from here."""
    click.echo(f"\nEverything was stopped; what it wrote lies in {folder}. Next:")
    click.echo("  make demo                                  the same, and left running")
    click.echo("  .venv/bin/interlock check openapi.yaml     is your own contract valid?")
    click.echo(
        "  .venv/bin/interlock proxy run openapi.yaml --upstream http://127.0.0.1:9000   put it before yours"
    )
