"""The journal: durable before answered, one writer, bounded, dead for ever after one failure."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import pathlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from kernel.audit import heads, tape
from kernel.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Log


async def test_records_are_on_disk_when_their_futures_are_done(log: Log) -> None:
    journal = log.open()
    first = log.received()
    await journal.append(first)
    assert [record["stage"] for record in log.records()] == ["opened", "received"]
    await journal.append(log.completed(closes=first["id"]))
    await journal.aclose()
    records = log.records()
    assert [record["stage"] for record in records] == ["opened", "received", "completed", "closed"]
    assert [record["seq"] for record in records] == [1, 2, 3, 4]
    assert {record["writer"] for record in records} == {"proxy-0"}
    assert records[2]["closes"] == records[1]["id"] == first["id"]
    assert log.verify().ok


async def test_the_form_on_disk_can_be_checked_by_twelve_lines_of_anybody(log: Log) -> None:
    journal = log.open()
    await asyncio.gather(*(journal.append(log.completed(f"r-{number}")) for number in range(50)))
    await journal.aclose()
    header, *lines = log.lines()
    segment = json.loads(header)["segment"]
    chain = hashlib.sha256(f"interlock.audit/v1\nproxy-0\n{segment['journal']}\n".encode()).digest()
    assert segment["prev"] == chain.hex()
    for line in lines:
        assert line[:10] == b'{"chain":"'
        record = line[len(b'{"chain":"",   "record":') + 61 : -2]
        chain = hashlib.sha256(chain + hashlib.sha256(record).digest()).digest()
        assert json.loads(line) == {"chain": chain.hex(), "record": json.loads(record)}
    assert len(lines) == 52


async def test_what_waits_is_written_together_and_in_order(log: Log) -> None:
    groups: list[int] = []
    journal = log.open()
    journal.watch(lambda records, _: groups.append(records))
    await asyncio.gather(*(journal.append(log.completed(f"r-{number}")) for number in range(500)))
    assert sum(groups) == 500
    assert len(groups) < 50
    assert [record["request_id"] for record in log.records()[1:]] == [f"r-{number}" for number in range(500)]


async def test_a_few_turns_of_the_loop_make_one_group(log: Log) -> None:
    """None of them waits for anything: the disk is asked once for what came just after one another."""
    groups: list[int] = []
    journal = log.open()
    journal.watch(lambda records, _: groups.append(records))
    promises = []
    for number in range(3):
        promises.append(journal.append(log.completed(f"r-{number}")))
        await asyncio.sleep(0)
    await asyncio.gather(*promises)
    assert groups == [3]


async def test_many_records_wait_for_no_further_turn(log: Log) -> None:
    groups: list[int] = []
    journal = log.open()
    journal.watch(lambda records, _: groups.append(records))
    waiting = [journal.append(log.completed(f"first-{number}")) for number in range(64)]
    await asyncio.sleep(0)
    waiting.append(journal.append(log.completed("next turn")))
    await asyncio.gather(*waiting)
    assert groups == [64, 1]


@pytest.mark.pure
async def test_a_group_is_synced_only_when_it_is_written(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever wakes the thread meanwhile: a group is not told, nor forgotten, before it is whole."""
    journal = log.open()
    await journal.append(log.completed("before"))
    write, sync = journal._tape.write, journal._tape.sync
    writing, seen = threading.Event(), []

    def slowly(records: list[Any]) -> Any:
        writing.set()
        journal._kick()
        threading.Event().wait(0.05)  # the thread looks now
        refused = write(records)
        writing.clear()
        return refused

    def noted() -> None:
        seen.append(writing.is_set())
        sync()

    monkeypatch.setattr(journal._tape, "write", slowly)
    monkeypatch.setattr(journal._tape, "sync", noted)
    async with asyncio.timeout(10):
        await journal.append(log.completed("slow"))
    assert seen == [False]
    assert [record.get("request_id") for record in log.records()] == [None, "before", "slow"]


async def test_a_caller_who_went_away_changes_nothing(log: Log) -> None:
    journal = log.open()
    gone = journal.append(log.completed("gone"))
    gone.cancel()
    await journal.append(log.completed("next"))
    assert [record.get("request_id") for record in log.records()] == [None, "gone", "next"]


def test_threads_share_a_journal(log: Log) -> None:
    journal = log.open()
    threads = [
        threading.Thread(target=lambda: [journal.append_and_wait(log.completed()) for _ in range(25)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert log.verify().records == 8 * 25 + 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mrn": "77120"}, "'mrn' is no field"),
        ({"detail": {"x": "y" * 70_000}}, "more than 65535"),
        ({"detail": object()}, "cannot be written as JSON"),
        ({"detail": 2**70}, "cannot be written as JSON"),
        ({"closes": "never-opened"}, "closes something that is not open"),
        ({"id": None}, "needs id"),
        ({"closes": ["a"]}, "needs id"),
    ],
)
async def test_a_bad_record_fails_alone(log: Log, change: dict[str, Any], reason: str) -> None:
    journal = log.open()
    waiters = [
        journal.append(record)
        for record in (log.completed("a"), log.completed("b") | change, log.completed("c"))
    ]
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), AuditError, type(None)]
    assert reason in str(outcomes[1])
    assert "77120" not in str(outcomes[1])
    await journal.aclose()
    assert log.verify().ok


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _held(call: Callable[..., int], reached: threading.Event, go_on: threading.Event) -> Callable[..., int]:
    def held(*arguments: Any) -> int:
        reached.set()
        go_on.wait(20)
        return call(*arguments)

    return held


async def test_too_many_waiting_records_are_refused_at_once(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = log.open(queue=4)
    reached, go_on = threading.Event(), threading.Event()
    for call in ("fdatasync", "pwritev"):
        monkeypatch.setattr(os, call, _held(getattr(os, call), reached, go_on))
    first = journal.append(log.completed("writing"))
    await asyncio.to_thread(reached.wait, 20)
    waiting = [journal.append(log.completed(f"waiting-{number}")) for number in range(4)]
    with pytest.raises(AuditError, match="too many audit records wait"):
        journal.append(log.completed("too many"))
    assert journal.waiting == 5  # one is being synced
    go_on.set()
    await asyncio.gather(first, *waiting)
    await journal.append(log.completed("room again"))


@pytest.mark.parametrize(
    ("way", "call"),
    [("cached", "fdatasync"), ("cached", "pwrite"), ("past the cache", "pwritev")],
    indirect=["way"],
)
async def test_after_one_failure_the_journal_is_dead_for_ever(
    log: Log, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "pwritev" and not log.goes_past():
        pytest.skip("the file system of the tests cannot be written past its cache")
    journal = log.open()
    await journal.append(log.completed("kept"))

    def fail(*_: object) -> int:
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        waiters = [journal.append(log.completed(f"lost-{number}")) for number in range(3)]
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert {str(outcome).split(" (")[0] for outcome in outcomes} == {
        "the audit log cannot be written any more: Input/output error"
    }
    assert journal.failure is not None
    for _ in range(3):  # the disk is well again, and nobody knows what it holds
        with pytest.raises(AuditError, match="cannot be written any more"):
            journal.append(log.completed("later"))
    await journal.aclose()
    again = log.open()
    await again.append(log.completed("after a restart"))
    await again.aclose()
    assert log.verify().ok


async def test_who_waits_while_a_head_cannot_be_signed_is_told(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of heads may be another disk, and full: a record that is durable by then is not forgotten."""
    journal = log.open()

    monkeypatch.setattr(journal._tape._heads, "append", _full)
    journal._tape.head_due = 0.0  # with the next group
    async with asyncio.timeout(10):
        with pytest.raises(AuditError, match="cannot be written any more: No space left"):
            await journal.append(log.completed())


@pytest.mark.pure
async def test_a_group_whose_write_fails_is_told_even_where_the_thread_ends_at_once(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = log.open()
    die = journal._die

    def die_and_be_seen(error: Exception) -> None:
        die(error)
        journal._kick()
        journal._syncer.join(20)  # the thread looks now

    monkeypatch.setattr(journal._tape, "write", _full)
    monkeypatch.setattr(journal, "_die", die_and_be_seen)
    async with asyncio.timeout(10):
        with pytest.raises(AuditError, match="cannot be written any more: No space left"):
            await journal.append(log.completed())


@pytest.mark.pure
async def test_a_loop_that_ended_before_its_group_was_written_keeps_nobody_waiting(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "HEAD_EVERY", 60.0)  # signing one would look at the queue too
    journal = log.open()

    async def leave() -> None:
        journal.append(log.completed("of a loop that ends"))

    def live_shortly() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(leave())
        loop.close()

    await asyncio.to_thread(live_shortly)
    reached, go_on = threading.Semaphore(0), threading.Semaphore(0)
    sync = journal._tape.sync

    def held() -> None:
        reached.release()
        go_on.acquire(timeout=20)
        sync()

    monkeypatch.setattr(journal._tape, "sync", held)
    thread = asyncio.create_task(asyncio.to_thread(journal.append_and_wait, log.completed("of a thread")))
    await asyncio.to_thread(reached.acquire, timeout=20)
    first = journal.append(log.completed("first"))  # is written once the thread's is synced
    go_on.release()
    await asyncio.to_thread(reached.acquire, timeout=20)
    second = journal.append(log.completed("second"))  # once the first is
    go_on.release(9)
    async with asyncio.timeout(10):
        await first
        await second
    await thread


async def test_a_head_of_which_a_part_is_written_is_a_failure_and_cut_off(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full up to half a line takes that half, and says so by the count alone."""
    journal = log.open()
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:100]))
        journal._tape.head_due = 0.0  # with the next group
        async with asyncio.timeout(10):
            with pytest.raises(AuditError, match="cannot be written any more: No space left"):
                await journal.append(log.completed())
    await journal.aclose()
    log.write(1)
    assert log.verify().problems == ()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("broken", ["heads", "segment"])
@pytest.mark.pure
async def test_who_waits_is_told_where_no_file_of_heads_can_follow_or_the_files_cannot_be_closed(
    log: Log, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    journal = log.open()

    def fail(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(heads, "LARGEST_FILE", 0)
    monkeypatch.setattr(pathlib.Path, "replace", fail)
    if broken == "segment":
        monkeypatch.setattr(journal._tape, "close", fail)
    journal._tape.head_due = 0.0  # with the next group
    async with asyncio.timeout(10):
        with pytest.raises(AuditError, match="cannot be written any more: Read-only"):
            await journal.append(log.completed())
    await journal.aclose()
    monkeypatch.undo()
    log.open().append_and_wait(log.completed("after a restart"))


async def test_a_loop_that_ended_while_its_group_was_synced_keeps_nobody_waiting(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "HEAD_EVERY", 60.0)  # signing one would look at the queue too
    journal = log.open()
    reached, go_on = threading.Event(), threading.Event()
    for call in ("fdatasync", "pwritev"):
        monkeypatch.setattr(os, call, _held(getattr(os, call), reached, go_on))
    ended = asyncio.new_event_loop()

    async def leave() -> None:
        journal.append(log.completed("of a loop that ends"))
        while not reached.is_set():
            await asyncio.sleep(0.001)

    await asyncio.to_thread(ended.run_until_complete, leave())
    waiting = journal.append(log.completed("waiting"))  # for the group before it, which that loop is told of
    go_on.set()
    async with asyncio.timeout(10):
        await waiting
    ended.close()


async def test_a_closed_journal_takes_nothing(log: Log) -> None:
    journal = log.open()
    await journal.aclose()
    journal.close()
    with pytest.raises(AuditError, match="is closed"):
        journal.append(log.completed())


def test_a_writer_is_alone(log: Log) -> None:
    journal = log.open()
    with pytest.raises(AuditError, match="another process writes this journal"):
        log.open()
    log.open("proxy-1")
    journal.close()
    log.open()


@pytest.mark.parametrize("name", ["", "../x", "Proxy", "a/b", "a" * 65])
def test_a_writer_name_cannot_leave_the_folder(log: Log, name: str) -> None:
    with pytest.raises(AuditError, match="no name for a journal"):
        log.open(name)


def test_segments_begin_anew_and_join(log: Log) -> None:
    journal = log.open(segment_bytes=4096)
    first = log.received("long")
    journal.append_and_wait(first)
    for number in range(40):
        journal.append_and_wait(log.completed(f"r-{number}"))
    journal.append_and_wait(log.completed("long", closes=first["id"]))
    journal.close()
    headers = [json.loads(line)["segment"] for line in log.lines() if line.startswith(b'{"segment"')]
    assert len(headers) > 5
    assert [header["number"] for header in headers] == list(range(1, len(headers) + 1))
    assert [item["request_id"] for item in headers[3]["open"]] == ["long"]
    report = log.verify()
    assert report.ok
    assert report.records == 44


def test_room_is_made_ahead_and_taken_back(log: Log) -> None:
    journal = log.open(segment_bytes=64 * 1024)
    sizes = []
    for number in range(40):
        journal.append_and_wait(log.completed(f"r-{number}"))
        sizes.append(log.segment().stat().st_size)
    assert len(set(sizes)) < 10  # the file grows by as much again each time
    assert log.segment().read_bytes().endswith(b"\n\n")
    assert len(log.segment().read_bytes().rstrip(b"\n")) > sizes[-1] // 3
    for number in range(200):
        journal.append_and_wait(log.completed(f"r-{number}"))
    journal.close()
    for number in (1, 2, 3):
        assert b"\n\n" not in log.segment(number).read_bytes()
        assert log.segment(number).read_bytes().endswith(b"}\n")
    assert log.verify().ok


def test_an_orderly_end_leaves_nothing_open(log: Log) -> None:
    journal = log.open()
    first = log.received("cut off")
    journal.append_and_wait(first)
    journal.close()
    ended = log.records()[-2]
    assert (ended["stage"], ended["outcome"], ended["closes"]) == ("completed", "unknown", first["id"])
    assert ended["request_id"] == "cut off"
    assert "status" not in ended
    assert log.verify().ok


def test_heads_are_signed_at_opening_and_at_the_end(log: Log) -> None:
    log.write(3)
    heads = [json.loads(line) for line in (log.heads / "proxy-0.heads").read_bytes().splitlines()]
    assert heads[0]["seq"] == 1
    assert heads[-1]["seq"] == 8
    assert heads[-1]["key"] == log.key.key_id


async def test_a_head_is_signed_each_second_while_records_come(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "HEAD_EVERY", 0.01)
    journal = log.open()
    file: Path = log.heads / "proxy-0.heads"
    async with asyncio.timeout(20):
        while file.read_bytes().count(b"\n") < 4:
            await journal.append(log.completed())
            await asyncio.sleep(0.005)
        await journal.append(log.completed("last"))
        while json.loads(file.read_bytes().splitlines()[-1])["seq"] != len(log.records()):
            await asyncio.sleep(0.005)  # nothing more comes, and the head is signed all the same


async def test_callers_in_loops_and_threads_never_wait_for_nobody(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads are signed between any two groups, so that every order of claim, release and arrival comes up."""
    monkeypatch.setattr(tape, "HEAD_EVERY", 0.0)
    journal = log.open()

    async def one_after_the_other(name: str) -> None:
        for number in range(150):
            await journal.append(log.completed(f"{name}-{number}"))
            if number % 7 == 0:
                await asyncio.sleep(0)

    def from_a_thread(name: str) -> None:
        for number in range(60):
            journal.append_and_wait(log.completed(f"{name}-{number}"))

    async with asyncio.timeout(60):
        await asyncio.gather(
            *(one_after_the_other(f"loop-{index}") for index in range(3)),
            *(asyncio.to_thread(from_a_thread, f"thread-{index}") for index in range(3)),
            asyncio.to_thread(lambda: asyncio.run(one_after_the_other("other-loop"))),
        )
    await journal.aclose()
    kept = [record["request_id"] for record in log.records() if record["stage"] == "completed"]
    assert len(kept) == len(set(kept)) == 4 * 150 + 3 * 60
