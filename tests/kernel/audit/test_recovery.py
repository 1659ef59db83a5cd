"""Opening after a crash: torn tails are set aside, open exchanges end as unknown, damage is not papered over."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kernel.errors import AuditError

if TYPE_CHECKING:
    from conftest import Log


def _crash(log: Log, *, keep_heads: int = 1) -> None:
    """Leave the log as a crash would: no closing record, only the first heads."""
    log.write(3)
    lines = log.lines()
    log.segment().write_bytes(b"".join(lines[:-1]))
    heads = (log.heads / "proxy-0.heads").read_bytes().splitlines(True)
    (log.heads / "proxy-0.heads").write_bytes(b"".join(heads[:keep_heads]))


@pytest.mark.parametrize("cut", [1, 2, 40, 80, 200])
def test_a_torn_tail_is_set_aside_and_the_chain_goes_on(log: Log, cut: int) -> None:
    _crash(log)
    whole = log.segment().read_bytes()
    last = log.lines()[-1]
    log.segment().write_bytes(whole[:-cut])
    log.open().close()
    torn = list(log.segment().parent.glob("*.torn"))
    assert [path.read_bytes() for path in torn] == [last[:-cut]]
    reopened = next(
        record for record in log.records() if record["stage"] == "opened" and record["epoch"] == 2
    )
    assert reopened["torn_bytes"] == len(last) - cut
    assert reopened["torn_sha256"] == hashlib.sha256(last[:-cut]).hexdigest()
    assert log.verify().ok


def test_a_torn_batch_may_be_torn_anywhere(log: Log) -> None:
    _crash(log)
    lines = log.lines()
    lines[3] = b"\0" * len(lines[3])  # this page of the batch never reached the disk, the later ones did
    log.segment().write_bytes(b"".join(lines))
    log.open().close()
    assert [path.read_bytes() for path in log.segment().parent.glob("*.torn")] == [b"".join(lines[3:])]
    assert log.verify().ok


def test_room_ahead_is_no_torn_tail(log: Log) -> None:
    _crash(log)
    whole = log.segment().read_bytes()
    log.segment().write_bytes(whole + b"\n" * 5000)
    log.open().close()
    assert list(log.segment().parent.glob("*.torn")) == []
    assert not any("torn_bytes" in record for record in log.records())
    assert log.segment().read_bytes().startswith(whole + b'{"chain":"')
    assert log.verify().ok


def test_a_tail_may_be_torn_in_the_room_ahead(log: Log) -> None:
    _crash(log)
    whole, last = log.segment().read_bytes(), log.lines()[-1]
    log.segment().write_bytes(whole[:-40] + b"\n" * 300)
    log.open().close()
    torn = list(log.segment().parent.glob("*.torn"))
    assert [path.read_bytes() for path in torn] == [last[:-40] + b"\n"]
    assert log.verify().ok


def test_what_was_under_way_ends_as_unknown(log: Log) -> None:
    _crash(log)
    lines = log.lines()
    log.segment().write_bytes(b"".join(lines[:-1]))  # the last `received` lost its `completed`
    journal = log.open()
    journal.close()
    (ended,) = journal.recovered
    received = [record for record in log.records() if record["stage"] == "received"][-1]
    assert ended["closes"] == received["id"]
    assert (ended["stage"], ended["outcome"], ended["epoch"]) == ("completed", "unknown", 2)
    assert [ended[name] for name in ("request_id", "contract", "operation")] == [
        "r-2",
        "lab-orders",
        "createOrder",
    ]
    assert log.verify().ok
    assert log.open().recovered == ()


def test_a_series_that_a_crash_cut_off_has_no_count(log: Log) -> None:
    journal = log.open()
    journal.append_and_wait(log.received() | {"stage": "series-opened", "refusal": "rate-limited"})
    journal.close()
    closed = log.records()[-2]
    assert (closed["stage"], closed["outcome"], closed["refusal"]) == (
        "series-closed",
        "unknown",
        "rate-limited",
    )
    assert "count" not in closed


def test_what_is_under_way_is_known_over_segments(log: Log) -> None:
    journal = log.open(segment_bytes=2048)
    journal.append_and_wait(log.received("long"))
    for number in range(9):
        journal.append_and_wait(log.completed(f"r-{number}"))
    journal.close()
    for number in range(3, 20):
        log.segment(number).unlink(missing_ok=True)
    second = log.segment(2).read_bytes().splitlines(True)
    log.segment(2).write_bytes(b"".join(second[:2]))
    heads = log.heads / "proxy-0.heads"
    heads.write_bytes(heads.read_bytes().splitlines(True)[0])
    again = log.open()
    assert [record["request_id"] for record in again.recovered] == ["long"]
    again.close()
    assert log.verify().ok


@pytest.mark.parametrize("header", [b"", b'{"segment":{"form', b"\0" * 300])
def test_a_segment_without_its_header_is_set_aside(log: Log, header: bytes) -> None:
    _crash(log)
    log.segment(2).write_bytes(header)
    journal = log.open()
    journal.append_and_wait(log.completed("after"))
    journal.close()
    assert [path.read_bytes() for path in log.segment().parent.glob("*.torn")] == [header]
    assert log.verify().ok


@pytest.mark.parametrize("damage", ["cut", "altered", "gone", "other"])
def test_damage_behind_a_signed_head_is_not_opened(log: Log, damage: str) -> None:
    log.write(3)
    data = log.segment().read_bytes()
    if damage == "cut":
        log.segment().write_bytes(b"".join(log.lines()[:-2]))
    elif damage == "altered":
        log.segment().write_bytes(data.replace(b'"status":201', b'"status":500', 1))
    elif damage == "gone":
        log.segment().unlink()
    else:
        log.write(3, "proxy-9")
        log.segment().write_bytes(log.segment(writer="proxy-9").read_bytes())
    before = log.segment().read_bytes() if log.segment().exists() else None
    with pytest.raises(AuditError, match=r"behind its signed head|is gone"):
        log.open()
    assert (log.segment().read_bytes() if log.segment().exists() else None) == before


def test_a_head_that_a_crash_cut_is_passed_over(log: Log) -> None:
    log.write(2)
    with (log.heads / "proxy-0.heads").open("ab") as file:
        file.write(b'{"writer":"proxy-0","jour')
    log.write(2)
    assert log.verify().ok


CHILD = """
import asyncio, sys
from pathlib import Path
from kernel.audit.journal import Journal
from kernel.audit.record import exchange_record
from kernel.sealing.keys import KeyFolder

async def main(data, segment_bytes):
    journal = Journal.open(
        data / "audit", "proxy-0", KeyFolder(data / "keys").signing_key("audit"), segment_bytes=segment_bytes
    )
    async def exchange(number):
        while True:
            number += 16
            name = f"{sys.argv[2]}-{number}"
            first = exchange_record({}, "received", request_id=name, client="192.0.2.7")
            closes = first["id"]
            await journal.append(first)
            await journal.append(exchange_record(
                {}, "completed", request_id=name, client="192.0.2.7", closes=closes, status=201, outcome="success"))
            print(name, flush=True)  # the answer
    await asyncio.gather(*(exchange(number) for number in range(16)))

asyncio.run(main(Path(sys.argv[1]), 65536))
"""


def _kill_under_load(log: Log, run: int) -> set[str]:
    """Start a writer, kill it after a number of answers, and give the answers it had given."""
    command = [sys.executable, "-c", CHILD, str(log.data), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        assert child.stdout is not None
        answered = [child.stdout.readline().strip() for _ in range(40 + run * 7)]
        child.kill()
        rest = child.stdout.read()
    answered += rest[: rest.rfind("\n") + 1].split()  # the kill may have cut the last one
    assert "" not in answered  # it died by our hand and no earlier
    return set(answered)


def _answers_are_kept(log: Log, answered: set[str]) -> None:
    log.open().close()
    report = log.verify()
    assert report.ok, report.problems
    records = log.records()
    completed = {record["request_id"] for record in records if record.get("outcome") == "success"}
    assert answered <= completed
    closed = {record["closes"] for record in records if "closes" in record}
    assert {record["id"] for record in records if record["stage"] == "received"} == closed


def test_no_answer_is_lost_by_kill_9(log: Log) -> None:
    answered: set[str] = set()
    for run in range(3):
        answered |= _kill_under_load(log, run)
    _answers_are_kept(log, answered)


@pytest.mark.long
def test_no_answer_is_lost_by_fifty_kills(log: Log) -> None:
    answered: set[str] = set()
    for run in range(50):
        answered |= _kill_under_load(log, run)
    _answers_are_kept(log, answered)
    assert len(answered) > 5000
