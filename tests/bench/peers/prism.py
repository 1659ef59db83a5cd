"""The peer Prism: installed by npm into the bench's own folder, run as a validating proxy."""

from __future__ import annotations

from pathlib import Path

from tests.bench import npm

VERSION = "5.14.2"


def install(folder: Path) -> Path:
    """Install the pinned version unless it is there; returns its program. Raises `BenchError` with a reason."""
    return npm.install(folder, f"@stoplight/prism-cli@{VERSION}", wanted="@stoplight/prism-cli/dist/index.js")


def command(program: Path, contract: Path, port: int, upstream_port: int) -> list[str | Path]:
    """Give the command of a proxy that refuses what the contract does not allow, both ways."""
    return [
        "node", program, "proxy", contract, f"http://127.0.0.1:{upstream_port}",
        "--host", "127.0.0.1", "--port", str(port), "--errors", "--verboseLevel", "silent",
    ]  # fmt: skip
