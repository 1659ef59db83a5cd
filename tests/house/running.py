"""Starts `interlock …` as a user would, on a free port, and ends it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def slug(self) -> str:
        return str(self.json()["type"]).rsplit(":", 1)[-1]


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERLOCK_")}
    return {**kept, "NO_COLOR": "1", **more}


@contextlib.contextmanager
def proxy_run(
    file: Path, upstream: str | None, *options: str, cwd: Path, settings: dict[str, str] | None = None
) -> Iterator[tuple[int, str]]:
    """Run `interlock proxy run` (`upstream` None: the options say who answers); yields its port and what it said until it was ready."""
    before = ("--upstream", upstream) if upstream is not None else ()
    child = subprocess.Popen(
        [sys.executable, "-m", "cli", "proxy", "run", str(file), *before, "--port", "0", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, env=clean_environment(**(settings or {})),
    )  # fmt: skip
    try:
        ready = re.compile(r"interlock proxy https?://127\.0\.0\.1:(\d+)")
        said = _read_until(child, ready)
        yield int(ready.findall(said)[0]), said
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        assert child.stdout is not None
        child.stdout.close()


def _read_until(child: subprocess.Popen[bytes], wanted: re.Pattern[str], seconds: float = 90.0) -> str:
    assert child.stdout is not None
    said = ""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ready, _, _ = select.select([child.stdout], [], [], 0.1)
        if ready:
            data = os.read(child.stdout.fileno(), 65536).decode()
            if not data:
                break
            said += data
            if wanted.search(said) and said.endswith("\n"):
                return said
    raise AssertionError(f"not ready: {said}")


def ask(
    port: int, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answered:
    """Make one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        sent = dict(headers or {})
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        if body is not None:
            sent["Content-Length"] = str(len(body))
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body)
        got = connection.getresponse()
        return Answered(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        connection.close()
