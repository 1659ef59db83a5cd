"""Runs a foreign program with little: no inherited environment, an empty folder, bounded time, memory and output.

What it writes is never trusted: it comes back as bytes, or as the reason why there are none.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.offline import offline

# Limits stand before the program does: a shell sets them (KiB, 512-byte blocks) and becomes the program.
_LIMITS: Final = 'ulimit -v "$0" && ulimit -f "$1" && ulimit -c 0 && shift && exec "$@"'
_BLOCK, _KIB = 512, 1024
_GRACE = 5.0  # seconds between asking a program to end and ending it


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may take: wall-clock seconds, bytes of address space, bytes of any one file that it writes."""

    seconds: float
    memory: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: `code` is None where it was ended from outside (`why` says so)."""

    code: int | None
    output: bytes
    complaint: bytes
    why: str = ""


def run_confined(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    bounds: Bounds,
    *,
    network: bool = True,
) -> Ended:
    """Run a program in `folder` and wait for it; its whole process group ends with it.

    Without `network` it gets a namespace without any interface, where the system lets users make one
    (kernel/offline.py). Raises `OSError` where the program cannot be started.
    """
    limited = [
        "/bin/sh",
        "-c",
        _LIMITS,
        str(bounds.memory // _KIB),
        str(bounds.file_bytes // _BLOCK),
        *command,
    ]
    whole = limited if network else [*offline(), *limited]
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as output, err.open("wb") as complaint:
        process = subprocess.Popen(  # noqa: S603 - the shell sees the program's words as data
            whole, stdin=subprocess.DEVNULL, stdout=output, stderr=complaint, cwd=folder,
            env=dict(environment), start_new_session=True,
        )  # fmt: skip
        try:
            code: int | None = process.wait(timeout=bounds.seconds)
            why = ""
        except subprocess.TimeoutExpired:
            code, why = None, f"it took longer than {bounds.seconds:g} s"
        finally:
            _end(process)
    return Ended(code, _read(out, bounds.file_bytes), _read(err, bounds.file_bytes), why)


def clean_environment(home: Path) -> dict[str, str]:
    """Give the little that any program needs; nothing of ours, so no token and no proxy either."""
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(home),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the program's process group: it may have started others."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(timeout=_GRACE if sign is signal.SIGTERM else None)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _read(file: Path, most: int) -> bytes:
    with file.open("rb") as handle:
        return handle.read(most)
