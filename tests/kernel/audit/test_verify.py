"""Verification: whoever alters, removes, reorders, adds or rewrites anything is named by the first bad record."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from kernel.audit import segment
from kernel.audit.segment import genesis, link, read_lines, record_line, split_line
from kernel.errors import AuditError
from kernel.sealing.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Log


@pytest.fixture
def written(log: Log) -> Log:
    """Ten records: opened, four exchanges of two, closed; line n holds record n, line 0 the header."""
    log.write(4)
    assert log.verify().ok
    return log


def _problem(log: Log) -> tuple[str, int | None]:
    report = log.verify()
    assert not report.ok
    (problem,) = report.problems
    assert problem.writer == "proxy-0"
    return problem.reason, problem.seq


def _put(log: Log, lines: list[bytes]) -> None:
    log.segment().write_bytes(b"".join(lines))


def test_no_altered_byte_of_the_log_is_overlooked(written: Log) -> None:
    good = written.segment().read_bytes()
    line = 0
    for offset in range(len(good)):
        altered = bytearray(good)
        altered[offset] ^= 0x01
        written.segment().write_bytes(altered)
        reason, seq = _problem(written)
        if line == 0:
            assert reason in {"bad-segment", "rewritten", "truncated"}, offset
        else:
            assert seq == line, (offset, reason)
        if good[offset : offset + 1] == b"\n":
            line += 1
    written.segment().write_bytes(good)
    assert written.verify().ok


def test_no_altered_byte_of_the_heads_makes_a_lie_true(written: Log) -> None:
    path = written.heads / "proxy-0.heads"
    good = path.read_bytes()
    for offset in range(len(good) - 1):
        altered = bytearray(good)
        altered[offset] ^= 0x01
        path.write_bytes(altered)
        report = written.verify()
        assert not report.ok, offset
        assert report.problems[0].reason == "bad-head"


@pytest.mark.parametrize("index", range(1, 11))
def test_a_removed_record_is_missed(written: Log, index: int) -> None:
    lines = written.lines()
    del lines[index]
    _put(written, lines)
    assert _problem(written) == (("missing", index) if index < 10 else ("truncated", 10))


@pytest.mark.parametrize("index", range(1, 10))
def test_swapped_records_are_noticed(written: Log, index: int) -> None:
    lines = written.lines()
    lines[index], lines[index + 1] = lines[index + 1], lines[index]
    _put(written, lines)
    assert _problem(written) == ("missing", index)


@pytest.mark.parametrize("index", range(1, 11))
def test_a_repeated_record_is_noticed(written: Log, index: int) -> None:
    lines = written.lines()
    lines.insert(index, lines[index])
    _put(written, lines)
    assert _problem(written) == ("reordered", index + 1)


@pytest.mark.parametrize("keep", range(1, 11))
def test_a_log_cut_behind_its_signed_head_is_noticed(written: Log, keep: int) -> None:
    _put(written, written.lines()[:keep])
    reason, seq = _problem(written)
    assert (reason, seq) == ("truncated", keep)


def _rewritten(log: Log, change: Callable[[dict[str, Any]], None]) -> list[bytes]:
    """Do what somebody without the key can do: alter records and chain all of them anew."""
    header, *lines = log.lines()
    chain = genesis("proxy-0", json.loads(header)["segment"]["journal"])
    result = [header]
    for line in lines:
        record = json.loads((split_line(line) or (b"", b"{}"))[1])
        change(record)
        data = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
        chain = link(chain, data)
        result.append(record_line(chain, data))
    return result


def test_a_log_chained_anew_is_not_the_signed_one(written: Log) -> None:
    def change(record: dict[str, Any]) -> None:
        if record["seq"] == 5:
            record["status"] = 500

    _put(written, _rewritten(written, change))
    report = written.verify()
    (problem,) = report.problems
    assert problem.reason == "rewritten"
    assert problem.what.startswith("records 2 to 10 were written anew")
    _put(written, _rewritten(written, lambda _: None))


def test_a_log_chained_anew_up_to_a_forged_head_is_refused(written: Log) -> None:
    mallory = SigningKey.generate("audit")
    shutil.rmtree(written.folder)
    shutil.rmtree(written.heads)
    written.key, honest = mallory, written.key
    written.write(4)
    written.key = honest
    assert _problem(written) == ("bad-head", None)


def test_missing_heads_are_a_problem(written: Log) -> None:
    (written.heads / "proxy-0.heads").unlink()
    assert _problem(written) == ("no-head", 1)


def test_a_missing_journal_is_a_problem(written: Log) -> None:
    shutil.rmtree(written.folder / "proxy-0")
    assert _problem(written) == ("truncated", 1)


def test_an_exchange_left_open_by_an_orderly_end_is_a_problem(written: Log) -> None:
    def change(record: dict[str, Any]) -> None:
        if record["seq"] == 9:
            record.pop("closes")

    _put(written, _rewritten(written, change))
    (written.heads / "proxy-0.heads").write_bytes(b"")
    assert _problem(written)[0] == "no-head"
    lines = written.lines()
    _sign(written, lines)
    assert _problem(written) == ("unpaired", 10)


def test_something_closed_twice_is_a_problem(written: Log) -> None:
    ids = [record["id"] for record in written.records()]

    def change(record: dict[str, Any]) -> None:
        if record["seq"] == 5:
            record["closes"] = ids[1]

    _put(written, _rewritten(written, change))
    _sign(written, written.lines())
    assert _problem(written) == ("unpaired", 5)


def _sign(log: Log, lines: list[bytes]) -> None:
    """Sign a head over what stands there, as only the holder of the key can."""
    from kernel.audit.heads import Head, sign_head

    journal = json.loads(lines[0])["segment"]["journal"]
    chain, _ = split_line(lines[-1]) or (b"", b"")
    head = Head("proxy-0", journal, 1, 1, 0, len(lines) - 1, chain.hex(), "2026-11-21T00:00:00Z")
    from msgspec.json import encode

    (log.heads / "proxy-0.heads").write_bytes(encode(sign_head(head, log.key)) + b"\n")


class TestSegments:
    """A log of several segments."""

    @pytest.fixture
    def long(self, log: Log) -> Log:
        log.write(30, segment_bytes=4096)
        assert log.verify().ok
        return log

    def test_a_missing_segment_is_noticed(self, long: Log) -> None:
        seq = json.loads(long.segment(3).read_bytes().splitlines()[1])["record"]["seq"]
        long.segment(3).unlink()
        assert _problem(long) == ("bad-segment", seq)

    def test_swapped_segments_are_noticed(self, long: Log) -> None:
        second, third = long.segment(2).read_bytes(), long.segment(3).read_bytes()
        long.segment(2).write_bytes(third)
        long.segment(3).write_bytes(second)
        assert _problem(long)[0] == "bad-segment"

    def test_a_cut_segment_in_the_middle_is_noticed(self, long: Log) -> None:
        data = long.segment(2).read_bytes()
        seq = json.loads(data.splitlines()[-1])["record"]["seq"]
        long.segment(2).write_bytes(data[:-20])
        reason, _ = _problem(long)
        assert reason == "altered"
        long.segment(2).write_bytes(b"".join(data.splitlines(True)[:-1]))
        assert _problem(long)[0] == "bad-segment"
        del seq

    def test_a_missing_first_segment_is_noticed(self, long: Log) -> None:
        long.segment(1).unlink()
        assert _problem(long) == ("bad-segment", 1)

    def test_an_altered_header_is_noticed(self, long: Log) -> None:
        data = long.segment(3).read_bytes()
        for old, new in (
            (b'"first_seq":', b'"first_seq": '),
            (b'"epoch":1', b'"epoch":2'),
            (b'"open":[]', b'"open":[{}]'),
        ):
            if old in data:
                long.segment(3).write_bytes(data.replace(old, new, 1))
                assert _problem(long)[0] == "bad-segment"


def test_another_writers_journal_is_no_substitute(log: Log) -> None:
    log.write(2)
    log.write(2, "proxy-1")
    shutil.rmtree(log.folder / "proxy-0")
    shutil.copytree(log.folder / "proxy-1", log.folder / "proxy-0")
    assert _problem(log)[0] == "bad-segment"


def test_a_log_in_use_verifies_as_far_as_it_is_written(log: Log) -> None:
    journal = log.open()
    journal.append_and_wait(log.received())
    report = log.verify()
    assert report.ok
    (writer,) = report.writers
    assert (writer.records, writer.under_way, writer.signed_to) == (2, 1, 1)
    assert writer.notes == ["1 records since the last signed head", "1 exchanges or series under way"]
    data = log.segment().read_bytes()
    end = len(data.rstrip(b"\n")) + 1
    log.segment().write_bytes(data[:end] + b'{"chain":"00')
    assert "ends in the middle of a record" in log.verify().writers[0].notes[0]


def test_a_record_may_be_torn_in_the_room_ahead(log: Log) -> None:
    journal = log.open()
    journal.append_and_wait(log.completed())
    data = log.segment().read_bytes()
    end = len(data.rstrip(b"\n")) + 1
    log.segment().write_bytes(data[: end - 40] + b"\n" * 300)
    report = log.verify()
    assert report.ok
    assert report.records == 1
    assert "ends in the middle of a record" in report.writers[0].notes[0]


def test_nothing_may_stand_after_the_room_ahead(log: Log) -> None:
    journal = log.open()
    journal.append_and_wait(log.completed())
    with log.segment().open("ab") as file:
        file.write(b"x\n")
    (problem,) = log.verify().problems
    assert (problem.reason, problem.seq) == ("altered", 3)


def test_a_later_block_may_be_seen_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads while a group is written finds it whole a moment later: that is no altered log."""
    first, later = b'{"chain":"1"}\n', b'{"chain":"2"}\n'
    file = io.BytesIO(b"header\n" + b"\n" * len(first) + later + b"\n\n")
    looks: list[float] = []

    class Clock:
        @staticmethod
        def sleep(seconds: float) -> None:
            looks.append(seconds)
            file.getbuffer()[len(b"header\n") :][: len(first)] = first

    monkeypatch.setattr(segment, "time", Clock)
    lines = [(line.data, line.whole) for line in read_lines(file)]
    assert lines == [(b"header\n", True), (b"\n", False)]
    assert len(looks) == 1


def test_only_the_newest_segment_has_room_ahead(log: Log) -> None:
    journal = log.open(segment_bytes=4096)
    for number in range(12):
        journal.append_and_wait(log.completed(f"r-{number}"))
    journal.close()
    assert log.verify().ok
    with log.segment(1).open("ab") as file:
        file.write(b"\n")
    (problem,) = log.verify().problems
    assert (problem.reason, problem.what) == ("altered", "00000001.jsonl ends in room for more")


def test_each_writer_has_its_own_answer(log: Log) -> None:
    log.write(2)
    log.write(2, "registry")
    lines = log.lines()
    del lines[3]
    _put(log, lines)
    report = log.verify()
    assert [writer.problem is None for writer in report.writers] == [False, True]
    problem = report.problems[0].as_json()
    assert problem["segment"] == "00000001.jsonl"
    assert problem["record"] == 3
    assert problem["offset"] == sum(len(line) for line in lines[:3])
    assert report.records == 2 + 6


def test_no_log_is_told(log: Log) -> None:
    with pytest.raises(AuditError, match="no audit log here"):
        log.verify()


def test_genesis_binds_writer_and_journal() -> None:
    assert genesis("proxy-0", "ab") == hashlib.sha256(b"interlock.audit/v1\nproxy-0\nab\n").digest()
    assert genesis("proxy-0", "ab") != genesis("proxy-1", "ab") != genesis("proxy-1", "ac")
