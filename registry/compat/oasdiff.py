"""Runs the pinned oasdiff on two documents, confined: no network, an empty folder, bounded time and memory.

Whatever goes wrong (missing, another version, a crash, a time-out, output that is no JSON) is told as a
value, and the verdict then cannot be *compatible*.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kernel.offline import offline
from kernel.settings import Settings
from registry.compat.openapi_touched import text_of

PINNED = "1.33.0"
MEMORY = 4 * 1024**3  # bytes of address space; it does not start below 1 GB (Go reserves ahead)
# It lives for a second or two: its heap may grow fivefold before it is swept, up to a bound where it is swept
# as often as need be. That is a quarter of its time on large documents.
COLLECTION: Final = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}
MOST_OUTPUT = 64 * 1024**2  # bytes
_BUILT = Path(__file__).resolve().parents[2] / ".tools" / "bin" / "oasdiff"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What oasdiff said: its findings as it wrote them, or why there are none."""

    findings: tuple[dict[str, Any], ...] = ()
    version: str = ""
    trouble: str = ""  # the rule that says why there is no opinion: engine-missing or engine-failed
    detail: str = ""


def program(settings: Settings | None) -> str | None:
    """Find the program: the setting, the one that `make setup` built, the PATH."""
    configured = settings["oasdiff"] if settings is not None else ""
    return configured or (str(_BUILT) if _BUILT.exists() else shutil.which("oasdiff"))


def ask(
    old: Any,
    new: Any,
    settings: Settings | None,
    *,
    upgrade: bool,
    begun: Callable[[], None] = lambda: None,
) -> Opinion:
    """Compare two self-contained roots; `upgrade` is needed where their OpenAPI versions differ.

    `begun` is called when the program runs: from then on this thread only waits.
    """
    path = program(settings)
    if path is None:
        return Opinion(trouble="engine-missing", detail="oasdiff was not found")
    found = _version(path, _changed(path))
    if found != PINNED:
        return Opinion(
            version=found, trouble="engine-missing", detail=f"oasdiff {found or '?'} is not {PINNED}"
        )
    seconds = float(settings["oasdiff_timeout"]) if settings is not None else 60.0
    with tempfile.TemporaryDirectory(prefix="interlock-oasdiff-") as folder:
        home = Path(folder)
        (home / "work").mkdir()
        for name, root in (("base.json", old), ("revision.json", new)):
            (home / name).write_bytes(text_of(root))
        command = [
            path, "changelog", str(home / "base.json"), str(home / "revision.json"),
            "--format", "json", "--level", "INFO", "--lang", "en",
            "--allow-external-refs=false", "--stability-level", "draft", "--flatten-params",
            *(["--auto-upgrade"] if upgrade else []),
        ]  # fmt: skip
        return _run(command, home, seconds, begun)


# Limits stand before the program does: a shell sets them (KiB, 512-byte blocks) and becomes the program.
_LIMITS: Final = f'ulimit -v {MEMORY // 1024} && ulimit -f {MOST_OUTPUT // 512} && ulimit -c 0 && exec "$@"'
_CONFINED: Final = ("/bin/sh", "-c", _LIMITS, "sh")


def _run(command: list[str], home: Path, seconds: float, begun: Callable[[], None]) -> Opinion:
    output = home / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program, and the shell sees its arguments as data
            [*offline(), *_CONFINED, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            cwd=home / "work",
            env={"HOME": str(home / "work"), "LANG": "C.UTF-8", **COLLECTION},
        )
        begun()
        try:
            _, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Opinion((), PINNED, "engine-failed", f"oasdiff took longer than {seconds:g} s")
    if process.returncode != 0:
        lines = complaint.decode("utf-8", "replace").replace(str(home), "").strip().splitlines()
        text = lines[0][:300] if lines else ""
        return Opinion((), PINNED, "engine-failed", f"oasdiff ended with {process.returncode}: {text}")
    return _read(output)


def _read(output: Path) -> Opinion:
    try:
        found = json.loads(output.read_bytes() or b"[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(row, dict) and "id" in row for row in found):
        return Opinion((), PINNED, "engine-failed", "oasdiff wrote something that cannot be read")
    return Opinion(tuple(found), PINNED)


def _changed(path: str) -> tuple[int, int]:
    try:
        state = os.stat(path)  # noqa: PTH116 - two numbers of a path that is a string everywhere here
    except OSError:
        return (0, 0)
    return (state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _version(path: str, changed: tuple[int, int]) -> str:
    """Ask once for each state of the file."""
    del changed
    try:
        run = subprocess.run(  # noqa: S603 - as above
            [path, "--version"], capture_output=True, timeout=10, check=False, env={"LANG": "C.UTF-8"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = run.stdout.decode("utf-8", "replace").split()
    return words[-1] if words else ""
