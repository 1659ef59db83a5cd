"""The peer kin-openapi: a small Go proxy of our own writing, built into the bench's own folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.bench.machine import BenchError

SOURCE = Path(__file__).with_name("kin_openapi")
_BUILD_SECONDS = 300


def build(folder: Path) -> Path:
    """Build it unless it is newer than its source; returns the program. Raises `BenchError` with a reason."""
    program = folder / "kin-openapi"
    newest = max(file.stat().st_mtime for file in SOURCE.iterdir())
    if program.is_file() and program.stat().st_mtime > newest:
        return program
    go = shutil.which("go")
    if go is None:
        raise BenchError("Go is missing")
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOPATH": str(folder / "path"), "GOCACHE": str(folder / "cache"), "CGO_ENABLED": "0",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [go, "build", "-o", program, "."],
            cwd=SOURCE, env=environment, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BenchError(f"Go did not build it within {_BUILD_SECONDS} s") from None
    if done.returncode != 0:
        raise BenchError(f"Go could not build it: {done.stderr.strip().splitlines()[-1:]}")
    return program


def command(program: Path, contract: Path, port: int, upstream_port: int) -> list[str | Path]:
    """Give the command of the proxy."""
    return [program, contract, f"127.0.0.1:{port}", f"http://127.0.0.1:{upstream_port}"]
