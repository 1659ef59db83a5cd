"""Proves or disproves a log, from its files and public keys alone: nothing here trusts a running Interlock.

Every record is chained again from its exact bytes, numbers must be without gaps, segments must join, each
signed head must be met, and what was opened must have been closed. Per writer the first bad record is
named; after it the chain proves nothing, so reading stops there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from kernel.audit.heads import Head, HeadVerifier, head_holds, read_heads, writers_with_heads
from kernel.audit.segment import (
    BLANK,
    Line,
    SegmentHeader,
    carried,
    genesis,
    link,
    parse_header,
    parse_record,
    read_lines,
    segments,
    split_line,
    track,
)
from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Reason = Literal[
    "altered",  # the record's bytes or its chain are not what was written
    "missing",  # records are gone before this one
    "reordered",  # the record does not stand where it was written
    "rewritten",  # the chain is whole and is not the one that was signed
    "truncated",  # a signed head covers records that are not there
    "bad-segment",  # a segment is missing, or its first line is not what was written
    "bad-head",  # a head is not signed by a key that may, or cannot be read
    "no-head",  # records without any signed head
    "unpaired",  # something was closed that was not open, or left open by an orderly end
]


@dataclass(frozen=True, slots=True)
class Problem:
    """The first thing wrong with a writer's log; `offset` counts bytes from the segment's beginning."""

    writer: str
    reason: Reason
    what: str
    segment: str = ""
    seq: int | None = None
    offset: int | None = None
    record_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the documented form (docs/reference/audit-record.md)."""
        return {
            "writer": self.writer, "reason": self.reason, "what": self.what, "segment": self.segment,
            "record": self.seq, "offset": self.offset, "id": self.record_id,
        }  # fmt: skip


@dataclass(slots=True)
class WriterReport:
    """What was found about one writer; notes are no faults (a log in use has an end that moves)."""

    writer: str
    records: int = 0
    segments: int = 0
    heads: int = 0
    signed_to: int = 0
    under_way: int = 0
    problem: Problem | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: `ok` when every record of every writer stands as it was written and signed."""

    writers: tuple[WriterReport, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The first problem of each writer that has one."""
        return tuple(writer.problem for writer in self.writers if writer.problem is not None)

    @property
    def records(self) -> int:
        """How many records were proven."""
        return sum(writer.records for writer in self.writers)


def verify(folder: Path, heads_folder: Path, keys: Mapping[str, HeadVerifier]) -> Report:
    """Verify all writers of `<data>/audit` against `<data>/audit-heads`; raises `AuditError` if unreadable.

    `keys` may sign heads, by key id (`trust.may_sign("audit-heads")`).
    """
    if not folder.is_dir():
        raise AuditError("there is no audit log here", hint="name a data folder", place=Place(str(folder)))
    try:
        writers = {path.name for path in folder.iterdir() if path.is_dir()} | writers_with_heads(heads_folder)
        return Report(tuple(_verify_writer(folder, heads_folder, name, keys) for name in sorted(writers)))
    except OSError as error:
        raise AuditError(
            f"the audit log cannot be read: {error.strerror}", place=Place(str(folder))
        ) from error


class _Found(Exception):
    """Not an error: it carries the first problem out of the reading."""

    def __init__(self, reason: Reason, what: str, **where: Any) -> None:
        self.reason: Reason = reason
        self.what = what
        self.where = where


def _verify_writer(
    folder: Path, heads_folder: Path, writer: str, keys: Mapping[str, HeadVerifier]
) -> WriterReport:
    report = WriterReport(writer)
    try:
        heads = _heads(heads_folder, writer, keys, report)
        reading = _Reading(report, heads)
        own = folder / writer
        for number, path in segments(own) if own.is_dir() else []:
            with path.open("rb") as file:
                reading.segment(number, path.name, file)
        reading.end()
    except _Found as found:
        report.problem = Problem(writer, found.reason, found.what, **found.where)
    return report


def _heads(
    folder: Path, writer: str, keys: Mapping[str, HeadVerifier], report: WriterReport
) -> dict[int, Head]:
    """Read the heads that must be met, by record number."""
    heads: dict[int, Head] = {}
    for line in read_heads(folder, writer):
        head = line.head
        if head is None:
            raise _Found("bad-head", f"line {line.number} of the signed heads cannot be read")
        if head.writer != writer or not head_holds(head, keys):
            raise _Found(
                "bad-head", f"line {line.number} of the signed heads is not signed by a key that may"
            )
        if head.seq in heads and heads[head.seq].chain != head.chain:
            raise _Found(
                "bad-head", f"two signed heads contradict each other about record {head.seq}", seq=head.seq
            )
        heads[head.seq] = head
        report.heads += 1
        report.signed_to = max(report.signed_to, head.seq)
    return heads


class _Reading:
    """Reads the segments of one writer in order."""

    def __init__(self, report: WriterReport, heads: dict[int, Head]) -> None:
        self._report = report
        self._heads = heads
        self._chain = b""
        self._seq = 0
        self._number = 0
        self._epoch = 0
        self._journal = ""
        self._met = 0  # the last signed head that was met
        self._opened: dict[str, dict[str, Any]] = {}
        self._last_stage = ""
        self._unfinished = ""  # the segment that goes on as no segment does that has one after it
        self._torn = False  # in the middle of a record; else it has room for more

    def segment(self, number: int, name: str, file: BinaryIO) -> None:
        """Read one segment; raises `_Found` at the first thing wrong."""
        lines = read_lines(file)
        first = next(lines, None)
        header = parse_header(first.data) if first is not None else None
        if self._unfinished:
            ends = "in the middle of a record" if self._torn else "in room for more"
            raise _Found("altered", f"{self._unfinished} ends {ends}", segment=self._unfinished)
        if header is None:
            if number == self._number + 1 and (first is None or not first.whole):
                self._unfinished, self._torn = name, True
                return
            raise _Found("bad-segment", "the first line is not what was written", segment=name, offset=0)
        self._join(header, number, name)
        for line in lines:
            if not line.whole:
                self._unfinished, self._torn = name, line.data != BLANK
                break
            try:
                self._record(line, name)
            except _Found as found:
                after = next(lines, None)
                if found.reason != "altered" or after is None or after.whole or after.data != BLANK:
                    raise
                self._unfinished, self._torn = name, True  # a part of it was written into the room
                break
        self._report.segments += 1

    def _join(self, header: SegmentHeader, number: int, name: str) -> None:
        if self._number == 0:
            self._journal = header.journal
            self._chain = genesis(self._report.writer, header.journal)
        under_way = tuple(carried(record) for record in self._opened.values())
        wanted = SegmentHeader(
            self._report.writer,
            self._journal,
            self._number + 1,
            self._seq + 1,
            self._epoch,
            self._chain.hex(),
            under_way,
        )
        if number != wanted.number:
            raise _Found(
                "bad-segment", f"segment {wanted.number} is missing", segment=name, seq=self._seq + 1
            )
        if header != wanted:
            raise _Found(
                "bad-segment", "the first line does not join what came before", segment=name, offset=0
            )
        self._number = number

    def _record(self, line: Line, name: str) -> None:
        expected = self._seq + 1
        parts = split_line(line.data)
        record = parse_record(parts[1]) if parts is not None else None
        where: dict[str, Any] = {"segment": name, "seq": expected, "offset": line.offset}
        if parts is None or record is None:
            raise _Found("altered", f"record {expected} is not of the form that was written", **where)
        where["record_id"] = str(record.get("id", ""))[:64]
        if link(self._chain, parts[1]) != parts[0]:
            raise self._broken(record.get("seq"), expected, where)
        if record.get("seq") != expected or record.get("writer") != self._report.writer:
            raise _Found("reordered", f"record {expected} names itself {record.get('seq')!r}", **where)
        self._epochs(record, where)
        if not track(self._opened, record):
            raise _Found("unpaired", f"record {expected} closes something that was not open", **where)
        self._chain, self._seq, self._last_stage = parts[0], expected, str(record.get("stage"))
        self._report.records += 1
        head = self._heads.get(expected)
        if head is not None:
            self._meet(head, where)

    def _broken(self, seq: Any, expected: int, where: dict[str, Any]) -> _Found:
        if isinstance(seq, int) and seq > expected:
            return _Found(
                "missing", f"records {expected} to {seq - 1} are missing before record {seq}", **where
            )
        if isinstance(seq, int) and seq < expected:
            return _Found("reordered", f"record {seq} stands where record {expected} was", **where)
        return _Found("altered", f"record {expected} was altered: its bytes do not give its chain", **where)

    def _epochs(self, record: dict[str, Any], where: dict[str, Any]) -> None:
        epoch = self._epoch + 1 if record.get("stage") == "opened" else self._epoch
        if record.get("epoch") != epoch:
            raise _Found("reordered", f"record {where['seq']} is of another epoch", **where)
        self._epoch = epoch

    def _meet(self, head: Head, where: dict[str, Any]) -> None:
        if head.chain != self._chain.hex() or head.journal != self._journal:
            first = self._met + 1
            what = f"records {first} to {head.seq} were written anew: their chain is not the signed one"
            raise _Found("rewritten", what, **{**where, "seq": first, "record_id": ""})
        self._met = head.seq

    def end(self) -> None:
        """Judge the end of the log."""
        report = self._report
        report.under_way = len(self._opened)
        if report.signed_to > self._seq:
            what = f"records {self._seq + 1} to {report.signed_to} are missing: a signed head covers them"
            raise _Found("truncated", what, seq=self._seq + 1)
        if self._seq and not report.heads:
            raise _Found("no-head", "no signed head covers any record of this log", seq=1)
        if self._last_stage == "closed" and self._opened:
            raise _Found(
                "unpaired", f"{len(self._opened)} exchanges were left open by an orderly end", seq=self._seq
            )
        if self._unfinished and self._torn:
            report.notes.append(
                f"{self._unfinished} ends in the middle of a record, which nobody was answered for"
            )
        if self._seq > report.signed_to:
            report.notes.append(f"{self._seq - report.signed_to} records since the last signed head")
        if self._opened:
            report.notes.append(f"{len(self._opened)} exchanges or series under way")
