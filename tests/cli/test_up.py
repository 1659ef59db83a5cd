"""`interlock up` beside another one, and killed without a word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_SECONDS = 60.0


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "cli", *words]


def _wait_until(truth: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    data = tmp_path / "data"
    with (tmp_path / "log").open("wb") as log:
        first = subprocess.Popen(
            _words("up", "--data", str(data), "--registry-port", "0", "--proxy-port", "0"), stderr=log
        )
    try:
        _wait_until(lambda: (data / "run" / "proxy.json").exists() or first.poll() is not None)
        assert first.poll() is None, (tmp_path / "log").read_text()
        yield data, first
    finally:
        if first.poll() is None:
            first.terminate()
        first.wait(_SECONDS)


def test_a_second_one_is_refused_and_a_killed_one_leaves_nobody(
    running: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    data, first = running
    files = {name: data / "run" / f"{name}.json" for name in ("registry", "proxy")}
    before = {name: file.read_bytes() for name, file in files.items()}
    pids = {name: json.loads(text)["pid"] for name, text in before.items()}
    for words in (("up", "--proxy-port", "0"), ("registry-serve",)):
        ended = subprocess.run(
            _words(*words, "--data", str(data), "--registry-port", "0"),
            capture_output=True,
            text=True,
            check=False,
        )
        said = ended.stderr.splitlines()[0]
        wanted = f"a registry already runs on this data folder (pid {pids['registry']})"
        assert (ended.returncode, said) == (2, f"error[already-running]: {wanted}")
    assert {name: file.read_bytes() for name, file in files.items()} == before
    if sys.platform.startswith("linux"):
        os.kill(first.pid, signal.SIGKILL)
        first.wait(_SECONDS)
        for pid in pids.values():
            _wait_until(lambda pid=pid: not _alive(pid))  # type: ignore[misc]  # a default binds the loop's value
