"""wrk from one core: the same request over and over, every answer must have the status of the case."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.cases import Case
from tests.bench.machine import BenchError, Program

_ERROR = 400  # from here on wrk counts an answer as an error
_SCRIPT = """
wrk.method = "{method}"
{headers}
local file = io.open("{body}", "rb")
local body = file:read("*a")
file:close()
if #body > 0 then wrk.body = body end
{each}
function done(summary, latency, requests)
  io.write(string.format(
    'BENCH {{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"status":%d,"socket":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""
# The trace is new with every call (W3C trace context); built once, the rest of the request is pasted around it.
_TRACED = """
local before, after, count = nil, nil, 0
function request()
  if before == nil then
    wrk.headers["traceparent"] = "@"
    local text = wrk.format()
    local at = text:find("@", 1, true)
    before, after = text:sub(1, at - 1), text:sub(at + 1)
  end
  count = count + 1
  return string.format("%s00-%032x-%016x-01%s", before, count, count, after)
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


def headers_of(case: Case, credential: tuple[str, str]) -> dict[str, str]:
    """Give the headers of a case but for Host and Content-Length."""
    typed = {"Content-Type": case.media_type} if case.media_type else {}
    return {**typed, **case.headers, credential[0]: credential[1]}


def write_script(folder: Path, case: Case, headers: Mapping[str, str]) -> Path:
    """Write the Lua script of the load and the body that it sends."""
    data = folder / f"{case.name}.body"
    data.write_bytes(case.body)
    file = folder / f"{case.name}.lua"
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    file.write_text(
        _SCRIPT.format(method=case.method, headers=lines, body=data, each=_TRACED if case.traced else "")
    )
    return file


def probe(program: Program, url: str, case: Case, headers: Mapping[str, str]) -> None:
    """Call until the answer is that of the case, three times at most; raises `BenchError` with what came instead.

    The first call of the storm is still admitted.
    """
    parts = urlsplit(url)
    seen = []
    for _ in range(3):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            connection.request(
                case.method, url[url.index("/", len("http://")) :], case.body or None, dict(headers)
            )
            answer = connection.getresponse()
            text = answer.read(300).decode(errors="replace")
        except OSError as error:
            raise BenchError(f"{program.name} does not serve the case {case.name}: {error}") from None
        finally:
            connection.close()
        if answer.status == case.status:
            return
        seen.append(f"{answer.status} {text}")
    raise BenchError(f"{program.name} does not serve the case {case.name}: {seen[-1]}")


def drive(
    program: Program, url: str, script: Path, *, status: int, core: int, connections: int, seconds: float,
    warm_up: float,
) -> Measured:  # fmt: skip
    """Warm up, then measure; raises `BenchError` when an answer was not the right one."""
    _wrk(url, script, core, connections, warm_up)
    before = program.cpu()
    result = _wrk(url, script, core, connections, seconds)
    after = program.cpu()
    refused = result["requests"] if status >= _ERROR else 0
    if result["status"] != refused or result["socket"] or not result["requests"]:
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
