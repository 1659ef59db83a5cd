"""What a command ends with when its reader went away, its disk is full, or a path is of no use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.errors import run_guarded


def _run(*words: str, stdout: int | str = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *words]
    if isinstance(stdout, int):
        return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    with Path(stdout).open("wb") as sink:
        return subprocess.run(command, stdout=sink, stderr=subprocess.PIPE, text=True, check=False)


def _run_unread(*words: str) -> subprocess.CompletedProcess[str]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return _run(*words, stdout=writer)
    finally:
        os.close(writer)


def test_a_reader_that_went_away_changes_nothing() -> None:
    ended = _run_unread("explain")
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = _run_unread("explain", "no-such-code")
    assert ended.returncode == 2
    assert "unknown-code" in ended.stderr
    ended = _run_unread("--help")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_disk_is_told_once() -> None:
    ended = _run("explain", stdout="/dev/full")
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[0].startswith("error[output-failed]: standard output cannot be written")
    assert "Traceback" not in ended.stderr
    assert "crash" not in ended.stderr


def test_paths_of_no_use_are_no_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(lambda: (tmp_path / "gone" / "x").write_bytes(b""), in_json=True) == 2
    told = capsys.readouterr()
    assert told.err.startswith(
        f"error[file-unusable]: {tmp_path}/gone/x: No such file or directory\n  hint: "
    )
    said = json.loads(told.out)["error"]
    assert (said["code"], said["place"]) == ("file-unusable", "")
    file = tmp_path / "file"
    file.touch()
    for folder in (file, Path("/proc/nowhere")):
        ended = _run("up", "--data", str(folder))
        assert ended.returncode == 2, ended.stderr
        assert ended.stderr.startswith(f"error[file-unusable]: {folder}")
