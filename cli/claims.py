"""Which parts run on a data folder, and children that end with their parent."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from kernel.errors import InterlockError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class AlreadyRunning(InterlockError):
    """Another process serves this data folder; two of them would spoil each other's files."""

    code = "already-running"
    exit_code = 2


def refuse_second(data: Path, part: str) -> None:
    """Raise `AlreadyRunning` when a part (registry, proxy) runs on the data folder; nothing is touched.

    The lock of the part's journal, or of a supervisor, is what says so: it ends with its process, however
    that ends.
    """
    for file in (data / "audit" / part / "lock", data / "run" / f"{part}.lock"):
        try:
            lock = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue  # never started, or not ours to open: the part itself says what is wrong
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already(data, part) from None
        finally:
            os.close(lock)


def claim(data: Path, part: str) -> int:
    """Hold a data folder for a part with several processes; gives the descriptor that holds it.

    The claim lives as long as any process that inherited it. Raises `AlreadyRunning`.
    """
    refuse_second(data, part)
    file = data / "run" / f"{part}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise _already(data, part) from None
    return lock


def _already(data: Path, part: str) -> AlreadyRunning:
    pid = announced(data, part)
    return AlreadyRunning(
        f"a {part} already runs on this data folder (pid {pid if pid is not None else 'not told yet'})",
        hint="end that one first, or give another folder with --data",
    )


def announced(data: Path, part: str) -> int | None:
    """Give the process id that stands in run/<part>.json; None where there is none."""
    try:
        table = json.loads((data / "run" / f"{part}.json").read_bytes())
    except (OSError, ValueError):
        return None
    pid = table.get("pid") if isinstance(table, dict) else None
    return pid if isinstance(pid, int) else None


def end_with_parent() -> Callable[[], None] | None:
    """Give what a child runs before its program, so that Linux ends it (SIGTERM) once its parent is gone.

    For `preexec_fn` of a process without threads. None on other systems: there a killed parent leaves
    its children behind.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: after a fork only the call itself is left to do
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # gone between fork and prctl
            os._exit(1)

    return ask
