"""An answer means that its record is durable: kill -9 under load, and the order of system calls."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house import data_folder
from tests.house.running import ask, clean_environment

pytestmark = pytest.mark.house

CLIENTS = 4
MOST_CALLS = 5_000  # per client and round


class Load(threading.Thread):
    """Calls until the proxy dies, and remembers the request id of every answer that arrived whole."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.answered: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            for number in range(MOST_CALLS):
                connection.request(
                    "POST", "/orders/v1/orders", b'{"n": %d}' % number, {"Content-Type": "application/json"}
                )
                got = connection.getresponse()
                got.read()
                if got.status == 201:
                    self.answered.append(got.getheader("X-Request-Id", ""))
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def records(data: Path) -> list[dict[str, object]]:
    """Read every record of the journals, as anybody could: one JSON object a line."""
    found = []
    for path in sorted((data / "audit" / "proxy").iterdir()):
        if path.suffix == ".torn" or path.name == "lock":
            continue
        for line in filter(None, path.read_bytes().splitlines()):  # room that was made ahead is blank
            entry = json.loads(line)
            if "record" in entry:
                found.append(
                    json.loads(entry["record"]) if isinstance(entry["record"], str) else entry["record"]
                )
    return found


def crash_once(data: Path, seed: int) -> int:
    """Run, load, kill -9 at a random moment; returns how many calls had been answered."""
    upstream_port = json.loads((data / "upstream.json").read_text())
    assert upstream_port
    with data_folder.serving(data) as (child, port):
        loads = [Load(port) for _ in range(CLIENTS)]
        for load in loads:
            load.start()
        deadline = time.monotonic() + 20
        wanted = random.Random(seed).randint(20, 200)
        while sum(len(load.answered) for load in loads) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        for load in loads:
            load.join(30)
    answered = {request_id for load in loads for request_id in load.answered}
    assert len(answered) >= 20
    completed = {
        entry["request_id"]
        for entry in records(data)
        if entry["stage"] == "completed" and entry.get("status") == 201
    }
    assert answered - completed == set(), "answered, and not in the log"
    return len(answered)


@pytest.fixture
def data(tmp_path: Path):
    upstream = Upstream({"POST /orders": answer(201, b'{"id": 1}')})
    data_folder.make(tmp_path, upstream.url)
    (tmp_path / "upstream.json").write_text(json.dumps(upstream.port))
    yield tmp_path
    upstream.close()


def verify(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "audit", "verify", "--data", str(data)],
        env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def series(data: Path, rounds: int) -> None:
    total = sum(crash_once(data, seed) for seed in range(rounds))
    with data_folder.serving(data) as (_, port):
        assert ask(port, "POST", "/orders/v1/orders", b'{"n": 1}').status == 201
    checked = verify(data)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    log = records(data)
    received = {entry["request_id"] for entry in log if entry["stage"] == "received"}
    ended = {entry["request_id"] for entry in log if entry["stage"] == "completed"}
    assert received == ended, "a call was begun and its end, known or unknown, stands nowhere"
    print(f"{rounds} times kill -9, {total} answered calls, {len(log)} records, none missing")


def test_killed_three_times_under_load_no_answered_call_is_missing(data: Path) -> None:
    series(data, 3)


@pytest.mark.long
def test_killed_fifty_times_under_load_no_answered_call_is_missing(data: Path) -> None:
    series(data, 50)


def test_write_then_sync_then_answer(data: Path) -> None:
    """The page cache forgives a missing sync, so the order of system calls is looked at itself."""
    trace = data / "trace.txt"
    before = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "16384",
        "-e",
        "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync",
        "-o",
        str(trace),
    ]
    probe = subprocess.run([*before[:1], "-o", "/dev/null", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("strace may not trace here (ptrace is refused)")
    with data_folder.serving(data, before=before) as (_, port):
        got = ask(port, "POST", "/orders/v1/orders", b'{"n": 7}')
        assert got.status == 201
        request_id = got.headers["x-request-id"]
    lines = trace.read_text(errors="replace").splitlines()

    def first(pattern: str, start: int = 0) -> int:
        wanted = re.compile(pattern)
        for number in range(start, len(lines)):
            if wanted.search(lines[number]):
                return number
        raise AssertionError(f"no line matches {pattern}")

    def synced(start: int) -> int:
        """The line on which the records written at `start` are durable: past the cache that write has returned."""
        if "pwritev" in lines[start]:
            if "unfinished" not in lines[start]:
                return start
            return first(rf"^{lines[start].split()[0]} .*pwritev2? resumed", start + 1)
        begun = first(r"f(data)?sync\(", start + 1)
        if "resumed" not in lines[begun] and "unfinished" not in lines[begun]:
            return begun
        thread = lines[begun].split()[0]
        return first(rf"^{thread} .*f(data)?sync resumed", begun + 1)

    received = first(rf"write.*received.*{request_id}|write.*{request_id}.*received")
    forwarded = first(r"POST /orders HTTP/1\.1")
    completed = first(rf"write.*{request_id}.*completed|write.*completed.*{request_id}")
    answered = first(r"HTTP/1\.1 201")
    while f"{request_id}" not in lines[answered]:
        answered = first(r"HTTP/1\.1 201", answered + 1)
    assert received <= synced(received) < forwarded
    assert forwarded < completed <= synced(completed) < answered
