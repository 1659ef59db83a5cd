"""`interlock registry-serve`: registry and board alone, for machines on which the proxy does not run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("registry-serve")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder (default: INTERLOCK_DATA or .interlock)."
)
@click.option("--registry-host", help="Address to listen on (default 127.0.0.1).")
@click.option("--registry-port", type=int, help="Port of board and API; 0 takes any free one (default 8700).")
def registry_serve(data: Path | None, registry_host: str | None, registry_port: int | None) -> None:
    """Run registry, board and API until SIGTERM; databases, keys and tokens are made at the first start."""
    from cli.wiring import serve_registry
    from kernel.settings import load

    chosen = {
        "data": str(data) if data else None,
        "registry_host": registry_host,
        "registry_port": registry_port,
    }
    serve_registry(load(chosen))
