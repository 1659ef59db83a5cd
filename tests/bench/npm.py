"""Programs from npm: installed by its client into a folder of their own, pinned, their install scripts not run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bench.machine import BenchError

_SECONDS = 420


def install(folder: Path, *packages: str, wanted: str) -> Path:
    """Install `name@version` packages unless `wanted`, a path below node_modules, is there; gives where that is.

    Raises `BenchError` with the reason, also where npm or node is missing.
    """
    found = folder / "node_modules" / wanted
    if found.exists():
        return found
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise BenchError("npm or node is missing")
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    command = [npm, "install", "--prefix", folder, *options, *packages]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BenchError(f"npm did not finish within {_SECONDS} s") from None
    if done.returncode != 0 or not found.exists():
        raise BenchError(f"npm could not install it: {done.stderr.strip().splitlines()[-1:]}")
    return found
