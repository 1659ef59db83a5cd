"""wrk from one core: the same order over and over, every answer must be 201."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import BenchError, Program

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "{key}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
function done(summary, latency, requests)
  io.write(string.format(
    'BENCH {{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"status":%d,"socket":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Measured:
    """One run against one program."""

    rate: float  # requests per second
    p50: float  # ms
    p99: float  # ms
    user: float  # CPU µs per request
    system: float
    rss: float  # MB

    @property
    def cpu(self) -> float:
        """CPU µs per request of the whole process tree."""
        return self.user + self.system


def write_script(folder: Path, body: bytes, key: str) -> Path:
    """Write the Lua script of the load and the body that it sends."""
    data = folder / "order.json"
    data.write_bytes(body)
    file = folder / "load.lua"
    file.write_text(_SCRIPT.format(key=key, body=data))
    return file


def drive(
    program: Program, url: str, script: Path, *, core: int, connections: int, seconds: float, warm_up: float
) -> Measured:
    """Warm up, then measure; raises `BenchError` when an answer was not the right one."""
    _wrk(url, script, core, connections, warm_up)
    before = program.cpu()
    result = _wrk(url, script, core, connections, seconds)
    after = program.cpu()
    if result["status"] or result["socket"] or not result["requests"]:
        raise BenchError(f"{program.name} answered wrongly: {result}")
    per = 1e6 / result["requests"]
    return Measured(
        rate=result["requests"] / (result["micros"] / 1e6),
        p50=result["p50"] / 1e3,
        p99=result["p99"] / 1e3,
        user=(after[0] - before[0]) * per,
        system=(after[1] - before[1]) * per,
        rss=program.rss() / 1e6,
    )


def _wrk(url: str, script: Path, core: int, connections: int, seconds: float) -> dict[str, int]:
    done = subprocess.run(
        ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
         "--timeout", "10s", "-s", script, url],
        capture_output=True, text=True, timeout=seconds + 60, check=False,
    )  # fmt: skip
    found = re.search(r"^BENCH (\{.*\})$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise BenchError(f"wrk failed: {done.stderr or done.stdout}")
    row: dict[str, int] = json.loads(found[1])
    return row
