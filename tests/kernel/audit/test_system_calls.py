"""What strace sees: write, sync, then the answer; and a failed sync ends everything. Both ways of writing."""

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

if sys.argv[2] == "cached":
    del os.O_DIRECT
asyncio.run(main(Path(sys.argv[1])))
"""


def _strace(log: Log, way: str, trace: Path, *options: str) -> str:
    """Run the child under strace and give what it answered."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "16384",
        "-o",
        str(trace),
        "-e",
        "trace=write,pwrite64,pwritev,pwritev2,fdatasync,openat",
        *options,
    ]
    done = subprocess.run(
        [*command, sys.executable, "-c", CHILD, str(log.data), way],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this machine refuses ptrace")
    assert done.returncode == 0, done.stderr
    return done.stdout


def _opened(lines: list[str]) -> tuple[str, bool]:
    """Give the descriptor that the journal is written by, and whether past the cache."""
    found = [re.search(r"00000001\.jsonl\", (O_[A-Z|_]+)\) = (\d+)", line) for line in lines]
    *_, last = [match for match in found if match is not None and re.search("O_WRONLY|O_RDWR", match[1])]
    past = "O_DIRECT" in last[1]
    assert ("O_DSYNC" in last[1]) is past
    return last[2], past


def test_nothing_is_answered_before_its_record_is_synced(log: Log, way: str, tmp_path: Path) -> None:
    answers = _strace(log, way, tmp_path / "trace")
    assert answers.split() == [word for number in range(5) for word in ("ANSWER", f"request-{number}")]
    lines = (tmp_path / "trace").read_text().splitlines()
    journal, past = _opened(lines)
    assert not (past and way == "cached")
    events = []
    for line in lines:
        if re.search(rf" pwrite(64|v2?)\({journal}, .*request-", line):
            events.append("write")
        if re.search(rf" fdatasync\({journal}\)\s+= 0", line) or re.search(
            r"<\.\.\. fdatasync resumed>.*= 0", line
        ):
            events.append("synced")
        elif past and re.search(r" pwritev2?\(.*= \d+$|<\.\.\. pwritev2? resumed>.*= \d+$", line):
            events.append("synced")  # O_DSYNC: the call returns once the disk has it
        elif " write(1, " in line and "ANSWER" in line:
            events.append("answer")
    text = " ".join(events)
    text = text[text.index("write") :]
    assert len(re.findall(r"write (?:synced )+answer", text)) == 5
    assert "write answer" not in text


def test_after_a_failed_sync_nothing_is_answered_for(log: Log, way: str, tmp_path: Path) -> None:
    # strace counts by thread: at most three at opening in the main thread, then one for each record in the writer's.
    call = "pwritev,pwritev2" if way != "cached" and log.goes_past() else "fdatasync"
    answers = _strace(log, way, tmp_path / "trace", "-e", f"inject={call}:error=EIO:when=4")
    words = [line.split()[0] for line in answers.splitlines()]
    kept = words.index("REFUSED")
    assert 1 <= kept <= 3
    assert words == ["ANSWER"] * kept + ["REFUSED"] * (5 - kept)
    assert answers.count("Input/output error") == 5 - kept
    trace = (tmp_path / "trace").read_text()
    assert trace.count("EIO") == 1
    assert call.split(",", maxsplit=1)[0] not in trace[trace.index("EIO") + 40 :]  # never tried again


def test_a_journal_that_cannot_be_begun_is_told(log: Log, way: str, tmp_path: Path) -> None:
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
        [*command, sys.executable, "-c", CHILD, str(log.data), way],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine refuses ptrace")
    assert "the journal cannot be opened: Input/output error" in done.stderr
    assert done.stdout == ""
