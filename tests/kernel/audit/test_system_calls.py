"""What strace sees: write, then fdatasync, then the answer; and a failed fdatasync ends everything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Log

CHILD = """
import asyncio, os, sys
from pathlib import Path
from kernel.audit.journal import Journal
from kernel.audit.record import exchange_record
from kernel.errors import AuditError
from kernel.sealing.keys import KeyFolder

async def main(data):
    journal = Journal.open(data / "audit", "proxy-0", KeyFolder(data / "keys").signing_key("audit"))
    for number in range(5):
        name = f"request-{number}"
        try:
            await journal.append(exchange_record({}, "completed", request_id=name, client="192.0.2.7"))
        except AuditError as error:
            os.write(1, f"REFUSED {name} {error.message}\\n".encode())
        else:
            os.write(1, f"ANSWER {name}\\n".encode())
    await journal.aclose()

asyncio.run(main(Path(sys.argv[1])))
"""


def _strace(log: Log, trace: Path, *options: str) -> str:
    """Run the child under strace and give what it answered."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "4096",
        "-o",
        str(trace),
        "-e",
        "trace=write,pwrite64,fdatasync,openat",
        *options,
    ]
    done = subprocess.run(
        [*command, sys.executable, "-c", CHILD, str(log.data)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this machine refuses ptrace")
    assert done.returncode == 0, done.stderr
    return done.stdout


def _journal_descriptor(lines: list[str]) -> str:
    opened = [re.search(r"00000001\.jsonl.*O_WRONLY\|O_NOFOLLOW[^)]*\) = (\d+)", line) for line in lines]
    return [match[1] for match in opened if match is not None][-1]


def test_nothing_is_answered_before_its_record_is_synced(log: Log, tmp_path: Path) -> None:
    answers = _strace(log, tmp_path / "trace")
    assert answers.split() == [word for number in range(5) for word in ("ANSWER", f"request-{number}")]
    lines = (tmp_path / "trace").read_text().splitlines()
    journal = _journal_descriptor(lines)
    events = []
    for line in lines:
        if re.search(rf" pwrite64\({journal}, .*request-", line):
            events.append("write")
        elif re.search(rf" fdatasync\({journal}\)\s+= 0", line) or re.search(
            r"<\.\.\. fdatasync resumed>.*= 0", line
        ):
            events.append("synced")
        elif " write(1, " in line and "ANSWER" in line:
            events.append("answer")
    text = " ".join(events)
    text = text[text.index("write") :]
    assert len(re.findall(r"write (?:synced )+answer", text)) == 5
    assert "write answer" not in text


def test_after_a_failed_fdatasync_nothing_is_answered_for(log: Log, tmp_path: Path) -> None:
    # strace counts by thread: three at opening in the main thread, then one for each record in the writer's.
    answers = _strace(log, tmp_path / "trace", "-e", "inject=fdatasync:error=EIO:when=4")
    words = [line.split()[0] for line in answers.splitlines()]
    kept = words.index("REFUSED")
    assert 1 <= kept <= 3
    assert words == ["ANSWER"] * kept + ["REFUSED"] * (5 - kept)
    assert answers.count("Input/output error") == 5 - kept
    trace = (tmp_path / "trace").read_text()
    assert trace.count("EIO") == 1
    assert "fdatasync" not in trace[trace.index("EIO") + 40 :]  # never tried again


def test_a_journal_that_cannot_be_begun_is_told(log: Log, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        "inject=fdatasync:error=EIO:when=1",
    ]
    done = subprocess.run(
        [*command, sys.executable, "-c", CHILD, str(log.data)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine refuses ptrace")
    assert "the journal cannot be opened: Input/output error" in done.stderr
    assert done.stdout == ""
