"""What a caller waits for below capacity: p99 at 70 % of what each program can carry, and the disk's own time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cases import Case
from tests.bench.machine import BenchError
from tests.bench.pace import Paced

SHARE = 0.7
_RECORD = b"x" * 1024


@dataclass(frozen=True)
class Disk:
    """Milliseconds that one fdatasync of 1 KB took, nothing else going on."""

    p50: float
    p99: float


def request_bytes(case: Case, target: str, headers: Mapping[str, str]) -> bytes:
    """Write the request as it goes over the wire."""
    lines = [f"{case.method} {target} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(case.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + case.body


def paced(
    url: str, file: Path, *, status: int, rate: float, seconds: float, core: int, connections: int
) -> Paced:
    """Measure one program in a process of its own, on the core of the load; raises `BenchError`."""
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-m", "tests.bench.pace", url, file, "--rate", f"{rate:.0f}",
         "--seconds", f"{seconds:g}", "--status", str(status), "--connections", str(connections)],
        capture_output=True, text=True, timeout=seconds + 60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    if done.returncode != 0:
        raise BenchError(f"the paced load failed: {done.stderr.strip().splitlines()[-1:]}")
    return Paced(**json.loads(done.stdout))


def disk(folder: Path, times: int = 400) -> Disk:
    """Write and sync as the audit journal does, in a file of this folder."""
    spent = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(times):
            file.write(_RECORD)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - begun) * 1e3)
    hundredths = statistics.quantiles(spent, n=100)
    return Disk(hundredths[49], hundredths[98])
