"""Everything that is measured of comparing: `python -m tests.bench.compat`.

Verdicts beside the peers' (schemas, OpenAPI, AsyncAPI), the oracle over generated and over real schemas, then
time and memory on large documents beside bare oasdiff. What needs ../shared/data is left out where it is absent.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
_SECONDS = 1800  # for each part

PARTS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("verdicts beside the peers'", ("peers",), False),
    ("verdicts on event contracts", ("asyncapi_peer",), False),
    ("the oracle over generated schemas", ("oracle", "--pairs", "2000"), False),
    (
        "the oracle over real documents",
        ("oracle", "--pairs", "1000", "--declared", "--real", str(DATA)),
        True,
    ),
    ("time and memory on large documents", ("large",), True),
)


def main() -> int:
    """Run each part as the command that it is; the exit code is 1 when one of them is not satisfied."""
    failed = []
    for title, (module, *options), needs_data in PARTS:
        click.echo(f"\n== {title}: python -m tests.bench.compat.{module} {' '.join(options)}".rstrip())
        if needs_data and not DATA.is_dir():
            click.echo("left out: ../shared/data is not here")
            continue
        sys.stdout.flush()
        command = [sys.executable, "-m", f"tests.bench.compat.{module}", *options]
        if subprocess.run(command, timeout=_SECONDS, check=False).returncode != 0:
            failed.append(module)
    click.echo(f"\n{'not satisfied: ' + ', '.join(failed) if failed else 'all satisfied'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
