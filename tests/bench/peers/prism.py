"""The peer Prism: installed by npm into the bench's own folder, run as a validating proxy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bench.machine import BenchError

VERSION = "5.14.2"
_INSTALL_SECONDS = 420


def install(folder: Path) -> Path:
    """Install the pinned version unless it is there; returns its program. Raises `BenchError` with a reason."""
    program = folder / "node_modules/@stoplight/prism-cli/dist/index.js"
    if program.is_file():
        return program
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise BenchError("npm or node is missing")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
             f"@stoplight/prism-cli@{VERSION}"],
            capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BenchError(f"npm did not finish within {_INSTALL_SECONDS} s") from None
    if done.returncode != 0 or not program.is_file():
        raise BenchError(f"npm could not install it: {done.stderr.strip().splitlines()[-1:]}")
    return program


def command(program: Path, contract: Path, port: int, upstream_port: int) -> list[str | Path]:
    """Give the command of a proxy that refuses what the contract does not allow, both ways."""
    return [
        "node", program, "proxy", contract, f"http://127.0.0.1:{upstream_port}",
        "--host", "127.0.0.1", "--port", str(port), "--errors", "--verboseLevel", "silent",
    ]  # fmt: skip
