"""The disk side of a journal: chains records, writes and syncs them, begins segments, signs heads.

Only one thread uses a tape at a time; every OSError is left to the journal, which is dead after the first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.heads import Head, HeadsFile, HeadSigner, sign_head
from kernel.audit.record import FIELDS
from kernel.audit.recovery import End, create_segment
from kernel.audit.redaction import check_fields
from kernel.audit.segment import (
    LARGEST_RECORD,
    SegmentHeader,
    carried,
    encode_record,
    header_line,
    link,
    record_line,
    segment_path,
    track,
)
from kernel.audit.segment_file import open_segment
from kernel.audit.stamps import new_id, now
from kernel.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NOT_OPEN = "an audit record closes something that is not open"
HEAD_EVERY = 1.0  # seconds


class Tape:
    """The open newest segment of one writer, with its heads file."""

    def __init__(
        self, folder: Path, end: End, heads: HeadsFile, signer: HeadSigner, *, segment_bytes: int, fsync: bool
    ) -> None:
        self.folder = folder
        self.end = end
        self.watch: Callable[[int, float], None] | None = None  # told of every sync: records, seconds
        self.head_due = 0.0  # time.monotonic() at which the next head is due
        self._heads = heads
        self._signer = signer
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._file = open_segment(self.path, end.size, fsync=fsync)
        self._head_seq = 0
        self._synced = end.seq

    @property
    def path(self) -> Path:
        """The segment that is written now."""
        return segment_path(self.folder, self.end.number)

    @property
    def head_wanted(self) -> bool:
        """Whether there are records that no signed head covers yet."""
        return self._head_seq != self.end.seq

    def begin_epoch(self) -> tuple[dict[str, Any], ...]:
        """Write that the journal was opened, and the outcome unknown of all that a crash left open."""
        end = self.end
        end.epoch += 1
        torn = {"torn_bytes": end.torn_bytes, "torn_sha256": end.torn_sha256} if end.torn_bytes else {}
        recovered = self._unknown()
        self.commit([{"id": new_id(), "recorded": now(), "stage": "opened", **torn}, *recovered])
        self.sign_head()
        return recovered

    def end_epoch(self) -> None:
        """Write that the journal was closed in order; whatever is still open ends as unknown."""
        self.commit([*self._unknown(), {"id": new_id(), "recorded": now(), "stage": "closed"}])
        self._file.trim()
        self.sign_head()

    def commit(self, records: list[dict[str, Any]]) -> dict[int, AuditError]:
        """Write records so that they are durable; give those that are no records, by index."""
        refused = self.write(records)
        self.sync()
        return refused

    def write(self, records: Sequence[dict[str, Any] | Draft]) -> dict[int, AuditError]:
        """Chain records and write them, not yet durable; give those that are no records, by index."""
        end = self.end
        seq, chain, opened = end.seq, end.chain, end.opened
        lines: list[bytes] = []
        refused: dict[int, AuditError] = {}
        for index, record in enumerate(records):
            try:
                data = (
                    _fill(record, seq + 1, opened)
                    if isinstance(record, Draft)
                    else self._encode(record, seq + 1)
                )
            except AuditError as error:
                refused[index] = error
                continue
            seq += 1
            chain = link(chain, data)
            lines.append(record_line(chain, data))
        written = b"".join(lines)
        self._file.write(written)
        end.seq, end.chain, end.size = seq, chain, end.size + len(written)
        return refused

    def sync(self) -> None:
        """Make durable what was written, and begin a new segment where this one is full."""
        began = time.perf_counter()
        self._file.sync()
        if self.watch is not None:
            self.watch(self.end.seq - self._synced, time.perf_counter() - began)
        self._synced = self.end.seq
        if self.end.size >= self._segment_bytes:
            self._rotate()

    def sign_head(self) -> None:
        """Sign where the journal ends now: after `commit`, for a head promises what is durable."""
        end = self.end
        self.head_due = time.monotonic() + HEAD_EVERY
        if self._head_seq == end.seq:
            return
        head = Head(end.writer, end.journal, end.epoch, end.number, end.size, end.seq, end.chain.hex(), now())
        self._heads.append(sign_head(head, self._signer), sync=self._fsync)
        self._head_seq = end.seq

    def close(self) -> None:
        """Let go of the files."""
        self._file.close()
        self._heads.close()

    def form(self, fields: Mapping[str, Any]) -> ExchangeForm:
        """Give the form for records of one operation in this epoch."""
        return ExchangeForm(fields, writer=self.end.writer, epoch=self.end.epoch)

    def _encode(self, record: dict[str, Any], seq: int) -> bytes:
        end = self.end
        record["writer"], record["epoch"], record["seq"] = end.writer, end.epoch, seq
        check_fields(record, FIELDS)
        try:
            data = encode_record(record)
        except TypeError as error:
            raise AuditError(f"an audit record cannot be written as JSON: {error}") from None
        if len(data) > LARGEST_RECORD:
            raise AuditError(f"an audit record has {len(data)} bytes, more than {LARGEST_RECORD}")
        if not track(self.end.opened, record):
            raise AuditError(_NOT_OPEN)
        return data

    def _unknown(self) -> tuple[dict[str, Any], ...]:
        return tuple(_unknown(carried(record)) for record in self.end.opened.values())

    def _rotate(self) -> None:
        end = self.end
        self._file.trim()
        under_way = tuple(carried(record) for record in end.opened.values())
        header = SegmentHeader(
            end.writer, end.journal, end.number + 1, end.seq + 1, end.epoch, end.chain.hex(), under_way
        )
        size = create_segment(self.folder, end.number + 1, header_line(header))
        after = open_segment(segment_path(self.folder, end.number + 1), size, fsync=self._fsync)
        self._file.close()
        self._file, end.number, end.size = after, end.number + 1, size


def _fill(draft: Draft, seq: int, opened: dict[str, dict[str, Any] | Draft]) -> bytes:
    if draft.closes and opened.pop(draft.closes, None) is None:
        raise AuditError(_NOT_OPEN)
    if draft.opens:
        opened[draft.record_id] = draft
    return draft.encode(seq)


def _unknown(opened: dict[str, Any]) -> dict[str, Any]:
    """End an exchange or series of which nobody knows how it went."""
    stage = "series-closed" if opened["stage"] == "series-opened" else "completed"
    kept = {name: value for name, value in opened.items() if name not in {"id", "stage"}}
    return {
        **kept,
        "id": new_id(),
        "recorded": now(),
        "stage": stage,
        "outcome": "unknown",
        "closes": opened["id"],
    }
