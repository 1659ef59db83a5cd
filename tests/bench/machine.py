"""Processes of the bench: started on one core, watched for CPU and memory, and ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something of the bench did not come up, or answered wrongly."""


def free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True)
class Program:
    """A running program and its children."""

    name: str
    pid: int
    log: Path

    def tree(self) -> list[int]:
        """The process and all its descendants."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found += [int(child) for child in task.read_text().split()]
        return found

    def cpu(self) -> tuple[float, float]:
        """User and system seconds that the tree has used."""
        user = system = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                user += int(fields[11])
                system += int(fields[12])
        return user / TICK, system / TICK

    def rss(self) -> int:
        """Resident bytes of the tree."""
        pages = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    core: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a program pinned to one core; its output goes to `<folder>/<name>.log`."""
    log = folder / f"{name}.log"
    with log.open("wb") as sink:
        child = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env={**os.environ, **(environment or {})},
        )  # fmt: skip
    try:
        yield Program(name, child.pid, log)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for_port(program: Program, port: int, seconds: float = 60) -> None:
    """Wait until something listens; raises `BenchError` with the last lines of the log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if not Path(f"/proc/{program.pid}/exe").exists():
            break
        time.sleep(0.05)
    tail = "\n".join(program.log.read_text(errors="replace").splitlines()[-8:])
    raise BenchError(f"{program.name} does not listen on port {port}:\n{tail}")
